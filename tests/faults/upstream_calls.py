"""Every call that a client of ours can make, and an upstream that answers well unless told otherwise."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
from calendar_world import _service_account
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from functions.leads.crm import LeadCrm
from sandbox.advoware import Advoware
from sandbox.google import write_service_account
from shared.advoware import auth as advoware_auth
from shared.advoware.client import AdvowareClient
from shared.advoware.parties import Parties
from shared.espocrm.client import EspoCrmClient
from shared.google import auth as google_auth
from shared.google.client import Channel, GoogleCalendar
from shared.http import HttpClient
from shared.settings.advoware import AdvowareSettings
from shared.settings.base import read
from shared.settings.calendar import GoogleSettings
from shared.settings.espocrm import EspoCrmSettings
from shared.settings.threecx import ThreeCxSettings
from shared.state.token import FetchedToken, TokenCache, TokenKeys
from shared.threecx.login import Login
from shared.threecx.rest import RestProvider
from shared.threecx.v20 import V20Provider

CANARY = "Mandantin Zipfel +49 511 4711"
TIMEOUT_S = 10.0
WHEN = datetime(2026, 11, 24, 8, tzinfo=UTC)


@dataclass(frozen=True)
class Trouble:
    """What an upstream does instead of answering well; `breaks` is an error of the connection."""

    name: str
    status: int = 200
    body: str = json.dumps({"error": CANARY, "list": [CANARY]})
    kind: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    breaks: type[requests.RequestException] | None = None


STATUSES = (400, 401, 403, 404, 409, 412, 422, 429, 500, 502, 503, 504)
TROUBLES = [
    *(Trouble(str(status), status) for status in STATUSES),
    Trouble("429 with Retry-After", 429, headers={"Retry-After": "3"}),
    Trouble("503 with a long Retry-After", 503, headers={"Retry-After": "240"}),
    Trouble("html", 200, f"<html>{CANARY}</html>", "text/html"),
    Trouble("half", 200, '{"id": "' + CANARY),
    Trouble("cut", breaks=requests.exceptions.ChunkedEncodingError),
    Trouble("timeout after the work", breaks=requests.ReadTimeout),
]


@dataclass
class World:
    """A clock that only waiting moves, and an upstream in trouble for so many calls (None: for ever)."""

    trouble: Trouble | None = None
    times: int | None = None
    now: float = 1000.0
    asked: list[tuple[str, str, bytes]] = field(default_factory=list)
    tokens_asked: int = 0
    token_is_the_call: bool = False

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def clock(self) -> float:
        return self.now


class Upstream(BaseAdapter):
    """Stands where the network would be."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world

    def send(self, request: requests.PreparedRequest, stream: bool = False, **how: Any) -> requests.Response:
        world, path = self.world, str(request.path_url).partition("?")[0]
        if "oken" in path and not world.token_is_the_call:
            world.tokens_asked += 1
            return _response(request, {"access_token": f"t{world.tokens_asked}", "expires_in": 3600}, stream=stream)
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        world.asked.append((str(request.method), path, body))
        if world.trouble is None or world.times == 0:
            return _response(request, good(str(request.method), path), stream=stream)
        world.times = None if world.times is None else world.times - 1
        return self._go_wrong(request, world.trouble, how, stream=stream)

    def _go_wrong(self, request: Any, trouble: Trouble, how: dict[str, Any], *, stream: bool) -> requests.Response:
        if trouble.breaks is requests.ReadTimeout:
            wait = how["timeout"]
            self.world.sleep(float(wait[1] if isinstance(wait, tuple) else wait))
        if trouble.breaks and not (stream and trouble.name == "cut"):
            raise trouble.breaks(f"no end: {CANARY}")
        answer = _response(request, None, stream=stream)
        answer.status_code = trouble.status
        kind = "audio/wav" if stream and trouble.breaks else trouble.kind
        answer.headers = CaseInsensitiveDict({"Content-Type": kind, **trouble.headers})
        if stream:
            answer.raw, answer._content = _Broken(trouble), False
        else:
            answer._content = trouble.body.encode()
        return answer

    def close(self) -> None:
        """Have nothing to close."""


