"""Speak Advoware's API: employees and appointments, spelled as Advoware spells them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import quote
from zoneinfo import ZoneInfo

import requests

from shared import log
from shared.advoware.auth import fetch_token, require
from shared.advoware.employee import Employee, read_employees
from shared.advoware.errors import NoTokenError
from shared.errors import UpstreamAuthenticationError, UpstreamMalformedError
from shared.http import HttpClient, json_of, raise_for
from shared.settings.advoware import AdvowareSettings
from shared.state.token import FetchedToken, TokenUnavailable

BERLIN = ZoneInfo("Europe/Berlin")
COOLDOWN_S = 30.0  # after a login that failed for good nobody tries again for a while: the account could be locked
ME = "advoware"

Termin = dict[str, Any]


class Tokens(Protocol):
    """Where the bearer token is kept for all callers."""

    def get(self, fetch: Callable[[], FetchedToken]) -> str:
        """Give a living token, fetching one at most once for everybody."""

    def invalidate(self, failed: str) -> None:
        """Forget the token if it is still the one that failed."""

    def cooldown(self, seconds: float) -> None:
        """Let nobody fetch for a while."""


class AdvowareClient:
    """Calls Advoware with a token of ours, and reads its answers strictly: an unusable one is never an empty one."""

    def __init__(self, settings: AdvowareSettings, http: HttpClient, tokens: Tokens) -> None:
        self._settings, self._http, self._tokens = settings, http, tokens

    def authorized(
        self, method: str, path: str, *, params: Mapping[str, str | int] | None = None, json: Any = None
    ) -> requests.Response:
        """Send one call with a token and return whatever answer came, except 401.

        After a 401 the token is fetched anew and the call replayed once, which is safe: nobody acted on the first.
        """
        require(self._settings)
        for _ in range(2):
            token = self._token()
            response = self._send(token, method, path, params=params, json=json)
            if response.status_code != 401:
                return response
            self._tokens.invalidate(token)
        self._tokens.cooldown(COOLDOWN_S)
        raise UpstreamAuthenticationError(
            ME, f"{ME} refuses a fresh token", upstream_status=401, retry_after_s=int(COOLDOWN_S)
        )

    def employees(self) -> list[Employee]:
        """List the active employees."""
        response = self.authorized("GET", self._settings.employees_path, params={"aktiv": "true"})
        raise_for(ME, response)
        return read_employees(json_of(ME, response))

    def appointments(self, kuerzel: str, start: datetime, end: datetime) -> list[Termin]:
        """List an employee's appointments in a window."""
        window = {"kuerzel": kuerzel, "from": berlin_wall(start), "to": berlin_wall(end)}
        response = self.authorized("GET", self._settings.appointments_path, params=window)
        raise_for(ME, response)
        return _unique(json_of(ME, response))

    def appointment(self, fr_nr: int | str) -> Termin | None:
        """Read one appointment; None means that Advoware itself says it does not exist."""
        response = self.authorized("GET", self._path(fr_nr))
        if _says_gone(response):
            return None
        raise_for(ME, response)
        found = _numbered(json_of(ME, response))
        if str(found["frNr"]) != str(fr_nr):
            raise _malformed("another appointment", response)
        return found

    def create_appointment(self, body: Termin) -> Termin:
        """Enter an appointment and return it with its number.

        Never repeated. After UpstreamRejectedError, UpstreamAuthenticationError or NoTokenError nothing was entered,
        after any other UpstreamError nobody knows.
        """
        response = self.authorized("POST", self._settings.appointments_path, json=body)
        raise_for(ME, response)
        return _numbered(json_of(ME, response))

    def update_appointment(self, fr_nr: int | str, body: Termin) -> Termin | None:
        """Put a whole appointment in the place of another; returns what Advoware answers, if anything."""
        response = self.authorized("PUT", self._path(fr_nr), json=body)
        raise_for(ME, response)
        answer = json_of(ME, response) if response.content.strip() else None
        return answer if isinstance(answer, dict) else None

    def delete_appointment(self, fr_nr: int | str) -> bool:
        """Strike out an appointment; False means that it was gone before."""
        response = self.authorized("DELETE", self._path(fr_nr))
        if _says_gone(response):
            return False
        raise_for(ME, response)
        if response.content.strip():
            json_of(ME, response)
        return True

    def _path(self, fr_nr: int | str) -> str:
        return f"{self._settings.appointments_path}/{quote(str(fr_nr), safe='')}"

    def _token(self) -> str:
        try:
            return self._tokens.get(lambda: fetch_token(self._settings, self._http))
        except TokenUnavailable as error:
            raise NoTokenError(ME, retry_after_s=math.ceil(error.retry_after_s)) from error
        except UpstreamAuthenticationError:
            self._tokens.cooldown(COOLDOWN_S)
            raise

    def _send(self, token: str, method: str, path: str, **parts: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        request_id = log.current("request_id")
        if request_id:
            headers["X-Request-ID"] = request_id
        return self._http.send(method, self._settings.api_base_url + path, headers=headers, **parts)


def berlin_wall(moment: datetime) -> str:
    """Write a moment as Berlin's clocks show it."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs its zone")
    return moment.astimezone(BERLIN).replace(tzinfo=None).isoformat(timespec="seconds")


def _says_gone(response: requests.Response) -> bool:
    """Tell whether a 404 is Advoware's own word; a page of some relay is not."""
    if response.status_code != 404:
        return False
    if response.content.strip():
        json_of(ME, response)
    return True


def _numbered(row: Any) -> Termin:
    number = row.get("frNr") if isinstance(row, dict) else None
    if isinstance(number, bool) or not isinstance(number, int | str) or number == "":
        raise UpstreamMalformedError(ME, f"{ME} answered no appointment")
    return dict(row)


def _unique(rows: Any) -> list[Termin]:
    if not isinstance(rows, list):
        raise UpstreamMalformedError(ME, f"{ME} answered no list of appointments")
    found = [_numbered(row) for row in rows]
    if len({str(row["frNr"]) for row in found}) != len(found):
        raise UpstreamMalformedError(ME, f"{ME} answered an appointment twice")
    return found


def _malformed(what: str, response: requests.Response) -> UpstreamMalformedError:
    return UpstreamMalformedError(ME, f"{ME} answered {what}", upstream_status=response.status_code)
