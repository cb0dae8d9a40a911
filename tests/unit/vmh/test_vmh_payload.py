"""From the body of a webhook to ids: what is refused is named by its place and never repeated."""

from __future__ import annotations

from typing import Any

import pytest

from functions.vmh_webhooks.payload import MAX_ITEMS, Rejected, read_items
from shared.errors import InvalidRequestError, TooLargeError
from shared.events import topics

TOPIC = topics.find(topics.PARTY + "update")
ONE, TWO = "64a1f0c2b3d4e5f60", "64a1f0c2b3d4e5f61"


def fields_of(body: Any) -> list[tuple[str, str, str]]:
    with pytest.raises(InvalidRequestError) as caught:
        read_items(body, TOPIC)
    assert "No item names a record." in str(caught.value)
    return [(each.field, each.code, each.message) for each in caught.value.fields]


def test_good_items_count_once_in_their_order_and_bad_ones_are_named():
    items = read_items([{"id": TWO}, 7, {"id": ONE}, {"id": TWO, "more": 1}, {}, {"id": 5}, {"id": "x"}], TOPIC)
    assert (items.received, items.ids) == (7, [TWO, ONE])
    assert items.rejected == [
        Rejected(1, "not_an_object"),
        Rejected(4, "id_missing"),
        Rejected(5, "id_not_a_string"),
        Rejected(6, "id_malformed"),
    ]


def test_one_object_is_a_list_of_one():
    assert read_items({"id": ONE}, TOPIC).ids == [ONE]


@pytest.mark.parametrize("bad", [f"{ONE}\n", f"{ONE}0", ONE[:-1], f" {ONE}", ONE.upper(), "", "*"])
def test_an_id_is_an_id_from_end_to_end(bad):
    assert fields_of([{"id": bad}]) == [("0.id", "id_malformed", "This item names no record.")]


def test_a_body_of_bad_items_names_each_by_its_place():
    assert fields_of([{"id": "x"}, None]) == [
        ("0.id", "id_malformed", "This item names no record."),
        ("1.id", "not_an_object", "This item names no record."),
    ]


def test_an_empty_array_says_so():
    assert fields_of([]) == [("body", "empty", "The array is empty.")]


def test_a_thousand_items_and_no_more():
    many = [{"id": f"{number:017x}"} for number in range(1001)]
    assert len(read_items(many[:1000], TOPIC).ids) == MAX_ITEMS == 1000
    with pytest.raises(TooLargeError):
        read_items(many, TOPIC)
