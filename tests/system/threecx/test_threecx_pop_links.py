"""Who may open a screen pop, and what registering does."""

import html
import re
import time

import pytest

from functions.threecx.registration import register
from shared.errors import NotConfiguredError

SCRIPTLESS = "default-src 'none'; style-src 'sha256-"


def path_of(rig, at_s=None, **what):
    return rig.deps.links.screenpop(at_s or time.time(), **what).removeprefix("https://api.example")


def test_a_signed_link_opens_without_any_other_proof_for_a_quarter_of_an_hour(rig):
    rig.restart(GATEWAY_SECRET="gateway")
    rig.espocrm.add("Contact", firstName="Anna", lastName="Groß", phoneNumber="+495111234567")
    answer = rig.http.get(path_of(rig, number="+495111234567"))
    assert answer.status_code == 200
    assert "Anna Groß" in answer.text
    assert answer.headers["Content-Security-Policy"].startswith(SCRIPTLESS)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert rig.http.get(path_of(rig, time.time() - 899, number="1")).status_code == 200
    assert rig.http.get(path_of(rig, time.time() - 902, number="1")).status_code == 403


def test_a_forged_link_is_refused_in_german_also_through_the_gateway(rig):
    good = path_of(rig, number="+495111234567")
    for forged in (
        good.replace("1234567", "1234568"),
        good[:-1] + ("0" if good[-1] != "0" else "1"),
        good + "&pick=Contact:1",
        good.replace("sig=", "sig=ä"),
        good.replace("exp=", "exp=9"),
        good.partition("&sig")[0],
    ):
        answer = rig.http.get(forged)
        assert answer.status_code == 403
        assert "Dieser Link ist abgelaufen" in answer.text


def test_without_a_signature_the_gateway_is_needed(rig):
    assert rig.http.get("/threecx/screenpop?number=1").status_code == 200
    rig.restart(GATEWAY_SECRET="gateway")
    assert rig.http.get("/threecx/screenpop?number=1").status_code == 401
    header = {"X-Gateway-Secret": "gateway"}
    assert rig.http.get("/threecx/screenpop?number=1", headers=header).status_code == 200
    assert rig.http.get("/threecx/screenpop", headers=header).status_code == 422
    assert rig.http.post("/threecx/screenpop", headers=header).status_code == 405


def test_who_was_chosen_by_mistake_leads_back_to_the_choice(rig):
    for name in ("Bernd", "Clara"):
        rig.espocrm.add("Contact", firstName=name, lastName="Ahrens", phoneNumber="+495111234567")
    chooser = rig.http.get(path_of(rig, number="+495111234567")).text
    assert "Jemand anderes?" not in chooser
    [first, _] = re.findall(r'href="(/threecx/screenpop\?[^"]*pick[^"]*)"', chooser)
    chosen = rig.http.get(html.unescape(first)).text
    assert "Bernd Ahrens</h1>" in chosen
    [back] = re.findall(r'href="([^"]*)"[^>]*>Jemand anderes', chosen)
    assert "Wer ruft an?</h1>" in rig.http.get(html.unescape(back)).text


def test_with_upstreams_down_there_is_still_a_page_in_time(rig):
    from sandbox.faults import Fault

    for double in (rig.espocrm, rig.advoware):
        double.board.add(Fault("delay", seconds=3, times=None))
    started = time.monotonic()
    answer = rig.http.get("/threecx/screenpop?number=0511+1234567")
    assert "Gerade nicht abrufbar" in answer.text
    assert time.monotonic() - started < 2


def test_half_of_the_knowledge_is_shown_when_the_other_half_is_late(rig):
    from sandbox.faults import Fault

    contact = rig.espocrm.add("Contact", firstName="Anna", lastName="Groß", phoneNumber="+495111234567")
    rig.espocrm.add("CBeteiligte", lastName="Groß", betnr="815", contactId=contact)
    rig.advoware.board.add(Fault("delay", seconds=3, times=None))
    answer = rig.http.get("/threecx/screenpop?number=0511+1234567")
    assert "Anna Groß" in answer.text
    assert "Akten gerade nicht abrufbar" in answer.text
    assert "nicht rechtzeitig geantwortet" in answer.text


def test_registering_tells_the_gateway_where_we_are(rig):
    assert "Registered https://api.example/threecx/webhook" in "".join(register(rig.deps))
    [hook] = rig.pbx.webhooks
    assert hook["url"] == "https://api.example/threecx/webhook"
    assert hook["events"] == ["call.started", "call.ended", "call.transferred"]


def test_registering_at_a_v20_says_what_to_do(rig):
    rig.restart(THREECX_PROVIDER="v20", THREECX_API_BASE_URL="https://pbx.example:5001")
    text = "\n".join(register(rig.deps))
    assert "deploy/threecx/bitbylaw-crm.xml" in text
    assert "https://api.example" in text
    assert rig.pbx.webhooks == []


def test_registering_needs_to_know_where_we_are(rig):
    rig.restart(PUBLIC_BASE_URL="")
    with pytest.raises(NotConfiguredError):
        list(register(rig.deps))
