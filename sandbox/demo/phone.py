"""The telephone chapter: it rings, the screen says who it is, and one Call remains in EspoCRM."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from rich.table import Table

from sandbox.demo.processes import TEMPLATE_KEY, WEBHOOK_SECRET, Firm
from sandbox.demo.story import Story
from sandbox.threecx.double import Bell

CALLER, OFFICE, EXTENSION, PARTY = "+495111234567", "+4951198760", "102", "815"
SHOWN = "/threecx/screenpop?number=%2B495111234567"
COLUMNS = {"name": "call", "status": "status", "dateStart": "start (UTC)", "dateEnd": "end", "assignedUserId": "owner"}


class Desk:
    """Somebody at a desk with EspoCRM open."""

    def __init__(self, firm: Firm) -> None:
        self._url = firm.env["ESPOCRM_API_BASE_URL"]
        self._http = requests.Session()
        self._http.headers["X-Api-Key"] = firm.env["PERSON_API_KEY"]

    def enter(self, entity: str, **fields: str) -> str:
        """Enter a record."""
        answer = self._http.post(f"{self._url}{entity}", json=fields, timeout=10)
        answer.raise_for_status()
        return str(answer.json()["id"])

    def calls(self) -> list[dict[str, Any]]:
        """List the calls."""
        return list(self._http.get(f"{self._url}Call", timeout=10).json()["list"])


def phone(story: Story) -> None:
    """Let a client of Advoware ring, be shown, be spoken to, and be journalled."""
    desk, bell = Desk(story.firm), Bell(f"{story.firm.app}/threecx/webhook", WEBHOOK_SECRET)
    contact = desk.enter("Contact", firstName="Anna", lastName="Groß", phoneNumber=CALLER)
    desk.enter("CBeteiligte", firstName="Anna", lastName="Groß", betnr=PARTY, contactId=contact)
    story.console.print(f"\nThe telephone rings at extension {EXTENSION}: {CALLER}")
    ended = datetime.now(UTC).replace(microsecond=0)
    call = {"direction": "inbound", "caller": CALLER, "callee": OFFICE, "extension": EXTENSION}
    started = call | {"timestamp": (ended - timedelta(seconds=95)).isoformat()}
    answer = bell.send("call.started", "demo-1", **started)
    _show(story, answer.json())
    over = call | {"timestamp": ended.isoformat(), "answered": True, "duration_s": 90}
    for event, fields in (("call.ended", over), ("call.started", started), ("call.ended", over)):
        bell.send(event, "demo-1", **fields)
    _report(story, ended)
    story.console.print("  it has ended; both events came twice, and the CRM template has reported too")
    took = story.within(15, desk.calls)
    found = [*desk.calls()]
    _table(story, found)
    one = len(found) == 1 and (found[0]["status"], found[0]["parentId"]) == ("Held", contact)
    story.expect(bool(took) and one, f"one Call stood in EspoCRM after {took or 15:.1f} s, linked to the contact")
    more = story.within(1.5, lambda: len(desk.calls()) > 1)
    story.expect(more is None, "and it stayed the only one")


def _show(story: Story, answer: dict[str, Any]) -> None:
    """Open the page as a browser would, and say who is on it."""
    link = str(answer["screenpop_url"])
    page = requests.get(link, timeout=10)
    title, summary = _text(page.text, "h1"), _text(page.text, 'p class="summary"')
    story.console.print(f"  the page opens: {link}", markup=False, highlight=False, soft_wrap=True)
    story.console.print(f"  it says: {title} · {summary}", markup=False, highlight=False)
    right = page.status_code == 200 and title == "Anna Groß" and "laufende Akte" in summary
    story.expect(right, "the screen shows who is calling, and the matters from Advoware")


def _report(story: Story, ended: datetime) -> None:
    """Send what the CRM template of the phone system sends after each call."""
    body = {"call_type": "Inbound", "number": CALLER.replace("+", "00"), "agent": EXTENSION, "duration": "00:01:30"}
    times = {"started_at": (ended - timedelta(seconds=93)).isoformat(), "ended_at": ended.isoformat()}
    url, headers = f"{story.firm.app}/threecx/report-call", {"X-API-Key": TEMPLATE_KEY}
    requests.post(url, json=body | times, headers=headers, timeout=10).raise_for_status()


def _table(story: Story, rows: list[dict[str, Any]]) -> None:
    table = Table(title="Calls in EspoCRM")
    for title in COLUMNS.values():
        table.add_column(title)
    for row in rows:
        values = {**row, "dateStart": row["dateStart"][11:], "dateEnd": row["dateEnd"][11:]}
        table.add_row(*(str(values.get(name) or "") for name in COLUMNS))
    story.console.print(table)


def _text(page: str, element: str) -> str:
    found = re.search(rf"<{element}>(.*?)</", page, re.DOTALL)
    return html.unescape(found[1].strip()) if found else ""
