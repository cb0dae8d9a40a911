"""Small changes of the Lua scripts: comparisons, conditions, numbers, marks, and lines left out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lupa import lua51  # Redis's own; a second version in one process crashes beside fakeredis's

from .mutant import Mutant, mutant_of
from .python import SMALL

COMPARED = {"==": "~=", "~=": "==", "<=": "<", ">=": ">", "<": "<=", ">": ">="}
COUNTED = {"+": "-", "-": "+", "*": "/", "/": "*"}
MARKS = {"'0'": "'1'", "'1'": "'0'", "''": "'x'", "'-inf'": "'+inf'", "'-'": "'+'", "'+'": "'-'"}
_STRING = re.compile(r"'[^']*'")
_FUNCTION = re.compile(r"local function (\w+)")
_STATEMENT = re.compile(r"\s*([\w.\[\]#+ ]+ = .+|[\w.]+\(.*\)|if .+ then .+ end)$")
_BARE_CONDITION = re.compile(r"\bif (?P<test>(?:(?! (?:and|or) |[<>=~]=?|not ).)+?) then\b")
_NUMBER = re.compile(r"(?<![\w.'])\d+\b")
_OPERATORS = re.compile(r"==|~=|<=|>=|(?<=\s)[<>](?=\s)")
_ARITHMETIC = re.compile(r"(?<=\s)[-+*/](?=\s)")
_WORDS = re.compile(r"\b(and|or)\b|\bnot ")
_OPTION = re.compile(r"'NX', ")


def mutants(path: str, source: str) -> list[Mutant]:
    """List every small change of a script that still is Lua."""
    lua, made, where, offset = lua51.LuaRuntime(), [], "script", 0
    for line in source.splitlines(keepends=True):
        if named := _FUNCTION.match(line):
            where = named[1]
        elif line.startswith("end"):
            where = "script"
        for start, end, new in _changes(line.rstrip("\n").partition("--")[0].rstrip()):
            span = tuple(offset + len(line[:each].encode()) for each in (start, end))
            made.append(mutant_of(path, where, source, (span[0], span[1]), new))
        offset += len(line.encode())
    return [each for each in made if _compiles(lua, each.text(source))]


def _compiles(lua: lua51.LuaRuntime, text: str) -> bool:
    try:
        lua.compile(text)
    except lua51.LuaSyntaxError:
        return False
    return True


def _changes(line: str) -> Iterator[tuple[int, int, str]]:
    code = _STRING.sub(lambda found: "'" + "_" * (len(found[0]) - 2) + "'" if len(found[0]) > 2 else "''", line)
    for found in _OPERATORS.finditer(code):
        yield *found.span(), COMPARED[found[0]]
    for found in _ARITHMETIC.finditer(code):
        yield *found.span(), COUNTED[found[0]]
    for found in _WORDS.finditer(code):
        yield *found.span(), {"and": "or", "or": "and"}.get(found[0], "")
    for found in _NUMBER.finditer(code):
        number = int(found[0])
        yield *found.span(), str(number + 1 if number < SMALL else number * 2)
    for found in _OPTION.finditer(line):
        yield *found.span(), ""
    for found in _STRING.finditer(line):
        if found[0] in MARKS:
            yield *found.span(), MARKS[found[0]]
    if found := _BARE_CONDITION.search(code):
        yield *found.span("test"), f"not ({line[found.start('test') : found.end('test')]})"
    if _STATEMENT.match(line) and not line.lstrip().startswith(("local ", "return ", "for ")):
        yield len(line) - len(line.lstrip()), len(line), ""
