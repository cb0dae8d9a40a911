"""What a handler sees of a request, and how it answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Request, Response

from shared.errors import MediaTypeError
from shared.web.reading import is_json, read_body, strict_json, validated

if TYPE_CHECKING:
    from pydantic import BaseModel

M = TypeVar("M", bound="BaseModel")
_encoded = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass
class Call:
    """One request with its path parameters, its body within the limit and its proof of origin."""

    request: Request
    params: Mapping[str, str]
    request_id: str
    max_body: int
    from_gateway: bool
    _body: bytes | None = field(default=None, repr=False)

    @property
    def query(self) -> MultiDict[str, str]:
        """Give the query parameters."""
        return self.request.args

    def body(self) -> bytes:
        """Read the raw body once; longer than the limit is a 413."""
        if self._body is None:
            self._body = read_body(self.request, self.max_body)
        return self._body

    def raw_json(self) -> Any:
        """Read the body as strict JSON of any shape; no body reads as None."""
        raw = self.body()
        if not raw:
            return None
        if not is_json(self.request.headers.get("Content-Type")):
            raise MediaTypeError("Send the body as application/json.")
        return strict_json(raw)

    def json(self, model: type[M]) -> M:
        """Read the body as strict JSON of one shape; no body reads as an empty object."""
        value = self.raw_json()
        return validated(model, {} if value is None and not self.body() else value)

    def query_as(self, model: type[M]) -> M:
        """Read the query as one shape; of a repeated parameter the last value counts."""
        return validated(model, {name: values[-1] for name, values in self.query.lists()})


def json_response(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with JSON."""
    return Response(_encoded(value), status=status, headers=headers, content_type="application/json")
