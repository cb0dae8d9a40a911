"""What is known about each upstream without calling it: settings, last answers, pauses, tokens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from functions.ops.snapshot import Token, Upstream
from shared.settings import base
from shared.settings.advoware import AdvowareSettings
from shared.settings.calendar import GoogleSettings
from shared.settings.espocrm import EspoCrmSettings
from shared.settings.threecx import ThreeCxSettings
from shared.state.evidence import Heard
from shared.state.token_store import TokenKeys

if TYPE_CHECKING:
    import redis

MODELS: Mapping[str, type[base.Settings]] = {
    "advoware": AdvowareSettings,
    "google": GoogleSettings,
    "espocrm": EspoCrmSettings,
    "threecx": ThreeCxSettings,
}


def read_upstreams(leads: redis.Redis, state: redis.Redis, heard: Mapping[str, Heard]) -> list[Upstream]:
    """Read what is known about all four; `leads` and `state` are DB 0 and 1."""
    return [_upstream(name, leads, state, heard.get(name, Heard())) for name in MODELS]


def _upstream(name: str, leads: redis.Redis, state: redis.Redis, heard: Heard) -> Upstream:
    used, missing = _set_up(MODELS[name])
    token = _TOKENS[name](leads, state) if name in _TOKENS else None
    return Upstream(
        name,
        used=used or heard != Heard(),
        missing=missing,
        good=_moment(heard.good_ms),
        failed=_moment(heard.failed_ms),
        failure=heard.failure,
        paused_s=_pause(state) if name == "espocrm" else 0.0,
        token=token,
    )


def _set_up(model: type[base.Settings]) -> tuple[bool, list[str]]:
    """Tell whether an upstream is configured in this process, and what is missing then."""
    if not base.in_use(model):
        return False, []
    return True, base.missing([base.read(model)])


def _pause(client: redis.Redis) -> float:
    from shared.espocrm.pause import KEY

    return max(0.0, client.pttl(KEY) / 1000)


def _advoware(_leads: redis.Redis, state: redis.Redis) -> Token:
    return read_token(state, TokenKeys.advoware())


def _google(_leads: redis.Redis, state: redis.Redis) -> Token:
    from shared.google.auth import subject_hash

    return read_token(state, TokenKeys.google(subject_hash(base.read(GoogleSettings))))


def _threecx(leads: redis.Redis, _state: redis.Redis) -> Token | None:
    settings = base.read(ThreeCxSettings)
    if settings.provider != "v20":
        return None
    from shared.threecx.login import token_keys

    return read_token(leads, token_keys(settings))


_TOKENS: Mapping[str, Callable[[Any, Any], Token | None]] = {
    "advoware": _advoware,
    "google": _google,
    "threecx": _threecx,
}


def read_token(client: redis.Redis, names: TokenKeys) -> Token:
    """Tell how a token is, without reading it."""
    token, _, refresh, cooldown, failed = names.all
    pipe = client.pipeline(transaction=False)
    for key in (token, refresh, cooldown, failed):
        pipe.pttl(key)
    rest, refreshing, cooling, failing = (max(0, each) for each in cast(list[int], pipe.execute()))
    return Token(token, rest / 1000, refreshing > 0, failing > 0, cooling / 1000)


def _moment(ms: int | None) -> datetime | None:
    return None if ms is None else datetime.fromtimestamp(ms / 1000, UTC)
