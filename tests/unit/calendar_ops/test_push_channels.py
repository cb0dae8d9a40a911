"""One living channel per calendar, followed by the next one before it ends, and storms that become one run."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from calendar_world import World, termin, world
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from functions.calendar_sync.channels import Channels, channel_id, owner_of
from functions.calendar_sync.push import PushApi
from functions.calendar_sync.push_burst import Bursts
from functions.calendar_sync.subscribers import Cascade
from sandbox.faults import Fault
from shared.errors import UnauthenticatedError
from shared.events.publisher import MemoryPublisher
from shared.events.task import Task

DAY, HOUR = 86_400.0, 3_600.0
SECRET, TOKEN = b"schluessel", "geheim"


@pytest.fixture
def firm(state: redis.Redis) -> Iterator[World]:
    with world(state, direct=True) as firm:
        firm.google.channels.clock = lambda: firm.now().timestamp()
        firm.advoware.create("SB", **termin(1, "Verhandlung"))
        firm.settle("SB")
        firm.settle("KL")
        yield firm


def keeper(firm: World, **changes: Any) -> Channels:
    parts = {"address": "http://push.test/calendar/push", "token": "geheim", "secret": SECRET, **changes}
    return Channels(firm.state, now=lambda: firm.now().timestamp(), **parts)


def care(firm: World, kuerzel: str = "SB", channels: Channels | None = None) -> None:
    (channels or keeper(firm)).care(kuerzel, firm.calendar(kuerzel), firm.deps.google)


def alive(firm: World, kuerzel: str = "SB") -> list[Any]:
    return firm.google.channels.of(firm.calendar(kuerzel))


def test_a_channel_is_opened_once_with_address_token_and_an_id_that_tells_nothing(firm):
    care(firm)
    care(firm)
    (channel,) = alive(firm)
    assert (channel.address, channel.token) == ("http://push.test/calendar/push", "geheim")
    assert owner_of(channel.id, ["KL", "SB"], [SECRET]) == "SB"
    assert "SB" not in channel.id
    assert len(channel.id) <= 64


def test_the_next_channel_is_opened_a_day_before_the_end_and_the_old_one_lives_on_for_a_while(firm):
    care(firm)
    (first,) = alive(firm)
    firm.later(days=5, hours=23)
    care(firm)
    assert alive(firm) == [first]
    firm.later(hours=2)
    care(firm)
    assert [channel.id == first.id for channel in alive(firm)] == [True, False]
    care(firm)
    assert len(alive(firm)) == 2
    firm.later(minutes=15)
    care(firm)
    (second,) = alive(firm)
    assert second.id != first.id
    firm.forget_calls()
    care(firm)
    assert firm.google.board.calls == []


def test_a_renewal_costs_one_call_and_closing_the_old_channel_another(firm):
    def calls() -> list[str]:
        found = [f"{call.method} {call.path.rpartition('/')[2]}" for call in firm.google.board.calls]
        firm.forget_calls()
        return [each for each in found if "token" not in each]

    firm.forget_calls()
    care(firm)
    assert calls() == ["POST watch"]
    firm.later(days=3)
    care(firm)
    assert calls() == []
    firm.later(days=3)
    care(firm)
    assert calls() == ["POST watch"]
    firm.later(minutes=15)
    care(firm)
    assert calls() == ["POST stop"]
    care(firm)
    assert calls() == []


def test_there_is_never_a_moment_without_a_channel_when_the_poll_comes_every_quarter_of_an_hour(firm):
    care(firm)
    for _ in range(16 * 24 * 4):
        firm.later(minutes=15)
        assert 1 <= len(alive(firm)) <= 2
        care(firm)
    assert 1 <= len(alive(firm)) <= 2


def test_what_google_says_about_the_end_counts(firm):
    firm.google.channels._end = lambda body: firm.now().timestamp() + 3 * HOUR
    care(firm)
    firm.later(hours=1)
    care(firm)
    assert len(alive(firm)) == 1
    firm.later(hours=1, minutes=1)
    care(firm)
    assert len(alive(firm)) == 2


def test_after_a_flush_a_new_channel_comes_and_both_are_still_known(firm):
    care(firm)
    firm.flush()
    firm.later(seconds=1)
    care(firm)
    assert [owner_of(channel.id, ["SB"], [SECRET]) for channel in alive(firm)] == ["SB", "SB"]


def test_polls_at_the_same_moment_open_one_channel(firm):
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: care(firm), range(24)))
    assert len(alive(firm)) == 1
    assert firm.state.exists("calendar_sync:channel_attempt:SB") == 0


def test_a_channel_that_google_does_not_let_us_close_is_left_to_its_end(firm):
    care(firm)
    firm.later(days=6, hours=1)
    care(firm)
    firm.later(minutes=15)
    firm.google.board.add(Fault("status", method="POST", path="/channels/stop$", status=403))
    care(firm)
    firm.forget_calls()
    care(firm)
    assert firm.google.board.calls == []


def test_while_google_is_down_the_old_channel_stays_on_the_list_of_what_is_to_be_closed(firm):
    care(firm)
    firm.later(days=6, hours=1)
    care(firm)
    firm.later(minutes=15)
    firm.google.board.add(Fault("status", method="POST", path="/channels/stop$", status=503, times=5))
    care(firm)
    assert len(alive(firm)) == 2
    care(firm)
    assert len(alive(firm)) == 1


def test_another_address_or_token_or_calendar_gets_a_new_channel(firm):
    care(firm)
    firm.later(seconds=1)
    care(firm, channels=keeper(firm, token="neu"))
    firm.later(seconds=1)
    care(firm, channels=keeper(firm, token="neu", address="http://anders.test/calendar/push"))
    assert [(channel.token, channel.address[:11]) for channel in alive(firm)] == [
        ("geheim", "http://push"),
        ("neu", "http://push"),
        ("neu", "http://ande"),
    ]
    firm.later(minutes=2)
    care(firm, channels=keeper(firm, token="neu", address="http://anders.test/calendar/push"))
    assert len(alive(firm)) == 1


def test_a_channel_named_with_an_old_key_is_recognised_while_that_key_is_configured():
    old = channel_id("SB", b"alt", 1)
    assert owner_of(old, ["KL", "SB"], [b"neu", b"alt"]) == "SB"
    assert owner_of(old, ["KL", "SB"], [b"neu"]) is None


def cascade(firm: World, publisher: MemoryPublisher) -> Cascade:
    return Cascade(lambda: firm.deps, lambda: publisher, lambda: keeper(firm))


def task(topic: str, item: str) -> Task:
    return Task(topic, item, frozenset({"sync"}), {}, stopping=threading.Event())


def test_the_poll_opens_channels_and_the_refusal_for_one_calendar_stops_no_other(firm):
    publisher = MemoryPublisher()
    refused = firm.calendar("SB").partition("@")[0]
    firm.google.board.add(Fault("status", method="POST", path=f"{refused}.*/watch$", status=400))
    cascade(firm, publisher).everybody(task("calendar_sync_all", "ALL"))
    assert len(publisher.published) == 2
    assert (len(alive(firm, "SB")), len(alive(firm, "KL"))) == (0, 1)
    firm.google.board.clear()
    cascade(firm, publisher).everybody(task("calendar_sync_all", "ALL"))
    assert (len(alive(firm, "SB")), len(alive(firm, "KL"))) == (1, 1)


def test_the_first_run_of_an_employee_opens_the_channel_and_later_runs_ask_nothing(firm):
    each = cascade(firm, MemoryPublisher())
    each.employee(task("calendar_sync_employee", "SB"))
    assert len(alive(firm)) == 1
    firm.forget_calls()
    each.employee(task("calendar_sync_employee", "SB"))
    assert firm.calls() == (["GET"], ["delta"])


def test_channels_cost_quota(firm):
    taken: list[int] = []
    bucket = firm.deps.google._sender.rate
    acquire = bucket.acquire
    bucket.acquire = lambda units, **more: taken.append(units) or acquire(units, **more)
    care(firm)
    assert taken == [1]


def api(firm: World, publisher: MemoryPublisher, token: str | None = TOKEN) -> PushApi:
    return PushApi(lambda: firm.deps, lambda: publisher, token, [SECRET])


def notify(push: PushApi, channel: str, token: str = TOKEN, state: str = "exists") -> int:
    headers = {"X-Goog-Channel-ID": channel, "X-Goog-Channel-Token": token, "X-Goog-Resource-State": state}
    request = Request(EnvironBuilder(method="POST", headers=headers).get_environ())
    return push.receive(SimpleNamespace(request=request)).status_code


def test_a_notification_asks_for_a_run_of_its_employee_only(firm):
    publisher = MemoryPublisher()
    assert notify(api(firm, publisher), channel_id("SB", SECRET, 1)) == 200
    assert publisher.published == [("calendar_sync_employee", "SB", {})]


@pytest.mark.parametrize("token", ["", "falsch", "gehei", "geheim ", "gehéim"])
def test_a_wrong_token_is_refused(firm, token):
    publisher = MemoryPublisher()
    with pytest.raises(UnauthenticatedError):
        notify(api(firm, publisher), channel_id("SB", SECRET, 1), token)
    assert publisher.published == []


def test_the_sync_message_and_a_channel_of_nobody_are_only_acknowledged(firm):
    publisher = MemoryPublisher()
    assert notify(api(firm, publisher), channel_id("SB", SECRET, 1), state="sync") == 200
    for unknown in (channel_id("XX", SECRET, 1), "", "-", "ä"):
        assert notify(api(firm, publisher), unknown) == 200
    assert publisher.published == []


def test_a_notification_that_nobody_can_place_while_advoware_is_down_runs_everybody(firm):
    publisher = MemoryPublisher()
    firm.flush()
    firm.advoware.board.add(Fault("status", method="GET", path="^/employees", status=503, times=9))
    assert notify(api(firm, publisher), channel_id("SB", SECRET, 1)) == 200
    assert publisher.published == [("calendar_sync_all", "ALL", {})]


def test_after_a_flush_a_notification_finds_its_employee_again(firm):
    publisher = MemoryPublisher()
    firm.flush()
    notify(api(firm, publisher), channel_id("KL", SECRET, 1))
    assert publisher.published == [("calendar_sync_employee", "KL", {})]


class Sleeper:
    """Sleeps in Redis's time, and lets further notifications come in while it does."""

    def __init__(self, state: redis.Redis, arriving: int, stopping: bool = False) -> None:
        self.waited: list[float] = []
        self._bursts, self._arriving, self._stopping = Bursts(state, 1.0, 30.0), arriving, stopping

    def __call__(self, seconds: float) -> bool:
        self.waited.append(seconds)
        if self._stopping:
            return True
        if len(self.waited) <= self._arriving:
            self._bursts.open("SB")
        else:
            time.sleep(seconds)  # Redis ends its keys by its own clock
        return False


