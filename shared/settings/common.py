"""Settings that every target has: environment, gateway, Redis, queue and events."""

from __future__ import annotations

from typing import ClassVar, Literal

from shared.settings.base import Settings, env
from shared.settings.kinds import ADDRESS, SecretStr, above_zero, matching, one_of, secret, text, whole

_address = matching(ADDRESS)


class CommonSettings(Settings):
    """What every process needs to answer HTTP."""

    environment: Literal["development", "test", "production"] = env(
        "ENVIRONMENT", "development", one_of("development", "test", "production")
    )
    gateway_secret: SecretStr | None = env("GATEWAY_SECRET", None, secret)
    max_body_bytes: int = env("MAX_BODY_BYTES", 1024 * 1024, whole(1))
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = env(
        "LOG_LEVEL", "INFO", one_of("DEBUG", "INFO", "WARNING", "ERROR")
    )
    public_base_url: str | None = env("PUBLIC_BASE_URL", None, _address)
    ops_password: SecretStr | None = env("OPS_PASSWORD", None, secret)
    signing_key: SecretStr | None = env("SIGNING_KEY", None, secret)

    @property
    def production(self) -> bool:
        """Tell whether unsafe starts are refused."""
        return self.environment == "production"


class RedisSettings(Settings):
    """Where the only state lives."""

    url: str = env("REDIS_URL", "redis://127.0.0.1:6379", matching(r"(rediss?|unix)://\S+"))
    durability: Literal["verify", "managed"] = env("REDIS_DURABILITY", "verify", one_of("verify", "managed"))
    wait_replicas: int = env("REDIS_WAIT_REPLICAS", 0, whole(0, 10))


class QueueSettings(Settings):
    """How work is leased, reaped and tried again; the same for every topic."""

    lease_s: float = env("QUEUE_LEASE_SECONDS", 120.0, above_zero)
    reap_s: float = env("QUEUE_REAP_SECONDS", 15.0, above_zero)
    retry_base_s: float = env("RETRY_BASE_SECONDS", 1.0, above_zero)
    retry_cap_s: float = env("RETRY_CAP_SECONDS", 300.0, above_zero)
    retry_attempts: int = env("RETRY_ATTEMPTS", 8, whole(1))
    worker_http_port: int | None = env("WORKER_HTTP_PORT", None, whole(0, 65535))


class EventSettings(Settings):
    """Which transport carries events, and its addresses; `EVENT_URL_<TOPIC>` are read where an event is sent."""

    families: ClassVar = {"EVENT_URL_": _address, "EVENT_SQS_URL_": _address}

    transport: Literal["http", "redis", "sqs", "pubsub"] | None = env(
        "EVENT_TRANSPORT", None, one_of("http", "redis", "sqs", "pubsub")
    )
    base_url: str | None = env("EVENT_BASE_URL", None, lambda value: _address(value).rstrip("/"))
    pubsub_project: str | None = env("EVENT_PUBSUB_PROJECT", None, text)
    oidc_audience: str | None = env("EVENT_OIDC_AUDIENCE", None, text)
    oidc_account: str | None = env("EVENT_OIDC_ACCOUNT", None, text)
    oidc_checked_by: Literal["us", "platform"] = env("EVENT_OIDC_CHECKED_BY", "us", one_of("us", "platform"))
