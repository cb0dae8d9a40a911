"""Speak EspoCRM's REST API: records, searches and lists, with its own kinds of refusal told apart."""

from __future__ import annotations

import json as jsons
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import quote

import requests

from shared import log
from shared.errors import NotConfiguredError, UpstreamMalformedError, UpstreamUnavailableError
from shared.espocrm.auth import credentials
from shared.espocrm.errors import (
    ME,
    DuplicateError,
    InvalidFieldError,
    ModifiedError,
    PausedError,
    WrongEntityError,
)
from shared.http import HttpClient, json_of, raise_for
from shared.settings.base import missing
from shared.settings.espocrm import EspoCrmSettings

Record = dict[str, Any]
Where = Sequence[Mapping[str, Any]]
PAGE = 200  # EspoCRM refuses more
TIED = 50  # how many records of one second may move away while a page is read
REASON = "X-Status-Reason"


class Waiting(Protocol):
    """What all processes know about EspoCRM refusing logins."""

    def left_s(self) -> float:
        """Tell for how long nobody may call."""

    def begin(self) -> None:
        """Start the pause for everybody."""


class EspoCrmClient:
    """Calls EspoCRM and reads its answers strictly: an unusable one is never an empty one."""

    def __init__(self, settings: EspoCrmSettings, http: HttpClient, pause: Waiting) -> None:
        self._settings, self._http, self._pause = settings, http, pause

    def read(self, entity: str, record_id: str) -> Record | None:
        """Read one record; None means that EspoCRM itself says it does not exist (any more)."""
        response = self._call("GET", f"{entity}/{quote(record_id, safe='')}")
        if _says_gone(response):
            return None
        found = _record(_checked(response))
        if found["id"] != record_id:
            raise UpstreamMalformedError(ME, f"{ME} answered another record")
        return found

    def create(self, entity: str, fields: Record, *, skip_duplicate_check: bool = False) -> Record:
        """Create a record. Never repeated; raises DuplicateError with the records that are there already."""
        headers = {"X-Skip-Duplicate-Check": "true"} if skip_duplicate_check else {}
        return _record(_checked(self._call("POST", entity, json=fields, headers=headers)))

    def update(self, entity: str, record_id: str, fields: Record, *, version: int | None = None) -> Record:
        """Change some fields; with `version` only if nobody changed the record since, where EspoCRM checks that."""
        headers = {} if version is None else {"X-Version-Number": str(version)}
        path = f"{entity}/{quote(record_id, safe='')}"
        return _record(_checked(self._call("PUT", path, json=fields, headers=headers)))

    def delete(self, entity: str, record_id: str) -> bool:
        """Delete a record; False means that it was gone before."""
        response = self._call("DELETE", f"{entity}/{quote(record_id, safe='')}")
        if _says_gone(response):
            return False
        return _checked(response) is True

    def relate(self, entity: str, record_id: str, link: str, other_id: str) -> None:
        """Relate two records; doing so twice is fine."""
        _checked(self._call("POST", f"{entity}/{quote(record_id, safe='')}/{link}", json={"id": other_id}))

    def find(
        self, entity: str, where: Where = (), *, select: Sequence[str] = (), limit: int = PAGE, **more: Any
    ) -> list[Record]:
        """List at most one page of records; `more` may say orderBy, order and offset."""
        params: dict[str, Any] = {"maxSize": min(limit, PAGE), **more}
        if where:
            params["where"] = list(where)
        if select:
            params["select"] = list(select)
        query = {"searchParams": jsons.dumps(params, separators=(",", ":"))}
        answer = _checked(self._call("GET", entity, params=query, headers={"X-No-Total": "true"}))
        rows = answer.get("list") if isinstance(answer, dict) else None
        if not isinstance(rows, list):
            raise UpstreamMalformedError(ME, f"{ME} answered no list")
        return [_record(row) for row in rows]

    def walk(self, entity: str, by: str, since: str | None = None, select: Sequence[str] = ()) -> Iterator[Record]:
        """Give all records in the order of a time field, from `since` on, each state of one once.

        Pages are cut by that field, not counted: a record that changes meanwhile moves to the end and would
        otherwise push an unseen one onto a page that was read already.
        """
        names = list(dict.fromkeys(["id", by, *select])) if select else []
        seen: set[tuple[str, Any]] = set()
        edge, offset = since, 0
        while True:
            where = [] if edge is None else [{"type": "greaterThanOrEquals", "attribute": by, "value": edge}]
            page = self.find(entity, where, select=names, orderBy=by, order="asc", offset=offset)
            yield from (row for row in page if (row["id"], row.get(by)) not in seen)
            if len(page) < PAGE:
                return
            again = page[-1].get(by) == edge
            seen = {(row["id"], row.get(by)) for row in page} | (seen if again else set())
            edge, offset = page[-1].get(by), offset + PAGE - TIED if again else 0

    def register_webhook(self, event: str, url: str) -> Record:
        """Register a webhook that stays silent about our own changes, and give it with its secret."""
        return _record(_checked(self._call("POST", "Webhook", json={"event": event, "url": url, "skipOwn": True})))

    def _call(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **parts: Any) -> Any:
        names = missing([self._settings])
        if names:
            raise NotConfiguredError("missing settings: " + ", ".join(names))
        left_s = self._pause.left_s()
        if left_s > 0:
            raise PausedError(ME, retry_after_s=math.ceil(left_s))
        sent = {"Accept": "application/json", **credentials(self._settings, method, path), **(headers or {})}
        request_id = log.current("request_id")
        if request_id:
            sent["X-Request-ID"] = request_id
        base = str(self._settings.api_base_url).rstrip("/")
        response = self._http.send(method, f"{base}/{path}", headers=sent, **parts)
        if response.status_code == 401 or (response.status_code == 403 and not response.headers.get(REASON)):
            self._pause.begin()
        return response


def _checked(response: requests.Response) -> Any:
    """Read a good answer as JSON, or raise what EspoCRM's refusal means."""
    reason = response.headers.get(REASON, "")
    match response.status_code:
        case 400:
            raise _invalid(response)
        case 403:  # a lock-out looks like a refusal, so both are tried again
            raise UpstreamUnavailableError(ME, f"{ME} answered 403", upstream_status=403)
        case 404 if not _says_gone(response):
            raise WrongEntityError(ME, upstream_status=404)
        case 409 if reason == "duplicate":
            rows = json_of(ME, response)
            raise DuplicateError([row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else [])
        case 409:
            raise ModifiedError(ME, upstream_status=409)
    raise_for(ME, response)
    return json_of(ME, response)


def _invalid(response: requests.Response) -> InvalidFieldError:
    try:
        told = response.json()["messageTranslation"]["data"]
        return InvalidFieldError(str(told["field"])[:60], str(told["type"])[:60])
    except (ValueError, KeyError, TypeError):
        return InvalidFieldError("something", "unknown")


def _says_gone(response: requests.Response) -> bool:
    """Tell whether a 404 speaks of the record: an unknown entity type or a page of some proxy does not."""
    if response.status_code != 404 or response.headers.get(REASON, "").startswith("Controller"):
        return False
    kind = response.headers.get("Content-Type", "application/json").partition(";")[0].strip().lower()
    return kind == "application/json" or not response.content


def _record(value: Any) -> Record:
    if not isinstance(value, dict) or not isinstance(value.get("id"), str) or not value["id"]:
        raise UpstreamMalformedError(ME, f"{ME} answered no record")
    return value
