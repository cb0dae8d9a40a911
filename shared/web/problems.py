"""Turn whatever went wrong into an answer (RFC 9457) that shows nothing of the inside."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from shared import metrics
from shared.errors import (
    IntegrationError,
    MediaTypeError,
    MethodNotAllowedError,
    NotFoundError,
    TooLargeError,
    UnauthenticatedError,
    UnavailableError,
    UnreadableRequestError,
)
from shared.log import get_log

log = get_log(__name__)
TYPE_BASE = "https://bitbylaw.example/problems/"
Document = Callable[[IntegrationError, str], dict[str, Any]]

_BY_STATUS: Mapping[int, Callable[[], IntegrationError]] = {
    400: lambda: UnreadableRequestError("The request cannot be read."),
    401: UnauthenticatedError,
    404: NotFoundError,
    413: TooLargeError,
    415: MediaTypeError,
    503: UnavailableError,
}


def document(error: IntegrationError, instance: str) -> dict[str, Any]:
    """Describe an error in the terms of RFC 9457."""
    described: dict[str, Any] = {
        "type": TYPE_BASE + error.slug,
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "instance": instance,
    }
    if error.fields:
        described["errors"] = [
            {"field": each.field, "code": each.code, "message": each.message} for each in error.fields
        ]
    return described


def problem(error: IntegrationError, path: str, request_id: str, describe: Document = document) -> Response:
    """Answer with the problem document of an error."""
    body = describe(error, f"{quote(path[:200])}#{request_id}")
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    response = Response(text, status=error.status, content_type="application/problem+json")
    response.headers.update(error.headers)
    if error.retry_after_s is not None:
        response.headers["Retry-After"] = str(max(1, error.retry_after_s))
    return response


def translated(error: Exception) -> IntegrationError:
    """Find the error of ours that stands for any exception, and log what nobody expected."""
    if isinstance(error, IntegrationError):
        if error.status >= 500:
            log.warning("request_failed", slug=error.slug, status=error.status)
        return error
    if isinstance(error, HTTPException):
        return _of_http(error)
    if is_redis_error(error):
        metrics.REDIS_ERRORS.labels("request").inc()
        log.warning("request_failed", slug="unavailable", status=503, exception=type(error).__name__)
        return UnavailableError("The store cannot be reached.")
    log.error("unexpected_error", exc=error)
    return IntegrationError("Something went wrong on our side.")


def is_redis_error(error: BaseException) -> bool:
    """Recognise an error of Redis without loading its library."""
    redis = sys.modules.get("redis")
    return redis is not None and isinstance(error, redis.RedisError)


def _of_http(error: HTTPException) -> IntegrationError:
    code = error.code or 500
    if code == 405:
        allowed = ", ".join(sorted(getattr(error, "valid_methods", None) or []))
        return MethodNotAllowedError(headers={"Allow": allowed})
    if code in _BY_STATUS:
        return _BY_STATUS[code]()
    if code < 500:
        return UnreadableRequestError("The request cannot be read.")
    log.error("unexpected_error", exc=error)
    return IntegrationError("Something went wrong on our side.")