def settled(state: redis.Redis, kuerzel: str, arriving: int = 0, stopping: bool = False) -> list[float]:
    sleeper = Sleeper(state, arriving, stopping)
    Bursts(state, 1.0, 30.0).settle(kuerzel, sleeper)
    return sleeper.waited


def test_a_run_waits_until_no_notification_has_come_for_a_while(state):
    assert settled(state, "SB") == []
    Bursts(state, 1.0, 30.0).open("SB")
    assert settled(state, "KL") == []
    waited = settled(state, "SB", arriving=3)
    assert len(waited) >= 4
    assert all(0 < seconds <= 1.0 for seconds in waited)
    assert list(state.scan_iter("calendar_sync:burst*")) == []


def test_a_storm_without_end_delays_a_run_no_longer_than_the_limit(state):
    bursts = Bursts(state, 60.0, 2.0)
    for _ in range(3):
        bursts.open("SB")
    waited: list[float] = []
    bursts.settle("SB", lambda seconds: waited.append(seconds) or time.sleep(seconds))  # Redis's own clock
    assert 0 < sum(waited[:1]) <= 2.0
    assert state.exists("calendar_sync:burst_limit:SB") == 0


def test_a_run_that_has_to_stop_waits_no_longer(state):
    Bursts(state, 60.0, 60.0).open("SB")
    assert len(settled(state, "SB", stopping=True)) == 1


def test_what_is_remembered_of_a_channel_tells_neither_token_nor_address(firm):
    care(firm)
    kept = firm.state.get("calendar_sync:channel:SB")
    assert json.loads(kept)["resource"]
    assert "geheim" not in kept
    assert "push.test" not in kept
    assert 0 < firm.state.ttl("calendar_sync:channel:SB") <= 7 * DAY
