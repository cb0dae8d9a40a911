"""Keep the faults a test has switched on and the calls a double has seen."""

import math
import re
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from typing import Any

KINDS = frozenset(
    ("status", "drop_before", "drop_after", "delay", "late", "html", "cut", "transform", "truncate", "duplicate")
)


class HangUp(ConnectionError):  # noqa: N818  it is an action, not a failure of ours
    """Make the server close the connection without saying anything more."""


@dataclass
class Fault:
    """Say which calls go wrong, how often and in which way.

    status: answer `status` with `json` or `text` and `headers`; processed first only with `processed`
    drop_before: hang up, nothing processed · drop_after: process, hang up · late: hang up, process after `seconds`
    delay: wait `seconds`, then process · html: 200 with a page, nothing processed · cut: half of the body, hang up
    truncate: keep the first `keep` items (a fraction below 1: that share) of the answer's array or its `items`
    transform: pass the parsed answer through a callable · duplicate: process twice, answer the second time
    """

    kind: str
    method: str | None = None
    path: str = ""
    query: str = ""
    skip: int = 0
    times: int | None = 1
    status: int = 503
    json: Any = None
    text: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    processed: bool = False
    seconds: float = 0.0
    keep: float = 0
    transform: Callable[[Any], Any] | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown kind of fault: {self.kind}")
        if self.kind == "transform" and self.transform is None:
            raise ValueError("a transform needs its callable and cannot be set over HTTP")
        re.compile(self.path), re.compile(self.query)

    def concerns(self, method: str, path: str, query: str) -> bool:
        """Tell whether a call is one of those that may go wrong."""
        same_method = self.method is None or self.method.upper() == method
        return same_method and bool(re.search(self.path, path)) and bool(re.search(self.query, query))

    def strikes(self) -> bool:
        """Count one matching call and tell whether it is hit."""
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.times is None:
            return True
        self.times -= 1
        return self.times >= 0

    def shorten(self, answer: Any) -> Any:
        """Keep the first items of an array, or of the array under `items`."""
        if isinstance(answer, dict):
            return {**answer, "items": self.shorten(answer.get("items", []))}
        return answer[: math.floor(len(answer) * self.keep) if self.keep < 1 else int(self.keep)]


@dataclass(frozen=True)
class Call:
    """Remember one call without its bodies; status 0 means that nobody got an answer."""

    method: str
    path: str
    query: str
    status: int
    at: float
    fault: str | None = None


def fault_from(data: dict[str, Any]) -> Fault:
    """Read a fault from JSON."""
    unknown = data.keys() - {item.name for item in fields(Fault)} | data.keys() & {"transform"}
    if unknown:
        raise ValueError(f"unknown fields: {', '.join(sorted(unknown))}")
    return Fault(**data)


class Switchboard:
    """Hold faults and calls for many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._calls: list[Call] = []

    def add(self, fault: Fault) -> Fault:
        """Switch a fault on; of several that match a call the oldest one strikes."""
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Switch all faults off."""
        with self._lock:
            self._faults.clear()

    def pick(self, method: str, path: str, query: str) -> Fault | None:
        """Find the fault that strikes this call."""
        with self._lock:
            hits = (fault for fault in self._faults if fault.concerns(method, path, query) and fault.strikes())
            struck = next(hits, None)
            self._faults = [fault for fault in self._faults if fault.times != 0]
            return struck

    def note(self, method: str, path: str, query: str, status: int, fault: Fault | None) -> None:
        """Remember one call."""
        call = Call(method, path, query, status, time.time(), fault.kind if fault else None)
        with self._lock:
            self._calls.append(call)

    @property
    def faults(self) -> list[dict[str, Any]]:
        """Show the faults that are still on."""
        with self._lock:
            return [{k: v for k, v in asdict(fault).items() if k != "transform"} for fault in self._faults]

    @property
    def calls(self) -> list[Call]:
        """List the calls so far, oldest first."""
        with self._lock:
            return list(self._calls)

    def count(self, method: str | None = None, path_contains: str | None = None, since: float = 0) -> int:
        """Count calls by method, part of the path and time (epoch seconds)."""
        return sum(
            (method is None or call.method == method)
            and (path_contains is None or path_contains in call.path)
            and call.at >= since
            for call in self.calls
        )

    def forget_calls(self) -> None:
        """Start the list of calls anew."""
        with self._lock:
            self._calls.clear()
