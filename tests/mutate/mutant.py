"""One small change of one file."""

from __future__ import annotations

from dataclasses import dataclass

REMOVED = "(removed)"


@dataclass(frozen=True)
class Mutant:
    """Replace one stretch of a file, in bytes; `where` names the function around it."""

    path: str
    where: str
    start: int
    end: int
    new: str
    before: str
    after: str

    @property
    def name(self) -> str:
        """Name it as the list of known survivors does."""
        return f"{self.path} {self.where}: `{self.before}` → `{self.after}`"

    def text(self, source: str) -> str:
        """Give the changed file."""
        raw = source.encode()
        return (raw[: self.start] + self.new.encode() + raw[self.end :]).decode()


def mutant_of(path: str, where: str, source: str, span: tuple[int, int], new: str) -> Mutant:
    """Make a mutant; it is shown by the lines that it changes, as they were and as they are."""
    start, end = span
    raw = source.encode()
    first = raw.rfind(b"\n", 0, start) + 1
    last = raw.find(b"\n", end)
    last = len(raw) if last < 0 else last
    after = raw[first:start] + new.encode() + raw[end:last]
    return Mutant(path, where, start, end, new, shown(raw[first:last]), shown(after) or REMOVED)


def shown(lines: bytes) -> str:
    """Write lines as one."""
    return " ".join(lines.decode().split())
