"""When a machine may dial: on working days between eight and eight in Berlin, for whoever wishes it, and only then."""

from datetime import UTC, datetime

import pytest

from functions.threecx.dialling import HoursError, NoConsentError, Whom, check_automatic, whom_of
from shared.office_hours import OfficeHours
from shared.threecx.number import read_number

HOURS = OfficeHours.read("Mo-Fr 08:00-20:00", "NI", ())
NUMBER = read_number("+4915112345678")
WISHES = Whom(NUMBER, "Lead", "1", wants_call=True)


@pytest.mark.parametrize(
    ("moment", "allowed"),
    [
        ("2026-11-24T07:00:00", True),  # eight in Berlin
        ("2026-11-24T06:59:59", False),
        ("2026-11-24T18:59:59", True),
        ("2026-11-24T19:00:00", False),
        ("2026-07-01T06:00:00", True),  # in summer eight is earlier
        ("2026-07-01T18:00:00", False),
        ("2026-11-28T11:00:00", False),  # Saturday
        ("2026-11-29T11:00:00", False),
        ("2026-12-25T11:00:00", False),  # a Friday, but Christmas
        ("2026-04-06T11:00:00", False),  # Easter Monday
        ("2025-10-31T11:00:00", False),  # Reformation Day, in Lower Saxony
    ],
)
def test_the_hours_are_those_of_berlin_without_holidays(moment, allowed):
    now = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    if allowed:
        check_automatic(WISHES, now, HOURS)
        return
    with pytest.raises(HoursError):
        check_automatic(WISHES, now, HOURS)


@pytest.mark.parametrize(
    ("kind", "text", "wished"),
    [
        ("Lead", "Vorgang: 1\n  RÜCKRUF: JA  \nKollision: frei", True),
        ("Lead", "Rückruf: ja\nPrüfung: ja (Frist)", False),
        ("Lead", "Kein Rückruf: ja oder nein?", False),
        ("Lead", "Rückruf: jain", False),
        ("Contact", "Rückruf: ja", False),
        ("Lead", None, False),
    ],
)
def test_only_a_lead_that_wishes_it_in_a_line_of_its_own_is_called_by_a_machine(kind, text, wished):
    whom = whom_of(kind, {"id": "1", "description": text}, NUMBER)
    if wished:
        check_automatic(whom, datetime(2026, 11, 24, 10, tzinfo=UTC), HOURS)
        return
    with pytest.raises(NoConsentError):
        check_automatic(whom, datetime(2026, 11, 24, 10, tzinfo=UTC), HOURS)
