"""The model test: 500 seeds with all rules in place, and for each of twelve rules seeds that fail without it."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from .game import Outcome, play
from .kept import kept
from .removed import RULES, play_without

SEEDS = 500
BLOCK = 50
FAULTS = (
    "crash before",
    "crash after",
    "lost",
    "unsent",
    "503",
    "late",
    "late crash",
    "html",
    "html 404",
    "short",
    "resent",
    "410",
    "rate",
)
WRITES = ("a POST appointments", "a PUT one", "a DELETE one", "g POST events", "g PUT event", "g DELETE event")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def told(outcome: Outcome) -> str:
    """Say how to look at a failing seed."""
    return f"python -m tests.model --tell {outcome.seed}: {outcome.violations[:3]}"


@pytest.fixture(scope="module")
def tale() -> Counter[str]:
    """Everything that happened in the games of this module."""
    return Counter()


@pytest.mark.parametrize("first", range(0, SEEDS, BLOCK))
def test_after_whatever_happened_both_sides_agree_and_nothing_is_lost_doubled_or_leaked(
    first: int, tale: Counter[str]
) -> None:
    for seed in range(first, first + BLOCK):
        outcome = play(seed)
        assert not outcome.violations, told(outcome)
        tale.update(line.strip() for line in outcome.told if line.startswith("    "))


def test_in_these_games_every_kind_of_trouble_and_of_write_occurred(tale: Counter[str]) -> None:
    if not tale:
        pytest.skip("needs the games above")
    faults = {line.partition(": ")[2] for line in tale if re.match(r"[ag] [A-Z]+ [\w ]+: ", line)}
    assert set(FAULTS) <= faults
    writes = {found.group(1) for line in tale if (found := re.match(r"\d+ s (.*) \d{3} ", line))}
    assert set(WRITES) <= writes
    statuses = {found.group(1) for line in tale if (found := re.match(r"\d+ s .* (\d{3}) ", line))}
    assert {"200", "201", "204", "400", "403", "409", "412"} <= statuses


def test_a_seed_always_tells_the_same_tale() -> None:
    assert play(7).told == play(7).told


def test_there_are_kept_seeds_for_all_twelve_rules() -> None:
    assert len(RULES) == 12
    assert {rule for rule, seeds in kept().items() if seeds} == set(RULES)


@pytest.mark.parametrize("rule", RULES)
def test_without_one_rule_a_promise_is_broken(rule: str) -> None:
    broken = next((seed for seed in kept()[rule] if play_without(rule, seed).violations), None)
    assert broken is not None, f"look for new seeds: python -m tests.model --without {rule!r}"
    outcome = play(broken)
    assert not outcome.violations, told(outcome)
