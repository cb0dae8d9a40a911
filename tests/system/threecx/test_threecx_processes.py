"""The whole application and two workers: a storm of calls in any order, told twice, becomes one record for each."""

import json
import random
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

sys.path.insert(0, str(Path(__file__).parents[1]))

from processes import environment, eventually, get, process
from redis_server import free_port
from threecx_rig import KEY, SECRET, world

from shared.webhook import sign

GUNICORN = ("-m", "gunicorn", "-c", "functions/gunicorn_conf.py", "functions.app:app")
CALLS = 24
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def firm(phone_redis, monkeypatch, tmp_path):
    """Run the application, two workers and the doubles; give the rig and the address."""
    with world(monkeypatch, phone_redis) as rig:
        port = free_port()
        fast = {"QUEUE_REAP_SECONDS": "0.2", "RETRY_BASE_SECONDS": "0.1", "QUEUE_LEASE_SECONDS": "3"}
        env = environment(**rig.env, **fast, PORT=str(port), HOST="127.0.0.1")
        log = tmp_path / "app.log"
        with (
            process(*GUNICORN, env=env, log=log),
            process("-m", "functions.worker", env=env, log=log) as worker,
            process("-m", "functions.worker", env=env, log=log),
        ):
            url = f"http://127.0.0.1:{port}"
            eventually(lambda: get(f"{url}/health")[0] == 200, 40)
            yield rig, url, worker, log


def statements(number: int) -> list[tuple[str, dict]]:
    """Give the four statements of one call."""
    start = NOW - timedelta(hours=3, minutes=number)
    caller, agent = f"+49511900{number % 7:04}", ("102", "105")[number % 2]
    common = {"call_id": f"s-{number}", "direction": "inbound", "caller": caller, "callee": "+4951198760"}
    common |= {"extension": agent}

    def event(name: str, seconds: float, **more) -> tuple[str, dict]:
        return "webhook", {
            "event": name,
            "timestamp": (start + timedelta(seconds=seconds)).isoformat(),
            **common,
            **more,
        }

    report = {"call_type": "Inbound", "number": caller, "agent": agent, "duration": "00:00:20"}
    report |= {"started_at": (start + timedelta(seconds=2)).isoformat()}
    report |= {"ended_at": (start + timedelta(seconds=29)).isoformat()}
    return [
        event("call.started", 0),
        event("call.transferred", 10, transferred_to=agent),
        event("call.ended", 30, answered=True, duration_s=20),
        ("report-call", report),
    ]


def send(url: str, what: tuple[str, dict]) -> int:
    path, body = what
    raw, stamp = json.dumps(body).encode(), int(time.time())
    headers = {"Content-Type": "application/json", "X-API-Key": KEY}
    headers |= {"X-3CX-Timestamp": str(stamp), "X-3CX-Signature": sign(raw, SECRET, stamp)}
    return requests.post(f"{url}/threecx/{path}", data=raw, headers=headers, timeout=10).status_code


def test_a_storm_in_any_order_with_a_killed_worker_is_one_record_for_each_call(firm):
    rig, url, worker, log = firm
    told = [each for number in range(CALLS) for each in statements(number)] * 2
    random.Random(7).shuffle(told)
    with ThreadPoolExecutor(16) as senders:
        answers = senders.map(lambda what: send(url, what), told)
        time.sleep(0.4)
        worker.send_signal(signal.SIGKILL)
        assert set(answers) == {200}

    def settled() -> bool:
        return len(rig.journalled()) == CALLS and not rig.redis.zcard("threecx:open") and not pending(rig)

    eventually(settled, 40)
    calls = {call["dateStart"]: call for call in rig.journalled()}
    for number in range(CALLS):
        start = NOW - timedelta(hours=3, minutes=number)
        call = calls[start.strftime("%Y-%m-%d %H:%M:%S")]
        assert call["dateEnd"] == (start + timedelta(seconds=30)).strftime("%Y-%m-%d %H:%M:%S")
        assert call["assignedUserId"] == ("user-berger", "user-meier")[number % 2]
    assert "+49511900" not in log.read_text()


def pending(rig) -> int:
    """Count what still waits anywhere."""
    keys = ("threecx:processing", "threecx:delayed")
    waiting = sum(rig.redis.zcard(key) for key in keys)
    return waiting + rig.redis.scard("threecx:journal_pending")
