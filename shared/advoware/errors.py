"""Say what only Advoware's client can know about a failure."""

from __future__ import annotations

from shared.errors import UpstreamUnavailableError


class NoTokenError(UpstreamUnavailableError):
    """There is no token just now; the call was not sent."""

    slug, title = "advoware-no-token", "No access to Advoware just now"
