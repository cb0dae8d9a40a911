"""Speak the gateway contract of the original: /calls/initiate, /calls/{id}/status, /calls/{id}/recording."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import quote

import requests
from urllib3.exceptions import NewConnectionError

from shared import log
from shared.domain.call import Status
from shared.errors import (
    NotConfiguredError,
    UpstreamMalformedError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from shared.http import HttpClient, json_of, raise_for, retry_after_s
from shared.settings.threecx import ThreeCxSettings
from shared.threecx.audio import answered_audio
from shared.threecx.provider import (
    ME,
    Audio,
    Erased,
    Forgotten,
    Logged,
    Placed,
    RateLimitedError,
    Seen,
    UnknownOutcomeError,
)
from shared.threecx.wire import moment

_WORDS = {
    "initiated": Status.INITIATED,
    "queued": Status.INITIATED,
    "dialing": Status.INITIATED,
    "ringing": Status.RINGING,
    "connected": Status.CONNECTED,
    "answered": Status.CONNECTED,
    "in-progress": Status.CONNECTED,
    "ended": Status.ENDED,
    "completed": Status.ENDED,
    "failed": Status.FAILED,
    "busy": Status.FAILED,
    "no-answer": Status.FAILED,
}
_TIMES = ("started_at", "answered_at", "ended_at")


class RestProvider:
    """Calls the gateway with an API key, else with Basic; below our own rate."""

    capabilities = frozenset({"erase", "register"})

    def __init__(self, settings: ThreeCxSettings, http: HttpClient, take: Callable[[], float]) -> None:
        self._settings, self._http, self._take = settings, http, take

    def initiate(self, extension: str, number: str) -> Placed:
        """Ring an extension and then dial. Never repeated: without an answer nobody knows whether it rings."""
        try:
            response = self._call("POST", "calls/initiate", json={"from": extension, "to": number})
            _check(response)
            return _placed(json_of(ME, response))
        except (UpstreamUnavailableError, UpstreamMalformedError) as error:
            if was_never_sent(error):
                raise
            raise UnknownOutcomeError from error

    def status(self, call_id: str) -> Seen | None:
        """Say how a call is."""
        response = self._call("GET", f"calls/{quote(call_id, safe='')}/status")
        if response.status_code == 404:
            return None
        _check(response)
        answer = json_of(ME, response)
        if not isinstance(answer, dict):
            raise UpstreamMalformedError(ME, f"{ME} answered no status")
        word = str(answer.get("status") or "").lower()
        if word not in _WORDS:
            raise UpstreamMalformedError(ME, f"{ME} answered an unknown status")
        started, answered, ended = (moment(str(answer.get(name) or "")) for name in _TIMES)
        to, agent, direction = (str(answer.get(name) or "") for name in ("to", "from", "direction"))
        return Seen(_WORDS[word], started, answered, ended, to, agent, direction)

    def recording(self, call_id: str, recording_id: str, wanted: str, number: str = "") -> Audio | None:
        """Stream the audio of a call."""
        del recording_id, number  # the gateway knows a call's recording by the call
        headers = {"Range": wanted, "Accept-Encoding": "identity"} if wanted else {"Accept-Encoding": "identity"}
        response = self._stream(f"calls/{quote(call_id, safe='')}/recording", headers)
        if response.status_code == 404:
            response.close()
            return None
        if response.status_code not in {200, 206, 416}:
            response.close()
            _check(response)
        return answered_audio(response, wanted)

    def recording_of(self, call_id: str, number: str) -> str:
        """This contract names recordings in its events only."""
        del call_id, number
        return ""

    def erase(self, call_id: str, recording_id: str) -> Erased:
        """Ask for a recording to be deleted; a gateway without that says so and leaves it to people."""
        del recording_id
        response = self._call("DELETE", f"calls/{quote(call_id, safe='')}/recording")
        if response.status_code in {405, 501}:
            return Erased.BY_HAND
        if response.status_code == 404:
            return Erased.ABSENT
        _done(response)
        return Erased.DONE

    def log(self, since: datetime, until: datetime) -> list[Logged]:
        """This contract has no call log."""
        del since, until
        return []

    def agents(self) -> dict[str, str]:
        """This contract knows no people."""
        return {}

    def forget(self, number: str) -> Forgotten:
        """This contract shows no phone book."""
        del number
        return Forgotten()

    def rights(self) -> dict[str, int]:
        """Ask for a call that cannot be: a key that is accepted gets 404 for it."""
        return {"the key": self._call("GET", "calls/bitbylaw-self-test/status").status_code}

    def register(self, url: str) -> None:
        """Have events sent to us."""
        _done(self._call("POST", "webhook", json={"url": url, "events": list(EVENTS)}))

    def _call(self, method: str, path: str, **parts: Any) -> requests.Response:
        headers = self._begin()
        return self._http.send(method, self._url(path), headers=headers, **parts)

    def _stream(self, path: str, headers: dict[str, str]) -> requests.Response:
        sent, timeout_s = {**self._begin(), **headers}, self._settings.timeout_s
        try:
            return self._http.session.get(
                self._url(path), headers=sent, stream=True, timeout=timeout_s, allow_redirects=False
            )
        except requests.Timeout as error:
            raise UpstreamTimeoutError(ME, f"{ME} did not answer in time") from error
        except requests.RequestException as error:
            raise UpstreamUnavailableError(ME, f"{ME} could not be reached") from error

    def _begin(self) -> dict[str, str]:
        wait_s = self._take()
        if wait_s > 0:
            raise RateLimitedError("The phone system is asked too often.", retry_after_s=int(wait_s) + 1)
        headers = {"Accept": "application/json", **_credentials(self._settings)}
        request_id = log.current("request_id")
        return {**headers, "X-Request-ID": request_id} if request_id else headers

    def _url(self, path: str) -> str:
        return f"{self._settings.api_base_url.rstrip('/')}/{path}"


EVENTS = ("call.started", "call.ended", "call.transferred")


def was_never_sent(error: Exception) -> bool:
    """Tell a call that found no connection from one that may have arrived."""
    cause = error.__cause__
    reason = getattr(cause.args[0], "reason", None) if isinstance(cause, requests.ConnectionError) else None
    return isinstance(reason, NewConnectionError)


def _placed(answer: Any) -> Placed:
    call_id = answer.get("call_id") if isinstance(answer, dict) else None
    if not isinstance(call_id, str | int) or isinstance(call_id, bool) or not str(call_id):
        raise UpstreamMalformedError(ME, f"{ME} answered no call")
    return Placed(str(call_id), _WORDS.get(str(answer.get("status")).lower(), Status.INITIATED))


def _credentials(settings: ThreeCxSettings) -> dict[str, str]:
    if settings.api_key is not None:
        return {"X-API-Key": settings.api_key.get_secret_value()}
    if not settings.username or settings.password is None:
        raise NotConfiguredError("missing settings: THREECX_API_KEY, or THREECX_USERNAME and THREECX_PASSWORD")
    pair = f"{settings.username}:{settings.password.get_secret_value()}".encode()
    return {"Authorization": "Basic " + base64.b64encode(pair).decode()}


def _done(response: requests.Response) -> None:
    """Take no page of something on the way for the gateway's word that it has acted."""
    _check(response)
    if response.content.strip():
        json_of(ME, response)


def _check(response: requests.Response) -> None:
    if response.status_code == 429:
        wait_s = int(retry_after_s(response.headers.get("Retry-After")) or 5)
        raise RateLimitedError("The phone system is asked too often.", retry_after_s=wait_s)
    raise_for(ME, response)
