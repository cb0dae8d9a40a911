"""Links to the screen pop that open without further proof for fifteen minutes."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from shared.threecx.seal import derived

PATH = "/threecx/screenpop"
VALID_S = 15 * 60
SIGNED = ("number", "call_id", "pick")


@dataclass(frozen=True)
class Links:
    """Signs links and believes them."""

    key: bytes
    base_url: str = ""

    def screenpop(self, now_s: float, **what: str) -> str:
        """Make a link that is good from now on for a quarter of an hour."""
        wanted = {name: value for name, value in what.items() if value}
        exp = str(int(now_s) + VALID_S)
        return f"{self.base_url}{PATH}?{urlencode({**wanted, 'exp': exp, 'sig': self._sign(wanted, exp)})}"

    def is_valid(self, query: Mapping[str, str], now_s: float) -> bool:
        """Tell whether a link is ours, unchanged, and not too old."""
        exp, sig = query.get("exp", ""), query.get("sig", "")
        wanted = {name: query[name] for name in SIGNED if query.get(name)}
        same = hmac.compare_digest(self._sign(wanted, exp).encode(), sig.encode("utf-8", "replace"))
        return same and exp.isascii() and exp.isdigit() and len(exp) < 16 and int(exp) >= now_s

    def _sign(self, wanted: Mapping[str, str], exp: str) -> str:
        text = "\n".join([*(f"{name}={wanted[name]}" for name in SIGNED if name in wanted), f"exp={exp}"])
        key = derived(self.key, "screenpop")
        return hmac.digest(key, text.encode("utf-8", "replace"), hashlib.sha256).hex()[:40]
