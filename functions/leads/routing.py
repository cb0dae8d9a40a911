"""Say which team and persons a lead goes to, by the first rule that fits: pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from functions.leads.places import land_of
from shared.domain.lead import Lead

Rule = Mapping[str, Any]
LEAST_BUSY = "frei"


def rule_for(lead: Lead, urgency: str, rules: Sequence[Rule]) -> Rule:
    """Find the rule; an empty one when none fits."""
    return next((each for each in rules if _fits(each, lead, urgency)), {})


def persons_of(rule: Rule) -> list[str]:
    """List the persons of a rule, which names one or several."""
    persons = rule.get("person") or []
    return [str(each) for each in persons] if isinstance(persons, list) else [str(persons)]


def turn(persons: Sequence[str], lead_id: str) -> str:
    """Take turns by the lead's own id: evenly spread, and the same on every repeat."""
    return persons[int(lead_id[:8], 16) % len(persons)]


def least_busy(open_tasks: Mapping[str, int]) -> str:
    """Take whoever has the fewest open Tasks; the first of several."""
    return min(open_tasks, key=lambda person: open_tasks[person])


def _fits(rule: Rule, lead: Lead, urgency: str) -> bool:
    place = lead.objekt.plz or lead.adresse.plz or ""
    facts = {"typ": lead.typ, "thema": lead.anliegen.thema, "dringlichkeit": urgency, "land": land_of(place)}
    wanted = {name: rule[name] for name in facts if name in rule}
    same = all(facts[name] in (value if isinstance(value, list) else [value]) for name, value in wanted.items())
    return same and place.startswith(str(rule.get("plz", "")))
