"""What is missing before the phones work: settings that were not made, rights that the phone system does not give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from shared.settings.common import CommonSettings
from shared.settings.espocrm import EspoCrmSettings
from shared.settings.threecx import ThreeCxSettings

Advice = tuple[Literal["ok", "warn", "bad"], str, str]  # level (ok, warn, bad), what was found, how to mend it
_BOX = "tick {} for the API client in the Admin Console (Integrations > API)"
_ROLE = "give the API client a real department with the role System Owner; System Wide makes it a plain user"
_MEND = {
    "XAPI": f"{_BOX.format('XAPI')}; it needs an Enterprise licence",
    "Call Control": f"{_BOX.format('Call Control')} and choose the extensions; groups do not count",
    "the key": "check THREECX_API_KEY, or THREECX_USERNAME and THREECX_PASSWORD",
}
_NEEDS = {
    "Call Control": "the state of calls and the bridge",
    "Recordings": "recordings",
    "the call log": "calls that nobody told",
    "Users": "owners by e-mail address",
}


def of_answers(statuses: Mapping[str, int]) -> Iterator[Advice]:
    """Judge what the phone system answered to each question."""
    good = [name for name, status in statuses.items() if _is_good(name, status)]
    if good:
        yield "ok", f"login works, we may use {', '.join(good)}", ""
    for name, status in statuses.items():
        if status in {401, 403}:
            without = f", so {_NEEDS[name]} will not work" if name in _NEEDS else ""
            yield "bad", f"it does not let us use {name}{without}", _MEND.get(name, _ROLE)
        elif name not in good:
            yield "warn", f"{name} answered {status}", "look into the log of the phone system"


def of_settings(common: CommonSettings, espocrm: EspoCrmSettings, threecx: ThreeCxSettings) -> Iterator[Advice]:
    """Name settings without which something stays dark."""
    needed = {
        "THREECX_WEBHOOK_SECRET": (threecx.webhook_secret, "anybody may tell us about calls"),
        "THREECX_TEMPLATE_KEY": (threecx.template_key, "anybody may ask who has a number"),
        "PUBLIC_BASE_URL": (common.public_base_url, "links to the screen pop and to recordings lead nowhere"),
        "ESPOCRM_DEFAULT_USER_ID": (espocrm.default_user_id, "calls of unknown extensions have no owner"),
    }
    for name, (value, otherwise) in needed.items():
        if not value:
            yield "warn", f"{name} is not set: {otherwise}", f"set {name}"


def _is_good(name: str, status: int) -> bool:
    """Take 404 for good where we asked for a call that cannot be."""
    return status < 400 or (name == "the key" and status == 404)
