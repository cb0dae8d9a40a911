"""Say what Advoware answers: a status with a JSON body, or a refusal."""

import json
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


def encode(value: object) -> bytes:
    """Write a value the way Advoware does: UTF-8, umlauts unescaped."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass(frozen=True)
class Answer:
    """One finished answer of the API."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, value: object, status: int = 200, **headers: str) -> "Answer":
        """Answer with a value as JSON."""
        return cls(encode(value), status, headers)


class Refused(Exception):  # noqa: N818  (an answer, not an accident)
    """A call that Advoware turns down, with the status it gives."""

    def __init__(self, status: int, reason: str, **headers: str) -> None:
        super().__init__(f"{status} {reason}")
        self.status, self.reason, self.headers = status, reason, headers

    def answer(self) -> Answer:
        """Turn the refusal into the JSON body that callers see."""
        return Answer.of({"error": self.reason, "status": self.status}, self.status, **self.headers)
