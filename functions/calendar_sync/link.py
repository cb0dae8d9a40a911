"""What we keep in an event's private properties: link, bases, mode, origin, open intent, reason of deletion."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

Mode = Literal["f", "a"]
VERSION = "1"
_KEYS = ("adv_v", "adv_id", "adv_fr", "adv_a", "adv_g", "adv_m", "adv_o", "adv_tx", "adv_del")


@dataclass(frozen=True)
class Intent:
    """A creation in Advoware that was announced: its marker, when, the highest frNr seen, what will be posted.

    A `bare` one is posted without its marker: only its content tells what it made, whatever is set later.
    """

    token: str
    at: float
    max_fr: int
    sealed: str
    refused: bool = False
    bare: bool = False

    def is_known_by_content(self, markers: bool) -> bool:
        """Tell whether what it made may carry no marker: it was posted without, or none are set now."""
        return self.bare or not markers

    def text(self) -> str:
        """Write the value of `adv_tx`."""
        value: dict[str, Any] = {"token": self.token, "now": self.at, "maxFr": self.max_fr, "hmac": self.sealed}
        if self.refused:
            value["err"] = "refused"
        if self.bare:
            value["bare"] = True
        return json.dumps(value, separators=(",", ":"))

    @classmethod
    def read(cls, text: str) -> Intent | None:
        """Read `adv_tx`; an unreadable one counts as none."""
        try:
            value = json.loads(text)
            told = str(value["token"]), float(value["now"]), int(value["maxFr"]), str(value["hmac"])
            return cls(*told, refused="err" in value, bare="bare" in value)
        except (ValueError, TypeError, KeyError, OverflowError):
            return None


@dataclass(frozen=True)
class Link:
    """The properties of one event, already without those that belong to another event (a copy)."""

    own_id: str = ""
    fr_nr: str = ""
    base_a: str = ""
    base_g: str = ""
    mode: str = ""
    origin: str = ""
    intent: Intent | None = None
    deleted: str = ""

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> Link:
        """Read an event's properties; those of a copy (another `adv_id`) are not its own and ignored."""
        private = (event.get("extendedProperties") or {}).get("private") or {}
        if private.get("adv_id") != event.get("id"):
            return cls()
        intent = private.get("adv_tx")
        return cls(
            private["adv_id"],
            private.get("adv_fr", ""),
            private.get("adv_a", ""),
            private.get("adv_g", ""),
            private.get("adv_m", ""),
            private.get("adv_o", ""),
            Intent.read(intent) if intent else None,
            private.get("adv_del", ""),
        )

    def properties(self) -> dict[str, str]:
        """Write the properties that are set."""
        values = {
            "adv_v": VERSION,
            "adv_id": self.own_id,
            "adv_fr": self.fr_nr,
            "adv_a": self.base_a,
            "adv_g": self.base_g,
            "adv_m": self.mode,
            "adv_o": self.origin,
            "adv_tx": self.intent.text() if self.intent else "",
            "adv_del": self.deleted,
        }
        return {key: value for key, value in values.items() if value}

    def with_(self, **changes: Any) -> Link:
        """Copy with some values changed."""
        return replace(self, **changes)


def with_link(event: Mapping[str, Any], link: Link) -> dict[str, Any]:
    """Copy an event with our properties replaced; other people's properties stay."""
    extended = event.get("extendedProperties") or {}
    private = {key: value for key, value in (extended.get("private") or {}).items() if key not in _KEYS}
    return {**event, "extendedProperties": {**extended, "private": private | link.properties()}}
