"""Render Kong's declarative file from the environment; what is not set ends the deployment by name."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

TEMPLATE = Path(__file__).with_name("kong.yml.in")
_NAME = re.compile(r'"\$\{\*(?P<many>[A-Z_]+)\}"|\$\{(?P<one>[A-Z_]+)\}')
_DEFAULTS = {"APP_PROTOCOL": "http"}  # https where the application is elsewhere: API Gateway, Google's balancer
_SHORTEST = {"GATEWAY_SECRET": 16, "DESK_API_KEY": 32}  # nothing else slows down who guesses a key


class UnsetError(Exception):
    """Names that the template needs and nobody has set, or that are too short."""


def render(template: str, environ: Mapping[str, str]) -> str:
    """Put the settings in; comments stay as they are."""
    given = _DEFAULTS | dict(environ)
    lines = [line for line in template.splitlines() if not line.lstrip().startswith("#")]
    text = "\n".join(lines) + "\n"
    names = {found["many"] or found["one"] for found in _NAME.finditer(text)}
    bad = [name for name in sorted(names) if len(given.get(name, "").strip()) < _SHORTEST.get(name, 1)]
    if bad:
        raise UnsetError("not set or too short: " + ", ".join(bad))
    return _NAME.sub(lambda found: _value(found, given), text)


def _value(found: re.Match[str], environ: Mapping[str, str]) -> str:
    if found["one"]:
        return json.dumps(environ[found["one"]].strip())[1:-1]
    parts = [part.strip() for part in environ[found["many"]].split(",") if part.strip()]
    return ", ".join(json.dumps(part) for part in parts)


def main(arguments: list[str]) -> int:
    """Write the file so that only its owner reads it."""
    if len(arguments) != 1:
        sys.stderr.write("usage: render.py OUTPUT\n")
        return 2
    try:
        text = render(TEMPLATE.read_text(encoding="utf-8"), os.environ)
    except UnsetError as error:
        sys.stderr.write(f"kong.yml: {error}\n")
        return 1
    path = Path(arguments[0])
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
