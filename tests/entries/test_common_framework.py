"""Our promises hold under functions-framework too, for HTTP and for event targets."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import functions_framework
import pytest
from flask.testing import FlaskClient
from redis_server import running

from shared.events.cloudevent import CONTENT_TYPE

SOURCE = str(Path(__file__).with_name("toy_main.py"))
MakeClient = Callable[..., FlaskClient]


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with running() as server:
        yield server.url


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch, redis_url: str, tmp_path: Path) -> MakeClient:
    monkeypatch.setattr("shared.startup.set_up_log", lambda level: None)
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("TOY_LOG", str(tmp_path / "toy.log"))

    def client(target: str, **environ: str) -> FlaskClient:
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        return functions_framework.create_app(target, SOURCE).test_client()

    return client


def event(item: str = "lead-1", topic: str = "lead.received", **more) -> bytes:
    attributes = {"specversion": "1.0", "id": "1", "type": topic, "source": "/x", "requestid": "req-9"}
    return json.dumps(attributes | {"data": {"lead_id": item, "call_key": item}} | more).encode()


def send(client: FlaskClient, body: bytes, headers: dict[str, str] | None = None):
    return client.post("/", data=body, headers={"Content-Type": CONTENT_TYPE} | (headers or {}))


@pytest.fixture(params=["toy", "toy_event"])
def target(request: pytest.FixtureRequest) -> str:
    return request.param


def test_health_ready_and_metrics_are_answered_by_every_kind_of_target(make, target):
    client = make(target)
    assert client.get("/health").json == {"status": "ok"}
    assert client.get("/ready").json["status"] == "ready"
    assert b"bitbylaw_http_requests_total" in client.get("/metrics").data


@pytest.mark.parametrize("path", ["/robots.txt", "/favicon.ico"])
def test_what_the_framework_answers_itself_is_a_problem_too(make, path):
    answer = make("toy").get(path, headers={"X-Request-ID": "req-1"})
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
    assert answer.json["instance"].endswith("#req-1")


def test_an_http_target_sees_the_whole_path(make):
    assert make("toy").post("/toy/echo", data=b"abc").json["path"] == "/toy/echo"


def test_a_path_nobody_knows_is_a_problem(make):
    assert make("toy").get("/nothing").content_type == "application/problem+json"


def test_a_function_answers_a_get_of_an_event_target_with_a_problem(make):
    answer = make("toy_event").get("/")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]
    assert answer.content_type == "application/problem+json"


def test_answers_carry_request_id_and_security_headers(make, target):
    for path in ("/health", "/nothing", "/robots.txt"):
        headers = make(target).get(path, headers={"X-Request-ID": "req-1"}).headers
        assert headers["X-Request-ID"] == "req-1"
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "Strict-Transport-Security" in headers
        assert "Content-Security-Policy" in headers


@pytest.mark.parametrize("path", ["/", "/ready", "/metrics", "/robots.txt", "/nothing"])
def test_every_path_but_health_wants_the_gateway_secret(make, target, path):
    client = make(target, GATEWAY_SECRET="gate")
    assert client.get("/health").status_code == 200
    for method in ("GET", "POST"):
        answer = client.open(path, method=method)
        assert answer.status_code == 401, method
        assert answer.content_type == "application/problem+json"
    assert client.get("/metrics", headers={"Authorization": "Bearer gate"}).status_code == 200


def test_an_event_with_the_gateway_secret_is_worked_off(make):
    client = make("toy_event", GATEWAY_SECRET="gate")
    assert send(client, event(), {"X-Gateway-Secret": "gate"}).status_code == 204


def test_a_done_event_is_a_204_without_a_body(make, tmp_path):
    answer = send(make("toy_event"), event())
    assert (answer.status_code, answer.data) == (204, b"")
    assert "lead-1 done" in (tmp_path / "toy.log").read_text()


def test_a_binary_event_is_taken_too(make):
    headers = {"ce-specversion": "1.0", "ce-id": "1", "ce-type": "lead.received", "ce-source": "/x"}
    answer = make("toy_event").post("/", json={"lead_id": "lead-2"}, headers=headers)
    assert answer.status_code == 204


@pytest.mark.parametrize(
    "body", [b"", b"geheim", b"{}", b'{"geheim":1}', b'{"a":1,"a":2}', b"[]", b"[" * 40, b'{"specversion":"1.0"}']
)
def test_what_is_no_event_is_a_400_that_repeats_nothing(make, body):
    answer = send(make("toy_event"), body, {"X-Private": "geheim"})
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    assert b"geheim" not in answer.data


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_body_of_another_kind_is_no_event_either(make, kind):
    assert make("toy_event").post("/", data=b"a=1", headers={"Content-Type": kind}).status_code == 400


def test_bad_data_is_a_422_by_field(make):
    answer = send(make("toy_event"), event("a b"))
    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == "data.lead_id"


BODY = {"specversion": "1.0", "id": "1", "type": "lead.received", "source": "/x", "data": {"lead_id": "lead-1"}}


@pytest.mark.parametrize(
    "body",
    [
        [BODY],
        BODY | {"specversion": {}},
        BODY | {"specversion": []},
        BODY | {"specversion": 1.0},
        {name: value for name, value in BODY.items() if name != "source"},
        BODY | {"data_base64": 7},
        BODY | {"data_base64": "e30="},
        {name: value for name, value in BODY.items() if name != "data"} | {"data_base64": "%%"},
        {name: value for name, value in BODY.items() if name != "data"} | {"data_base64": "eA=="},
        7,
        None,
    ],
)
def test_json_that_is_no_event_is_a_400(make, body):
    answer = send(make("toy_event"), json.dumps(body).encode())
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")


def test_binary_mode_without_data_carries_an_empty_object(make):
    headers = {"ce-specversion": "1.0", "ce-id": "1", "ce-type": "lead.received", "ce-source": "/x"}
    answer = make("toy_event").post("/", headers=headers, content_type="application/json")
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, "data.lead_id")


def test_binary_mode_with_other_data_than_json_is_a_422(make):
    headers = {"ce-specversion": "1.0", "ce-id": "1", "ce-type": "lead.received", "ce-source": "/x"}
    answer = make("toy_event").post("/", headers=headers, data=b"hello", content_type="text/plain")
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, "data")


@pytest.mark.parametrize("data", ["x", '{"lead_id": "lead-1"}', ["lead-1"], 7])
def test_data_that_is_no_object_is_a_422(make, data):
    body = {"specversion": "1.0", "id": "1", "type": "lead.received", "source": "/x", "data": data}
    answer = send(make("toy_event"), json.dumps(body).encode())
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, "data")


@pytest.mark.parametrize("topic", ["vmh.beteiligte.update", "unknown"])
def test_another_topic_is_a_404(make, topic):
    assert send(make("toy_event"), event(topic=topic)).status_code == 404


@pytest.mark.parametrize(("item", "least"), [("bug-1", 1), ("outage-1", 1), ("later-1", 3)])
def test_what_has_to_wait_is_a_503_with_a_pause(make, item, least):
    answer = send(make("toy_event"), event(item))
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= least
    assert b"Anna" not in answer.data


def test_redis_down_is_a_503_with_a_pause(make):
    answer = send(make("toy_event", REDIS_URL="redis://127.0.0.1:1"), event())
    assert answer.status_code == 503
    assert answer.headers["Retry-After"].isdigit()
    assert b"127.0.0.1" not in answer.data


def test_a_long_event_is_a_413(make):
    assert send(make("toy_event", MAX_BODY_BYTES="100"), event("x" * 200)).status_code == 413
