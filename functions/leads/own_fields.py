"""What an installation's own fields of the Lead get, where there are any; the labelled lines say it all anyway."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from functions.leads.render import Facts
from functions.leads.submission import Submission

_MARKS: Final = "utm_source utm_medium utm_campaign utm_term utm_content gclid fbclid msclkid".split()


def own_values(submission: Submission, facts: Facts, find: Callable[[str], str | None]) -> dict[str, str]:
    """Give values by the names that `find` knows of ours (without their `c`)."""
    found = ((find(name), value) for name, value in _values(submission, facts) if value)
    return {name: value for name, value in found if name}


def _values(submission: Submission, facts: Facts) -> Iterator[tuple[str, str]]:
    lead = submission.lead
    yield from ((name, facts.lead_id) for name in ("vorgang", "submissionid", "submission_id"))
    yield "dringlichkeit", facts.urgency.partition(" ")[0]
    yield "kollision", facts.conflict
    yield "typ", lead.typ
    yield "thema", lead.anliegen.thema or ""
    yield "frist", lead.anliegen.frist or ""
    yield "objekt", lead.objekt.line
    yield "gegenseite", lead.gegenseite.name or ""
    yield "rueckruf", "ja" if lead.kontaktwunsch.rueckruf else "nein"
    given = ", ".join(each.zweck for each in lead.einwilligungen if each.erteilt)
    yield from ((name, given) for name in ("einwilligungen", "einwilligung"))
    for mark in _MARKS:
        value = getattr(lead.quelle, mark) or ""
        yield from ((name, value) for name in dict.fromkeys((mark, mark.replace("_", ""))))
