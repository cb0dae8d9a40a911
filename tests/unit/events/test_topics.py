"""What travels on which topic."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.errors import InvalidRequestError, NotFoundError
from shared.events import topics

NOW = datetime(2026, 11, 24, 4, 0, 0, tzinfo=UTC)
PARTY = "6b04f6cb7536b613d"


@pytest.mark.parametrize(
    ("topic", "item", "data"),
    [
        ("calendar_sync_all", "ALL", {}),
        ("calendar_sync_employee", "SB", {"kuerzel": "SB", "full_content": None}),
        (
            "vmh.beteiligte.update",
            PARTY,
            {"entity_id": PARTY, "action": "update", "source": "espocrm", "timestamp": "2026-11-24T04:00:00Z"},
        ),
        ("lead.received", "lead-1", {"lead_id": "lead-1"}),
        ("threecx.call", "c-77", {"call_key": "c-77"}),
    ],
)
def test_each_topic_carries_what_its_subscriber_needs_and_reads_it_back(topic, item, data):
    found = topics.find(topic)
    assert topics.data_of(found, item, NOW) == data
    assert topics.item_of(found, data) == item


def test_an_explicit_full_content_travels_with_the_calendar_topics():
    assert topics.data_of(topics.find("calendar_sync_all"), "ALL", NOW, True) == {"full_content": True}
    assert topics.data_of(topics.find("calendar_sync_employee"), "SB", NOW, False)["full_content"] is False


@pytest.mark.parametrize(
    ("topic", "data"),
    [
        ("calendar_sync_all", []),
        ("calendar_sync_all", {"full_content": "yes"}),
        ("calendar_sync_employee", {}),
        ("calendar_sync_employee", {"kuerzel": "ALL"}),
        ("calendar_sync_employee", {"kuerzel": "S B"}),
        ("calendar_sync_employee", {"kuerzel": "A" * 11}),
        ("calendar_sync_employee", {"kuerzel": 7}),
        ("calendar_sync_employee", {"kuerzel": "SB\n"}),
        ("vmh.beteiligte.update", {"entity_id": "6B04F6CB7536B613D"}),
        ("vmh.beteiligte.update", {"entity_id": PARTY, "action": "delete"}),
        ("vmh.beteiligte.update", {"entity_id": PARTY + "|x"}),
        ("lead.received", {"lead_id": "a b"}),
        ("lead.received", {"lead_id": "a|b"}),
        ("threecx.call", {"call_key": ""}),
        ("threecx.call", None),
    ],
)
def test_data_that_does_not_fit_is_refused_by_field(topic, data):
    with pytest.raises(InvalidRequestError) as refused:
        topics.item_of(topics.find(topic), data)
    assert refused.value.fields[0].field.startswith("data")


def test_both_forms_of_espocrm_ids_are_names():
    found = topics.find("vmh.beteiligte.create")
    assert topics.check_item(found, "0f8fad5b-d9cb-469f-a165-70867728950e")


def test_an_unknown_topic_is_not_found():
    with pytest.raises(NotFoundError):
        topics.find("vmh.beteiligte.merge")


def test_the_delete_topic_stands_for_work_that_includes_a_deletion():
    assert topics.of_item("vmh:beteiligte", PARTY, {"delete", "update"}).name == "vmh.beteiligte.delete"
    assert topics.of_item("vmh:beteiligte", PARTY, {"create"}).name == "vmh.beteiligte.create"


def test_everybody_is_an_item_of_the_employees_queue():
    assert topics.of_item("calendar_sync", "ALL", {"sync"}).name == "calendar_sync_all"
    assert topics.of_item("calendar_sync", "SB", {"sync"}).name == "calendar_sync_employee"


def test_topics_and_queues_agree_with_the_state():
    from shared.state.queue import CALLS, EMPLOYEES, LEADS, PARTIES

    specs = {spec.name: spec for spec in (PARTIES, EMPLOYEES, LEADS, CALLS)}
    assert set(specs) == set(topics.QUEUES)
    assert all(topic.op in specs[topic.queue].sets for topic in topics.TOPICS.values())