class _Broken(io.BytesIO):
    """A body that ends in the middle where it should."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.body.encode())
        self._cut = trouble.breaks is not None

    def read(self, *size: Any) -> bytes:
        block = super().read(*size)
        if not block and self._cut:
            raise requests.exceptions.ChunkedEncodingError(f"no end: {CANARY}")
        return block


def _response(request: requests.PreparedRequest, value: Any, *, stream: bool) -> requests.Response:
    answer = requests.Response()
    answer.status_code, answer.request, answer.url = 200, request, str(request.url)
    answer.headers = CaseInsensitiveDict({"Content-Type": "audio/wav" if stream else "application/json"})
    content = b"" if value is None else json.dumps(value).encode()
    answer.raw, answer._content = io.BytesIO(content), False if stream else content
    return answer


def good(method: str, path: str) -> Any:
    """Answer as each upstream does when all is well."""
    parts = path.strip("/").split("/")
    if "calendar" in parts or "callcontrol" in parts or "xapi" in parts:
        return _good_google(method, parts) if "calendar" in parts else _good_v20(method, parts)
    if "calls" in parts or parts[-1] == "webhook":
        return {"call_id": "c1", "status": "ringing"}
    if parts[0] == "crm":
        return _good_espocrm(method, parts[3:])
    if "oken" in path or parts[-1] == "oauth":
        return {"access_token": "t1", "expires_in": 3600}
    if parts[-1] == "employees":
        return [{"kuerzel": "SB", "aktiv": True}]
    if method == "GET" and not parts[-1].isdigit():
        return []
    return {"frNr": 5, "betNr": 5}


def _good_google(method: str, parts: list[str]) -> Any:
    if method == "GET" and parts[-1] in {"events", "calendarList"}:
        return {"kind": f"calendar#{parts[-1]}", "items": [], "nextSyncToken": "s"}
    return {"id": "e1", "etag": '"2"'}


def _good_v20(method: str, parts: list[str]) -> Any:
    if "MakeCall" in parts[-1]:
        return {"Result": {"CallId": 7}}
    return [] if parts[-1] == "callcontrol" else {"value": []}


def _good_espocrm(method: str, parts: list[str]) -> Any:
    if method == "DELETE" or len(parts) == 3:
        return True
    if method == "GET" and len(parts) == 1:
        return {} if parts[0] == "Metadata" else {"list": []}
    return {"id": parts[1] if len(parts) == 2 else "r1", "secretKey": "s"}


class Paused:
    """What EspoCRM's client knows about refused logins, on the world's clock."""

    def __init__(self, world: World) -> None:
        self._world, self.ends = world, 0.0

    def left_s(self) -> float:
        return max(0.0, self.ends - self._world.now)

    def begin(self) -> None:
        self.ends = self._world.now + 60


class Rate:
    """A bucket that never runs dry."""

    def acquire(self, units: int, *, deadline: float | None = None) -> float:
        del units, deadline
        return 0.0

    def drain(self) -> None:
        """Be full again at once."""


def http(world: World, name: str) -> HttpClient:
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, Upstream(world))
    return HttpClient(name, TIMEOUT_S, session=session, sleep=world.sleep)


def tokens(world: World) -> TokenCache:
    return TokenCache(None, TokenKeys.advoware(), clock=world.clock, sleep=world.sleep)


ADVOWARE = read(AdvowareSettings, Advoware().env("http://advoware.test"))
ESPOCRM = read(EspoCrmSettings, {"ESPOCRM_API_BASE_URL": "http://espo.test/crm/api/v1/", "ESPOCRM_API_KEY": "k"})
REST = read(ThreeCxSettings, {"THREECX_API_BASE_URL": "http://pbx.test/api/v1/", "THREECX_API_KEY": "k"})
V20 = read(
    ThreeCxSettings,
    {
        "THREECX_PROVIDER": "v20",
        "THREECX_API_BASE_URL": "http://pbx.test",
        "THREECX_CLIENT_ID": "i",
        "THREECX_CLIENT_SECRET": "s",
    },
)


def _google_settings() -> GoogleSettings:
    path = Path(tempfile.mkdtemp(prefix="bitbylaw-sa-")) / "sa.json"
    path.write_text(_service_account())
    write_service_account(path, "http://google.test/oauth")
    return read(
        GoogleSettings,
        {
            "GOOGLE_CALENDAR_SERVICE_ACCOUNT_PATH": str(path),
            "GOOGLE_CALENDAR_API_ENDPOINT": "http://google.test/calendar/v3/",
        },
    )


GOOGLE = _google_settings()


class GoogleTokens:
    """Google's tokens without signing anything; counts as the token service would."""

    def __init__(self, world: World) -> None:
        self._world, self.value = world, ""
        self.cooled = False

    def get(self, fetch: Callable[[], FetchedToken]) -> str:
        del fetch
        if not self.value:
            self._world.tokens_asked += 1
            self.value = f"t{self._world.tokens_asked}"
        return self.value

    def invalidate(self, failed: str) -> None:
        self.value = "" if failed == self.value else self.value

    def cooldown(self, seconds: float) -> None:
        self.cooled = seconds > 0


_BUILT = GoogleCalendar(GOOGLE, GoogleTokens(World()), Rate(), http=http(World(), "google"))  # the methods, built once


