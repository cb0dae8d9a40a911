"""Event ids that carry Advoware's frNr, so that a lost answer or lost properties never cost the link.

Form: `adv` + tenant hash + `f` + frNr + `g` + generation, inside Google's alphabet a–v and 0–9.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass

_ID = re.compile(r"adv([0-9a-v]{8})f(u?[0-9]+|s[0-9a-v]+)g([0-9]+)")


def tenant_hash(kanzlei: str, database: str) -> str:
    """Name the installation in eight characters: SHA-256 of lower-case `KANZLEI/DATABASE` in base32hex."""
    digest = hashlib.sha256(f"{kanzlei}/{database}".lower().encode()).digest()
    return base64.b32hexencode(digest).decode()[:8].lower()


@dataclass(frozen=True)
class OwnIds:
    """The ids of one installation."""

    tenant: str

    def make(self, fr_nr: str, generation: int = 0) -> str:
        """Build the id of an appointment's event."""
        return f"adv{self.tenant}f{_encode(fr_nr)}g{generation}"

    def read(self, event_id: str) -> tuple[str, int] | None:
        """Give frNr and generation of an id of ours, None for anybody else's."""
        found = _ID.fullmatch(event_id)
        if found is None or found.group(1) != self.tenant:
            return None
        return _decode(found.group(2)), int(found.group(3))


def is_derived(fr_nr: str) -> bool:
    """Tell whether a number marks a derived record (zero, negative or symbolic), which is read-only."""
    return not (fr_nr.isascii() and fr_nr.isdigit()) or int(fr_nr) == 0


def _encode(fr_nr: str) -> str:
    if fr_nr.isascii() and fr_nr.isdigit() and int(fr_nr) > 0:
        return fr_nr
    if re.fullmatch(r"-?[0-9]+", fr_nr, re.ASCII):
        return "u" + fr_nr.lstrip("-")
    return "s" + base64.b32hexencode(fr_nr.encode()).decode().lower().rstrip("=")


def _decode(code: str) -> str:
    if code.startswith("u"):
        return "-" + code[1:] if int(code[1:]) else "0"
    if code.startswith("s"):
        text = code[1:].upper()
        try:
            return base64.b32hexdecode(text + "=" * (-len(text) % 8)).decode()
        except ValueError:
            return code
    return code
