"""An event whose guests Google leaves out is patched: a write of the whole would lose them."""

from __future__ import annotations

import redis
from calendar_checks import in_step
from calendar_world import World, day, private, timed, world

GUESTS = [{"email": "richterin@example.org"}, {"email": "zeuge@example.org"}]


def an_event_with_many_guests(w: World) -> str:
    """Enter one that Google marks as not shown whole."""
    event = w.google.create_event(w.calendar(), timed(2, summary="Verhandlung", location="Saal", attendees=GUESTS))
    w.google.store.calendars[w.calendar()].entries[event["id"]].event["attendeesOmitted"] = True
    return str(event["id"])


def methods(w: World, event_id: str) -> set[str]:
    """Name the ways in which an event was written."""
    return {call.method for call in w.google.board.calls if call.path.endswith(event_id)} - {"GET"}


def test_guests_that_google_leaves_out_survive_every_write(state: redis.Redis) -> None:
    with world(state, full=True, direct=True) as w:
        w.run()
        event = an_event_with_many_guests(w)
        w.settle()
        number = w.advoware.appointments("SB")[0]["frNr"]
        assert "adv_tx" not in private(w.google.event(w.calendar(), event))
        for changes in (
            {"dauertermin": 1, "datumBis": day(3)},
            {"dauertermin": 0, "datumBis": day(2), "text": "Ortstermin"},
            {"turnus": 1, "turnusArt": 2, "datumBis": day(60), "ort": ""},
            {"turnus": 0, "turnusArt": 0, "datumBis": day(2)},
        ):
            w.advoware.edit(number, **changes)
            w.settle()
            in_step(w, full=True)
        w.google.delete_event(w.calendar(), event)
        w.advoware.edit(number, text="bleibt")
        w.settle()
        in_step(w, full=True)
        w.advoware.delete(number)
        w.settle()
        assert w.events() == []
        assert methods(w, event) == {"PATCH"}
        assert w.google.event(w.calendar(), event)["attendees"] == GUESTS


def test_such_an_event_is_hidden_in_anonymous_mode_and_shown_again(state: redis.Redis) -> None:
    with world(state, full=True, direct=True) as w:
        w.run()
        event = an_event_with_many_guests(w)
        w.settle()
        w.settle(full=False)
        in_step(w, full=False)
        w.settle()
        in_step(w, full=True)
        assert "visibility" not in w.google.event(w.calendar(), event)
        assert methods(w, event) == {"PATCH"}
