"""Each kind of fault does to a call what its name says."""

import time

import pytest
import requests

from sandbox.double import Double, json_response
from sandbox.faults import Fault, Switchboard, fault_from
from sandbox.server import serve


class Counter(Double):
    """Answer the number of calls that were really processed."""

    def __init__(self):
        super().__init__()
        self.processed = 0

    def handle(self, request):
        self.processed += 1
        return json_response({"n": self.processed, "items": [1, 2, 3, 4]})


@pytest.fixture
def counter():
    double = Counter()
    with serve(double) as server:
        double.url = server.url
        yield double


def get(counter, path="/things"):
    return requests.get(counter.url + path, timeout=5)


def test_a_status_fault_answers_without_processing(counter):
    counter.board.add(Fault("status", status=429, json={"why": "busy"}, headers={"Retry-After": "3"}))
    answer = get(counter)
    assert (answer.status_code, answer.json(), answer.headers["Retry-After"]) == (429, {"why": "busy"}, "3")
    assert counter.processed == 0


def test_a_status_fault_may_process_the_call_first(counter):
    counter.board.add(Fault("status", status=503, processed=True))
    assert get(counter).status_code == 503
    assert counter.processed == 1


@pytest.mark.parametrize(("kind", "processed"), [("drop_before", 0), ("drop_after", 1)])
def test_a_dropped_call_is_a_connection_error(counter, kind, processed):
    counter.board.add(Fault(kind))
    with pytest.raises(requests.ConnectionError):
        get(counter)
    assert counter.processed == processed
    assert [(call.status, call.fault) for call in counter.board.calls] == [(0, kind)]


def test_a_dropped_call_closes_a_connection_that_was_kept_open(counter):
    with requests.Session() as session:
        session.get(counter.url + "/warm")
        counter.board.add(Fault("drop_before", method="POST"))
        with pytest.raises(requests.ConnectionError):
            session.post(counter.url + "/things", json={"a": 1})


def test_a_delay_waits_before_processing(counter):
    counter.board.add(Fault("delay", seconds=0.1))
    before = time.monotonic()
    assert get(counter).json()["n"] == 1
    assert time.monotonic() - before >= 0.1


def test_a_late_call_is_processed_after_its_reply_was_lost(counter):
    counter.board.add(Fault("late", seconds=0.1))
    with pytest.raises(requests.ConnectionError):
        get(counter)
    assert counter.processed == 0
    counter.settle()
    assert counter.processed == 1


def test_an_html_page_comes_with_status_200(counter):
    counter.board.add(Fault("html"))
    answer = get(counter)
    assert answer.ok
    assert answer.text.startswith("<!doctype html>")
    assert counter.processed == 0


def test_a_cut_answer_is_noticed_by_the_client(counter):
    counter.board.add(Fault("cut"))
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        get(counter)
    assert counter.processed == 1


@pytest.mark.parametrize(("keep", "left"), [(1, [1]), (0.5, [1, 2]), (0, [])])
def test_a_truncated_list_keeps_its_first_items(counter, keep, left):
    counter.board.add(Fault("truncate", keep=keep))
    assert get(counter).json() == {"n": 1, "items": left}


def test_a_transform_changes_the_parsed_answer(counter):
    counter.board.add(Fault("transform", transform=lambda answer: answer["items"][::-1]))
    assert get(counter).json() == [4, 3, 2, 1]


def test_a_duplicate_is_processed_twice(counter):
    counter.board.add(Fault("duplicate"))
    assert get(counter).json()["n"] == 2


def test_a_fault_skips_calls_and_ends_after_its_times(counter):
    counter.board.add(Fault("status", path="^/things$", skip=1, times=2))
    assert [get(counter, path).status_code for path in ("/other", *["/things"] * 4)] == [200, 200, 503, 503, 200]


def test_a_fault_matches_by_method_and_query(counter):
    counter.board.add(Fault("status", method="GET", query="page=2", times=None))
    assert [get(counter, f"/things?page={page}").status_code for page in (1, 2, 2)] == [200, 503, 503]
    assert requests.post(counter.url + "/things?page=2", timeout=5).status_code == 200


def test_the_switchboard_counts_calls(counter):
    get(counter)
    later = time.time()
    requests.post(counter.url + "/things/1?a=b", timeout=5)
    board = counter.board
    assert (board.count(), board.count("GET"), board.count(path_contains="/1"), board.count(since=later)) == (
        2,
        1,
        1,
        1,
    )
    assert board.calls[1].query == "a=b"
    board.forget_calls()
    assert board.calls == []


def test_faults_and_calls_are_within_reach_over_http(counter):
    faults, calls = counter.url + "/_sandbox/faults", counter.url + "/_sandbox/calls"
    answer = requests.post(faults, json=[{"kind": "status", "status": 500, "times": None}], timeout=5)
    assert (answer.status_code, answer.json()["faults"][0]["status"]) == (201, 500)
    assert get(counter).status_code == 500
    assert requests.delete(faults, timeout=5).status_code == 204
    assert get(counter).status_code == 200
    assert [call["status"] for call in requests.get(calls, timeout=5).json()["calls"]] == [500, 200]
    requests.delete(calls, timeout=5)
    assert requests.get(calls, timeout=5).json() == {"calls": []}
    assert requests.get(counter.url + "/_sandbox/health", timeout=5).json() == {"status": "ok"}


@pytest.mark.parametrize(
    "body", ['{"kind":"explode"}', '{"kind":"status","often":2}', "[", '{"kind":"transform"}', "7"]
)
def test_an_unreadable_fault_is_refused(counter, body):
    answer = requests.post(counter.url + "/_sandbox/faults", data=body, timeout=5)
    assert (answer.status_code, counter.board.faults) == (400, [])


def test_a_fault_knows_only_its_own_kinds():
    with pytest.raises(ValueError, match="unknown kind"):
        fault_from({"kind": "explode"})
    assert Switchboard().pick("GET", "/", "") is None
