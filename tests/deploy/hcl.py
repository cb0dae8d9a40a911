"""Read as much of HCL as our Terraform uses: blocks with labels, attributes as the text of their expression."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_TOKEN = re.compile(
    r"""(?P<space>[ \t]+|\#[^\n]*|//[^\n]*)|(?P<line>\n)|(?P<text>"(?:\$\{(?:[^"{}]|"[^"]*")*\}|\\.|[^"\\])*")
    |(?P<open>[{\[(])|(?P<close>[}\])])|(?P<word>[A-Za-z_0-9][\w-]*)|(?P<other>=>|==|!=|.)""",
    re.VERBOSE,
)


@dataclass
class Block:
    """`kind "label" ... { attributes and blocks }`; a `dynamic` block stands for the blocks that it makes."""

    kind: str
    labels: list[str] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)

    def walk(self) -> Iterator[Block]:
        """Go through the block and all inside it."""
        yield self
        for each in self.blocks:
            yield from each.walk()


def read(folder: Path) -> list[Block]:
    """Read all files of a folder."""
    return [block for path in sorted(folder.glob("*.tf")) for block in parse(path.read_text(encoding="utf-8"))]


def parse(text: str) -> list[Block]:
    """Read one file."""
    tokens = [(m.lastgroup, m.group()) for m in _TOKEN.finditer(text) if m.lastgroup != "space"]
    whole = Block("file")
    _body(tokens, 0, whole)
    return whole.blocks


def _body(tokens: list[tuple[str | None, str]], at: int, into: Block) -> int:
    while at < len(tokens):
        kind, text = tokens[at]
        if kind == "line":
            at += 1
        elif kind == "close":
            return at + 1
        elif tokens[at + 1][1] == "=":
            value, at = _expression(tokens, at + 2)
            assert text not in into.attributes, f"{text} is set twice"
            into.attributes[text] = value
        else:
            assert kind == "word", text
            block, at = Block(text), at + 1
            while tokens[at][1] != "{":
                block.labels.append(tokens[at][1].strip('"'))
                at += 1
            at = _body(tokens, at + 1, block)
            into.blocks.append(block)
    return at


def _expression(tokens: list[tuple[str | None, str]], at: int) -> tuple[str, int]:
    depth, parts = 0, []
    while at < len(tokens):
        kind, text = tokens[at]
        if depth == 0 and kind in {"line", "close"}:
            break
        depth += (kind == "open") - (kind == "close")
        parts.append(text)
        at += 1
    return " ".join(parts), at


def references(expression: str) -> set[str]:
    """Name what an expression refers to: `var.x`, `local.x`, `data.kind.name`, `kind.name`."""
    plain = expression.replace(" . ", ".")
    inside = " ".join(re.findall(r"\$\{([^}]*)\}", plain)) + " " + re.sub(r'"(?:\\.|[^"\\])*"', " ", plain)
    found = set(re.findall(r"\b(?:var|local)\.\w+|\b(?:data\.)?google_\w+\.\w+", inside))
    return {name for name in found if not name.startswith("google_") or "." in name}
