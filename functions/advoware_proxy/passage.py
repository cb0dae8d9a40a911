"""Decide which methods, paths and headers may pass, in both directions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from functions.advoware_proxy.target import Target
from shared.errors import ForbiddenError, MethodNotAllowedError, UnreadableRequestError

METHODS = ("GET", "POST", "PUT", "DELETE")
Headers = list[tuple[str, str]]

_HOP_BY_HOP = frozenset(
    "connection keep-alive te trailer trailers transfer-encoding upgrade http2-settings proxy".split()
)
_FRAMING = frozenset(["content-length"])
_NEVER_UP = (
    _HOP_BY_HOP
    | _FRAMING
    | frozenset(
        """host cookie authorization forwarded x-gateway-secret x-api-key apikey x-http-method-override x-http-method
        x-method-override x-original-url x-rewrite-url x-request-id
        function-execution-id""".split()
    )
)
_NEVER_UP_PREFIXES = ("x-forwarded-", "proxy-")
_NEVER_BACK = _HOP_BY_HOP | _FRAMING | frozenset(["set-cookie", "set-cookie2", "authorization"])
_PLACES = frozenset(["location", "content-location"])
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z\-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_FOLD = re.compile(r"\r?\n[ \t]+")


def check_method(method: str) -> None:
    """Refuse every method but the four."""
    if method not in METHODS:
        raise MethodNotAllowedError(headers={"Allow": ", ".join(METHODS)})


class AllowList:
    """Which methods may be used on which paths; without rules all four on everything."""

    def __init__(self, rules: Iterable[str]) -> None:
        split = [rule.partition(":") for rule in rules]
        self._rules = [(method, segments_of(prefix)) for method, _, prefix in split]

    def check(self, method: str, target: Target) -> None:
        """Refuse what no rule allows."""
        if self._rules and not any(method == allowed and is_under(target, prefix) for allowed, prefix in self._rules):
            raise ForbiddenError("This method is not allowed on this path.")


def segments_of(prefix: str) -> tuple[str, ...]:
    """Read the prefix of a rule."""
    return tuple(unquote(part) for part in prefix.split("/") if part)


def is_under(target: Target, prefix: tuple[str, ...]) -> bool:
    """Tell whether a path begins with these whole segments."""
    return target.segments[: len(prefix)] == prefix


def headers_up(environ: Mapping[str, Any]) -> Headers:
    """Choose the caller's headers that Advoware gets to see."""
    given = list(_headers_of(environ))
    named = _named_in_connection(given)
    return [(name, value) for name, value in given if _may_go_up(name.lower()) and name.lower() not in named]


def headers_back(given: Iterable[tuple[str, str]], hosts: Iterable[str]) -> Headers:
    """Choose Advoware's headers that the caller gets to see; `hosts` are the names that no place may show."""
    unfolded = [(name, _FOLD.sub(" ", value)) for name, value in given]
    named, inside = _named_in_connection(unfolded), [host.lower() for host in hosts]
    return [
        (name, value)
        for name, value in unfolded
        if name.lower() not in named and _may_come_back(name.lower(), value, inside)
    ]


def _headers_of(environ: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for key, value in environ.items():
        if key == "CONTENT_TYPE" and value:
            yield "Content-Type", _checked("Content-Type", str(value))
        elif key.startswith("HTTP_") and key not in {"HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"}:
            name = "-".join(part.title() for part in key.removeprefix("HTTP_").split("_"))
            yield name, _checked(name, str(value))


def _checked(name: str, value: str) -> str:
    if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
        raise UnreadableRequestError("A header contains characters that none may have.")
    return value


def _named_in_connection(headers: Iterable[tuple[str, str]]) -> frozenset[str]:
    lists = [value for name, value in headers if name.lower() == "connection"]
    return frozenset(each.strip().lower() for value in lists for each in value.split(","))


def _may_go_up(name: str) -> bool:
    return name not in _NEVER_UP and not name.startswith(_NEVER_UP_PREFIXES)


def _may_come_back(name: str, value: str, hosts: list[str]) -> bool:
    if name in _NEVER_BACK or name.startswith("proxy-"):
        return False
    if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
        return False
    return name not in _PLACES or not _shows(value, hosts)


def _shows(place: str, hosts: list[str]) -> bool:
    """Tell whether a place names one of the hosts, in whatever spelling."""
    plain = unquote(unquote(place)).lower()
    return any(host in plain for host in hosts)
