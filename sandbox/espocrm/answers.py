"""Say what EspoCRM answers: JSON, or a refusal with its reason in a header."""

import json
from dataclasses import dataclass
from typing import Any

from werkzeug.wrappers import Response

Json = dict[str, Any]
REASON = "X-Status-Reason"


@dataclass(frozen=True)
class User:
    """Somebody who may log in, and what is kept from them as "Entity.action"."""

    id: str
    name: str
    api_key: str = ""
    hmac_secret: str = ""
    denied: frozenset[str] = frozenset()


PERSON = User("6b04f5cecb18ccfd4", "Admin")


class Refused(Exception):  # noqa: N818  (an answer, not an accident)
    """A call that EspoCRM turns down."""

    def __init__(self, status: int, reason: str = "", body: Any = None, html: bool = False) -> None:
        super().__init__(f"{status} {reason}")
        self.status, self.reason, self.body, self.html = status, reason, body, html

    @classmethod
    def invalid(cls, entity: str, field: str, kind: str) -> "Refused":
        """Refuse a field."""
        told = {"label": "validationFailure", "scope": None, "data": {"field": field, "type": kind}}
        reason = f"Field validation failure; entityType: {entity}, field: {field}, type: {kind}."
        return cls(400, reason, {"messageTranslation": told})

    def answer(self) -> Response:
        """Write the answer: an empty body says JSON or HTML all the same."""
        text = "" if self.body is None else php_json(self.body)
        response = Response(
            text, self.status, content_type="text/html; charset=UTF-8" if self.html else "application/json"
        )
        if self.reason:
            response.headers[REASON] = self.reason
        return response


def php_json(value: Any) -> str:
    """Write JSON as PHP does: no umlauts, slashes escaped."""
    return json.dumps(value, separators=(",", ":")).replace("/", "\\/")
