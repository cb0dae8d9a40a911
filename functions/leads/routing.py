"""Say which team and person a lead goes to: the first rule that fits, turns taken by the lead's own id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared.domain.lead import Lead

Rule = Mapping[str, Any]


def route(lead: Lead, urgency: str, rules: Sequence[Rule], lead_id: str, default_user: str | None) -> dict[str, Any]:
    """Give the attributes of EspoCRM that say who is responsible; the same on every repeat."""
    rule = next((each for each in rules if _fits(each, lead, urgency)), {})
    persons = rule.get("person") or default_user
    if isinstance(persons, list):
        persons = persons[int(lead_id[:8], 16) % len(persons)] if persons else default_user
    assigned = {"assignedUserId": persons} if persons else {}
    return assigned | ({"teamsIds": [rule["team"]]} if rule.get("team") else {})


def _fits(rule: Rule, lead: Lead, urgency: str) -> bool:
    place = lead.objekt.plz or lead.adresse.plz or ""
    facts = {"typ": lead.typ, "thema": lead.anliegen.thema, "dringlichkeit": urgency}
    wanted = {name: rule[name] for name in facts if name in rule}
    same = all(facts[name] in (value if isinstance(value, list) else [value]) for name, value in wanted.items())
    return same and place.startswith(str(rule.get("plz", "")))
