"""Speak to a 3CX v20: XAPI for dialling, log and recordings, Call Control for calls under way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import requests

from shared.clock import Clock, iso, utc_now
from shared.domain.call import Status
from shared.errors import UpstreamMalformedError, UpstreamTimeoutError, UpstreamUnavailableError
from shared.http import HttpClient, json_of, raise_for
from shared.settings.threecx import ThreeCxSettings
from shared.threecx.audio import answered_audio
from shared.threecx.login import Login, NoTokenError
from shared.threecx.number import Kind, read_number
from shared.threecx.provider import (
    ME,
    Audio,
    Erased,
    Forgotten,
    Logged,
    NoDeviceError,
    Placed,
    RateLimitedError,
    Seen,
    UnknownOutcomeError,
)
from shared.threecx.rest import was_never_sent
from shared.threecx.v20_log import COLUMNS, listed_recordings, log_path, logged_calls, recordings_of
from shared.threecx.v20_people import MOST_AT_ONCE, XAPI, addresses, contact_paths, contacts_path, is_gone

if TYPE_CHECKING:
    import redis

CONTROL = "callcontrol"
PAGE, MOST_PAGES = 500, 20
AROUND = timedelta(minutes=2)
_OWN_ID = re.compile(r"(?P<callid>\d{1,12})-(?P<start>\d{9,11})")
_STATUS = {"dialing": Status.INITIATED, "ringing": Status.RINGING, "connected": Status.CONNECTED}
_TALKING = {"talking": Status.CONNECTED, "connected": Status.CONNECTED, "routing": Status.RINGING}


class V20Provider:
    """Calls one phone system with a token that all processes share; the system keeps only one alive."""

    capabilities = frozenset({"agents", "erase", "log"})

    def __init__(
        self,
        settings: ThreeCxSettings,
        http: HttpClient,
        take: Callable[[], float],
        client: redis.Redis | None,
        clock: Clock = utc_now,
    ) -> None:
        self._settings, self._http, self._take, self._clock = settings, http, take, clock
        self._login = Login(settings, http, client)

    def initiate(self, extension: str, number: str) -> Placed:
        """Ring an extension and then dial. Never repeated: without an answer nobody knows whether it rings."""
        path, body = self._way_to_dial(extension, number)
        try:
            response = self._send("POST", path, json=body)
            if response.status_code == 404:
                raise NoDeviceError
            raise_for(ME, response)
            return Placed(f"{_placed(json_of(ME, response))}-{int(self._clock().timestamp())}")
        except (
            UpstreamUnavailableError,
            UpstreamMalformedError,
            AttributeError,
            KeyError,
            TypeError,
            ValueError,
        ) as error:
            if isinstance(error, NoTokenError) or was_never_sent(error):
                raise
            raise UnknownOutcomeError from error

    def _way_to_dial(self, extension: str, number: str) -> tuple[str, dict[str, str]]:
        """Dial with whatever phone rings there, or with the one that was chosen for the extension."""
        wanted = self._settings.devices.get(extension)
        if wanted is None:
            return f"{XAPI}/Users/Pbx.MakeCall", {"dn": extension, "destination": number}
        return f"{CONTROL}/{extension}/devices/{self._device(extension, wanted)}/makecall", {"destination": number}

    def _device(self, extension: str, wanted: str) -> str:
        """Find a phone by a word in its name; its id is a SIP URI and goes into the path escaped."""
        for each in self._list(f"{CONTROL}/{extension}/devices"):
            name, device_id = str(each.get("user_agent") or ""), str(each.get("device_id") or "")
            if device_id and wanted.casefold() in f"{name} {device_id}".casefold():
                return quote(device_id, safe="")
        raise NoDeviceError

    def agents(self) -> dict[str, str]:
        """Give the e-mail address of each extension."""
        return addresses(self._list)

    def forget(self, number: str) -> Forgotten:
        """Delete the entries of a number; what the lookup once answered is kept there."""
        rows = self._list(f"{XAPI}/{contacts_path(number)}")
        gone = sum(is_gone(self._send("DELETE", f"{XAPI}/{path}")) for path in contact_paths(rows))
        return Forgotten(gone, len(rows) - gone)

    def rights(self) -> dict[str, int]:
        """Try everything that we need, reading only, and give each answer's status."""
        now = self._clock()
        log = f"{XAPI}/{log_path(now - AROUND, now)}"
        asked = {"XAPI": f"{XAPI}/Defs", "Users": f"{XAPI}/Users", "the call log": log}
        asked |= {"Recordings": f"{XAPI}/Recordings", "Call Control": CONTROL}
        query = {"$top": 1}
        return {name: self._send("GET", path, params=query).status_code for name, path in asked.items()}

    def status(self, call_id: str) -> Seen | None:
        """Say how a call is: among those under way, else in the log."""
        found = _OWN_ID.fullmatch(call_id)
        if not found:
            return None
        start = datetime.fromtimestamp(int(found["start"]), UTC)
        return self._participant(found["callid"], start) or self._active(found["callid"]) or self._past(start)

    def recording(self, call_id: str, recording_id: str, wanted: str, number: str = "") -> Audio | None:
        """Stream the audio of a call."""
        record = recording_id or self.recording_of(call_id, number)
        if not record.isdigit():
            return None
        headers = {"Range": wanted} if wanted else {}
        path = f"{XAPI}/Recordings/Pbx.DownloadRecording(recId={record})"
        response = self._send("GET", path, headers={**headers, "Accept-Encoding": "identity"}, stream=True)
        if response.status_code == 404:
            response.close()
            return None
        if response.status_code not in {200, 206, 416}:
            response.close()
            raise_for(ME, response)
        return answered_audio(response, wanted)

    def erase(self, call_id: str, recording_id: str) -> Erased:
        """Have a recording deleted."""
        number = recording_id or self.recording_of(call_id, "")
        if not number.isdigit():
            return Erased.BY_HAND
        response = self._send("POST", f"{XAPI}/Recordings/Pbx.BulkRecordingsDelete", json={"ids": [int(number)]})
        if response.status_code == 404:
            return Erased.ABSENT
        raise_for(ME, response)
        if response.content.strip():
            json_of(ME, response)  # a login page with 200 has deleted nothing
        return Erased.DONE

    def log(self, since: datetime, until: datetime) -> list[Logged]:
        """List the ended calls of a time, one for each group of rows."""
        return logged_calls(self._rows(since, until))

    def _rows(self, since: datetime, until: datetime) -> Iterator[dict[str, Any]]:
        """Read the log page by page; there paging comes before counting, so a short page is the last."""
        path = f"{XAPI}/{log_path(since, until)}"
        for page in range(MOST_PAGES):
            query: dict[str, str | int] = {"$top": PAGE, "$skip": page * PAGE, "$select": ",".join(COLUMNS)}
            rows = self._list(path, query)
            yield from rows
            if len(rows) < PAGE:
                return

    def _list(self, path: str, query: dict[str, str | int] | None = None) -> list[dict[str, Any]]:
        response = self._send("GET", path, params=query)
        raise_for(ME, response)
        answer = json_of(ME, response)
        rows = answer.get("value") if isinstance(answer, dict) else answer
        if not isinstance(rows, list):
            raise UpstreamMalformedError(ME, f"{ME} answered no list")
        return [row for row in rows if isinstance(row, dict)]

    def _participant(self, callid: str, start: datetime) -> Seen | None:
        for line in self._list(CONTROL):
            for each in line.get("participants") or []:
                if str(each.get("callid")) != callid:
                    continue
                number = read_number(str(each.get("party_caller_id") or ""))
                outside = number.value if number.kind is Kind.OUTSIDE else ""
                status = _STATUS.get(str(each.get("status")).lower(), Status.INITIATED)
                return Seen(status, started_at=start, number=outside, agent=str(each.get("dn") or ""))
        return None

    def _active(self, callid: str) -> Seen | None:
        row = next((row for row in self._list(f"{XAPI}/ActiveCalls") if str(row.get("Id")) == callid), None)
        return Seen(_TALKING.get(str(row.get("Status")).lower(), Status.RINGING)) if row else None

    def _past(self, start: datetime) -> Seen | None:
        near = logged_calls(self._rows(start - AROUND, start + AROUND))
        calls = [each.event for each in near if abs((each.event.start or each.event.at) - start) < AROUND]
        if len(calls) != 1:  # none, or nobody can tell which
            return None
        [event] = calls
        length = timedelta(seconds=event.duration_s or 0)
        answered = event.at - length if event.answered else None
        return Seen(Status.ENDED, event.start, answered, event.at, event.number, event.agent, event.direction)

    def recording_of(self, call_id: str, number: str) -> str:
        """Look into the log, and then among all recordings, for what was recorded about that time."""
        found = _OWN_ID.fullmatch(call_id)
        if not found:
            return ""
        start = datetime.fromtimestamp(int(found["start"]), UTC)
        since, until = start - AROUND, start + AROUND
        when = f"StartTime ge {iso(since)} and StartTime le {iso(until)}"
        query: dict[str, str | int] = {"$filter": when, "$top": MOST_AT_ONCE}
        ids = recordings_of(self._rows(since, until), number)
        ids = ids or listed_recordings(self._list(f"{XAPI}/Recordings", query), number)
        return ids[0] if len(ids) == 1 else ""

    def _send(self, method: str, path: str, *, stream: bool = False, **parts: Any) -> requests.Response:
        """Send one call; a 401 renews the token once, which is safe: nobody acted on the first."""
        wait_s = self._take()
        if wait_s > 0:
            raise RateLimitedError("The phone system is asked too often.", retry_after_s=int(wait_s) + 1)
        response = self._login.authorized(lambda headers: self._once(method, path, headers, stream, parts))
        if response.status_code == 429:
            raise RateLimitedError("The phone system is asked too often.", retry_after_s=5)
        return response

    def _once(
        self, method: str, path: str, headers: dict[str, str], stream: bool, parts: dict[str, Any]
    ) -> requests.Response:
        url = f"{self._settings.api_base_url.rstrip('/')}/{quote(path, safe='%/()=,:$' + chr(39))}"
        sent = {**headers, **parts.get("headers", {})}
        rest = {name: value for name, value in parts.items() if name != "headers"}
        if not stream:
            return self._http.send(method, url, headers=sent, **rest)
        try:
            return self._http.session.request(
                method, url, headers=sent, stream=True, timeout=self._settings.timeout_s, allow_redirects=False, **rest
            )
        except requests.Timeout as error:
            raise UpstreamTimeoutError(ME, f"{ME} did not answer in time") from error
        except requests.RequestException as error:
            raise UpstreamUnavailableError(ME, f"{ME} could not be reached") from error


def _placed(answer: Any) -> int:
    """Read the number of a call that was placed, as XAPI or as Call Control writes it."""
    result = answer.get("Result") or answer.get("result") or {}
    return int(result.get("CallId") or result["callid"])
