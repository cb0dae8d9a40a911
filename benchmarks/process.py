"""What a group of processes uses, and how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterable
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def group_of(pid: int) -> list[int]:
    """List the processes of a process group."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if os.getpgid(int(entry.name)) == pid:
                    found.append(int(entry.name))
            except ProcessLookupError:
                continue
    return found


def cpu_s(pids: Iterable[int]) -> float:
    """Sum the user and system time of processes, in seconds, that of their ended children included."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
        total += sum(int(each) for each in fields[11:15])
    return total / TICKS


def memory_mib(pids: Iterable[int], kind: str = "Pss") -> float:
    """Sum the memory of processes, in MiB: Pss counts a shared page once in all, Rss in each process."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith(f"{kind}:"):
                total += int(line.split()[1])
    return total / 1024


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process that leads a group, with all that it has started."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
