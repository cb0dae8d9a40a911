"""Make functions-framework keep our promises where it answers itself: for events, unknown paths and errors."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from shared.errors import UnreadableRequestError
from shared.events.cloudevent import check_message
from shared.log import bound
from shared.startup import settle
from shared.web.common import Common, request_id_of
from shared.web.entry import Entry
from shared.web.problems import problem, translated

if TYPE_CHECKING:
    from flask import Flask
    from flask import Response as FlaskResponse
    from werkzeug.wrappers import Response

_HTTP_FUNCTION = "run"  # the framework's name for the endpoint of an HTTP function, which is an Entry and complete


def install(entry: Entry, sends: Callable[[], list[str]] = list) -> None:
    """Hook into the Flask application that is being made around this module, if there is one.

    `sends` names what its event functions lack to pass their own events on.
    """
    settle()
    flask = sys.modules.get("flask")
    if flask is None or not flask.has_app_context():
        return
    app = flask.current_app
    _Hooks(Common(app.name, entry.common.settings, entry.common.needs, entry.common.redis, sends)).into(app)


class _Hooks:
    """The hooks of one application."""

    def __init__(self, common: Common) -> None:
        self._common = common

    def into(self, app: Flask) -> None:
        """Register before, after and around every request."""
        app.before_request(self.before)
        app.after_request(self.after)
        app.teardown_request(self.teardown)
        for kind in (Exception, 500):
            app.register_error_handler(kind, self.failed)

    def before(self) -> Response | None:
        """Check and answer what does not need the function."""
        from flask import g, request

        if request.endpoint == _HTTP_FUNCTION:
            return None
        g.started, g.request_id, g.stack = time.monotonic(), request_id_of(request), ExitStack()
        g.stack.enter_context(bound(request_id=g.request_id, target=self._common.target))
        answer = self._common.answer(request)
        if answer is not None:
            return answer
        self._common.require_gateway(request)
        request.max_content_length = self._common.settings.max_body_bytes
        if request.method == "POST":
            check_message(request.headers, request.get_data())
        return None

    def failed(self, error: Exception) -> Response:
        """Answer an exception; a body without a CloudEvent is named as such, and nothing of it is repeated."""
        from flask import g, request

        ours = translated(_named(error))
        return problem(ours, request.path, g.get("request_id", "") or request_id_of(request))

    def after(self, response: FlaskResponse) -> FlaskResponse:
        """Say 204 where the framework says OK, and finish as every entry does."""
        from flask import g, request

        if "started" not in g:
            return response
        if request.endpoint is not None and request.method == "POST" and response.status_code == 200:
            response.status_code = 204
            response.set_data(b"")
            del response.headers["Content-Type"]
        response.headers.pop("X-Google-Status", None)
        self._common.finish(request, response, g.request_id, g.started, own=True)
        return response

    def teardown(self, _error: BaseException | None) -> None:
        """Forget the request's log fields."""
        from flask import g

        if "stack" in g:
            g.stack.close()


def _named(error: Exception) -> Exception:
    from cloudevents.exceptions import GenericException
    from werkzeug.exceptions import BadRequest, UnsupportedMediaType

    if isinstance(error, BadRequest | UnsupportedMediaType | GenericException):
        return UnreadableRequestError("The request carries no CloudEvent.")
    return error
