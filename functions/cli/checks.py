"""The doctor's look at what is ours: settings, Redis, queues, clock, push."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

from functions.cli.findings import Finding, Level
from functions.cli.firm import Firm

SKEW_WARN_S, SKEW_BAD_S = 5.0, 120.0  # Google and the webhooks bear five minutes
OLD_S = 300.0
CLOCK_MEND = "let the machine keep time by NTP: timedatectl set-ntp true"


def settings(_firm: Firm) -> Iterator[Finding]:
    """Read every setting of every part."""
    from shared import startup
    from shared.settings import base

    parts = []
    for model in startup.every_model():
        try:
            parts.append(base.read(model))
        except base.SettingsError as error:
            yield Finding("bad", "settings", str(error), "correct the value; .env.example shows a good one")
    used = [part for part in parts if not part.optional or base.in_use(type(part))]
    absent = base.missing(used)
    if absent:
        yield Finding("bad", "settings", "missing: " + ", ".join(absent), "set them; .env.example says what they mean")
    else:
        yield Finding("ok", "settings", f"{len(used)} of {len(parts)} parts are configured")
    yield from _secrets()


def _secrets() -> Iterator[Finding]:
    from shared import startup

    def given(name: str) -> bool:
        return bool(os.environ.get(name, "").strip())

    only_with = startup.ONLY_WITH
    wanted = [name for name in startup.SECRETS if name not in only_with or given(only_with[name])]
    absent = [name for name in wanted if not given(name)]
    if not absent:
        return
    production = os.environ.get("ENVIRONMENT", "") == "production"
    mend = "make one with: openssl rand -hex 32 (LEAD_ENCRYPTION_KEY: openssl rand -base64 32 | tr '+/' '-_')"
    yield Finding("bad" if production else "warn", "settings", "no secret: " + ", ".join(absent), mend)


def redis(firm: Firm) -> Iterator[Finding]:
    """Reach every database, write, and ask whether what is acknowledged is kept."""
    from shared.settings.base import read
    from shared.settings.common import CommonSettings, RedisSettings
    from shared.state.connection import connect
    from shared.web.problems import is_redis_error
    from shared.web.readiness import MANAGED, weak_durability

    url = read(RedisSettings).url
    try:
        for db in (0, 1, 2):
            connect(url, db).set("bitbylaw:doctor", "1", px=1000)
    except Exception as error:
        if not is_redis_error(error):
            raise
        yield Finding(
            "bad",
            "redis",
            f"cannot be reached or written ({type(error).__name__})",
            "start the server, check REDIS_URL (password, port, TLS) and that it is no read-only replica",
        )
        return
    yield Finding("ok", "redis", "databases 0, 1 and 2 take writes")
    if read(RedisSettings).durability == "managed":
        mend = "make sure that the provider writes every change to disk before it answers"
        yield Finding("warn", "redis", MANAGED, mend)
        return
    level: Level = "bad" if read(CommonSettings).production else "warn"
    for problem in weak_durability(firm.bus.state()):
        name = problem.removeprefix("redis: ").partition(" ")[0]
        good = problem.rpartition("needs ")[2]
        mend = f"redis-cli CONFIG SET {name} {good} && redis-cli CONFIG REWRITE" if "needs " in problem else ""
        yield Finding(level, "redis", problem.removeprefix("redis: "), mend)


def queues(firm: Firm) -> Iterator[Finding]:
    """See whether work is done and what was given up, and whether events find their way."""
    from shared.events import topics
    from shared.settings.base import read
    from shared.settings.common import CommonSettings

    if nowhere := firm.bus.unsendable(*topics.TOPICS):
        level: Level = "bad" if read(CommonSettings).production else "warn"
        transport = firm.bus.transport
        mend = "set it (.env.example says what it means), or EVENT_TRANSPORT=redis with the worker"
        yield Finding(level, "queues", f"events by {transport} wait in the outbox without " + ", ".join(nowhere), mend)
    for name in topics.QUEUES:
        stats = firm.bus.queue(name).stats()
        if stats.oldest_age_s > OLD_S:
            minutes = round(stats.oldest_age_s / 60)
            mend = "is the worker running (python -m functions.worker)? does POST /ops/relay come every minute?"
            yield Finding("bad", "queues", f"{name}: {stats.depth} wait, the oldest for {minutes} min", mend)
        elif stats.dead:
            yield Finding("warn", "queues", f"{name}: {stats.dead} dead letters", "bitbylaw deadletters")
        else:
            yield Finding("ok", "queues", f"{name}: {stats.depth} waiting, none given up")


def clock(firm: Firm) -> Iterator[Finding]:
    """Compare our clock with that of Redis."""
    seconds, micros = firm.bus.state().time()
    yield skew("redis", float(seconds) + float(micros) / 1e6 - time.time())


def skew(other: str, seconds: float) -> Finding:
    """Judge by how much somebody else's clock is ahead of ours."""
    size = abs(seconds)
    detail = f"{size:.0f} s {'behind' if seconds > 0 else 'ahead of'} {other}" if size >= 1 else f"same as {other}"
    if size < SKEW_WARN_S:
        return Finding("ok", "clock", detail)
    return Finding("bad" if size >= SKEW_BAD_S else "warn", "clock", detail, CLOCK_MEND)


def push(firm: Firm) -> Iterator[Finding]:
    """See whether push is on, how Google would reach us, and whether there are channels."""
    calendar = firm.deps.settings.calendar
    if calendar.push_url is None:
        yield Finding("ok", "push", "off; the poll every 15 minutes does it")
        return
    if not calendar.push_url.startswith("https://"):
        yield Finding(
            "bad",
            "push",
            "CALENDAR_PUSH_URL is no https address",
            "Google posts to https with a valid certificate only",
        )
    if calendar.push_token is None:
        yield Finding("bad", "push", "CALENDAR_PUSH_TOKEN is missing", "set one: openssl rand -hex 32")
    names = firm.deps.employees.remembered()
    there = sum(bool(firm.deps.state.exists(f"calendar_sync:channel:{name}")) for name in names)
    detail = f"{there} of {len(names)} calendars have a channel"
    if there == len(names):
        yield Finding("ok", "push", detail)
    else:
        yield Finding("warn", "push", detail, "the next poll opens them: POST /calendar/cron")
