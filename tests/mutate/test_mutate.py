"""The mutants are what they should be, and a survivor cannot hide: tried on a small tree of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import lua, python
from .listed import listed
from .run import Row, Tried, each_tried, table
from .targets import TARGETS, Part

ROOT = Path(__file__).parents[2]
AGE = '''"""Say who may enter."""


def may_enter(age: int) -> bool:
    """Tell whether somebody is old enough."""
    return age >= 18
'''
AGE_TESTS = """from age import may_enter


def test_age():
    assert may_enter(18)
    assert not may_enter(17)
"""


def changes(source: str, kind: str = "py") -> set[str]:
    find = lua.mutants if kind == "lua" else python.mutants
    return {each.after for each in find(f"x.{kind}", source)}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a = b == c", {"a = b != c"}),
        ("a = b < c", {"a = b <= c"}),
        ("a = b is not None", {"a = b is None"}),
        ("a = b and not c", {"a = b or not c", "a = b and c"}),
        ("a = any(b)", {"a = all(b)"}),
        ("a = pattern.fullmatch(b)", {"a = pattern.match(b)"}),
        ("a = b.strip()", {"a = b"}),
        ("a = True", {"a = False"}),
        ("a = 7", {"a = (7 + 1)"}),
        ("a = 1000", {"a = (1000 * 2)"}),
        ("a = 'x'", {'a = ""'}),
        ("def f():\n    self.lost = b", {"pass"}),
        ("def f():\n    give(b)", {"pass"}),
        ("def f():\n    return b", {"return None"}),
        ("if b:\n    c()", {"if not (b):", "pass"}),
        ("a = [b for b in c if d(b)]", {"a = [b for b in c if not (d(b))]"}),
        ("raise Wrong('of course')", {"pass"}),
    ],
)
def test_each_kind_of_change_is_made(source: str, expected: set[str]) -> None:
    assert changes(source) == expected


@pytest.mark.parametrize(
    "source",
    ['"""Only words."""', "log.info('told', count=1)", "def f(a: 'B') -> 'C': ...", "metrics.X.labels('a').inc()"],
)
def test_what_only_tells_stays_as_it_is(source: str) -> None:
    assert changes(source) == set()


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("if a == b then return 0 end", {"if a ~= b then return 0 end", "if a == b then return 1 end", "(removed)"}),
        ("redis.call('DEL', a)", {"(removed)"}),
        ("if a then", set()),  # not a whole script
        ("call('ZADD', a, 'NX', b, c)", {"(removed)", "call('ZADD', a, b, c)"}),
        ("return a - b -- a - b", {"return a + b -- a - b"}),
        ("return a and not b", {"return a or not b", "return a and b"}),
        ("return a or '0'", {"return a and '0'", "return a or '1'"}),
    ],
)
def test_scripts_are_changed_too(source: str, expected: set[str]) -> None:
    assert changes(source, "lua") == expected


def test_a_mutant_changes_one_place_and_is_named_by_it() -> None:
    source = "def f(größe):\n    return größe > 1 and größe < 3\n"
    names = {each.name: each.text(source) for each in python.mutants("x.py", source)}
    changed = names["x.py f: `return größe > 1 and größe < 3` → `return größe > 1 and größe <= 3`"]
    assert changed == source.replace("< 3", "<= 3")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "age.py").write_text(AGE)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_age.py").write_text(AGE_TESTS)
    return tmp_path


def tried(tree: Path) -> list[Tried]:
    return list(each_tried(tree, {"age": (Part(("age.py",), ("tests/test_age.py",)),)}, 1))


def test_what_the_tests_see_is_killed_and_the_tree_stays_untouched(tree: Path) -> None:
    assert {each.mutant.after: each.ending for each in tried(tree)} == {
        "return age > 18": "killed",
        "return age >= (18 + 1)": "killed",
        "return None": "killed",
    }
    assert (tree / "age.py").read_text() == AGE


def test_what_no_test_sees_survives_and_a_listed_one_is_counted_apart(tree: Path) -> None:
    (tree / "tests" / "test_age.py").write_text(AGE_TESTS.replace("18", "30"))
    survivors = [each for each in tried(tree) if each.ending == "survived"]
    assert [each.mutant.after for each in survivors] == ["return age > 18", "return age >= (18 + 1)"]
    row = Row()
    for each, known in zip(survivors, (True, False), strict=True):
        row.count(each, is_listed=known)
    assert (row.known, row.survived) == (1, 1)
    assert table({"age": row})[-1].split() == ["all", "2", "0", "0", "1", "1", "0.0", "%"]


def test_tests_that_are_red_by_themselves_prove_nothing(tree: Path) -> None:
    (tree / "tests" / "test_age.py").write_text(AGE_TESTS.replace("not ", ""))
    with pytest.raises(AssertionError, match="not green without any change"):
        tried(tree)


def test_a_survivor_is_known_only_with_a_reason() -> None:
    name = "a/b.py f: `x = 1` → `x = 2`"
    assert listed(f"text\n- {name}: the same in every case\n- c.py g: `y` → `z`\n") == {name: "the same in every case"}


def test_every_target_has_files_mutants_and_tests() -> None:
    for name, parts in TARGETS.items():
        for part in parts:
            assert all((ROOT / each).exists() for each in (*part.files, *part.tests)), name
            assert len(part.mutants(ROOT)) > 10, name
