"""Whatever an upstream does at whichever call: in the end one party, up to date, and nothing pending."""

from __future__ import annotations

import pytest
from vmh_world import ENTITY

from sandbox.faults import Fault
from shared.errors import NotConfiguredError
from shared.events.task import LeaseLostError, Task
from shared.settings.common import QueueSettings

SITES = {
    "read record": ("espocrm", "GET", "CBeteiligte/"),
    "search": ("advoware", "GET", "^/beteiligte$"),
    "create": ("advoware", "POST", "^/beteiligte$"),
    "read party": ("advoware", "GET", r"^/beteiligte/\d+$"),
    "write party": ("advoware", "PUT", r"^/beteiligte/\d+$"),
    "write back": ("espocrm", "PUT", "CBeteiligte/"),
}
FAULTS = {
    "500": Fault("status", status=500),
    "502 page": Fault("status", status=502, text="<html>Bad gateway</html>"),
    "503": Fault("status", status=503),
    "503 after the deed": Fault("status", status=503, processed=True),
    "504": Fault("status", status=504),
    "504 after the deed": Fault("status", status=504, processed=True),
    "429": Fault("status", status=429, headers={"Retry-After": "1"}),
    "403 with a reason": Fault("status", status=403, headers={"X-Status-Reason": "No access."}),
    "401": Fault("status", status=401),
    "302": Fault("status", status=302, headers={"Location": "http://127.0.0.1:1/"}),
    "dropped before": Fault("drop_before"),
    "dropped after": Fault("drop_after"),
    "too slow": Fault("delay", seconds=1.3),
    "login page": Fault("html"),
    "cut": Fault("cut"),
}


@pytest.fixture
def world(make_world, monkeypatch):
    for name, value in {"RETRY_BASE_SECONDS": "0.01", "RETRY_CAP_SECONDS": "0.02"}.items():
        monkeypatch.setenv(name, value)
    world = make_world(ADVOWARE_TIMEOUT_SECONDS="0.5", ESPOCRM_TIMEOUT_SECONDS="0.5")
    world.deps.sync.espocrm._pause._seconds = 0.05
    return world


def strike(world, site, fault, times):
    side, method, path = SITES[site]
    double = getattr(world, side)
    fields = {name: value for name, value in vars(fault).items() if name not in ("method", "path", "times")}
    return double.board.add(Fault(**fields, method=method, path=path, times=times))


@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_failing_call_leaves_one_party_up_to_date(world, site, fault):
    record_id = world.anna()
    if site in ("read party", "write party"):
        world.work(record_id, "create")
        world.espocrm.edit(ENTITY, record_id, addressCity="Celle")
    times = 1 if fault == "too slow" else 2
    struck = strike(world, site, FAULTS[fault], times)
    world.queue.add("update", [record_id])
    world.advoware.tokens.lock_after = 99
    world.deps.sync.parties._client._tokens.cooldown = lambda _seconds: None
    world.drain()
    assert struck.times < times
    assert [party["ort"] for party in world.parties()] == [world.espocrm.get(ENTITY, record_id)["addressCity"]]
    assert world.party(record_id)["betNr"] == world.parties()[0]["betNr"]
    assert world.queue.dead(count=1) == []


NAMELESS = {"lastName": "Schulz", "firstName": "Karl"}


@pytest.mark.parametrize("kind", ["drop_after", "drop_before", "status", "late"])
def test_a_party_with_nothing_but_a_name_is_not_entered_twice_after_a_lost_answer(world, kind):
    world.deps = world.make_deps(settle_s=0.6)
    world.advoware.registry.create_party(name="Schulz", vorname="Karl")
    record_id = world.espocrm.add(ENTITY, **NAMELESS)
    world.advoware.board.add(Fault(kind, method="POST", path="beteiligte", seconds=0.3, status=503, processed=True))
    world.queue.add("create", [record_id])
    world.drain()
    world.advoware.settle()
    assert len(world.parties()) == 2  # the namesake who was there, and ours
    assert world.party(record_id)["betNr"] == 816


def test_a_record_renamed_after_a_lost_answer_still_finds_what_was_entered(world):
    record_id = world.espocrm.add(ENTITY, **NAMELESS)
    world.advoware.board.add(Fault("drop_after", method="POST", path="beteiligte"))
    world.work(record_id, "create")
    world.espocrm.edit(ENTITY, record_id, lastName="Meier", emailAddress="neu@example.org")
    world.work(record_id, "update")
    assert [party["name"] for party in world.parties()] == ["Meier"]


def test_where_that_cannot_be_found_out_a_person_decides(world):
    record_id = world.espocrm.add(ENTITY, **NAMELESS)
    world.advoware.board.add(Fault("drop_before", method="POST", path="beteiligte"))
    world.work(record_id, "create")
    world.espocrm.edit(ENTITY, record_id, lastName="Meier")
    world.advoware.board.add(Fault("status", method="GET", path="^/beteiligte$", query="^$", status=400, times=None))
    outcome = world.work(record_id, "update")
    assert (outcome.kind, outcome.error) == ("dead", "party-outcome-unknown")
    assert world.parties() == []


def test_two_records_alike_in_everything_become_two_parties_in_spite_of_a_lost_answer(world):
    first, second = (world.espocrm.add(ENTITY, **NAMELESS) for _ in range(2))
    world.advoware.board.add(Fault("drop_after", method="POST", path="beteiligte"))
    world.work(first, "create")
    world.work(second, "create")
    world.drain()
    numbers = {world.party(each)["betNr"] for each in (first, second)}
    assert numbers == {party["betNr"] for party in world.parties()}
    assert len(numbers) == 2