def make_google(world: World) -> GoogleCalendar:
    made = GoogleCalendar(
        GOOGLE, GoogleTokens(world), Rate(), http=http(world, "google"), sleep=world.sleep, clock=world.clock
    )
    made._service = _BUILT._service
    return made


def make_advoware(world: World) -> AdvowareClient:
    return AdvowareClient(ADVOWARE, http(world, "advoware"), tokens(world))


def make_v20(world: World) -> V20Provider:
    made = V20Provider(V20, http(world, "threecx"), lambda: 0.0, None, lambda: WHEN)
    made._login._tokens = tokens(world)
    return made


MAKERS: dict[type, Callable[[World], Any]] = {
    AdvowareClient: make_advoware,
    Parties: lambda world: Parties(make_advoware(world), "beteiligte"),
    EspoCrmClient: lambda world: EspoCrmClient(ESPOCRM, http(world, "espocrm"), Paused(world)),
    LeadCrm: lambda world: LeadCrm(ESPOCRM, http(world, "espocrm"), Paused(world)),
    GoogleCalendar: make_google,
    RestProvider: lambda world: RestProvider(REST, http(world, "threecx"), lambda: 0.0),
    V20Provider: make_v20,
    Login: lambda world: make_v20(world)._login,
}


@dataclass(frozen=True)
class Call:
    """One call: which client's, what it sends first, how it is made, whether Google may be asked again."""

    owner: type | None
    name: str
    method: str
    make: Callable[[Any], Any] = field(repr=False)
    repeatable: bool = True
    streams: bool = False
    composite: bool = False  # asks several things, or forgives some

    @property
    def id(self) -> str:
        return f"{self.owner.__name__ if self.owner else 'fetch'}.{self.name}"


def _recording(client: Any) -> Any:
    audio = client.recording("c1", "7", "")
    return audio and (audio.status, b"".join(audio.body))


