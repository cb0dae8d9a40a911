"""The doctor's look at the others: can they be reached, may we do what we need, do their clocks agree with ours."""

from __future__ import annotations

import email.utils
import time
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

from functions.cli.checks import skew
from functions.cli.findings import Finding
from functions.cli.firm import Firm

QUICK_S = 10.0


def advoware(firm: Firm) -> Iterator[Finding]:
    """Log in and read employees and appointments."""
    deps = firm.deps
    yield from _their_clock("advoware", deps.settings.advoware.api_base_url)
    people = deps.advoware.employees()
    yield Finding("ok", "advoware", f"login works, {len(people)} active employees")
    if people:
        now = deps.clock()
        rows = deps.advoware.appointments(people[0].kuerzel, now, now + timedelta(days=7))
        yield Finding("ok", "advoware", f"appointments can be read ({len(rows)} in a week of one employee)")
    if not deps.settings.advoware.write_enabled:
        mend = "ADVOWARE_WRITE_ENABLED=true, once the plan looks right: bitbylaw plan"
        yield Finding("warn", "advoware", "writing is switched off: Google follows Advoware", mend)


def google(firm: Firm) -> Iterator[Finding]:
    """Get a token and look for a calendar of ours."""
    from shared.errors import UpstreamAuthenticationError
    from shared.google.auth import load_credentials

    deps = firm.deps
    yield from _their_clock("google", deps.settings.google.api_endpoint)
    load_credentials(deps.settings.google)
    names = deps.employees.remembered()
    template = deps.settings.calendar.name_template
    try:
        found = [name for name in names if deps.google.find_calendar(template.replace("{kuerzel}", name))]
    except UpstreamAuthenticationError as error:
        mend = (
            "check the key file and GOOGLE_CALENDAR_SUBJECT; an administrator has to allow the account's client id the "
            "scope https://www.googleapis.com/auth/calendar (Admin console, security, domain-wide delegation)"
        )
        yield Finding("bad", "google", error.detail, mend)
        return
    yield Finding("ok", "google", f"login works, {len(found)} of {len(names)} calendars are there and may be written")
    if deps.settings.google.subject is None:
        mend = "set GOOGLE_CALENDAR_SUBJECT, else calendars belong to the service account for ever"
        yield Finding("warn", "google", "acts as the service account itself", mend)


def espocrm(firm: Firm) -> Iterator[Finding]:
    """Read one party."""
    from shared.errors import UpstreamError
    from shared.settings import base
    from shared.settings.espocrm import EspoCrmSettings

    if not base.in_use(EspoCrmSettings):
        yield Finding("ok", "espocrm", "not configured, not used")
        return
    settings = base.read(EspoCrmSettings)
    try:
        firm.espocrm.find(settings.beteiligte_entity, limit=1)
    except UpstreamError as error:
        mend = (
            f"check ESPOCRM_API_BASE_URL (ends in /api/v1/), the API user's key and that its role may read "
            f"{settings.beteiligte_entity}; after a refused login EspoCRM is left alone for a minute"
        )
        yield Finding("bad", "espocrm", f"{error.detail} [{error.slug}]", mend)
        return
    yield Finding("ok", "espocrm", f"login works, {settings.beteiligte_entity} can be read")
    if not settings.webhook_secrets:
        mend = "bitbylaw espocrm register --base-url https://… and put the line it prints into the settings"
        yield Finding("warn", "espocrm", "no webhook is registered", mend)


def threecx(firm: Firm) -> Iterator[Finding]:
    """See whether the phone system lets us do what we need; nothing is dialled and nothing written."""
    from functions.threecx import rights
    from shared.settings import base
    from shared.settings.common import CommonSettings
    from shared.settings.espocrm import EspoCrmSettings
    from shared.settings.threecx import ThreeCxSettings

    if not base.in_use(ThreeCxSettings):
        yield Finding("ok", "threecx", "not configured, not used")
        return
    settings = base.read(ThreeCxSettings)
    yield from _their_clock("threecx", settings.api_base_url)
    told = [*rights.of_settings(base.read(CommonSettings), base.read(EspoCrmSettings), settings)]
    for level, detail, mend in [*rights.of_answers(firm.phones.provider.rights()), *told]:
        yield Finding(level, "threecx", detail, mend)


def _their_clock(name: str, url: str) -> Iterator[Finding]:
    """Ask for anything, for the clock in the answer; raises when there is none."""
    from shared.http import HttpClient

    answer = HttpClient(name, QUICK_S).send("GET", url)
    if not url.startswith("https://") and urlsplit(url).hostname not in {"127.0.0.1", "localhost", "::1"}:
        yield Finding("bad", name, "is called without TLS", "use an https address")
    try:
        moment = email.utils.parsedate_to_datetime(answer.headers.get("Date", ""))
    except (TypeError, ValueError):
        return
    yield skew(name, round(moment.timestamp() - time.time()))
