"""The webhook target through functions-framework: every recorded delivery, and everything a stranger may send."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import functions_framework
import pytest
from flask.testing import FlaskClient
from redis_server import RedisServer, running

from shared.espocrm.signature import sign
from shared.events.cloudevent import CONTENT_TYPE
from shared.state.connection import connect
from shared.state.queue import PARTIES, WorkQueue

SOURCE = str(Path(__file__).parents[2] / "functions" / "vmh_webhooks" / "main.py")
RECORDED = json.loads((Path(__file__).parents[1] / "recorded" / "espocrm-webhooks.json").read_text())
SECRETS = {each["webhook"]["id"]: each["webhook"]["secretKey"] for each in RECORDED["deliveries"]}
ID, OTHER = "6b04f6f3ad0c854f8", "f47ac10b-58cc-4372-a567-0e02b2c3d479"
PATH = "/vmh/webhook/beteiligte/"
Make = Callable[..., FlaskClient]


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with running() as started:
        yield started


@pytest.fixture
def queue(server: RedisServer) -> WorkQueue:
    client = connect(server.url, 1)
    client.flushall()
    return WorkQueue(client, PARTIES)


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch, server: RedisServer, queue: WorkQueue) -> Make:
    monkeypatch.setattr("shared.startup.set_up_log", lambda level: None)
    monkeypatch.setenv("REDIS_URL", server.url)
    monkeypatch.setenv("EVENT_TRANSPORT", "redis")

    def client(target: str = "vmh_webhooks", **environ: str) -> FlaskClient:
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        return functions_framework.create_app(target, SOURCE).test_client()

    return client


@pytest.fixture
def client(make: Make) -> FlaskClient:
    return make()


@pytest.fixture
def signed(make: Make) -> FlaskClient:
    return make(ESPOCRM_WEBHOOK_SECRETS=",".join(f"{name}:{secret}" for name, secret in SECRETS.items()))


def send(client: FlaskClient, body: Any, action: str = "update", **headers: str):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(PATH + action, data=raw, headers={"Content-Type": "application/json", **headers})


def action_of(event: str) -> str:
    return {"create": "create", "delete": "delete"}.get(event.split(".")[1], "update")


@pytest.mark.parametrize("header", ["Signature", "X-Signature"])
@pytest.mark.parametrize("number", range(len(RECORDED["deliveries"])))
def test_every_recorded_delivery_is_accepted_with_either_header(signed, queue, number, header):
    delivery = RECORDED["deliveries"][number]
    body = delivery["body"].encode()
    ids = list(dict.fromkeys(item["id"] for item in json.loads(body)))
    action = action_of(delivery["event"])
    answer = send(signed, body, action, **{header: delivery["headers"][header]})
    assert answer.status_code == 200
    wanted = {"action": action, "received": len(json.loads(body)), "new": ids, "pending": [], "rejected": []}
    assert answer.json == wanted
    assert set(queue._client.smembers(PARTIES.sets[action])) == set(ids)
    assert send(signed, body, action, **{header: delivery["headers"][header]}).json["pending"] == ids


FORGED: dict[str, dict[str, str]] = {
    "no header": {},
    "empty": {"Signature": ""},
    "no base64": {"Signature": "%%%"},
    "no colon": {"Signature": base64.b64encode(b"abc").decode()},
    "not ascii": {"Signature": "äöü"},
    "unknown webhook": sign(b"[]", "nobody", "x"),
    "unknown webhook, signed with what stands in for its secret": sign(
        b'[{"id":"' + ID.encode() + b'"}]', "nobody", "a webhook nobody registered"
    ),
    "signed with another secret": sign(b'[{"id":"' + ID.encode() + b'"}]', next(iter(SECRETS)), "wrong"),
    "of another body": sign(b"[]", *next(iter(SECRETS.items()))),
    "the secret itself": {"Signature": base64.b64encode(":".join(next(iter(SECRETS.items()))).encode()).decode()},
    "empty digest": {"Signature": base64.b64encode(f"{next(iter(SECRETS))}:".encode()).decode()},
    "an api key nobody set": {"X-Api-Key": ""},
    "very long": {"Signature": base64.b64encode(b"a" * 5000).decode()},
}


@pytest.mark.parametrize("name", FORGED)
def test_what_is_not_signed_is_a_401_before_anything_is_parsed(signed, queue, name):
    for body in (b'[{"id":"' + ID.encode() + b'"}]', b"no json", b""):
        answer = send(signed, body, **FORGED[name])
        assert answer.status_code == 401
        assert answer.content_type == "application/problem+json"
    assert queue.stats().depth == 0


def test_a_hex_digest_is_no_raw_one_and_the_other_way_round(signed):
    webhook, secret = next(iter(SECRETS.items()))
    raw = b'[{"id":"' + ID.encode() + b'"}]'
    headers = sign(raw, webhook, secret)
    assert send(signed, raw, Signature=headers["X-Signature"]).status_code == 401
    assert send(signed, raw, **{"X-Signature": headers["Signature"]}).status_code == 401
    assert send(signed, raw, Signature=headers["Signature"]).status_code == 200


def test_one_right_header_is_enough(signed):
    raw = b'[{"id":"' + ID.encode() + b'"}]'
    headers = sign(raw, *next(iter(SECRETS.items())))
    assert send(signed, raw, **{**headers, "Signature": "rubbish"}).status_code == 200


def test_the_signature_is_that_of_the_bytes_not_of_their_meaning(signed):
    webhook, secret = next(iter(SECRETS.items()))
    raw = b'[{"id":"' + ID.encode() + b'","name":"Gro\\u00df\\/"}]'
    assert send(signed, raw, **sign(raw, webhook, secret)).status_code == 200
    assert send(signed, raw.replace(b'","', b'", "'), **sign(raw, webhook, secret)).status_code == 401


def test_our_own_key_is_a_proof_too(make):
    client = make(ESPOCRM_MARVIN_API_KEY="marvin-42")
    for headers, status in (({"X-Api-Key": "marvin-42"}, 200), ({"X-Api-Key": "marvin-43"}, 401), ({}, 401)):
        assert send(client, [{"id": ID}], **headers).status_code == status


def test_with_both_configured_either_will_do(make):
    client = make(ESPOCRM_MARVIN_API_KEY="marvin-42", ESPOCRM_WEBHOOK_SECRETS="w1:s1")
    raw = json.dumps([{"id": ID}]).encode()
    assert send(client, raw, **sign(raw, "w1", "s1")).status_code == 200
    assert send(client, raw, **{"X-Api-Key": "marvin-42"}).status_code == 200
    assert send(client, raw).status_code == 401


def deep(levels: int) -> bytes:
    return b'[{"id":"' + ID.encode() + b'","x":' + b"[" * levels + b"]" * levels + b"}]"


def item(**more: Any) -> dict[str, Any]:
    return {"id": ID, **more}


UNREADABLE: dict[str, bytes] = {
    "empty": b"",
    "blank": b"   ",
    "word": b"hello",
    "half": b'[{"id":',
    "trailing comma": b'[{"id":"a"},]',
    "two values": b"[] []",
    "single quotes": b"[{'id':'a'}]",
    "NaN": b'[{"id":"' + ID.encode() + b'","x":NaN}]',
    "Infinity": b'[{"id":"' + ID.encode() + b'","x":-Infinity}]',
    "1e999": b'[{"id":"' + ID.encode() + b'","x":1e999}]',
    "long integer": b'[{"id":"' + ID.encode() + b'","x":' + b"9" * 5000 + b"}]",
    "latin-1": '[{"id":"ä"}]'.encode("latin-1"),
    "utf-16": '[{"id":"a"}]'.encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf[]",
    "cut utf-8": b'[{"id":"\xc3',
    "overlong utf-8": b'[{"id":"\xc0\x80"}]',
    "half a character": b'[{"id":"\\ud800"}]',
    "half a character elsewhere": b'[{"id":"' + ID.encode() + b'","name":"\\udc00"}]',
    "raw control character": b'[{"id":"a\x00b"}]',
    "duplicate key": b'[{"id":"a","id":"b"}]',
    "duplicate key inside": b'[{"id":"' + ID.encode() + b'","x":{"a":1,"a":2}}]',
    "33 levels": deep(31),
    "1000 levels": deep(1000),
    "100000 levels": b"[" * 100_000,
    "comment": b"[] // nothing",
    "form": b"id=" + ID.encode(),
    "xml": b"<id>a</id>",
    "gzip": b"\x1f\x8b\x08\x00",
    "hex number": b'[{"id":0x10}]',
    "leading zero": b'[{"id":007}]',
    "python": b"[None]",
    "key without quotes": b'[{id:"a"}]',
}
USELESS: dict[str, Any] = {
    "null": None,
    "true": True,
    "number": 7,
    "text": ID,
    "empty object": {},
    "empty array": [],
    "array of ids": [ID],
    "array in array": [[item()]],
    "array of null": [None],
    "id null": [{"id": None}],
    "id number": [{"id": 17}],
    "id list": [{"id": [ID]}],
    "id object": [{"id": {"$gt": ""}}],
    "id true": [{"id": True}],
    "id empty": [{"id": ""}],
    "id blank": [{"id": " " * 17}],
    "id short": [{"id": ID[:16]}],
    "id long": [{"id": ID + "0"}],
    "id upper case": [{"id": ID.upper()}],
    "id with newline": [{"id": ID + "\n"}],
    "id with nul": [{"id": ID[:16] + "\0"}],
    "id with colon": [{"id": "a:b"}],
    "id with star": [{"id": "*"}],
    "id with braces": [{"id": "{x}"}],
    "id with path": [{"id": "../../Lead/x"}],
    "id of 10 kB": [{"id": "a" * 10_000}],
    "id in full width digits": [{"id": "６" * 17}],
    "id with blank before": [{"id": " " + ID}],
    "uuid upper case": [{"id": OTHER.upper()}],
    "uuid in braces": [{"id": "{" + OTHER + "}"}],
    "uuid without dashes": [{"id": OTHER.replace("-", "")}],
    "ID": [{"ID": ID}],
    "nested id": [{"data": {"id": ID}}],
    "envelope": {"event": "x", "items": [item()]},
    "quoted injection": [{"id": "x' OR '1'='1"}],
    "crlf": [{"id": "x\r\nSET a b"}],
}
TAKEN: dict[str, Any] = {
    "one object": item(),
    "array": [item()],
    "uuid": [{"id": OTHER}],
    "32 levels": json.loads(deep(30)),
    "other fields of any kind": [item(a=None, b=[1, {"c": "d"}], c=True, d=1.5, name="Groß 🙂")],
    "an emoji in two halves": [item(name="\N{GRINNING FACE}")],
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_an_unreadable_body_is_a_400(client, queue, name):
    answer = send(client, UNREADABLE[name])
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    assert queue.stats().depth == 0


@pytest.mark.parametrize("name", USELESS)
def test_a_body_that_names_no_record_is_a_422_that_repeats_nothing(client, queue, name):
    answer = send(client, USELESS[name])
    assert answer.status_code == 422
    assert answer.json["errors"]
    assert ID not in answer.text
    assert queue.stats().depth == 0


def test_there_are_at_least_sixty_of_them():
    assert len(UNREADABLE) + len(USELESS) >= 60


@pytest.mark.parametrize("name", TAKEN)
def test_other_shapes_are_taken(client, name):
    assert send(client, TAKEN[name]).status_code == 200


def test_good_items_are_taken_and_bad_ones_named(client):
    answer = send(client, [item(), {"id": 1}, "x", {"id": OTHER}, {}, {"id": ID + "0"}, item(), {"id": None}])
    assert answer.status_code == 200
    assert answer.json == {
        "action": "update",
        "received": 8,
        "new": [ID, OTHER],
        "pending": [],
        "rejected": [
            {"index": 1, "reason": "id_not_a_string"},
            {"index": 2, "reason": "not_an_object"},
            {"index": 4, "reason": "id_missing"},
            {"index": 5, "reason": "id_malformed"},
            {"index": 7, "reason": "id_not_a_string"},
        ],
    }


def test_new_and_pending_are_disjoint_and_name_each_record_once(client):
    send(client, [item()])
    answer = send(client, [{"id": OTHER}, item(), {"id": OTHER}, item()]).json
    assert (answer["received"], answer["new"], answer["pending"]) == (4, [OTHER], [ID])


def test_each_action_has_a_set_of_its_own(client, queue):
    for action in ("create", "update", "delete"):
        assert send(client, [item()], action).json["new"] == [ID]
    assert queue._client.smembers(PARTIES.sets["delete"]) == {ID}
    assert queue._client.smembers(PARTIES.sets["update"]) == set()  # a deletion makes the others pointless
    assert queue._client.ttl(PARTIES.sets["delete"]) == -1


@pytest.mark.parametrize(("count", "status"), [(1000, 200), (1001, 413)])
def test_a_thousand_items_and_no_more(client, count, status):
    assert send(client, [{"id": f"{number:017x}"} for number in range(count)]).status_code == status


@pytest.mark.parametrize(("size", "status"), [(0, 200), (1, 413)])
def test_ten_mebibytes_and_no_more(client, size, status):
    head, tail = b'[{"id":"' + ID.encode() + b'","x":"', b'"}]'
    filler = 10 * 1024 * 1024 - len(head) - len(tail) + size
    assert send(client, head + b"x" * filler + tail).status_code == status


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "json"])
def test_another_media_type_is_a_415(client, kind):
    answer = client.post(PATH + "update", data=b"[]", headers={"Content-Type": kind} if kind else {})
    assert answer.status_code == 415


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/vnd.x+json"])
def test_json_by_any_name_is_taken(client, kind):
    assert client.post(PATH + "update", data=b'{"id":"%b"}' % ID.encode(), content_type=kind).status_code == 200


def test_a_compressed_body_is_a_415(client):
    assert send(client, [item()], **{"Content-Encoding": "gzip"}).status_code == 415


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", [PATH + "create", "/vmh/reconcile"])
def test_another_method_is_a_405_that_names_the_right_one(client, method, path):
    answer = client.open(path, method=method)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize("path", ["/vmh", "/vmh/webhook/beteiligte", PATH, PATH + "purge", PATH + "create/", "/vmh/x"])
def test_another_path_is_a_404(client, path):
    assert client.post(path, json=[item()]).status_code == 404


def test_the_gateway_secret_is_wanted_where_it_is_set(make):
    client = make(GATEWAY_SECRET="gate")
    assert send(client, [item()]).status_code == 401
    assert client.post("/vmh/reconcile").status_code == 401
    assert send(client, [item()], **{"X-Gateway-Secret": "gate"}).status_code == 200


def test_without_redis_the_answer_is_a_quick_503_with_a_pause(make):
    answer = send(make(REDIS_URL="redis://127.0.0.1:1"), [item()])
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.content_type == "application/problem+json"


def test_what_too_few_replicas_confirm_is_a_503(make, queue):
    answer = send(make(REDIS_WAIT_REPLICAS="1"), [item()])
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0


def test_a_stopped_replica_turns_the_answer_into_a_503_and_the_repeat_into_a_200(make, server, queue, tmp_path):
    replica = RedisServer(tmp_path, "--replicaof", "127.0.0.1", str(server.port)).start()
    try:
        client = make(REDIS_WAIT_REPLICAS="1")
        ends = time.monotonic() + 10
        while send(client, [{"id": OTHER}]).status_code != 200:
            assert time.monotonic() < ends, "the replica never came up"
            time.sleep(0.05)
        replica.stop()
        assert send(client, [item()]).status_code == 503
        replica.start()
        while (answer := send(client, [item()])).status_code != 200:
            assert time.monotonic() < ends, "the replica never came back"
            time.sleep(0.05)
        assert answer.json["pending"] == [ID]  # stored the first time already
    finally:
        replica.stop()


def test_production_does_not_start_without_secrets(make):
    with pytest.raises(SystemExit, match="ESPOCRM_WEBHOOK_SECRETS is missing"):
        make(ENVIRONMENT="production", GATEWAY_SECRET="gate")


def test_every_answer_is_one_that_espocrm_understands(client):
    bodies = [*UNREADABLE.values(), *(json.dumps(each).encode() for each in USELESS.values())]
    assert {send(client, body).status_code for body in bodies} == {400, 422}


def event(entity_id: str = ID, action: str = "update", **more: Any) -> bytes:
    data = {"entity_id": entity_id, "action": action, "source": "espocrm", "timestamp": "2026-11-24T04:00:00Z"}
    attributes = {"specversion": "1.0", "id": "1", "type": f"vmh.beteiligte.{action}", "source": "/x", "subject": ID}
    return json.dumps(attributes | {"data": data} | more).encode()


def test_an_event_for_the_subscriber_without_settings_has_to_wait(make):
    answer = make("beteiligte_sync").post("/", data=event(), headers={"Content-Type": CONTENT_TYPE})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"].isdigit()


@pytest.mark.parametrize("bad", [event("a:b"), event(action="purge"), event(data={"entity_id": 1})])
def test_an_event_about_no_record_is_refused(make, bad):
    answer = make("beteiligte_sync").post("/", data=bad, headers={"Content-Type": CONTENT_TYPE})
    assert answer.status_code in {404, 422}


def test_the_same_time_is_spent_on_webhooks_we_know_and_do_not_know(signed, monkeypatch):
    made: list[int] = []
    original = hmac.digest

    def counting(key, message, algorithm):
        made.append(len(message))
        return original(key, message, algorithm)

    monkeypatch.setattr(hmac, "digest", counting)
    raw = b'[{"id":"' + ID.encode() + b'"}]'
    counts = []
    for webhook in (next(iter(SECRETS)), "nobody"):
        made.clear()
        send(signed, raw, **sign(raw, webhook, "wrong"))
        counts.append(len(made))
    assert counts[0] == counts[1] > 0
