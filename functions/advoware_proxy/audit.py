"""Write one line for every call: who is not in it, what was asked for only by its first segment."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field

from shared.log import bound, get_log

log = get_log("bitbylaw.proxy")
_HARMLESS = re.compile(r"[A-Za-z][A-Za-z_\-]{0,30}\d{0,2}")


@dataclass
class Audit:
    """What is known of a call so far."""

    method: str
    request_id: str
    segment: str = "-"
    bytes_in: int = 0
    cache: str = ""
    started: float = field(default_factory=time.monotonic)

    def name(self, segment: str) -> None:
        """Note the first path segment if it can be nothing but a name of a resource."""
        self.segment = segment if _HARMLESS.fullmatch(segment) else "-"

    def write(self, status: int, bytes_out: int, *, whole: bool = True) -> None:
        """Write the line; an answer that broke off says so."""
        duration_ms = round((time.monotonic() - self.started) * 1000, 1)
        with bound(request_id=self.request_id, target="advoware_proxy"):
            log.info(
                "proxied",
                method=self.method,
                segment=self.segment,
                status=status,
                duration_ms=duration_ms,
                bytes_in=self.bytes_in,
                bytes_out=bytes_out,
                cache=self.cache,
                outcome="complete" if whole else "broken",
            )
