"""Put the secrets of Secrets Manager into the environment of a cold start, where settings are read from."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any, Final

NAMES: Final = "BITBYLAW_SECRETS"  # ARNs, comma list; each holds one JSON object of settings
KEY_FILE: Final = "GOOGLE_CALENDAR_SERVICE_ACCOUNT_PATH"
KEY_JSON: Final = "GOOGLE_CALENDAR_SERVICE_ACCOUNT_JSON"
_KEY_PLACE: Final = "/tmp/google-service-account.json"  # noqa: S108 - a Lambda's only writable place, its own

Fetch = Callable[[str], str]


def load(
    environ: MutableMapping[str, str] | None = None, fetch: Fetch | None = None, key_place: str = _KEY_PLACE
) -> None:
    """Fetch each secret once; what is set already stays."""
    target = os.environ if environ is None else environ
    for name in filter(None, (part.strip() for part in target.get(NAMES, "").split(","))):
        for key, value in _settings(name, (fetch or _fetch)(name)).items():
            target.setdefault(key, value)
    if KEY_JSON in target:
        target[KEY_FILE] = _written(target.pop(KEY_JSON), key_place)


def _settings(name: str, text: str) -> dict[str, str]:
    try:
        value: Any = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise SystemExit(f"bitbylaw: start refused: secret {name.rsplit(':', 1)[-1]} is no JSON object")
    return {str(key): each if isinstance(each, str) else json.dumps(each) for key, each in value.items()}


def _fetch(name: str) -> str:
    import boto3
    from botocore.config import Config  # type: ignore[import-untyped]

    config = Config(connect_timeout=2, read_timeout=3)
    client = boto3.client("secretsmanager", region_name=os.environ.get("AWS_REGION") or None, config=config)
    return str(client.get_secret_value(SecretId=name)["SecretString"])


def _written(text: str, place: str) -> str:
    path = Path(place)
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    return place
