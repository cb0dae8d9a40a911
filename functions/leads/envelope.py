"""What is kept of a lead until EspoCRM has it: the body as it came, read anew by whoever works on it."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from functions.leads.forms import read_form
from functions.leads.meanings import FormMaps
from functions.leads.reading import read_body
from functions.leads.submission import Submission


@dataclass(frozen=True)
class Envelope:
    """A body with the few facts that came with it."""

    raw: bytes = field(repr=False)
    content_type: str | None
    query_type: str | None
    received_at: datetime
    others: tuple[str, ...] = ()
    given: bool = False  # its sender named it: `others` mean the same lead whatever their age

    def to_bytes(self) -> bytes:
        """Write it for the store."""
        document = {
            "raw": base64.b64encode(self.raw).decode(),
            "type": self.content_type,
            "query": self.query_type,
            "at": self.received_at.isoformat(),
            "others": self.others,
            "given": self.given,
        }
        return json.dumps(document).encode()

    @classmethod
    def from_bytes(cls, stored: bytes) -> Envelope:
        """Read it back."""
        found = json.loads(stored)
        at = datetime.fromisoformat(found["at"])
        return cls(
            base64.b64decode(found["raw"]),
            found["type"],
            found["query"],
            at,
            tuple(found["others"]),
            found.get("given", False),
        )


@dataclass(frozen=True)
class Reader:
    """Reads envelopes with the configured names of forms and hosts of files."""

    maps: FormMaps
    hosts: Collection[str]

    def read(self, envelope: Envelope) -> Submission:
        """Read the body as a submission."""
        return read_form(
            read_body(envelope.raw, envelope.content_type),
            query_type=envelope.query_type,
            maps=self.maps,
            received_at=envelope.received_at.isoformat(timespec="seconds"),
            hosts=self.hosts,
        )
