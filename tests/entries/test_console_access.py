"""Who comes into the console, what its forms need, and what it says when something is missing."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import functions_framework
import pytest
import redis
from flask.testing import FlaskClient
from redis_server import running

from functions.ops.access import COOKIE
from shared.state import alive, connection, recent
from shared.state.calendar_history import note
from shared.state.calendar_runs import STATUS, Holds
from shared.state.keys import employee_lock
from shared.state.lock import EmployeeLocks
from shared.state.queue import PARTIES, WorkQueue

SOURCE = str(Path(__file__).parents[2] / "functions" / "ops" / "main.py")
PARTY, PASSWORD, GATE = "6b04f6cb7536b613d", "geheim ä", {"X-Gateway-Secret": "gate"}
PAGES = ["/ops", "/ops/employees/SB", "/ops/plans/SB", "/ops/letters/1-0"]
FORMS = [
    "/ops/logout",
    "/ops/plans/SB/release",
    "/ops/employees/SB/run",
    "/ops/letters/1-0/redrive",
    "/ops/redrive-all",
]
EVIL = "<img src=x onerror=alert(1)>\"'><script>alert(2)</script>{{7*7}}"


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with running() as server:
        yield server.url


@pytest.fixture
def state(redis_url: str) -> redis.Redis:
    client = connection.connect(redis_url, 1, timeout_s=5)
    client.flushall()
    return client


Start = Callable[..., FlaskClient]


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch, redis_url: str, state: redis.Redis) -> Start:
    """Start the target with more settings."""
    monkeypatch.setattr("shared.startup.set_up_log", lambda level: None)

    def made(**environ: str) -> FlaskClient:
        for name, value in {"REDIS_URL": redis_url, "EVENT_TRANSPORT": "redis", **environ}.items():
            monkeypatch.setenv(name, value)
        return functions_framework.create_app("ops", SOURCE).test_client()

    return made


@pytest.fixture
def guarded(start: Start) -> FlaskClient:
    return start(GATEWAY_SECRET="gate", OPS_PASSWORD=PASSWORD)


def token_of(page: str) -> str:
    return re.search(r'name="token" value="([0-9a-f]+)"', page).group(1)


def log_in(client: FlaskClient, password: str = PASSWORD) -> object:
    form = {"token": token_of(client.get("/ops").text), "password": password}
    return client.post("/ops/login", data=form)


def hold(state: redis.Redis, kuerzel: str = "SB", mark: str = "ab12", **more: object) -> None:
    row = {"state": "held", "held": [{"direction": "to_google", "count": 4, "hash": mark}], **more}
    state.hset(STATUS, kuerzel, json.dumps({"kuerzel": kuerzel, "last_finished": "2026-11-24T08:00:00Z", **row}))
    Holds(state).remember(kuerzel, [mark])


def give_up(state: redis.Redis, item: str = PARTY, error: str = "upstream-rejected") -> None:
    queue = WorkQueue(state, PARTIES)
    queue.add("update", [item])
    queue.set_aside(queue.claim(item, "me"), error)


@pytest.mark.parametrize("path", PAGES)
def test_without_proof_there_is_a_login_form_and_nothing_else(guarded, state, path):
    hold(state)
    answer = guarded.get(path)
    assert (answer.status_code, answer.content_type) == (401, "text/html; charset=utf-8")
    assert 'type="password"' in answer.text
    assert "SB" not in answer.text


@pytest.mark.parametrize("path", FORMS)
def test_without_proof_no_form_does_anything(guarded, state, path):
    hold(state)
    give_up(state)
    assert guarded.post(path, data={"token": token_of(guarded.get("/ops").text), "hash": "ab12"}).status_code == 401
    assert Holds(state).waiting("SB") == {"ab12"}
    assert WorkQueue(state, PARTIES).stats().dead == 1


@pytest.mark.parametrize("path", [*PAGES, *FORMS])
def test_without_a_password_in_the_settings_only_the_gateway_lets_in(start, path):
    client = start(GATEWAY_SECRET="gate")
    answer = client.open(path, method="POST" if path in FORMS else "GET")
    assert (answer.status_code, answer.content_type) == (401, "application/problem+json")
    assert client.get("/ops", headers=GATE).status_code == 200
    assert client.post("/ops/login", data={"password": ""}).status_code == 404


def test_the_gateway_s_secret_lets_in_without_the_password(guarded):
    assert "Ist alles im Takt?" in guarded.get("/ops", headers=GATE).text
    assert guarded.get("/ops/deadletters", headers=GATE).status_code == 200


def test_with_a_password_and_no_gateway_programs_need_a_session_too_but_the_scheduler_does_not(start):
    client = start(OPS_PASSWORD=PASSWORD)
    answer = client.get("/ops/deadletters")
    assert (answer.status_code, answer.content_type) == (401, "application/problem+json")
    assert client.post("/ops/deadletters/1-0/redrive").status_code == 401
    assert client.post("/ops/relay").status_code == 200


def test_the_password_opens_a_session_with_a_strict_cookie(guarded):
    wrong = log_in(guarded, "falsch")
    assert (wrong.status_code, "Das Passwort stimmt nicht." in wrong.text) == (401, True)
    right = log_in(guarded)
    assert (right.status_code, right.headers["Location"]) == (303, "/ops")
    cookie = right.headers["Set-Cookie"]
    assert re.match(rf"{COOKIE}=a\.\d+\.[\w-]+\.[0-9a-f]{{64}};", cookie)
    for part in ("HttpOnly", "SameSite=Strict", "Path=/ops", "Max-Age=3600"):
        assert part in cookie
    assert PASSWORD not in cookie
    assert "Ist alles im Takt?" in guarded.get("/ops").text
    assert guarded.get("/ops/deadletters").status_code == 200


def test_in_production_the_cookie_is_secure(start):
    client = start(ENVIRONMENT="production", GATEWAY_SECRET="gate", OPS_PASSWORD=PASSWORD)
    assert "; Secure" in client.get("/ops").headers["Set-Cookie"]
    assert "; Secure" not in start(ENVIRONMENT="development").get("/ops").headers["Set-Cookie"]


def test_a_form_from_before_the_login_is_not_good_after_it(guarded):
    before = token_of(guarded.get("/ops").text)
    log_in(guarded)
    assert guarded.post("/ops/redrive-all", data={"token": before}).status_code == 403


def test_logging_out_takes_the_cookie_back(guarded):
    log_in(guarded)
    answer = guarded.post("/ops/logout", data={"token": token_of(guarded.get("/ops").text)})
    assert answer.status_code == 303
    assert guarded.get("/ops").status_code == 401


def test_passwords_are_not_tried_without_end_not_even_the_right_one(guarded):
    token = token_of(guarded.get("/ops").text)
    tries = [guarded.post("/ops/login", data={"token": token, "password": "x"}).status_code for _ in range(5)]
    assert tries == [401] * 5
    answer = guarded.post("/ops/login", data={"token": token, "password": PASSWORD})
    assert answer.status_code == 429
    assert answer.headers["Retry-After"].isdigit()
    assert "Zu viele Versuche" in answer.text


def test_no_address_is_kept_in_clear(guarded, state):
    log_in(guarded, "falsch")
    names = [key for key in state.keys("ops:*") if key != "ops:attempts:all"]
    assert [re.fullmatch(r"ops:attempts:[0-9a-f]{32}", name) is not None for name in names] == [True]


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize("token", [None, "0" * 64])
def test_a_form_without_its_token_does_nothing(guarded, state, path, token):
    hold(state)
    give_up(state)
    log_in(guarded)
    answer = guarded.post(path, data={"hash": "ab12"} | ({"token": token} if token else {}))
    assert (answer.status_code, "gilt nicht mehr" in answer.text) == (403, True)
    assert (Holds(state).waiting("SB"), WorkQueue(state, PARTIES).stats().dead) == ({"ab12"}, 1)
    assert guarded.get("/ops").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_nothing_from_another_site_does_anything(guarded, state, headers):
    hold(state)
    give_up(state)
    log_in(guarded)
    form = {"token": token_of(guarded.get("/ops").text), "hash": "ab12"}
    assert guarded.post("/ops/plans/SB/release", data=form, headers=headers).status_code == 403
    assert guarded.post("/ops/login", data=form, headers=headers).status_code == 403
    (letter,) = guarded.get("/ops/deadletters").json["deadletters"]
    redrive = f"/ops/deadletters/{letter['id']}/redrive"
    assert guarded.post(redrive, headers=headers | GATE).status_code == 403
    assert (Holds(state).waiting("SB"), WorkQueue(state, PARTIES).stats().dead) == ({"ab12"}, 1)


@pytest.mark.parametrize("origin", ["http://localhost", "https://console.example"])
def test_our_own_origin_and_the_public_one_are_let_through(start, state, origin):
    client = start(OPS_PASSWORD=PASSWORD, PUBLIC_BASE_URL="https://console.example/")
    give_up(state)
    log_in(client)
    form = {"token": token_of(client.get("/ops").text)}
    assert client.post("/ops/redrive-all", data=form, headers={"Origin": origin}).status_code == 303


def test_through_a_tunnel_the_browser_s_own_word_counts(guarded, state):
    give_up(state)
    log_in(guarded)
    form = {"token": token_of(guarded.get("/ops").text)}
    headers = {"Origin": "http://127.0.0.1:9999", "Sec-Fetch-Site": "same-origin"}
    assert guarded.post("/ops/redrive-all", data=form, headers=headers).status_code == 303


def test_a_session_needs_its_token_for_the_json_redrive(guarded, state):
    give_up(state)
    log_in(guarded)
    (letter,) = guarded.get("/ops/deadletters").json["deadletters"]
    path = f"/ops/deadletters/{letter['id']}/redrive"
    refused = guarded.post(path)
    assert (refused.status_code, refused.content_type) == (403, "application/problem+json")
    headers = {"X-CSRF-Token": token_of(guarded.get("/ops").text)}
    assert guarded.post(path, headers=headers).json["redriven"] is True


def test_a_held_plan_is_released_once_and_a_run_is_asked_for(guarded, state):
    hold(state)
    log_in(guarded)
    page = guarded.get("/ops/plans/SB").text
    assert "Diese Funktion läuft allein" in page
    form = {"token": token_of(page), "hash": "ab12"}
    assert guarded.post("/ops/plans/SB/release", data=form).headers["Location"] == "/ops?getan=freigegeben"
    assert Holds(state).released("SB") == {"ab12"}
    assert state.smembers("calendar_sync:sync_pending") == {"SB"}
    again = guarded.post("/ops/plans/SB/release", data=form)
    assert (again.status_code, "wartet nicht mehr" in again.text) == (409, True)
    overview = guarded.get("/ops?getan=freigegeben").text
    assert "Freigegeben. Der Lauf ist angestoßen" in overview
    assert "freigegeben, wartet auf den Lauf" in overview


@pytest.mark.parametrize(
    ("kuerzel", "mark"), [("SB", "ffff"), ("KL", "ab12"), ("SB", ""), ("SB", "../"), ("x y", "ab12")]
)
def test_another_hash_or_employee_releases_nothing(guarded, state, kuerzel, mark):
    hold(state)
    log_in(guarded)
    form = {"token": token_of(guarded.get("/ops").text), "hash": mark}
    assert guarded.post(f"/ops/plans/{kuerzel}/release", data=form).status_code == 409
    assert (Holds(state).waiting("SB"), state.exists("calendar_sync:sync_pending")) == ({"ab12"}, 0)


def test_a_run_can_be_started_for_those_who_are_known(guarded, state):
    hold(state)
    log_in(guarded)
    form = {"token": token_of(guarded.get("/ops").text)}
    assert guarded.post("/ops/employees/SB/run", data=form).status_code == 303
    assert state.smembers("calendar_sync:sync_pending") == {"SB"}
    assert guarded.post("/ops/employees/XX/run", data=form).status_code == 404


def test_a_dead_letter_is_looked_at_and_put_back_with_the_party_that_a_person_chose(guarded, state):
    give_up(state, error="party-ambiguous")
    state.hset("vmh:beteiligte:candidates", PARTY, json.dumps([815, 816]))
    log_in(guarded)
    (letter,) = guarded.get("/ops/deadletters").json["deadletters"]
    path = f"/ops/letters/{letter['id']}"
    page = guarded.get(path).text
    assert "Mehrere Beteiligte in Advoware kommen in Frage" in page
    assert re.findall(r'name="betNr" value="(\d+)"', page) == ["815", "816"]
    token = token_of(page)
    for wrong in ("999", "x", "-1", "1e3"):
        assert guarded.post(f"{path}/redrive", data={"token": token, "betNr": wrong}).status_code == 422
    assert guarded.post(f"{path}/redrive", data={"token": token, "betNr": "815"}).status_code == 303
    assert state.hget("vmh:beteiligte:chosen", PARTY) == "815"
    assert guarded.get(path).status_code == 404


def test_all_dead_letters_go_back_at_once(guarded, state):
    for item in (PARTY, PARTY[::-1]):
        give_up(state, item)
    log_in(guarded)
    form = {"token": token_of(guarded.get("/ops").text)}
    assert guarded.post("/ops/redrive-all", data=form).headers["Location"] == "/ops?getan=alle"
    assert WorkQueue(state, PARTIES).stats().dead == 0


def test_a_form_of_another_kind_or_too_long_is_refused(guarded):
    log_in(guarded)
    assert guarded.post("/ops/redrive-all", json={"token": "x"}).status_code == 415
    assert guarded.post("/ops/redrive-all", data={"token": "x" * 20_000}).status_code == 413
    assert guarded.post("/ops/redrive-all", data={f"f{n}": "x" for n in range(50)}).status_code == 403


def test_what_redis_holds_is_shown_as_text_whatever_it_is(guarded, state, redis_url):
    hold(state, EVIL, mark=EVIL, error=EVIL)
    row = {"kuerzel": "SB", "state": EVIL, "error": EVIL, "last_finished": EVIL}
    state.hset(STATUS, "SB", json.dumps(row))
    note(state, "SB", row)
    note(state, "SB", row | {"state": "failed"})
    give_up(state, error=EVIL)
    state.hset("upstream:failed", "advoware", f"{EVIL}|{1}")
    leads = connection.connect(redis_url, 0, timeout_s=5)
    recent.note(leads, recent.LEADS, EVIL, 1)
    leads.hset(f"lead:record:{EVIL}", mapping={"state": EVIL})
    log_in(guarded)
    for path in ("/ops", "/ops?getan=" + EVIL, "/ops/employees/SB"):
        page = guarded.get(path).text
        assert "onerror" in page
        assert "<img" not in page
        assert "<script>alert" not in page
        assert "{{7*7}}" in page


def test_the_page_names_the_process_that_holds_a_lock_and_keeps_its_token_to_itself(guarded, state):
    state.hset(STATUS, "SB", json.dumps({"kuerzel": "SB", "state": "running"}))
    assert EmployeeLocks(state).acquire("SB")
    log_in(guarded)
    page = guarded.get("/ops").text
    assert f"Sperre Nr. 1 hält <code>{os.uname().nodename}:{os.getpid()}</code>" in page
    assert state.get(employee_lock("SB")).partition("@")[0] not in page


def test_the_last_runs_of_an_employee_are_shown_the_newest_first(guarded, state):
    state.hset(STATUS, "SB", json.dumps({"kuerzel": "SB", "state": "ok"}))
    done = {"state": "ok", "last_finished": "2026-11-24T08:00:00Z", "created": 3, "duration_s": 1.5}
    held = {"direction": "to_google", "count": 7, "hash": "9f2c"}
    for row in (done, done | {"state": "held", "held": [held]}, {"state": "failed", "error": "advoware-no-token"}):
        note(state, "SB", row)
    log_in(guarded)
    page = guarded.get("/ops/employees/SB").text
    newest, middle, oldest = (page.index(each) for each in ("gibt gerade kein Token", "7 Löschungen in Google", "+3"))
    assert newest < middle
    assert "1,5 s" in page[oldest:]
    assert "wartet auf Sie" not in page
    assert guarded.get("/ops/employees/KL").status_code == 404


def test_redis_down_is_a_page_in_german_with_503(start, redis_url):
    client = start(OPS_PASSWORD=PASSWORD, REDIS_URL="redis://127.0.0.1:1")
    assert client.get("/ops").status_code == 401
    assert log_in(client).status_code == 303
    answer = client.get("/ops")
    assert (answer.status_code, answer.content_type) == (503, "text/html; charset=utf-8")
    assert answer.headers["Retry-After"].isdigit()
    assert "Redis ist nicht erreichbar" in answer.text


def test_a_redis_that_may_lose_work_is_named_in_production(start):
    client = start(ENVIRONMENT="production", GATEWAY_SECRET="gate")
    answer = client.get("/ops", headers=GATE)
    assert answer.status_code == 503
    assert "appendonly is no" in answer.text


def test_a_redis_that_tells_nothing_about_itself_is_vouched_for(start, monkeypatch):
    def refused(*_args: object, **_more: object) -> None:
        raise redis.exceptions.NoPermissionError("no permission")

    monkeypatch.setattr(redis.Redis, "info", refused)
    monkeypatch.setattr(redis.Redis, "config_get", refused)
    page = start(REDIS_DURABILITY="managed").get("/ops").text
    assert "der Betreiber steht dafür ein" in page
    assert "sagt dieses Redis nicht" in page


def test_workers_are_counted_for_each_queue_and_forgotten_when_they_are_silent(start, state):
    client = start()
    assert "Kein Worker liest alle Schlangen" in client.get("/ops").text
    for queue in ("calendar_sync", "vmh:beteiligte", "lead"):
        alive.note(state, queue, "one")
    assert "Kein Worker liest Anrufe." in client.get("/ops").text
    state.zadd(alive.KEY, {"calendar_sync|one": 1})
    assert "Kein Worker liest Kalenderabgleich, Anrufe." in client.get("/ops").text
    assert "über das Transportmittel" in start(EVENT_TRANSPORT="http").get("/ops").text


def test_tokens_pauses_and_the_bucket_are_told_without_the_token_itself(start, state, redis_url):
    state.set("advoware_access_token", "streng geheim", px=1_900_000)
    state.set("advoware_access_token:refresh", "somebody", px=9000)
    state.set("espocrm:paused", "1", px=60_000)
    seconds, micros = state.time()
    rates = connection.connect(redis_url, 2, timeout_s=5)
    rates.hset("google_calendar_api_tokens", mapping={"tokens": "0", "ts": (seconds + 3600) * 1_000_000 + micros})
    page = start(ADVOWARE_USER="x", ESPOCRM_API_KEY="x").get("/ops").text
    assert "gilt noch 31 min; ein Prozess holt gerade ein neues" in page
    assert "streng geheim" not in page
    assert re.search(r"alle Aufrufe ruhen noch (5\d|60) s", page)
    assert "0 von 7 frei, 600/min" in page
    assert "fehlt" in page
    assert "ADVOWARE_PASSWORD" in page
    assert "hier nicht eingerichtet" in page
