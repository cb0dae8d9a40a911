"""Start a process: read its settings, refuse what is unsafe in one line, warn of what is missing."""

from __future__ import annotations

import gc
import importlib
import logging
import os
import pkgutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

from shared import log as logs
from shared.settings import base
from shared.settings.base import Settings, SettingsError
from shared.settings.common import CommonSettings, RedisSettings

if TYPE_CHECKING:
    from redis import Redis

log = logs.get_log(__name__)
M = TypeVar("M", bound=Settings)

SECRETS: Final = (
    "GATEWAY_SECRET",
    "ESPOCRM_WEBHOOK_SECRETS",
    "VERMIETERHELDEN_WEBHOOK_SECRET",
    "THREECX_WEBHOOK_SECRET",
    "LEAD_ENCRYPTION_KEY",
    "CALENDAR_PUSH_TOKEN",
)
ONLY_WITH: Final = {"CALENDAR_PUSH_TOKEN": "CALENDAR_PUSH_URL"}


class UnsafeStart(SystemExit):
    """The process must not run like this; the message is its one line on stderr, the exit code is 1."""


class Parts:
    """The settings of a process, by model."""

    def __init__(self, parts: Iterable[Settings]) -> None:
        self._parts: dict[type[Settings], Settings] = {type(part): part for part in parts}
        self.whole_process = False

    def __getitem__(self, model: type[M]) -> M:
        """Give the settings of one model."""
        part = self._parts[model]
        assert isinstance(part, model)
        return part

    def missing(self) -> list[str]:
        """Name the needed settings that are not there; a whole process may leave an upstream out altogether."""
        parts = self._parts.values()
        if self.whole_process:
            return base.missing(part for part in parts if not part.optional or base.in_use(type(part)))
        return base.missing(parts)


_whole_process_checked = False


def start(
    *models: type[Settings],
    secrets: Sequence[str] = ("GATEWAY_SECRET",),
    redis: Callable[[], Redis] | None = None,
    whole_process: bool = False,
) -> Parts:
    """Read the settings, check the start, set up the log; after a whole process was checked, only read.

    `secrets` are those that production needs; `redis` is checked at once where it is given.
    """
    global _whole_process_checked  # noqa: PLW0603 - one process, one check
    parts = read_parts([CommonSettings, RedisSettings, *models], secrets=secrets)
    parts.whole_process = whole_process
    if _whole_process_checked and not whole_process:
        return parts
    set_up_log(parts[CommonSettings].log_level)
    os.environ.setdefault("FORWARDED_ALLOW_IPS", "")  # read by functions-framework's gunicorn; see gunicorn_conf.py
    refuse_unsafe_start(parts[CommonSettings], secrets, redis, durability=parts[RedisSettings].durability)
    if names := parts.missing():
        log.warning("settings_missing", settings=names)
    _whole_process_checked = whole_process
    return parts


def read_parts(
    models: Iterable[type[Settings]], environ: Mapping[str, str] | None = None, *, secrets: Sequence[str] = ()
) -> Parts:
    """Read all models; what is unreadable in any of them ends the process, in one line with what production lacks."""
    source = os.environ if environ is None else environ
    parts, problems = [], []
    for model in dict.fromkeys(models):
        try:
            parts.append(base.read(model, environ))
        except SettingsError as error:
            problems.append(str(error))
    if problems:
        in_production = source.get("ENVIRONMENT", "").strip() == "production"
        raise UnsafeStart(_line([*problems, *(_lacking(secrets, source) if in_production else ())]))
    return Parts(parts)


def refuse_unsafe_start(
    common: CommonSettings,
    secrets: Sequence[str],
    redis: Callable[[], Redis] | None = None,
    *,
    durability: str = "verify",
    environ: Mapping[str, str] | None = None,
) -> None:
    """End a production process that would believe anybody or could lose what it acknowledged."""
    if not common.production:
        return
    source = os.environ if environ is None else environ
    reasons = _lacking(secrets, source)
    if redis is not None and durability == "verify":
        reasons += _weak(redis())
    if reasons:
        raise UnsafeStart(_line(reasons))


def every_model() -> list[type[Settings]]:
    """List the settings models of all parts of the project."""
    package = importlib.import_module("shared.settings")
    found: dict[type[Settings], None] = {}
    for module in pkgutil.iter_modules(package.__path__):
        values: Mapping[str, Any] = vars(importlib.import_module(f"{package.__name__}.{module.name}"))
        for value in values.values():
            if isinstance(value, type) and issubclass(value, Settings) and value is not Settings:
                found[value] = None
    return list(found)


def set_up_log(level: str) -> None:
    """Write JSON lines, and keep the server's own lines free of what a request carried."""
    logs.set_up(level)
    server = logging.getLogger("gunicorn.error")
    if not any(isinstance(each, _WithoutArguments) for each in server.filters):
        server.addFilter(_WithoutArguments())


def settle() -> None:
    """Take what a start has made out of every later search for garbage, also so that workers go on sharing it."""
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


class _WithoutArguments(logging.Filter):
    """Lines of the server name the request with its query; only their wording stays."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Drop arguments and tracebacks."""
        if str(record.msg).startswith("Invalid request"):
            record.msg = "Invalid request"  # the rest repeats a line of the request
        if record.levelno >= logging.WARNING:
            record.args, record.exc_info, record.exc_text = (), None, None
        return True


def _lacking(secrets: Sequence[str], environ: Mapping[str, str]) -> list[str]:
    return [f"{name} is missing" for name in secrets if _is_missing(name, environ)]


def _is_missing(name: str, environ: Mapping[str, str]) -> bool:
    if name in ONLY_WITH and not environ.get(ONLY_WITH[name], "").strip():
        return False
    return not environ.get(name, "").strip()


def _weak(client: Redis) -> list[str]:
    from redis import RedisError

    from shared.web.readiness import weak_durability

    try:
        client.ping()
        problems = weak_durability(client)
        client.connection_pool.disconnect()  # workers are forked from here and open their own
    except RedisError:
        return []
    return problems


def _line(reasons: Iterable[str]) -> str:
    return "bitbylaw: start refused: " + "; ".join(" ".join(reason.split()) for reason in reasons)
