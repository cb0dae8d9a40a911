"""The operators' target: relay, dead letters, and a page that loads nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import functions_framework
import pytest
import redis
from flask.testing import FlaskClient
from redis_server import running

from shared.errors import UpstreamUnavailableError
from shared.state import connection
from shared.state.queue import LEADS, PARTIES, WorkQueue

SOURCE = str(Path(__file__).parents[2] / "functions" / "ops" / "main.py")
PARTY = "6b04f6cb7536b613d"


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with running() as server:
        yield server.url


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch, redis_url: str) -> FlaskClient:
    connection.connect(redis_url, 0).flushall()
    monkeypatch.setattr("shared.startup.set_up_log", lambda level: None)
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("EVENT_TRANSPORT", "redis")
    return functions_framework.create_app("ops", SOURCE).test_client()


@pytest.fixture
def parties(redis_url: str) -> WorkQueue:
    return WorkQueue(connection.connect(redis_url, 1), PARTIES)


@pytest.fixture
def leads(redis_url: str) -> WorkQueue:
    return WorkQueue(connection.connect(redis_url, 0), LEADS)


def give_up(queue: WorkQueue, op: str, item: str, error: str = "upstream-unavailable") -> None:
    queue.add(op, [item])
    queue.set_aside(queue.claim(item, "me"), error)


def test_without_trouble_the_list_is_empty(client):
    assert client.get("/ops/deadletters").json == {"deadletters": []}


def test_a_dead_letter_is_shown_without_anything_personal(client, parties):
    give_up(parties, "update", PARTY)
    (letter,) = client.get("/ops/deadletters").json["deadletters"]
    assert re.fullmatch(r"\d+-\d+", letter.pop("id"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", letter.pop("at"))
    wanted = {"topic": "vmh.beteiligte.update", "subject": PARTY, "attempts": 1, "error": "upstream-unavailable"}
    assert letter == wanted


def test_redriving_puts_it_back_to_work_and_can_be_done_once(client, parties):
    give_up(parties, "update", PARTY)
    (letter,) = client.get("/ops/deadletters").json["deadletters"]
    answer = client.post(f"/ops/deadletters/{letter['id']}/redrive")
    assert (answer.status_code, answer.json["redriven"]) == (200, True)
    assert parties.claim(PARTY, "again").ops == {"update"}
    again = client.post(f"/ops/deadletters/{letter['id']}/redrive")
    assert (again.status_code, again.content_type) == (404, "application/problem+json")


def test_letters_of_all_queues_stand_in_one_list_the_oldest_first(client, redis_url):
    def letter(db: int, stream: str, op: str, number: int) -> None:
        fields = {"item": f"item-{number}", "ops": op, "attempts": "8", "error": "x"}
        connection.connect(redis_url, db).xadd(stream, fields, id=f"{number}-0")

    letter(1, "vmh:beteiligte:dead", "delete", 1002)
    letter(0, "lead:dead", "intake", 1001)
    letter(0, "lead:dead", "intake", 1003)
    topics = [letter["topic"] for letter in client.get("/ops/deadletters").json["deadletters"]]
    assert topics == ["lead.received", "vmh.beteiligte.delete", "lead.received"]


def test_ids_that_two_queues_share_carry_the_queue(client, redis_url):
    fields = {"item": PARTY, "ops": "update", "attempts": "8", "error": "x"}
    connection.connect(redis_url, 1).xadd("vmh:beteiligte:dead", fields, id="1795-0")
    assert [each["id"] for each in client.get("/ops/deadletters").json["deadletters"]] == ["1795-0"]
    connection.connect(redis_url, 0).xadd("lead:dead", {**fields, "item": "l-1", "ops": "intake"}, id="1795-0")
    ids = [letter["id"] for letter in client.get("/ops/deadletters").json["deadletters"]]
    assert sorted(ids) == ["lead:1795-0", "vmh:beteiligte:1795-0"]
    assert client.post("/ops/deadletters/1795-0/redrive").status_code == 409
    assert client.get("/ops/deadletters/lead:1795-0").json["subject"] == "l-1"
    assert client.post("/ops/deadletters/vmh:beteiligte:1795-0/redrive").status_code == 200
    assert client.get("/ops/deadletters/1795-0").json["topic"] == "lead.received"


@pytest.mark.parametrize("name", ["1-1", "x", "lead:x", "nobody:1-1", ":", "*"])
def test_an_unknown_id_is_a_404(client, name):
    assert client.get(f"/ops/deadletters/{name}").status_code == 404
    assert client.post(f"/ops/deadletters/{name}/redrive").status_code == 404


def test_where_a_party_was_ambiguous_a_person_chooses_among_the_candidates(client, parties, redis_url):
    state: redis.Redis = connection.connect(redis_url, 1)
    give_up(parties, "update", PARTY, "ambiguous-party")
    state.hset("vmh:beteiligte:candidates", PARTY, json.dumps([815, 816]))
    (letter,) = client.get("/ops/deadletters").json["deadletters"]
    assert "candidates" not in letter
    path = f"/ops/deadletters/{letter['id']}"
    assert client.get(path).json["candidates"] == [815, 816]
    wrong = client.post(f"{path}/redrive", json={"betNr": 999})
    assert (wrong.status_code, wrong.json["errors"][0]["field"]) == (422, "betNr")
    assert client.post(f"{path}/redrive", json={"betNr": 815}).status_code == 200
    assert state.hget("vmh:beteiligte:chosen", PARTY) == "815"


@pytest.mark.parametrize("body", [{"betNr": "815"}, {"betNr": -1}, {"other": 1}, []])
def test_a_malformed_choice_is_a_422(client, parties, body):
    give_up(parties, "update", PARTY)
    (letter,) = client.get("/ops/deadletters").json["deadletters"]
    assert client.post(f"/ops/deadletters/{letter['id']}/redrive", json=body).status_code == 422


def test_the_relay_answers_with_counts_as_often_as_it_is_called(client):
    for _ in range(2):
        answer = client.post("/ops/relay")
        assert (answer.status_code, answer.json) == (200, {"relayed": 0, "unsent": 0})


def test_the_relay_tells_what_no_subscriber_has_taken(client, monkeypatch, redis_url):
    monkeypatch.setenv("EVENT_TRANSPORT", "http")
    monkeypatch.setenv("EVENT_BASE_URL", "http://127.0.0.1:9")
    queue = WorkQueue(connection.connect(redis_url, 0), LEADS, outbox=True)
    queue.add("intake", ["lead-1"])
    state = connection.connect(redis_url, 0)
    for member, score in state.zrange("lead:unsent", 0, -1, withscores=True):
        state.zadd("lead:unsent", {member: score - 10_000_000})
    answer = functions_framework.create_app("ops", SOURCE).test_client().post("/ops/relay")
    assert answer.json == {"relayed": 0, "unsent": 1}


def test_the_page_is_german_and_may_use_nothing_but_its_own_style_and_script(client, parties):
    give_up(parties, "update", PARTY, "<b>")
    answer = client.get("/ops")
    page, policy = answer.text, answer.headers["Content-Security-Policy"]
    assert (answer.status_code, answer.content_type) == (200, "text/html; charset=utf-8")
    for kind, tag in (("style", "style"), ("script", "script")):
        (inside,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "form-action 'self'" in policy
    assert "unsafe" not in policy
    assert "Ist alles im Takt?" in page
    assert PARTY in page
    assert "&lt;b&gt;" in page
    assert not re.search(r"https?://| style=| on\w+=", re.sub(r"(?s)<script>.*?</script>", "", page))


@pytest.mark.parametrize("path", ["/ops", "/ops/deadletters", "/ops/relay", "/ops/deadletters/1-1"])
def test_everything_wants_the_gateway_where_one_is_configured(monkeypatch, redis_url, client, path):
    monkeypatch.setenv("GATEWAY_SECRET", "gate")
    guarded = functions_framework.create_app("ops", SOURCE).test_client()
    method = "POST" if path.endswith("relay") else "GET"
    assert guarded.open(path, method=method).status_code == 401
    assert guarded.open(path, method=method, headers={"X-Gateway-Secret": "gate"}).status_code in {200, 404}


class Cloud:
    """A cloud with one letter, which a test may silence."""

    silent = False

    def __init__(self) -> None:
        self.rows = [{"id": "lead.received:m-1", "topic": "lead.received", "subject": "", "attempts": 5,
                      "error": "unreadable", "at": "2026-01-01T12:00:00Z"}]  # fmt: skip

    def all(self):
        if self.silent:
            raise UpstreamUnavailableError("sqs")
        return list(self.rows)

    def show(self, name):
        return next((row for row in self.all() if row["id"] == name), None)

    def redrive(self, name):
        row = self.show(name)
        self.rows = []
        return row is not None


@pytest.fixture
def cloud(monkeypatch) -> Cloud:
    made = Cloud()
    monkeypatch.setattr("shared.events.bus.Bus.cloud_letters", lambda _: made)
    return made


def test_the_clouds_own_dead_letters_stand_in_the_same_list(cloud, client, parties):
    give_up(parties, "update", PARTY)
    letters = client.get("/ops/deadletters").json["deadletters"]
    assert [each["topic"] for each in letters] == ["lead.received", "vmh.beteiligte.update"]
    path = "/ops/deadletters/lead.received:m-1"
    assert client.get(path).json == letters[0]
    assert "/ops/letters/lead.received%3Am-1" in client.get("/ops").text
    assert client.post(f"{path}/redrive", json={"betNr": 1}).status_code == 422
    answer = client.post(f"{path}/redrive")
    assert (answer.status_code, answer.json["redriven"]) == (200, True)
    assert client.get(path).status_code == client.post(f"{path}/redrive").status_code == 404


def test_a_silent_cloud_is_a_503_for_programs_and_a_line_for_people(cloud, client, parties):
    give_up(parties, "update", PARTY)
    cloud.silent = True
    answer = client.get("/ops/deadletters")
    assert (answer.status_code, answer.headers["Retry-After"].isdigit()) == (503, True)
    page = client.get("/ops")
    assert page.status_code == 200
    assert PARTY in page.text
    assert "Die Cloud antwortet gerade nicht" in page.text


def test_redis_down_is_a_503(client, monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1")
    answer = functions_framework.create_app("ops", SOURCE).test_client().get("/ops/deadletters")
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers
