"""All targets in one process: `functions.app:app` is the WSGI application of the single machine."""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from werkzeug.wrappers import Request, Response

from shared import openapi, startup
from shared.errors import NotFoundError
from shared.events.bus import MODELS, Bus
from shared.events.pubsub import received
from shared.events.task import Subscriber
from shared.settings.common import CommonSettings
from shared.web.call import Call
from shared.web.entry import Entry, Route

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Function = Callable[[Request], Response]


@dataclass(frozen=True)
class Folder:
    """One function folder: its module, and the target behind each path prefix."""

    module: str
    prefixes: Mapping[str, str]


FOLDERS: Final = (
    Folder("functions.advoware_proxy.main", {"/advoware": "advoware_proxy"}),
    Folder(
        "functions.calendar_sync.main",
        {
            "/calendar": "calendar_sync_api",
            "/calendar/cron": "calendar_sync_cron",
            "/calendar/push": "calendar_push",
        },
    ),
    Folder("functions.vmh_webhooks.main", {"/vmh": "vmh_webhooks"}),
    Folder("functions.leads.main", {"/api/leads": "leads", "/leads/maintenance": "leads_maintenance"}),
    Folder("functions.threecx.main", {"/threecx": "threecx"}),
    Folder("functions.ops.main", {"/ops": "ops"}),
)


class App:
    """Picks the target by the longest path prefix and leaves the path as it came."""

    def __init__(self, modules: Iterable[tuple[Any, Mapping[str, str]]], parts: startup.Parts) -> None:
        self.subscribers: dict[str, Subscriber] = {}
        self._functions: dict[str, Function] = {}
        entries: list[Entry] = []
        for module, prefixes in modules:
            entries += openapi.entries_of(module)
            self.subscribers |= subscribers_of(module)
            self._functions |= {prefix: getattr(module, target) for prefix, target in prefixes.items()}
        self._by_length = sorted(self._functions, key=len, reverse=True)
        self._bus = Bus("app")
        routes = [Route("POST", "/events/<topic>", self._event), Route("GET", "/openapi.json", self._openapi)]
        self._own = Entry(
            "app",
            routes,
            parts[CommonSettings],
            needs=parts.missing,
            redis=self._bus.state,
            sends=lambda: self._bus.unsendable(*self.subscribers),
        )
        self.entries = (*entries, self._own)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        request = Request(environ)
        return self.function_for(request.path)(request)(environ, start_response)

    def function_for(self, path: str) -> Function:
        """Find the target of a path; what belongs to nobody is answered by the app itself."""
        for prefix in self._by_length:
            if path == prefix or path.startswith(prefix + "/"):
                return self._functions[prefix]
        return self._own

    def _openapi(self, _call: Call) -> dict[str, Any]:
        """Describe all targets in the terms of OpenAPI."""
        return openapi.document(self.entries)

    def _event(self, call: Call) -> Response:
        """Work an event off inside the request."""
        topic = call.params["topic"]
        if topic not in self.subscribers:
            raise NotFoundError("There is no such topic here.")
        self._bus.deliver(self.subscribers, received(call.request.headers, call.body()), topic)
        return Response(status=204)


def subscribers_of(module: Any) -> dict[str, Subscriber]:
    """Read which topics a module subscribes to; a plain function is a subscriber without limits of its own."""
    declared: Mapping[str, Any] = getattr(module, "SUBSCRIBERS", {})
    return {topic: each if isinstance(each, Subscriber) else Subscriber(each) for topic, each in declared.items()}


def prepare() -> startup.Parts:
    """Check the whole process before any function is imported; here the stream is the default transport."""
    if not os.environ.get("EVENT_TRANSPORT", "").strip():
        os.environ["EVENT_TRANSPORT"] = "redis"
    models = [*MODELS, *startup.every_model()]
    return startup.start(*models, secrets=startup.SECRETS, redis=lambda: Bus("app").state(), whole_process=True)


def load(folders: Iterable[Folder] = FOLDERS) -> list[tuple[Any, Mapping[str, str]]]:
    """Import the functions that exist."""
    there = [folder for folder in folders if importlib.util.find_spec(folder.module)]
    return [(importlib.import_module(folder.module), folder.prefixes) for folder in there]


def introduce(modules: Iterable[tuple[Any, Mapping[str, str]]], parts: startup.Parts) -> None:
    """Lend the console what it cannot know: which settings the process misses, and plans of the calendar sync."""
    by_name = {module.__name__: module for module, _ in modules}
    console, calendar = by_name.get("functions.ops.main"), by_name.get("functions.calendar_sync.main")
    if console:
        console.LENT.missing = parts.missing
    if console and calendar:
        console.LENT.plan_text = calendar.plan_text


def build() -> App:
    """Make the application of this process."""
    parts, modules = prepare(), load()
    introduce(modules, parts)
    return App(modules, parts)


def __getattr__(name: str) -> Any:
    """Build `app` when a server asks for it, so that tests and the worker import this module without effect."""
    if name != "app":
        raise AttributeError(name)
    globals()["app"] = build()
    return globals()["app"]


def main() -> None:
    """Serve on PORT for local runs; production runs gunicorn with `gunicorn_conf.py`."""
    from werkzeug.serving import run_simple

    run_simple("127.0.0.1", int(os.environ.get("PORT", "8080")), build(), threaded=True)


if __name__ == "__main__":
    main()
