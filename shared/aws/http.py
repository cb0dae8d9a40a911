"""Answer API Gateway's events with a function's own answers, inside the limits that the gateway and Lambda set."""

from __future__ import annotations

import contextvars
import json
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from werkzeug.wrappers import Request, Response

from shared.errors import IntegrationError, TooLargeError, UnavailableError
from shared.log import get_log
from shared.web.common import SECURITY_HEADERS, request_id_of
from shared.web.problems import problem

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

log = get_log(__name__)
MAX_BODY: Final = 5 * 1024 * 1024
MAX_ANSWER: Final = 6_000_000  # Lambda ends at 6 MB and would answer a bare 502
PROXY_DEADLINE_S: Final = 25.0
DEADLINE_S: Final = 28.0  # the gateway gives up after 30

Function = Callable[[Request], Response]
Handler = Callable[[Mapping[str, Any], Any], dict[str, Any]]
_PASSED_ON: Final = "advoware_proxy"


class GatewayTimeoutError(IntegrationError):
    """The upstream took longer than the gateway waits; whether it acted is unknown."""

    status, slug, title = 504, "upstream-timeout", "Upstream timeout"


class AnswerTooLargeError(IntegrationError):
    """The answer does not fit through Lambda."""

    status, slug, title = 502, "answer-too-large", "Answer too large"


def http_handler(target: str, function: Function, deadline_s: float | None = None) -> Handler:
    """Make the handler of one HTTP target."""
    from apig_wsgi import make_lambda_handler

    proxy = target == _PASSED_ON
    limit_s = deadline_s if deadline_s is not None else PROXY_DEADLINE_S if proxy else DEADLINE_S

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        return _answered(function, request, limit_s, proxy)(environ, start_response)

    inner = make_lambda_handler(application, binary_support=True)

    def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        return dict(inner(dict(event), context))

    return handler


def _answered(function: Function, request: Request, limit_s: float, proxy: bool) -> Response:
    """Answer in time; a thread that comes too late is left to itself, like a call whose caller hung up."""
    if (request.content_length or 0) > MAX_BODY:
        return _problem(request, TooLargeError(f"The body may have at most {MAX_BODY} bytes."))
    answers: list[Response] = []
    context = contextvars.copy_context()

    def work() -> None:
        answers.append(_whole(context.run(function, request), request))

    thread = threading.Thread(target=work, name="request", daemon=True)
    thread.start()
    thread.join(limit_s)
    if answers:
        return answers[0]
    if proxy:
        return _problem(request, GatewayTimeoutError(f"No answer within {limit_s:g} s."))
    return _problem(request, UnavailableError(f"No answer within {limit_s:g} s."))


def _whole(response: Response, request: Request) -> Response:
    """Read the answer inside the deadline; one that Lambda could not carry becomes a problem that says so."""
    parts, size = [], 0
    try:
        for part in response.response:
            data = part.encode() if isinstance(part, str) else part
            parts.append(data)
            size += len(data)
            if size * (4 / 3 if _is_binary(response) else 1) > MAX_ANSWER:
                return _problem(request, AnswerTooLargeError(f"Answers end at {MAX_ANSWER} bytes here."))
    except Exception as error:  # noqa: BLE001 - an answer that breaks off must not look whole
        log.warning("request_failed", slug="answer-broken-off", exception=type(error).__name__)
        return _problem(request, AnswerTooLargeError("The upstream's answer broke off."))
    finally:
        response.close()
    response.response = [b"".join(parts)]
    return response


def _is_binary(response: Response) -> bool:
    kind = response.content_type or ""
    return not kind.startswith(("text/", "application/json", "application/problem+json"))


def _problem(request: Request, error: IntegrationError) -> Response:
    response = problem(error, request.path, request_id_of(request))
    response.headers.extend({**SECURITY_HEADERS, "X-Request-ID": request_id_of(request)})
    log.warning("request_failed", slug=error.slug, status=error.status)
    return response


def schedule_handler(function_for: Callable[[str], Function], secret: Callable[[], str | None]) -> Handler:
    """Make the handler of EventBridge schedules: each event names the path that it stands for."""

    def handler(event: Mapping[str, Any], _context: Any) -> dict[str, Any]:
        path = str(event["path"])
        headers = {"X-Gateway-Secret": given} if (given := secret()) else {}
        request = Request.from_values(path, method="POST", headers=headers)
        response = function_for(request.path)(request)
        if response.status_code != 200:
            raise ScheduleFailedError(f"{request.path} answered {response.status_code}")
        return dict(json.loads(response.get_data() or b"{}"))

    return handler


class ScheduleFailedError(Exception):
    """A scheduled call failed; Lambda counts it and calls again."""
