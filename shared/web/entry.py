"""An entry: from a request over one of its routes to an answer, whatever happens on the way."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from shared.errors import MethodNotAllowedError, NotFoundError
from shared.log import bound
from shared.settings.common import CommonSettings
from shared.web.call import Call, json_response
from shared.web.common import Common, drain, request_id_of, streamed
from shared.web.problems import Document, document, problem, translated
from shared.web.reading import check_length

if TYPE_CHECKING:
    from pydantic import BaseModel
    from redis import Redis

Handler = Callable[[Call], "dict[str, Any] | Response"]
RawHandler = Callable[[Call], Response]


@dataclass(frozen=True)
class Route:
    """A method and a path pattern (`/calls/<id>`), who handles them, and what limits hold."""

    method: str
    pattern: str
    handler: Handler
    max_body: int | None = None
    gated: bool = True  # False: the handler looks at `call.from_gateway` or another proof itself
    body: type[BaseModel] | None = None  # what the handler reads, for the OpenAPI document
    query: type[BaseModel] | None = None
    asks: tuple[str, ...] = ()  # names that its query may carry where no model reads it, for the OpenAPI document
    limited: bool = False  # True: it may say 429, for the OpenAPI document
    page: bool = False  # True: it speaks to people, and may say in HTML what went wrong


class Entry:
    """One HTTP target as a callable from request to response."""

    def __init__(  # noqa: PLR0913 - the parts of an entry; most have a default
        self,
        target: str,
        routes: Sequence[Route],
        settings: CommonSettings,
        *,
        needs: Callable[[], list[str]] = list,
        redis: Callable[[], Redis | None] = lambda: None,
        sends: Callable[[], list[str]] = list,
        raw: RawHandler | None = None,
        raw_routes: Sequence[Route] = (),
        describe: Document = document,
    ) -> None:
        """Take the routes; `raw` gets every other path as it came and its answers keep their own headers.

        `raw_routes` only say, for the OpenAPI document, which of these paths `raw` knows.
        """
        self.routes, self.raw_routes = tuple(routes), tuple(raw_routes)
        self.common = Common(target, settings, needs, redis, sends)
        self._raw, self._describe = raw, describe
        self._routes: dict[str, dict[str, Route]] = {}
        for route in routes:
            self._routes.setdefault(route.pattern, {})[route.method] = route
        self._plain = frozenset(pattern for pattern in self._routes if "<" not in pattern)
        rules = [Rule(pattern, endpoint=pattern) for pattern in self._routes]
        self._map = Map(rules, strict_slashes=True, merge_slashes=False, redirect_defaults=False)

    def __call__(self, request: Request) -> Response:
        """Answer one request of the framework; no exception leaves this function."""
        response, own = self._respond(request)
        return streamed(response) if own else response

    def directly(self, request: Request) -> Response:
        """Answer one request of a server that leaves the body alone; no exception leaves this function."""
        return self._respond(request)[0]

    def _respond(self, request: Request) -> tuple[Response, bool]:
        started, request_id = time.monotonic(), request_id_of(request)
        with bound(request_id=request_id, target=self.common.target):
            own = True
            try:
                response, own = self._answer(request, request_id)
            except Exception as error:  # noqa: BLE001 - everything becomes an answer here
                response = problem(translated(error), request.path, request_id, self._describe)
                drain(request)
            return self.common.finish(request, response, request_id, started, own=own), own

    def _answer(self, request: Request, request_id: str) -> tuple[Response, bool]:
        common = self.common.answer(request)
        if common is not None:
            return common, True
        from_gateway = self.common.from_gateway(request)
        limit = self.common.settings.max_body_bytes
        if self._raw is not None and not self._matches(request):
            self.common.require_gateway(request)
            return self._raw(Call(request, {}, request_id, limit, from_gateway)), False
        route, params = self._find(request, from_gateway)
        call = Call(request, params, request_id, route.max_body or limit, from_gateway)
        if not route.page:  # a page says it in its own words
            check_length(request, call.max_body)
        answer = route.handler(call)
        return (json_response(answer), True) if isinstance(answer, dict) else (answer, True)

    def _find(self, request: Request, from_gateway: bool) -> tuple[Route, dict[str, str]]:
        found = self._match(request)
        by_method = self._routes[found[0]] if found else {}
        route = by_method.get(request.method)
        if not from_gateway and (route is None or route.gated):
            self.common.require_gateway(request)
        if found is None:
            raise NotFoundError("There is nothing under this path.")
        if route is None:
            raise MethodNotAllowedError(headers={"Allow": ", ".join(by_method)})
        return route, found[1]

    def _matches(self, request: Request) -> bool:
        return self._match(request) is not None

    def _match(self, request: Request) -> tuple[str, dict[str, str]] | None:
        if request.path in self._plain:
            return request.path, {}
        adapter = self._map.bind("localhost", "/")
        try:
            endpoint, params = adapter.match(request.path, method="GET")
        except HTTPException:
            return None
        return str(endpoint), {name: str(value) for name, value in params.items()}
