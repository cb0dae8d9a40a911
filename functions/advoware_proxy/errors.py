"""Say how a call through the proxy can fail on the far side."""

from __future__ import annotations

from shared.errors import IntegrationError


class UnreachableError(IntegrationError):
    """Advoware could not be reached, or what came from it was no HTTP."""

    status, slug, title, retryable = 502, "advoware-unreachable", "Advoware cannot be reached", True


class LateError(IntegrationError):
    """Advoware did not answer in time; whether it acted is unknown."""

    status, slug, title, retryable = 504, "advoware-timeout", "Advoware did not answer in time", True


class RefusedError(IntegrationError):
    """Advoware refuses our credentials or a fresh token."""

    status, slug, title = 502, "advoware-authentication", "Advoware refuses our credentials"


class CutShortError(Exception):
    """An answer ended before its end; raised while it is passed on, so that the connection breaks."""
