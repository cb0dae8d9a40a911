"""A Redis that does not answer costs a request a second or so; a call that was placed is never said to have failed."""

import socket
import time

import pytest

from sandbox.faults import Fault

SILENT_FOR_S = 0.5  # what one question costs
NUMBER = "+495111234567"


@pytest.fixture
def silent(rig):
    """Let Redis take connections and never answer; give what counts them."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        rig.restart(REDIS_URL=f"redis://127.0.0.1:{server.getsockname()[1]}")
        yield lambda: opened(server)


def opened(server) -> int:
    count = 0
    while True:
        try:
            server.accept()[0].close()
        except BlockingIOError:
            return count
        count += 1


def test_a_call_that_rings_is_answered_as_placed_although_nobody_could_note_it(rig, silent):
    rig.espocrm.add("Contact", lastName="Groß", phoneNumber=NUMBER)
    answer = rig.http.post("/threecx/calls", json={"number": NUMBER, "extension": "102"})
    assert (answer.status_code, answer.json["number"]) == (200, NUMBER)
    assert list(rig.pbx.calls) == [answer.json["call_id"]]
    assert '"event": "call_not_noted"' in rig.logged()
    assert silent() * SILENT_FOR_S <= 2


def test_a_machine_that_cannot_count_its_calls_places_none(rig, silent, monkeypatch):
    monkeypatch.setattr("functions.threecx.dialling.check_automatic", lambda *_: None)
    lead = rig.espocrm.add("Lead", lastName="Zeller", phoneNumber=NUMBER, description="Rückruf: ja")
    answer = rig.http.post("/threecx/calls", json={"lead_id": lead, "extension": "102", "mode": "automatic"})
    assert (answer.status_code, answer.headers["Retry-After"].isdigit()) == (503, True)
    assert not rig.pbx.calls
    assert silent() * SILENT_FOR_S <= 2


def test_an_event_that_cannot_be_stored_is_refused_after_one_or_two_questions(rig, silent):
    assert rig.event("call.started").status_code == 503
    assert silent() * SILENT_FOR_S <= 2


def test_who_calls_is_found_without_redis_also_by_the_second_question(rig, silent):
    rig.espocrm.add("Account", name="Stadtwerke", phoneNumber="+495117654320")
    rig.advoware.board.add(Fault("delay", seconds=3, times=None))
    answer = rig.lookup("+4951176543217")
    assert [hit["company"] for hit in answer.json["contacts"]] == ["Stadtwerke"]


@pytest.mark.parametrize(
    ("hanging", "found"),
    [
        (("redis",), ["Groß", "Neu"]),
        (("espocrm",), ["Neu"]),
        (("advoware",), ["Groß"]),
        (("redis", "espocrm"), ["Neu"]),
        (("redis", "advoware"), ["Groß"]),
        (("espocrm", "advoware"), []),
        (("redis", "espocrm", "advoware"), []),
    ],
    ids="+".join,
)
def test_whoever_hangs_the_others_are_heard(rig, request, hanging, found):
    rig.espocrm.add("Contact", firstName="Anna", lastName="Groß", phoneNumber=NUMBER)
    rig.advoware.registry.create_party(vorname="Berta", name="Neu", telefon=NUMBER)
    for name in hanging:
        if name == "redis":
            request.getfixturevalue("silent")
        else:
            getattr(rig, name).board.add(Fault("delay", seconds=3, times=None))
    assert [hit["last_name"] for hit in rig.lookup(NUMBER).json["contacts"]] == found


def test_a_screen_pop_of_a_call_that_cannot_be_read_says_so_in_german(rig, silent):
    path = rig.deps.links.screenpop(time.time(), call_id="c-77").removeprefix("https://api.example")
    answer = rig.http.get(path)
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert "Der Anruf ist gerade nicht nachzuschlagen." in answer.text
    assert "Noch einmal versuchen" in answer.text
    assert silent() == 1
