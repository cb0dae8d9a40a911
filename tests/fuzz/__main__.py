"""Fuzz with coverage feedback: `python -m tests.fuzz [seconds each] [target …]`; a find is kept as a file and told."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from .seeds import SEEDS

FINDS = Path(__file__).parents[2] / ".fuzz"


def main() -> int:
    """Fuzz each target in a process of its own; 1 when anything was found."""
    seconds, *names = [*sys.argv[1:], "60"][: max(1, len(sys.argv) - 1)]
    FINDS.mkdir(exist_ok=True)
    found = [name for name in names or SEEDS if not _quiet(name, int(seconds))]
    print(f"found something in: {', '.join(found)}" if found else "nothing found")  # noqa: T201
    return int(bool(found))


def _quiet(name: str, seconds: int) -> bool:
    with tempfile.TemporaryDirectory(prefix="bitbylaw-fuzz-") as corpus:
        for number, seed in enumerate(SEEDS[name]):
            (Path(corpus) / f"seed-{number}").write_bytes(seed)
        options = [f"-max_total_time={seconds}", "-max_len=4096", "-timeout=20", "-rss_limit_mb=2048"]
        options += ["-verbosity=0", "-print_final_stats=1", f"-artifact_prefix={FINDS}/{name}-"]
        command = [sys.executable, "-m", "tests.fuzz.one", name, corpus, *options]
        return subprocess.run(command, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
