"""Read what a caller asks for from the raw request line; a path that two readers could read differently is refused."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, unquote_to_bytes

from shared.errors import NotFoundError, UnreadableRequestError

PREFIX = "/advoware/"
LONGEST = 16 * 1024

_URI = re.compile(r"[\x21-\x7e]*")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})?")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")
_FORBIDDEN = {"2e", "2f", "5c", "25", "7f", *(f"{code:02x}" for code in range(0x20))}
_OVERLONG = re.compile(rb"[\xc0\xc1][\x80-\xbf]|\xe0[\x80-\x9f][\x80-\xbf]|\xf0[\x80-\x8f][\x80-\xbf]")
_DOTS = {".", ".."}


@dataclass(frozen=True)
class Target:
    """What a caller asks for: the path behind `/advoware/` and the query, both as sent; None means no `?` at all."""

    endpoint: str
    query: str | None = None

    @property
    def raw(self) -> str:
        """Give path and query as one."""
        return self.endpoint if self.query is None else f"{self.endpoint}?{self.query}"

    @property
    def segments(self) -> tuple[str, ...]:
        """List the path's segments in plain text, without the empty one after a trailing slash."""
        return tuple(unquote(part) for part in self.endpoint.removesuffix("/").split("/"))

    @property
    def family(self) -> str:
        """Name what a write invalidates: everything under the first segment, however it is spelled."""
        return self.segments[0].casefold()


def read_target(environ: Mapping[str, Any]) -> Target:
    """Find the target of a request; raises what to answer if it must not pass."""
    path, query = raw_target(environ)
    if len(path) + len(query or "") > LONGEST:
        raise UnreadableRequestError(f"Path and query may have {LONGEST} characters together.")
    if not path.startswith("/"):
        raise UnreadableRequestError("The request target must be a path.")
    if not _URI.fullmatch(path + (query or "")) or "#" in path + (query or ""):
        raise UnreadableRequestError("The request target contains characters that none may have.")
    if not path.startswith(PREFIX):
        raise NotFoundError("There is nothing under this path.")
    endpoint = path.removeprefix(PREFIX)
    if objection := objection_to(endpoint):
        raise UnreadableRequestError(objection)
    return Target(endpoint, query)


def raw_target(environ: Mapping[str, Any]) -> tuple[str, str | None]:
    """Give path and query as they were sent, in whatever way the server tells them.

    gunicorn and werkzeug give the request line; apig-wsgi the event of the gateway, which may have decoded the path;
    any other server only the decoded path, in which a slash may have been anything.
    """
    sent = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if sent:
        path, mark, rest = str(sent).partition("?")
        return path, rest if mark else None
    event = environ.get("apig_wsgi.full_event") or {}
    query: str | None = str(environ.get("QUERY_STRING", "")) or None
    given = event.get("rawPath") or event.get("path")
    if given is None:
        decoded = str(environ.get("PATH_INFO", "")).encode("latin-1", "replace")
        return quote(decoded, safe="/:@!$&'()*+,;=~\\"), query
    return re.sub(r"[^\x21-\x7e]", lambda found: quote(found[0]), str(given)), query


def objection_to(endpoint: str) -> str:
    """Say why a path must not pass; empty if it may."""
    if ";" in endpoint or "\\" in endpoint:
        return "The path contains a semicolon or a backslash."
    for escape in _ESCAPE.finditer(endpoint):
        if escape[1] is None or escape[1].lower() in _FORBIDDEN:
            return "The path contains an escape that may not pass."
    if _OVERLONG.search(unquote_to_bytes(endpoint)):
        return "The path contains characters in an overlong form."
    if _SCHEME.match(endpoint):
        return "The path must not begin with a scheme or a host."
    parts = endpoint.split("/")
    if "" in parts[:-1]:
        return "The path contains an empty segment."
    if any(_climbs(part) for part in parts):
        return "The path contains a segment of dots."
    return ""


def _climbs(part: str) -> bool:
    """Recognise `.` and `..`, also where a careless server would see them."""
    plain = unicodedata.normalize("NFKC", unquote(part))
    return any(piece.strip() in _DOTS for piece in re.split(r"[/\\]", plain))
