"""The figures of workers that have ended, kept in one file of each kind.

prometheus_client keeps a file for each process and reads all of them for each page. Without this a page takes longer,
and more memory, for every worker that ever ended.
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client.mmap_dict import MmapedDict

from shared.log import get_log

log = get_log(__name__)
NOBODY = 0  # the process id that stands for all who have ended
Figures = dict[str, tuple[float, float]]


@contextmanager
def undisturbed(directory: Path) -> Iterator[None]:
    """Let nobody fold while a page is read, so that no figure is seen twice or not at all."""
    with (directory / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


class Ended:
    """Takes over what workers leave behind; one that is read just now is taken over with the next."""

    def __init__(self, directory: Path) -> None:
        self._directory, self._left = directory, set[int]()

    def add(self, pid: int) -> None:
        """Take over from a process that has ended; never waits, since who calls also starts the next worker."""
        self._left.add(pid)
        with (self._directory / "lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            for each in sorted(self._left):
                for file in self._directory.glob(f"*_{each}.db"):
                    self._fold(file, self._directory / f"{file.name.rpartition('_')[0]}_{NOBODY}.db")
            self._left.clear()

    def _fold(self, file: Path, total: Path) -> None:
        figures = _read(total) if total.exists() else {}
        for key, (value, at) in _read(file).items():
            so_far, before = figures.get(key, (0.0, 0.0))
            if file.name.startswith("gauge"):
                figures[key] = (value, at) if at >= before else (so_far, before)
            else:
                figures[key] = (so_far + value, at)
        new = total.with_suffix(".new")
        new.unlink(missing_ok=True)
        whole = MmapedDict(str(new))  # type: ignore[no-untyped-call]
        for key, (value, at) in figures.items():
            whole.write_value(key, value, at)  # type: ignore[no-untyped-call]
        whole.close()  # type: ignore[no-untyped-call]
        os.replace(new, total)
        file.unlink()


def _read(file: Path) -> Figures:
    """Read one file; whoever was killed while making it left nothing that can be read."""
    try:
        values = MmapedDict.read_all_values_from_file(str(file))  # type: ignore[no-untyped-call]
        return {key: (value, at) for key, value, at, _ in values}
    except (struct.error, RuntimeError):
        log.warning("figures_unreadable", kind=file.name.rpartition("_")[0])
        return {}
