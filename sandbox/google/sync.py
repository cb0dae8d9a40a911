"""List events: filters, pages, sync tokens and what has become of deleted events."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Any

from sandbox.google.errors import GoogleError, invalid
from sandbox.google.events import Event, tombstone
from sandbox.google.filters import is_wanted
from sandbox.google.store import Calendar, Entry
from sandbox.google.times import in_zone, zone_named
from sandbox.google.values import read_moment

Params = dict[str, Any]
DEFAULT_PAGE, LARGEST_PAGE = 250, 2500
NOT_WITH_TOKEN = tuple(
    "iCalUID orderBy q timeMin timeMax updatedMin privateExtendedProperty sharedExtendedProperty".split()
)
NO_TOKEN_AFTER = frozenset(NOT_WITH_TOKEN) - {"timeMin", "timeMax"}
PRESENTATION = frozenset(("alt", "fields", "key", "oauth_token", "prettyPrint", "quotaUser", "userIp"))


@dataclass
class Manners:
    """Say how lists behave where Google may choose."""

    tombstones: str = "with_props"
    page_cap: int = LARGEST_PAGE
    empty_first_page: bool = False
    list_lag_s: float = 0


def list_events(calendar: Calendar, params: Params, manners: Manners, now: float) -> dict[str, Any]:
    """Answer one page of a full or an incremental list."""
    _check(params)
    since = _token_seq(calendar, params)
    lag_until = now - manners.list_lag_s if manners.list_lag_s else 0
    entries = _visible(calendar, since, lag_until)
    newest = entries[-1].seq if entries else since or 0
    after, horizon = _read_page(calendar, params) or (0, newest if lag_until else calendar.seq)
    found = [entry for entry in entries if entry.seq > after and is_wanted(entry, params, since)]
    if since is None:
        found = [entry for entry in found if not is_gone(entry, manners)]
    _refuse_expansion(found, params)
    size = _page_size(params, manners)
    after = found[:size][-1].seq if found[:size] else after
    items = [shown(entry, manners) for entry in found[:size]]
    return {"items": _in_zone(items, params), **_ending(calendar, params, (after, horizon), len(found) > size)}


def _page_size(params: Params, manners: Manners) -> int:
    if manners.empty_first_page and "pageToken" not in params:
        return 0
    return min(params.get("maxResults", DEFAULT_PAGE), LARGEST_PAGE, manners.page_cap)


def _refuse_expansion(found: list[Entry], params: Params) -> None:
    if params.get("singleEvents") and any("recurrence" in entry.event for entry in found):
        raise GoogleError(501, "notImplemented", "This double does not expand series.")


def _check(params: Params) -> None:
    clash = [name for name in NOT_WITH_TOKEN if name in params] if "syncToken" in params else []
    if clash:
        raise invalid(f"Sync token cannot be used with {clash[0]}.")
    if "syncToken" in params and params.get("showDeleted") is False:
        raise invalid("Sync token requires that deleted events are shown.")
    if params.get("orderBy") == "startTime" and not params.get("singleEvents"):
        raise invalid("The requested ordering is not available for the particular query.")
    if "timeMin" in params and "timeMax" in params and _moment(params, "timeMin") >= _moment(params, "timeMax"):
        raise invalid("The specified time range is empty.", "timeRangeEmpty")


def _moment(params: Params, name: str) -> datetime:
    return read_moment(params[name])


def _fingerprint(params: Params, *without: str) -> str:
    ignored = PRESENTATION | {"pageToken", *without}
    return json.dumps({key: value for key, value in params.items() if key not in ignored}, sort_keys=True)


def _pack(data: list[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(data).encode()).decode().rstrip("=")


def _unpack(text: str, kind: str) -> list[Any]:
    try:
        data = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except ValueError as error:
        raise invalid(f"Invalid {kind} token value.") from error
    if not isinstance(data, list) or data[:1] != [kind]:
        raise invalid(f"Invalid {kind} token value.")
    return data[1:]


def _token_seq(calendar: Calendar, params: Params) -> int | None:
    """Read from which change on a sync token wants to know."""
    if "syncToken" not in params:
        return None
    calendar_id, epoch, seq, fingerprint = _unpack(params["syncToken"], "sync")
    if calendar_id != calendar.id or epoch != calendar.epoch:
        raise GoogleError(410, "fullSyncRequired", "Sync token is no longer valid, a full sync is required.")
    if fingerprint != _fingerprint(params, "syncToken", *NOT_WITH_TOKEN):
        raise invalid("The parameters differ from those of the initial synchronization.")
    return seq


def _read_page(calendar: Calendar, params: Params) -> tuple[int, int] | None:
    """Read after which change a page begins and up to which one the final sync token knows."""
    if "pageToken" not in params:
        return None
    calendar_id, after, horizon, fingerprint = _unpack(params["pageToken"], "page")
    if calendar_id != calendar.id or fingerprint != _fingerprint(params):
        raise invalid("The page token does not belong to this request.")
    return after, horizon


def _visible(calendar: Calendar, since: int | None, lag_until: float) -> list[Entry]:
    """Give what the list may know, in the order of change."""
    newest = calendar.newest_first()
    if since is not None and not lag_until:
        newest = takewhile(lambda entry: entry.seq > since, newest)
    entries: Iterator[Entry | None] = (_as_of(entry, lag_until) for entry in newest)
    return sorted((e for e in entries if e and (since is None or e.seq > since)), key=lambda entry: entry.seq)


def _as_of(entry: Entry, lag_until: float) -> Entry | None:
    return entry if not lag_until or entry.changed_at <= lag_until else entry.past


def shown(entry: Entry, manners: Manners) -> Event:
    """Show an event, or of a tombstone what Google may have kept."""
    bare = entry.cancelled and (manners.tombstones != "with_props" or "recurringEventId" in entry.event)
    return tombstone(entry.event) if bare or entry.purged else entry.event


def is_gone(entry: Entry, manners: Manners) -> bool:
    """Tell whether a tombstone has left the bin."""
    return entry.cancelled and (entry.purged or manners.tombstones == "purged")


def _in_zone(items: list[Event], params: Params) -> list[Event]:
    if "timeZone" not in params:
        return items
    zone = zone_named(params["timeZone"], "the response")
    return [{**item, **{k: in_zone(item[k], zone) for k in ("start", "end") if k in item}} for item in items]


def _ending(calendar: Calendar, params: Params, place: tuple[int, int], more: bool) -> dict[str, str]:
    """Give the token of the next page, or on the last page that of the next synchronization."""
    after, horizon = place
    if more:
        return {"nextPageToken": _pack(["page", calendar.id, after, horizon, _fingerprint(params)])}
    if NO_TOKEN_AFTER & params.keys():
        return {}
    fingerprint = _fingerprint(params, "syncToken", *NOT_WITH_TOKEN)
    return {"nextSyncToken": _pack(["sync", calendar.id, calendar.epoch, horizon, fingerprint])}
