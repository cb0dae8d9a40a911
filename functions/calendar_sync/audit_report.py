"""An audit for the operator's eyes: a page and a table, with numbers, ids and names of fields, never with content."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from functions.calendar_sync.audit import Audit
from functions.calendar_sync.audit_series import BERLIN

HEAD = ("Kürzel", "Art", "frNr", "Google-ID", "Felder", "Hinweis")
NAMES = {
    "start": "Beginn",
    "end": "Ende",
    "allday": "ganztägig",
    "rrule": "Serie",
    "text": "Betreff",
    "ort": "Ort",
    "notiz": "Notiz",
}
REASONS = {
    "series": "Serie, die Advoware nicht abbilden kann; bleibt absichtlich nur in Google",
    "placeholder": "Platzhalter ohne Verknüpfung; wird nie nach Advoware geschrieben",
    "everybody": "Termin aller, in diesem Kalender gelöscht; bleibt absichtlich gelöscht",
}
STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}th,td{border:1px solid #bbb;padding:.3rem .6rem;text-align:left}"
    "th{background:#eee}td{overflow-wrap:anywhere}.ok{color:#060}.nok{color:#900}"
)


@dataclass(frozen=True)
class Line:
    """One finding as a row of the table."""

    kuerzel: str
    kind: str
    number: str = ""
    google_id: str = ""
    fields: str = ""
    hint: str = ""

    def cells(self) -> tuple[str, ...]:
        """Give the cells in the order of the head."""
        return self.kuerzel, self.kind, self.number, self.google_id, self.fields, self.hint


def lines_of(audit: Audit) -> Iterator[Line]:
    """Write every finding of one employee as a line."""
    name, reason = audit.kuerzel, audit.reasons
    for number in audit.only_in_advoware:
        yield Line(name, "nur in Advoware", number, hint=REASONS.get(reason.get(number, ""), ""))
    for google_id in audit.only_in_google:
        yield Line(name, "nur in Google", google_id=google_id, hint=REASONS.get(reason.get(google_id, ""), ""))
    for each in audit.different:
        yield Line(name, "abweichend", each.number, each.google_id, ", ".join(NAMES[field] for field in each.fields))
    for number, ids in audit.duplicates:
        yield Line(name, "doppelt", number, " ".join(ids))


def as_csv(audits: Sequence[Audit]) -> str:
    """Write all findings as a table that a German Excel opens by double-click."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(HEAD)
    for audit in audits:
        writer.writerows(line.cells() for line in lines_of(audit))
    return "\ufeff" + out.getvalue()


def as_html(audits: Sequence[Audit], at: datetime) -> str:
    """Write all findings as one page without anything from elsewhere."""
    moment = at.astimezone(BERLIN)
    body = "".join(_section(audit) for audit in audits)
    return (
        '<!doctype html><html lang="de"><head><meta charset="utf-8"><title>Kalenderabgleich: Prüfbericht</title>'
        f"<style>{STYLE}</style></head><body><h1>Kalenderabgleich: Prüfbericht</h1>"
        f"<p>Stand {moment:%d.%m.%Y %H:%M} Uhr. {_verdict(audits)}</p>{body}</body></html>\n"
    )


def _verdict(audits: Sequence[Audit]) -> str:
    wrong = sum(not audit.in_sync for audit in audits)
    if not wrong:
        return '<strong class="ok">Beide Kalender stimmen überein.</strong>'
    return f'<strong class="nok">{wrong} von {len(audits)} Kalendern mit Abweichungen.</strong>'


def _section(audit: Audit) -> str:
    found = list(lines_of(audit))
    counted = f"{audit.compared} Termine verglichen, {len(found)} Abweichungen"
    if audit.exceptions:
        counted += f", {audit.exceptions} geänderte Einzeltermine von Serien nicht verglichen"
    if audit.in_full:
        counted += f", {audit.in_full} zeigen ihren Inhalt, obwohl anonym eingestellt ist (bis zum nächsten Lauf)"
    table = _table(found) if found else ""
    return f"<h2>{html.escape(audit.kuerzel)}</h2><p>{counted}.</p>{table}"


def _table(found: Sequence[Line]) -> str:
    head = "".join(f'<th scope="col">{name}</th>' for name in HEAD[1:])
    rows = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in line.cells()[1:]) + "</tr>" for line in found
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