def test_a_killed_worker_between_entering_and_noting_leaves_one_party(world):
    record_id = world.espocrm.add(ENTITY, **NAMELESS)

    class KilledError(BaseException):
        """The process ends here."""

    original = world.deps.sync.links.bind

    def killed(*_):
        raise KilledError

    object.__setattr__(world.deps.sync.links, "bind", killed)
    task = Task("vmh.beteiligte.create", record_id, frozenset({"create"}), {})
    with pytest.raises(KilledError):
        world.deps.sync.handle(task)
    object.__setattr__(world.deps.sync.links, "bind", original)
    world.work(record_id, "create")
    assert len(world.parties()) == 1
    assert world.party(record_id)["name"] == "Schulz"


def test_a_lost_lease_stops_before_the_next_write(world):
    def lost():
        raise LeaseLostError

    record_id = world.anna()
    task = Task("vmh.beteiligte.create", record_id, frozenset({"create"}), {}, confirm=lost)
    with pytest.raises(LeaseLostError):
        world.deps.sync.handle(task)
    assert world.writes() == 0


def during_the_search(world, happens):
    """Let something happen once, after the record has been read and before its party is created."""
    search, happenings = world.deps.sync.parties.find, iter([happens])

    def find(**terms):
        found = search(**terms)
        for each in happenings:
            each()
        return found

    object.__setattr__(world.deps.sync.parties, "find", find)


def test_whose_claim_was_flushed_and_taken_by_another_creates_nothing(world):
    record_id = world.espocrm.add(ENTITY, lastName="Schulz")

    def flush():
        world.client.flushall()
        assert world.work(record_id, "create").kind == "done"

    during_the_search(world, flush)
    assert world.work(record_id, "create").kind == "lost"
    assert [row["betNr"] for row in world.parties()] == [world.party(record_id)["betNr"]]


def test_a_party_that_a_run_hidden_by_a_flush_has_created_meanwhile_is_taken(world):
    record_id = world.espocrm.add(ENTITY, lastName="Schulz")

    def hidden_run():
        created = world.deps.sync.parties.create({"name": "Schulz", "vorname": ""})
        world.links.bind(record_id, created["betNr"])

    during_the_search(world, hidden_run)
    assert world.work(record_id, "create").kind == "done"
    assert [row["betNr"] for row in world.parties()] == [world.party(record_id)["betNr"]]


def test_a_lost_lease_stops_an_edit_too(world):
    record_id = world.anna()
    world.work(record_id, "create")
    world.espocrm.edit(ENTITY, record_id, addressCity="Celle")
    world.forget_calls()

    def lost():
        raise LeaseLostError

    task = Task("vmh.beteiligte.update", record_id, frozenset({"update"}), {}, checkpoint=lost)
    with pytest.raises(LeaseLostError):
        world.deps.sync.handle(task)
    assert world.writes() == 0


def test_a_refused_creation_leaves_nothing_open(world):
    record_id = world.anna()
    world.advoware.board.add(Fault("status", method="POST", path="beteiligte", status=422))
    assert world.work(record_id, "create").error == "upstream-rejected"
    assert world.links.intent(record_id) is None
    world.drain()
    assert len(world.parties()) == 1


def test_a_poison_record_dies_alone_while_an_outage_kills_none(world, monkeypatch):
    poison = world.anna(betnr=world.advoware.registry.create_party(name="Poison"))
    path = f"^/beteiligte/{world.party(poison)['betNr']}$"
    world.advoware.board.add(Fault("status", method="PUT", path=path, status=422, times=None))
    good = world.anna(lastName="Gut")
    world.queue.add("update", [poison, good])
    world.drain()
    assert [letter.item for letter in world.queue.dead(count=9)] == [poison]
    world.advoware.board.clear()
    world.espocrm.board.add(Fault("drop_before", path="CBeteiligte", times=None))
    world.queue.add("update", [good])
    for _ in range(3 * QueueSettings().retry_attempts):
        assert world.run(good).kind == "delayed"
    world.espocrm.board.clear()
    assert world.run(good).kind == "done"


@pytest.mark.parametrize("status", [401, 403])
def test_after_a_refused_login_no_process_calls_espocrm_for_a_minute(world, status):
    record_id = world.anna()
    world.espocrm.board.add(Fault("status", status=status))
    world.deps.sync.espocrm._pause._seconds = 60
    assert world.work(record_id).kind == "delayed"
    others = world.make_deps()
    world.forget_calls()
    outcome = world.run(record_id)
    assert (outcome.kind, outcome.error) == ("delayed", "espocrm-paused")
    for deps in (world.deps, others):
        with pytest.raises(Exception, match="espocrm"):
            deps.sync.espocrm.read(ENTITY, record_id)
    assert world.espocrm.board.count() == 0
    assert 50_000 < world.client.pttl("espocrm:paused") <= 60_000
    world.client.delete("espocrm:paused")
    others = world.make_deps()
    assert others.sync.espocrm.read(ENTITY, record_id)["id"] == record_id


def test_a_wrong_key_never_gets_our_address_locked_out(make_world):
    world = make_world(ESPOCRM_API_KEY="wrong")
    record_ids = [world.anna(lastName=f"Nr{number}") for number in range(20)]
    world.queue.add("update", record_ids)
    for record_id in record_ids:
        assert world.run(record_id).kind == "delayed"
    assert len(world.espocrm.logins.failures) == 1


def test_missing_settings_are_named_and_the_work_waits(make_world):
    world = make_world(ESPOCRM_API_KEY="")
    outcome = world.work(world.anna())
    assert (outcome.kind, outcome.error) == ("delayed", NotConfiguredError.slug)
