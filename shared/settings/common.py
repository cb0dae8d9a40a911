"""Settings that every target has: environment, gateway, Redis, queue and events."""

from __future__ import annotations

from typing import Literal

from pydantic import PositiveFloat, PositiveInt, SecretStr, field_validator

from shared.settings.base import Settings, env


class CommonSettings(Settings):
    """What every process needs to answer HTTP."""

    environment: Literal["development", "test", "production"] = env("ENVIRONMENT", "development")
    gateway_secret: SecretStr | None = env("GATEWAY_SECRET")
    max_body_bytes: PositiveInt = env("MAX_BODY_BYTES", 1024 * 1024)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = env("LOG_LEVEL", "INFO")
    public_base_url: str | None = env("PUBLIC_BASE_URL", pattern=r"^https?://\S+$")
    ops_password: SecretStr | None = env("OPS_PASSWORD")
    signing_key: SecretStr | None = env("SIGNING_KEY")

    @property
    def production(self) -> bool:
        """Tell whether unsafe starts are refused."""
        return self.environment == "production"


class RedisSettings(Settings):
    """Where the only state lives."""

    url: str = env("REDIS_URL", "redis://127.0.0.1:6379", pattern=r"^(rediss?|unix)://\S+$")
    durability: Literal["verify", "managed"] = env("REDIS_DURABILITY", "verify")
    wait_replicas: int = env("REDIS_WAIT_REPLICAS", 0, ge=0, le=10)


class QueueSettings(Settings):
    """How work is leased, reaped and tried again; the same for every topic."""

    lease_s: PositiveFloat = env("QUEUE_LEASE_SECONDS", 120)
    reap_s: PositiveFloat = env("QUEUE_REAP_SECONDS", 15)
    retry_base_s: PositiveFloat = env("RETRY_BASE_SECONDS", 1)
    retry_cap_s: PositiveFloat = env("RETRY_CAP_SECONDS", 300)
    retry_attempts: PositiveInt = env("RETRY_ATTEMPTS", 8)
    worker_http_port: int | None = env("WORKER_HTTP_PORT", ge=0, le=65535)


class EventSettings(Settings):
    """Which transport carries events, and its addresses."""

    transport: Literal["http", "redis", "sqs", "pubsub"] | None = env("EVENT_TRANSPORT")
    base_url: str | None = env("EVENT_BASE_URL", pattern=r"^https?://\S+$")
    pubsub_project: str | None = env("EVENT_PUBSUB_PROJECT")
    oidc_audience: str | None = env("EVENT_OIDC_AUDIENCE")
    oidc_account: str | None = env("EVENT_OIDC_ACCOUNT")

    @field_validator("base_url")
    @classmethod
    def _no_trailing_slash(cls, value: str | None) -> str | None:
        return value.rstrip("/") if value else value
