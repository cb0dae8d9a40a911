"""The one tree of errors: what went wrong, which answer it deserves, whether trying again may help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self


@dataclass(frozen=True)
class FieldProblem:
    """One bad field of a request: its name, a stable code and a sentence without the value."""

    field: str
    code: str
    message: str


class IntegrationError(Exception):
    """Anything that we know how to answer; subclasses say how."""

    status: ClassVar[int] = 500
    slug: ClassVar[str] = "internal"
    title: ClassVar[str] = "Internal error"
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        detail: str = "",
        *,
        fields: Sequence[FieldProblem] = (),
        retry_after_s: int | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.fields = tuple(fields)
        self.retry_after_s = retry_after_s
        self.headers = headers or {}


class UnreadableRequestError(IntegrationError):
    """The body or a header cannot be read at all."""

    status, slug, title = 400, "unreadable-request", "Unreadable request"


class UnauthenticatedError(IntegrationError):
    """The caller did not prove who it is."""

    status, slug, title = 401, "unauthenticated", "Authentication needed"


class ForbiddenError(IntegrationError):
    """The caller is known but may not do this."""

    status, slug, title = 403, "forbidden", "Forbidden"


class NotFoundError(IntegrationError):
    """There is nothing under this path or id."""

    status, slug, title = 404, "not-found", "Not found"


class MethodNotAllowedError(IntegrationError):
    """The path exists, the method does not; the `Allow` header names those that do."""

    status, slug, title = 405, "method-not-allowed", "Method not allowed"


class ConflictError(IntegrationError):
    """The request contradicts the present state."""

    status, slug, title = 409, "conflict", "Conflict"


class HoldUnknownError(ConflictError):
    """The hash names no held plan, or one that was released before."""

    slug, title = "hold-unknown", "No such held plan"


class TooLargeError(IntegrationError):
    """The body is longer than this path takes."""

    status, slug, title = 413, "too-large", "Body too large"


class MediaTypeError(IntegrationError):
    """The body is of a kind this path does not take."""

    status, slug, title = 415, "unsupported-media-type", "Unsupported media type"


class InvalidRequestError(IntegrationError):
    """The request is well-formed but says something that cannot be."""

    status, slug, title = 422, "invalid-request", "Invalid request"

    @classmethod
    def of(cls, fields: Sequence[FieldProblem]) -> Self:
        """Name every bad field, also in the detail."""
        return cls("; ".join(f"{each.field}: {each.message}" for each in fields), fields=fields)


class UnavailableError(IntegrationError):
    """Nothing could be stored or done just now; the caller should come again."""

    status, slug, title, retryable = 503, "unavailable", "Temporarily unavailable", True

    def __init__(self, detail: str = "", *, retry_after_s: int = 5, fields: Sequence[FieldProblem] = ()) -> None:
        super().__init__(detail, retry_after_s=retry_after_s, fields=fields)


class NotConfiguredError(UnavailableError):
    """Settings that this call needs are missing; the detail names them."""

    slug, title = "not-configured", "Not configured"


class UpstreamError(UnavailableError):
    """An upstream did not do what we asked; `upstream` names it, `upstream_status` its answer if there was one."""

    slug, title = "upstream-error", "Upstream error"

    def __init__(
        self, upstream: str, detail: str = "", *, upstream_status: int | None = None, retry_after_s: int = 5
    ) -> None:
        super().__init__(detail or f"{upstream}: {self.title}", retry_after_s=retry_after_s)
        self.upstream = upstream
        self.upstream_status = upstream_status


class UpstreamUnavailableError(UpstreamError):
    """The upstream could not be reached or says that it cannot work just now (5xx, 429)."""

    slug, title = "upstream-unavailable", "Upstream unavailable"


class UpstreamTimeoutError(UpstreamUnavailableError):
    """The upstream did not answer in time; whether it acted is unknown."""

    slug, title = "upstream-timeout", "Upstream timeout"


class UpstreamAuthenticationError(UpstreamError):
    """The upstream refuses our credentials, also after a fresh token."""

    slug, title = "upstream-authentication", "Upstream refuses our credentials"


class UpstreamRejectedError(UpstreamError):
    """The upstream refuses this very request (4xx)."""

    slug, title, retryable = "upstream-rejected", "Upstream rejected the request", False


class UpstreamMalformedError(UpstreamError):
    """The upstream answered something that cannot be what was asked for (HTML, cut, wrong shape)."""

    slug, title = "upstream-malformed", "Unusable answer of an upstream"
