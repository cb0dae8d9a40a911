"""Say what only EspoCRM's client can know about a failure."""

from __future__ import annotations

from typing import Any

from shared.errors import UpstreamRejectedError, UpstreamUnavailableError

ME = "espocrm"


class PausedError(UpstreamUnavailableError):
    """Nobody calls EspoCRM for a while: a further wrong login would lock our address out; the call was not sent."""

    slug, title = "espocrm-paused", "EspoCRM is left alone for a while"


class DuplicateError(UpstreamRejectedError):
    """EspoCRM knows such a record already and names up to five; nothing was created."""

    slug, title = "espocrm-duplicate", "EspoCRM knows this record already"

    def __init__(self, records: list[dict[str, Any]]) -> None:
        super().__init__(ME, upstream_status=409)
        self.records = records


class ModifiedError(UpstreamRejectedError):
    """Somebody changed the record since it was read; nothing was written."""

    slug, title = "espocrm-modified", "The record was changed meanwhile"


class WrongEntityError(UpstreamRejectedError):
    """EspoCRM has no such entity type or path, which is no word about any record."""

    slug, title = "espocrm-unknown-entity", "EspoCRM knows no such entity type"


class InvalidFieldError(UpstreamRejectedError):
    """EspoCRM refuses a field; it names only the first."""

    slug, title = "espocrm-invalid-field", "EspoCRM refuses a field"

    def __init__(self, field: str, kind: str) -> None:
        super().__init__(ME, f"{ME} refuses {field} ({kind})", upstream_status=400)
        self.field, self.kind = field, kind
