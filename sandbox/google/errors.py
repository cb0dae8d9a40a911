"""Speak of failures in the JSON shape of Google's APIs."""

from typing import Any

DOMAINS = {"rateLimitExceeded": "usageLimits", "userRateLimitExceeded": "usageLimits", "quotaExceeded": "usageLimits"}


class GoogleError(Exception):
    """Refuse a call the way Google does."""

    def __init__(self, status: int, reason: str, message: str, **where: str) -> None:
        super().__init__(message)
        self.status, self.reason, self.message, self.where = status, reason, message, where

    def body(self) -> dict[str, Any]:
        """Write the error as JSON."""
        return error_body(self.status, self.reason, self.message, **self.where)


def error_body(status: int, reason: str, message: str = "", **where: str) -> dict[str, Any]:
    """Write an error as JSON, also for faults that tests switch on."""
    message = message or reason
    domain = DOMAINS.get(reason, "calendar" if reason == "timeRangeEmpty" else "global")
    detail = {"domain": domain, "reason": reason, "message": message, **where}
    return {"error": {"code": status, "message": message, "errors": [detail]}}


def invalid(message: str, reason: str = "invalid") -> GoogleError:
    """Refuse a value."""
    return GoogleError(400, reason, message)


def not_found() -> GoogleError:
    """Deny that something exists."""
    return GoogleError(404, "notFound", "Not Found")
