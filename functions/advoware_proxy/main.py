"""The entry of the Advoware proxy."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import functions_framework
from werkzeug.wrappers import Request, Response

from functions.advoware_proxy.passage import METHODS
from shared.events.bus import Bus
from shared.once import once
from shared.settings.advoware import AdvowareSettings, ProxySettings
from shared.settings.base import missing
from shared.settings.common import CommonSettings
from shared.startup import start
from shared.web.call import Call
from shared.web.entry import Entry, Route
from shared.web.framework import install

if TYPE_CHECKING:
    from functions.advoware_proxy.handler import Proxy

PARTS = start(AdvowareSettings, ProxySettings)
BUS = Bus("advoware_proxy")


@once
def deps() -> Proxy:
    """Give what every call needs; the first one opens it, and those that come at the same time wait for it."""
    from functions.advoware_proxy.cache import ResponseCache, Rules
    from functions.advoware_proxy.handler import Proxy
    from functions.advoware_proxy.passage import AllowList
    from functions.advoware_proxy.sending import Sender
    from functions.advoware_proxy.stream import Upstream
    from shared.advoware.auth import fetch_token
    from shared.http import HttpClient
    from shared.state.token import TokenCache, TokenKeys

    settings, proxy, redis = PARTS[AdvowareSettings], PARTS[ProxySettings], BUS.client(1)
    http = HttpClient("advoware", settings.timeout_s, answered=BUS.evidence.note)
    sender = Sender(
        Upstream(settings.api_base_url, settings.timeout_s),
        TokenCache(redis, TokenKeys.advoware()),
        functools.partial(fetch_token, settings, http),
        BUS.evidence.note,
    )
    return Proxy(
        sender,
        AllowList(proxy.allow),
        Rules(proxy.cache_s, proxy.cache_rules),
        ResponseCache(redis, settings.timeout_s),
        max_body=proxy.max_body_bytes,
        hosts=tuple(filter(None, {urlsplit(url).hostname for url in (settings.api_base_url, settings.auth_url)})),
        timeout_s=settings.timeout_s,
    )


def _raw(call: Call) -> Response:
    """Pass a call on to Advoware and its answer back, both unchanged."""
    return deps().pass_on(call)


ENTRY = Entry(
    "advoware_proxy",
    [],
    PARTS[CommonSettings],
    needs=lambda: missing([PARTS[AdvowareSettings]]),
    redis=BUS.state,
    raw=_raw,
    raw_routes=[Route(method, "/advoware/<path:endpoint>", _raw) for method in METHODS],
)
install(ENTRY)


@functions_framework.http
def advoware_proxy(request: Request) -> Response:
    """Pass a call on to Advoware."""
    return ENTRY(request)
