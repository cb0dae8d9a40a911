"""Say no in German: every refusal of the receiver, and its document."""

from __future__ import annotations

from typing import Any, ClassVar

from shared.errors import (
    ConflictError,
    FieldProblem,
    IntegrationError,
    InvalidRequestError,
    MediaTypeError,
    MethodNotAllowedError,
    NotFoundError,
    TooLargeError,
    UnauthenticatedError,
    UnavailableError,
    UnreadableRequestError,
)
from shared.web.problems import TYPE_BASE

ACCEPTED_KINDS = "application/json, application/x-www-form-urlencoded, multipart/form-data"
STORE_PAUSE_S = 60


class EmptyBodyError(UnreadableRequestError):
    """Nothing was sent."""

    slug, title = "koerper-leer", "Körper leer"


class WrongKindError(MediaTypeError):
    """The body is XML, GraphQL or binary."""

    slug, title = "typ-nicht-unterstuetzt", "Typ nicht unterstützt"

    def __init__(self) -> None:
        super().__init__("Dieser Inhaltstyp wird nicht angenommen.", headers={"Accept-Post": ACCEPTED_KINDS})


class NotEntitledError(UnauthenticatedError):
    """The sender proved nothing; one text for every way in which it did not."""

    slug, title = "nicht-berechtigt", "Nicht berechtigt"

    def __init__(self) -> None:
        super().__init__(
            "Der Nachweis fehlt oder stimmt nicht.", headers={"WWW-Authenticate": 'VH-Signature realm="leads"'}
        )


class ClockError(NotEntitledError):
    """The signature is right, its time is not."""

    slug, title = "zeit-abweichung", "Zeitabweichung"


class IdempotencyError(ConflictError):
    """The key was used before, for another body."""

    slug, title = "idempotenz-konflikt", "Idempotenzkonflikt"

    def __init__(self) -> None:
        super().__init__("Dieser Schlüssel wurde schon für einen anderen Inhalt verwendet.")


class StoreError(UnavailableError):
    """Nothing could be stored; the sender keeps the lead and comes again."""

    slug, title = "nicht-gespeichert", "Nicht gespeichert"

    def __init__(self) -> None:
        super().__init__("Die Anfrage konnte gerade nicht gespeichert werden.", retry_after_s=STORE_PAUSE_S)


class FieldError(InvalidRequestError):
    """One field makes the whole lead unusable."""

    slug: ClassVar[str] = "feld-ungueltig"

    def __init__(self, field: str, code: str, message: str, suggestion: str | None = None) -> None:
        super().__init__(message, fields=[FieldProblem(field, code, message)])
        self.code, self.suggestion = code, suggestion


_OURS: dict[type[IntegrationError], tuple[str, str]] = {
    MethodNotAllowedError: ("methode_nicht_erlaubt", "Methode nicht erlaubt"),
    TooLargeError: ("zu_gross", "Zu groß"),
    MediaTypeError: ("typ_nicht_unterstuetzt", "Typ nicht unterstützt"),
    UnauthenticatedError: ("nicht_berechtigt", "Nicht berechtigt"),
    NotFoundError: ("nicht_gefunden", "Nicht gefunden"),
    UnavailableError: ("nicht_verfuegbar", "Zurzeit nicht verfügbar"),
    UnreadableRequestError: ("nicht_lesbar", "Nicht lesbar"),
}
_DETAILS = {
    "methode_nicht_erlaubt": "Diese Methode wird hier nicht angenommen.",
    "zu_gross": "Der Inhalt ist zu groß.",
    "koerper_leer": "Es wurde nichts gesendet.",
    "zeit_abweichung": "Die Uhr des Absenders geht um mehr als fünf Minuten falsch.",
}


def describe(error: IntegrationError, instance: str) -> dict[str, Any]:
    """Describe a refusal in German (RFC 9457 with `code`, `id` and `fehler`)."""
    code, title = _named(error)
    detail = error.detail if isinstance(error, _GERMAN) and error.detail != error.title else _DETAILS.get(code, title)
    document: dict[str, Any] = {
        "type": TYPE_BASE + code.replace("_", "-"),
        "title": title,
        "status": error.status,
        "detail": detail,
        "instance": instance,
        "code": code,
        "id": instance.rpartition("#")[2],
    }
    if isinstance(error, FieldError):
        document["fehler"] = [_field(each, error.suggestion) for each in error.fields]
    return document


_GERMAN = (FieldError, IdempotencyError, StoreError, WrongKindError)


def _named(error: IntegrationError) -> tuple[str, str]:
    if isinstance(error, FieldError):
        return error.code, error.code.replace("_", " ").capitalize()
    for kind, name in _OURS.items():
        if isinstance(error, kind) and type(error).__module__ != __name__:
            return name
    if type(error).__module__ == __name__:
        return error.slug.replace("-", "_"), error.title
    return "interner_fehler", "Interner Fehler"


def _field(problem: FieldProblem, suggestion: str | None) -> dict[str, str]:
    described = {"feld": problem.field, "code": problem.code, "meldung": problem.message}
    return described | ({"vorschlag": suggestion} if suggestion else {})
