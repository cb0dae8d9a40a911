"""The template for the phone system speaks of our routes and fields only, and the one in deploy/ is the newest."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from functions.threecx.matching import Hit
from functions.threecx.template import render
from shared.threecx.wire import ReportBody

FILE = Path(__file__).parents[3] / "deploy" / "threecx" / "bitbylaw-crm.xml"


@pytest.fixture
def crm():
    return ElementTree.fromstring(render())  # noqa: S314 - our own text


def test_the_file_that_is_deployed_is_the_rendered_one():
    assert FILE.read_text("utf-8") == render()


def test_every_address_is_a_route_of_ours(crm, monkeypatch):
    from functions.threecx.template import LOOKUP, REPORT

    found = {
        (each.get("RequestType").upper(), each.get("Url").removeprefix("[BaseUrl]").partition("?")[0])
        for each in crm.iter("Request")
    }
    assert found == {("GET", LOOKUP), ("POST", REPORT)}
    source = (Path(__file__).parents[3] / "functions" / "threecx" / "main.py").read_text("utf-8")
    assert 'Route("GET", LOOKUP' in source
    assert 'Route("POST", REPORT' in source


def test_every_field_is_one_that_we_read_or_answer(crm):
    posted = {each.get("Key") for each in crm.find(".//PostValues")}
    assert posted == set(ReportBody.__dataclass_fields__)
    answered = {each.get("Path").removeprefix("contacts.") for each in crm.iter("Variable")}
    assert answered <= set(Hit.__dataclass_fields__)


def test_the_searched_number_is_given_back_and_the_address_decides(crm):
    outputs = {each.get("Type"): each.get("Value") for each in crm.iter("Output")}
    assert outputs["PhoneBusiness"] == "[Number]"
    assert outputs["ContactUrl"] == "[KUrl]"
    assert [each.text for each in crm.iter("Rule")] == ["contacts.url"]
    assert crm.find("Number").attrib == {"Prefix": "Zeros", "MaxLength": ""}


def test_variables_are_declared_and_no_transcript_leaves_the_phone_system(crm):
    text = render()
    names = {each.get("Name") for tag in ("Variable", "Parameter") for each in crm.iter(tag)}
    builtin = {"Number", "CallDirection", "CallType", "Agent", "AgentEmail", "QueueExtension", "Duration"}
    builtin |= {"EntityId", "EntityType", "RecordingUrl", "CallStartTimeUTC", "CallEndTimeUTC"}
    assert set(re.findall(r"\[(\w+)\]", text)) <= names | builtin
    for word in ("Transcription", "Summary", "Sentiment", "--"):
        assert word not in text
