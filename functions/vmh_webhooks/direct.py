"""Answer webhooks without the framework's way round: its own routing and contexts cost as much as ours."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from werkzeug.wrappers import Request

from shared.web.entry import Entry

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def answer_directly(entry: Entry, target: str, prefix: str) -> None:
    """Let an entry answer everything below a path itself, if the application being made is that of its target."""
    flask = sys.modules.get("flask")
    if flask is None or not flask.has_app_context() or flask.current_app.name != target:
        return
    app = flask.current_app._get_current_object()
    through = app.wsgi_app

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO", "").startswith(prefix):
            return _answered(entry, environ, start_response)
        answer: Iterable[bytes] = through(environ, start_response)
        return answer

    app.wsgi_app = application


def _answered(entry: Entry, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    response = entry.directly(Request(environ))
    if environ["REQUEST_METHOD"] != "POST" or not response.is_sequence:
        return response(environ, start_response)
    body = response.get_data()
    response.headers["Content-Length"] = str(len(body))
    start_response(response.status, response.headers.to_wsgi_list())
    return (body,)
