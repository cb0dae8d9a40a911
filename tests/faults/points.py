"""Number every call that leaves the process, to Redis or over HTTP, and let one of them be an accident.

An accident is one of three: the process dies before the call is sent; the call is carried out and its answer is
lost; the call is carried out and then the process dies. Doubles stand in the same process, so nothing has to wait.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import redis
import requests
from calendar_wire import Crash, Direct, Wire, _shape

from sandbox.double import Double
from shared import state
from shared.state.script import Script

T = TypeVar("T")
KINDS = ("not sent", "answer lost", "done, then dead")


class Points:
    """The calls so far, and where the accident happens."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.at, self.kind = -1, ""

    def arm(self, at: int, kind: str) -> None:
        """Let call `at` be an accident of this kind; with -1 let none be one."""
        self.names, self.at, self.kind = [], at, kind

    def touch(self, name: str, do: Callable[[], T], lost: Exception) -> T:
        """Make one call."""
        here = len(self.names) == self.at
        self.names.append(name)
        if here and self.kind == "not sent":
            raise Crash(name)
        result = do()
        if here:
            raise lost if self.kind == "answer lost" else Crash(name)
        return result


class WatchedRedis(redis.Redis):
    """A client each of whose commands, scripts and pipelines is one call."""

    points: Points

    @classmethod
    def of(cls, points: Points, client: redis.Redis) -> WatchedRedis:
        """Watch what goes through the connections of another client."""
        watched = cls(connection_pool=client.connection_pool)
        watched.points = points
        return watched

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Send one command."""
        send = functools.partial(super().execute_command, *args, **options)
        return self.points.touch(f"redis {_named(args)}", send, redis.TimeoutError("the answer was lost"))

    def pipeline(self, *args: Any, **options: Any) -> Any:
        """Give a pipeline whose sending is one call."""
        pipe = super().pipeline(*args, **options)
        send = pipe.execute

        def execute(*how: Any, **more: Any) -> Any:
            lost = redis.TimeoutError("the answer was lost")
            return self.points.touch("redis pipeline", functools.partial(send, *how, **more), lost)

        pipe.execute = execute
        return pipe


def carry_to(points: Points, doubles: Mapping[str, Double]) -> Callable[..., requests.Response]:
    """Give what stands in the place of an adapter's `send`: `http://<name>.test/` is the double of that name."""
    wires = {name: Direct(name, double, Wire()) for name, double in doubles.items()}

    def send(_adapter: Any, request: requests.PreparedRequest, **_options: Any) -> requests.Response:
        name = str(request.url).split("/")[2].removesuffix(".test")
        carry = functools.partial(wires[name]._carry, request)
        shape = f"{name} {request.method} {_shape(str(request.path_url))}"
        return points.touch(shape, carry, requests.ConnectionError("the answer was lost"))

    return send


def _named(args: tuple[Any, ...]) -> str:
    return _scripts().get(str(args[1]), "script") if args[0] == "EVALSHA" else str(args[0]).lower()


@functools.cache
def _scripts() -> dict[str, str]:
    """Name every script by its hash."""
    names = [path.name for path in Path(state.__path__[0]).glob("*.lua")]
    made = [Script(name, repeatable=True, prelude=prelude) for name in names for prelude in (None, "queue.lua")]
    return {each.sha: each.name.removesuffix(".lua") for each in made}
