"""Redis killed, failed over, flushed, out of memory, read-only: the right answers, and nothing acknowledged is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import redis
from processes import eventually
from proxy import FaultProxy, Latency
from redis_server import RedisServer, running
from rounds import COUNT, Round, in_step_soon, insist, open_calendar, reckon
from wired import ENTITY, Wired, wired

from shared.state.connection import connect
from shared.state.queue import PARTIES, WorkQueue

DURABLE = ("--appendonly", "yes", "--appendfsync", "always")
STORES = {200, 503}


@pytest.fixture
def firm(tmp_path: Path) -> Iterator[Wired]:
    with running(aof=True) as server, wired(server, tmp_path) as opened, opened.app(), opened.worker():
        open_calendar(opened)
        yield opened


def settle(round_: Round) -> None:
    """Tell again what was refused, wait for the end of all work, and count."""
    insist(round_)
    eventually(round_.firm.idle, 60)
    eventually(lambda: in_step_soon(round_.firm), 60)
    reckon(round_)


def only(round_: Round, what: str, statuses: set[int]) -> None:
    assert set(round_.statuses(what)) <= statuses, round_.statuses(what)


@pytest.mark.timeout(180)
def test_two_deaths_of_redis_under_load_lose_and_double_nothing(firm: Wired) -> None:
    round_ = Round(firm)

    def kill() -> None:
        for _ in range(2):
            time.sleep(0.7)
            firm.server.kill()
            time.sleep(0.4)
            firm.server.start()

    killer = threading.Thread(target=kill)
    killer.start()
    round_.tell(40, pause_s=0.06)
    killer.join()
    for what in ("webhook", "lead", "call"):
        only(round_, what, STORES)
    assert sum(round_.statuses(what)[503] for what in ("webhook", "call")) > 0, "the kills hit nothing"
    settle(round_)


@pytest.mark.timeout(180)
def test_out_of_memory_nothing_is_acknowledged_and_afterwards_all_is_well(firm: Wired) -> None:
    state, round_ = firm.state(), Round(firm)
    round_.tell(5)
    state.config_set("maxmemory-policy", "noeviction")
    state.config_set("maxmemory", "1mb")
    full = Round(firm)
    full.tell(5)
    only(full, "webhook", {503})
    only(full, "call", {503})
    only(full, "lead", STORES)  # 200 only where EspoCRM has it already
    assert firm.lookup("+4951112345").status == 200
    assert firm.call("GET", "/advoware/employees").status == 200
    assert firm.call("POST", "/calendar/sync", json={"kuerzel": "SB"}).status == 503
    assert firm.state(1).smembers("vmh:beteiligte:create_pending") & set(full.records) == set()
    state.config_set("maxmemory", "0")
    settle(full)
    settle(round_)


@pytest.mark.timeout(180)
def test_a_redis_that_may_only_be_read_takes_nothing_in(firm: Wired) -> None:
    state, round_ = firm.state(), Round(firm)
    state.execute_command("REPLICAOF", "127.0.0.1", "1")
    round_.tell(5)
    only(round_, "webhook", {503})
    only(round_, "call", {503})
    only(round_, "lead", STORES)
    assert firm.lookup("+4951112345").status == 200
    assert firm.call("GET", "/advoware/employees").status == 200
    assert firm.call("POST", "/calendar/sync", json={"kuerzel": "SB"}).status == 503
    state.execute_command("REPLICAOF", "NO", "ONE")
    settle(round_)


@pytest.mark.timeout(180)
def test_after_a_flush_reconcile_finds_parties_and_calendars_doubling_nothing(firm: Wired) -> None:
    before = Round(firm)
    before.tell(5)
    settle(before)
    round_ = Round(firm)
    stop = threading.Event()

    def flush() -> None:
        while not stop.wait(0.15):
            firm.state().flushall()

    flushing = threading.Thread(target=flush)
    flushing.start()
    for _ in range(10):
        number = next(COUNT)
        record = firm.espocrm.add(ENTITY, firstName="Person", lastName=f"Nr{number}", silent=True)
        round_.records.append(record)
        assert firm.webhook(record, "create").status in STORES
        firm.call("POST", "/calendar/sync", json={"kuerzel": "SB"})
    stop.set()
    flushing.join()
    assert firm.call("POST", "/vmh/reconcile?full=true").status == 200
    settle(round_)
    after = Round(firm)
    after.tell(3)  # and new work is taken and done as ever
    settle(after)
    reckon(before)


@contextmanager
def pair(directory: Path, lag_s: float) -> Iterator[tuple[RedisServer, RedisServer, FaultProxy]]:
    """Run a master and a replica that hears from it so much later."""
    with ExitStack() as stack:
        servers = []
        for name in ("master", "replica", "third"):
            (directory / name).mkdir()
            servers.append(RedisServer(directory / name, *DURABLE))
        master, replica, third = servers
        stack.callback(lambda: [each.stop() for each in servers])
        master.start()
        link = stack.enter_context(FaultProxy(master.port))
        replica.settings = (*DURABLE, "--replicaof", "127.0.0.1", str(link.port))
        replica.start()
        eventually(lambda: master_sees_a_replica(master), 20)
        if lag_s:
            link.spoil(Latency(lag_s))
        third.settings = (*DURABLE, "--replicaof", "127.0.0.1", str(replica.port))
        yield master, replica, link
        third.stop()


def master_sees_a_replica(master: RedisServer) -> bool:
    with redis.Redis(port=master.port) as client:
        return bool(client.info("replication").get("slave0", {}).get("state") == "online")


def test_a_repeat_that_writes_nothing_itself_still_waits_for_what_was_written_before(tmp_path: Path) -> None:
    with pair(tmp_path, 0) as (master, replica, _), redis.Redis(port=replica.port, db=1) as look:
        here = connect(master.url, 1, timeout_s=5)
        queue = WorkQueue(here, PARTIES, replicas=1)
        queue.add("update", ["0123456789abcdef0"])
        written = {key for key in here.scan_iter() if here.ttl(key) > 0}
        here.delete(*written)
        assert queue.add("update", ["0123456789abcdef0"]).new == []
        assert {key for key in look.scan_iter() if look.ttl(key) > 0} == {key.encode() for key in written} != set()


def fail_over(firm: Wired, master: RedisServer, replica: RedisServer, directory: Path) -> RedisServer:
    """Kill the master, promote the replica, give it a replica of its own, and lead everybody there."""
    master.kill()
    with redis.Redis(port=replica.port) as client:
        client.execute_command("REPLICAOF", "NO", "ONE")
    third = RedisServer(directory / "third", *DURABLE, "--replicaof", "127.0.0.1", str(replica.port)).start()
    eventually(lambda: master_sees_a_replica(replica), 20)
    firm.server, firm.wires["redis"].target = replica, replica.port
    return third


def lost(round_: Round) -> int:
    """Count the acknowledged webhooks and calls of which nothing came."""
    firm = round_.firm
    refused = len(round_.refused)
    there = {row["name"] for row in firm.advoware.registry.parties()}
    parties = sum(firm.espocrm.get(ENTITY, each)["lastName"] not in there for each in round_.records)
    calls = len(round_.callers) - len(firm.espocrm.records.all("Call"))
    return parties + calls - refused


@pytest.mark.timeout(240)
@pytest.mark.parametrize("replicas", [1, 0], ids=["with WAIT", "without"])
def test_what_a_replica_has_confirmed_survives_a_failover(tmp_path: Path, replicas: int) -> None:
    with ExitStack() as stack:
        lag_s = 0.05 if replicas else 3.0
        master, replica, _ = stack.enter_context(pair(tmp_path, lag_s))
        firm = stack.enter_context(wired(master, tmp_path, REDIS_WAIT_REPLICAS=str(replicas)))
        stack.enter_context(firm.app())
        round_ = Round(firm)
        telling = threading.Thread(target=round_.tell, args=(15,), kwargs={"pause_s": 0.05})
        telling.start()
        time.sleep(1.2)
        third = fail_over(firm, master, replica, tmp_path)
        stack.callback(third.stop)
        telling.join()
        stack.enter_context(firm.worker())
        if replicas:
            for what in ("webhook", "call"):
                only(round_, what, STORES)
                assert round_.statuses(what)[200] > 0
            unsure = (tmp_path / "app.log").read_text().count("lead_not_replicated")
            if unsure:  # taken all the same, because its sender never comes again; an alert tells
                round_.leads.clear()
            insist(round_)
            eventually(firm.idle, 60)
            reckon(round_)
            return
        eventually(firm.idle, 60)
        assert lost(round_) > 0, "the failover took nothing away, so this test proves nothing"