EVENT = {"id": "adv1", "summary": "x"}
CHANNEL = Channel("ch", "https://a.example", "t", 2e9)
PROVIDER = (
    Call(RestProvider, "initiate", "POST", lambda c: c.initiate("102", "+49511")),
    Call(RestProvider, "status", "GET", lambda c: c.status("c1")),
    Call(RestProvider, "recording", "GET", _recording, streams=True),
    Call(RestProvider, "erase", "DELETE", lambda c: c.erase("c1", "")),
    Call(RestProvider, "register", "POST", lambda c: c.register("https://a.example")),
)
CALLS = [
    Call(AdvowareClient, "employees", "GET", lambda c: c.employees()),
    Call(AdvowareClient, "appointments", "GET", lambda c: c.appointments("SB", WHEN, WHEN)),
    Call(AdvowareClient, "appointment", "GET", lambda c: c.appointment(5)),
    Call(AdvowareClient, "create_appointment", "POST", lambda c: c.create_appointment({"text": CANARY})),
    Call(AdvowareClient, "update_appointment", "PUT", lambda c: c.update_appointment(5, {"text": CANARY})),
    Call(AdvowareClient, "delete_appointment", "DELETE", lambda c: c.delete_appointment(5)),
    Call(Parties, "find", "GET", lambda c: c.find(search=CANARY)),
    Call(Parties, "read", "GET", lambda c: c.read(5)),
    Call(Parties, "create", "POST", lambda c: c.create({"name": CANARY})),
    Call(Parties, "replace", "PUT", lambda c: c.replace(5, {"name": CANARY})),
    Call(Parties, "delete", "DELETE", lambda c: c.delete(5)),
    Call(EspoCrmClient, "read", "GET", lambda c: c.read("Lead", "r1")),
    Call(EspoCrmClient, "create", "POST", lambda c: c.create("Lead", {"lastName": CANARY})),
    Call(EspoCrmClient, "update", "PUT", lambda c: c.update("Lead", "r1", {"lastName": CANARY}, version=3)),
    Call(EspoCrmClient, "delete", "DELETE", lambda c: c.delete("Lead", "r1")),
    Call(EspoCrmClient, "relate", "POST", lambda c: c.relate("Lead", "r1", "targetLists", "t1")),
    Call(EspoCrmClient, "find", "GET", lambda c: c.find("Lead", [{"value": CANARY}])),
    Call(EspoCrmClient, "walk", "GET", lambda c: list(c.walk("Lead", "modifiedAt"))),
    Call(EspoCrmClient, "register_webhook", "POST", lambda c: c.register_webhook("Lead.create", "https://a.example")),
    Call(LeadCrm, "own_field", "GET", lambda c: c.own_field("vorgang"), composite=True),
    Call(LeadCrm, "find_lead", "GET", lambda c: c.find_lead("L1"), composite=True),
    Call(LeadCrm, "by_line", "GET", lambda c: c.by_line("L1")),
    Call(LeadCrm, "all_by_line", "GET", lambda c: c.all_by_line("L1")),
    Call(LeadCrm, "persons", "GET", lambda c: c.persons("Lead", "emailAddress", CANARY)),
    Call(LeadCrm, "create_lead", "POST", lambda c: c.create_lead({"lastName": CANARY, "description": "d"})),
    Call(LeadCrm, "task_of", "GET", lambda c: c.task_of("Lead", "r1")),
    Call(LeadCrm, "note_of", "GET", lambda c: c.note_of("Lead", "r1", "L1"), composite=True),
    Call(LeadCrm, "notes", "GET", lambda c: c.notes("Lead", "r1")),
    Call(LeadCrm, "erase", "POST", lambda c: c.erase("Lead", "r1", ["lastName"])),
    Call(LeadCrm, "similar", "GET", lambda c: c.similar([]), composite=True),
    Call(LeadCrm, "leads_that_mention", "GET", lambda c: c.leads_that_mention(CANARY)),
    Call(LeadCrm, "open_tasks", "GET", lambda c: c.open_tasks("u1")),
    Call(LeadCrm, "delete_messages", "GET", lambda c: c.delete_messages("Lead", "r1"), composite=True),
    Call(LeadCrm, "delete_mails", "GET", lambda c: c.delete_mails("Lead", "r1", "s"), composite=True),
    Call(LeadCrm, "take_off_list", "DELETE", lambda c: c.take_off_list("t1", "r1")),
    Call(LeadCrm, "add_note", "POST", lambda c: c.add_note("Lead", "r1", CANARY)),
    Call(GoogleCalendar, "list_events", "GET", lambda c: c.list_events("c")),
    Call(GoogleCalendar, "get_event", "GET", lambda c: c.get_event("c", "e")),
    Call(GoogleCalendar, "events_with", "GET", lambda c: c.events_with("c", "n", "v")),
    Call(GoogleCalendar, "insert_event", "POST", lambda c: c.insert_event("c", EVENT)),
    Call(GoogleCalendar, "update_event", "PUT", lambda c: c.update_event("c", "e", EVENT, '"1"')),
    Call(GoogleCalendar, "patch_event", "PATCH", lambda c: c.patch_event("c", "e", EVENT, '"1"')),
    Call(GoogleCalendar, "delete_event", "DELETE", lambda c: c.delete_event("c", "e", '"1"')),
    Call(GoogleCalendar, "find_calendar", "GET", lambda c: c.find_calendar("AW-SB")),
    Call(
        GoogleCalendar,
        "create_calendar",
        "POST",
        lambda c: c.create_calendar("AW-SB"),
        repeatable=False,
        composite=True,
    ),
    Call(GoogleCalendar, "delete_calendar", "DELETE", lambda c: c.delete_calendar("c")),
    Call(GoogleCalendar, "share", "POST", lambda c: c.share("c", "a@b.example")),
    Call(GoogleCalendar, "watch", "POST", lambda c: c.watch("c", CHANNEL), repeatable=False),
    Call(GoogleCalendar, "stop", "POST", lambda c: c.stop("ch", "r")),
    *PROVIDER,
    *(replace(call, owner=V20Provider) for call in PROVIDER if call.name in {"initiate", "recording"}),
    Call(V20Provider, "erase", "POST", lambda c: c.erase("c1", "7")),
    Call(V20Provider, "status", "GET", lambda c: c.status("7-1763971200"), composite=True),
    Call(V20Provider, "recording_of", "GET", lambda c: c.recording_of("7-1763971200", ""), composite=True),
    Call(V20Provider, "log", "GET", lambda c: c.log(WHEN, WHEN)),
    Call(V20Provider, "agents", "GET", lambda c: c.agents()),
    Call(V20Provider, "forget", "GET", lambda c: c.forget("+49511")),
    Call(V20Provider, "rights", "GET", lambda c: c.rights(), composite=True),
    Call(RestProvider, "rights", "GET", lambda c: c.rights(), composite=True),
    Call(None, "advoware_token", "POST", lambda w: advoware_auth.fetch_token(ADVOWARE, http(w, "advoware"))),
    Call(None, "google_token", "POST", lambda w: google_auth.fetch_token(GOOGLE, http(w, "google"))),
    Call(Login, "token", "POST", lambda c: c.token()),
]
SILENT = {  # what sends nothing by itself, or is the same call under another name
    (AdvowareClient, "authorized"),
    (LeadCrm, "own_fields_unasked"),
    (GoogleCalendar, "until"),
    (RestProvider, "agents"),
    (RestProvider, "recording_of"),
    (RestProvider, "forget"),
    (RestProvider, "log"),
    (Login, "authorized"),
}
