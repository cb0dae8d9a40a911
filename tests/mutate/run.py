"""Try all mutants in several copies of the tree, and count how they ended."""

from __future__ import annotations

import queue
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from .mutant import Mutant
from .targets import Part
from .workshop import Ending, Workshop

PATIENCE, AT_LEAST_S = 4, 15.0  # a mutant may take that many times as long as the tests alone, and that much more


@dataclass(frozen=True)
class Tried:
    """One mutant and how it ended."""

    target: str
    mutant: Mutant
    ending: Ending


@dataclass(frozen=True)
class Job:
    """One mutant, the tests that should see it, and how long they may take."""

    target: str
    mutant: Mutant
    tests: Sequence[str]
    seconds: float


@dataclass
class Row:
    """What became of one target's mutants."""

    killed: int = 0
    timeout: int = 0
    known: int = 0
    survived: int = 0

    @property
    def all(self) -> int:
        """Count them."""
        return self.killed + self.timeout + self.known + self.survived

    def count(self, tried: Tried, *, is_listed: bool) -> None:
        """Add one."""
        name = "known" if tried.ending == "survived" and is_listed else tried.ending
        setattr(self, name, getattr(self, name) + 1)

    def line(self, name: str) -> str:
        """Write a line of the table."""
        share = 100 * (self.killed + self.timeout) / max(1, self.all)
        return (
            f"{name:<12}{self.all:>8}{self.killed:>8}{self.timeout:>9}{self.known:>8}{self.survived:>10}{share:>9.1f} %"
        )


def table(rows: Mapping[str, Row]) -> list[str]:
    """Write the table, its sum at the end."""
    head = f"{'target':<12}{'mutants':>8}{'killed':>8}{'timeout':>9}{'listed':>8}{'survived':>10}{'found':>11}"
    names = ("killed", "timeout", "known", "survived")
    whole = Row(*(sum(getattr(row, name) for row in rows.values()) for name in names))
    return [head, *(row.line(name) for name, row in rows.items()), whole.line("all")]


def each_tried(
    root: Path,
    targets: Mapping[str, Sequence[Part]],
    processes: int,
    is_wanted: Callable[[Mutant], bool] = lambda _: True,
) -> Iterator[Tried]:
    """Try every mutant in a copy of the tree; a copy for each process."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="bitbylaw-mutate-") as place, ExitStack() as stack:
        first = stack.enter_context(Workshop(root, Path(place) / "0"))
        jobs = queue.Queue[Job]()
        for target, parts in targets.items():
            for part in parts:
                mutants = [each for each in part.mutants(first.tree) if is_wanted(each)]
                seconds = AT_LEAST_S + PATIENCE * first.measure(part.tests) if mutants else 0.0
                for mutant in mutants:
                    jobs.put(Job(target, mutant, part.tests, seconds))
        count = jobs.qsize()
        print(f"mutate: {count} mutants, {processes} processes", flush=True)  # noqa: T201
        more = [Workshop(first.tree, Path(place) / str(number)) for number in range(1, processes)]
        shops = [first, *(stack.enter_context(each) for each in more)]
        yield from _worked_off(jobs, shops, count)
    print(f"mutate: {count} mutants in {time.monotonic() - began:.0f} s", flush=True)  # noqa: T201


def _worked_off(jobs: queue.Queue[Job], shops: Sequence[Workshop], count: int) -> Iterator[Tried]:
    results: queue.Queue[Tried | BaseException] = queue.Queue()

    def work(shop: Workshop) -> None:
        try:
            while True:
                job = jobs.get_nowait()
                results.put(Tried(job.target, job.mutant, shop.judge(job.mutant, job.tests, job.seconds)))
        except queue.Empty:
            return
        except BaseException as error:  # noqa: BLE001 - it is raised where the results are read
            results.put(error)

    for shop in shops:
        threading.Thread(target=work, args=(shop,), daemon=True).start()
    for _ in range(count):
        result = results.get()
        if isinstance(result, BaseException):
            raise result
        yield result
