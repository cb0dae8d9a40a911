"""Stand in for Google: a token endpoint and the Calendar API v3."""

from sandbox.google.app import Google
from sandbox.google.errors import error_body
from sandbox.google.oauth import write_service_account

__all__ = ["Google", "error_body", "write_service_account"]
