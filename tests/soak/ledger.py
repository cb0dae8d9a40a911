"""What was told and acknowledged, and what is there in the end."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from checker import History, verdict

from sandbox.advoware import Advoware
from sandbox.espocrm import EspoCrm

Rows = list[tuple[str, int]]
_LEAD = re.compile(r"Anliegen Nummer (\d+)\b")


@dataclass
class Ledger:
    """A history and the newest version of each party, each lead and each call."""

    parties: History = field(default_factory=History)
    leads: History = field(default_factory=History)
    calls: History = field(default_factory=History)
    versions: dict[str, int] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    sent: dict[str, int] = field(default_factory=dict)

    def judge(self, espocrm: EspoCrm, advoware: Advoware) -> list[str]:
        """Say what is lost, doubled, stale or from nowhere."""
        leads = espocrm.records.all("Lead")
        found = {
            "party": verdict(self.parties.entries, party_rows(advoware, self.names), self.versions),
            "lead": verdict(self.leads.entries, lead_rows(leads), self._sent("lead")),
            "task": verdict(self.leads.entries, task_rows(espocrm, leads), self._sent("lead")),
            "call": verdict(self.calls.entries, call_rows(espocrm), self._sent("call")),
        }
        return [f"{kind} {each}" for kind, wrong in found.items() for each in wrong]

    def count(self, outcome: str) -> int:
        """Count tellings by how they ended."""
        return sum(each.count(outcome) for each in (self.parties, self.leads, self.calls))

    def _sent(self, kind: str) -> Mapping[str, int]:
        return {f"{kind}-{number}": 1 for number in range(1, self.sent.get(kind, 0) + 1)}


def party_rows(advoware: Advoware, names: Mapping[str, str]) -> Rows:
    """List the parties with the version that their street shows."""
    rows = advoware.registry.parties()
    return [(names.get(row["name"], row["name"]), int(row["strasse"].split()[-1] or 0)) for row in rows]


def lead_rows(leads: list[dict[str, Any]]) -> Rows:
    """List the Leads by the number in their text."""
    return [(_named(row), 1) for row in leads]


def task_rows(espocrm: EspoCrm, leads: list[dict[str, Any]]) -> Rows:
    """List the Tasks by the Lead beside which they stand."""
    names = {row["id"]: _named(row) for row in leads}
    return [(names.get(row["parentId"], str(row["parentId"])), 1) for row in espocrm.records.all("Task")]


def call_rows(espocrm: EspoCrm) -> Rows:
    """List the Calls by the caller in their name."""
    rows = espocrm.records.all("Call")
    return [(f"call-{int(re.sub('[^0-9]', '', row['name']).removeprefix('49511') or 0)}", 1) for row in rows]


def _named(lead: Mapping[str, Any]) -> str:
    found = _LEAD.search(str(lead["description"]))
    return f"lead-{found[1]}" if found else str(lead["id"])
