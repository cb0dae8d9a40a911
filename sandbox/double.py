"""What every double has: its faults and its call log."""

import io
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from sandbox.faults import Fault, HangUp, Switchboard, fault_from

HTML_PAGE = "<!doctype html><html><head><title>Maintenance</title></head><body><h1>Please try later</h1></body></html>"
Environ = dict[str, Any]


def json_response(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Answer with JSON."""
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return Response(body, status, headers, content_type="application/json; charset=UTF-8")


class Double:
    """Answer HTTP in the place of an upstream, with faults on request.

    A subclass implements `handle` and keeps its own state (and its own lock: calls come from many threads)::

        class Echo(Double):
            def handle(self, request: Request) -> Response:
                return json_response({"path": request.path})

        echo = Echo()
        with serve(echo) as server:
            echo.board.add(Fault("status", method="POST", path="^/things", status=503, times=2))
            requests.post(f"{server.url}/things")  # 503, the third one is answered by handle
            assert echo.board.count("POST", "/things") == 1

    The same over HTTP: POST, GET, DELETE /_sandbox/faults · GET, DELETE /_sandbox/calls · GET /_sandbox/health.
    Without a server (werkzeug.test.Client) a hang-up appears as `HangUp`, a ConnectionError.
    """

    def __init__(self) -> None:
        self.board = Switchboard()
        self._late: list[threading.Thread] = []

    def handle(self, request: Request) -> Response:
        """Answer one call; subclasses say how."""
        raise NotImplementedError

    def settle(self, timeout_s: float = 10) -> None:
        """Wait for calls that are processed after their reply was dropped."""
        for thread in self._late:
            thread.join(timeout_s)

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path.startswith("/_sandbox/"):
            return self._control(Request(environ))(environ, start_response)
        method, query = environ["REQUEST_METHOD"], environ.get("QUERY_STRING", "")
        fault = self.board.pick(method, path, query)
        if fault is None:
            response = self._answer(environ)
            self.board.note(method, path, query, response.status_code, None)
            return response(environ, start_response)
        return self._go_wrong(fault, (method, path, query), environ, start_response)

    def _answer(self, environ: Environ) -> Response:
        try:
            return self.handle(Request(environ))
        except HTTPException as error:
            return Response.from_app(error, environ)

    def _go_wrong(
        self, fault: Fault, call: tuple[str, str, str], environ: Environ, start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        body = Request(environ).get_data()
        if fault.kind in ("transform", "truncate"):
            environ = {**environ, "HTTP_ACCEPT_ENCODING": "identity"}
        response = self._spoilt(fault, lambda: self._answer({**environ, "wsgi.input": io.BytesIO(body)}))
        self.board.note(*call, response.status_code if response else 0, fault)
        if response is None:
            raise HangUp
        result = response(environ, start_response)
        return _half(b"".join(result)) if fault.kind == "cut" else result

    def _spoilt(self, fault: Fault, answer: Callable[[], Response]) -> Response | None:
        match fault.kind:
            case "status":
                if fault.processed:
                    answer()
                return _faulty_status(fault)
            case "drop_before":
                return None
            case "drop_after":
                answer()
                return None
            case "late":
                self._later(fault.seconds, answer)
                return None
            case "html":
                return Response(HTML_PAGE, 200, content_type="text/html; charset=utf-8")
            case "delay":
                time.sleep(fault.seconds)
            case "duplicate":
                answer()
            case "transform" | "truncate":
                return _changed(answer(), fault.transform or fault.shorten)
        return answer()

    def _later(self, seconds: float, answer: Callable[[], Response]) -> None:
        def work() -> None:
            time.sleep(seconds)
            answer()

        thread = threading.Thread(target=work, daemon=True)
        self._late.append(thread)
        thread.start()

    def _control(self, request: Request) -> Response:
        match request.method, request.path.removeprefix("/_sandbox/"):
            case "GET", "health":
                return json_response({"status": "ok"})
            case "POST", "faults":
                return self._add_faults(request)
            case "GET", "faults":
                return json_response({"faults": self.board.faults})
            case "GET", "calls":
                return json_response({"calls": [asdict(call) for call in self.board.calls]})
            case "DELETE", "faults" | "calls" as what:
                (self.board.clear if what == "faults" else self.board.forget_calls)()
                return Response(status=204)
        return json_response({"error": "no such switch"}, 404)

    def _add_faults(self, request: Request) -> Response:
        try:
            data = json.loads(request.get_data())
            for fault in [fault_from(item) for item in (data if isinstance(data, list) else [data])]:
                self.board.add(fault)
        except (ValueError, TypeError, AttributeError) as error:
            return json_response({"error": str(error)}, 400)
        return json_response({"faults": self.board.faults}, 201)


def _faulty_status(fault: Fault) -> Response:
    if fault.json is not None:
        return json_response(fault.json, fault.status, fault.headers)
    return Response(fault.text, fault.status, fault.headers)


def _changed(response: Response, change: Callable[[Any], Any]) -> Response:
    """Change the parsed answer; errors stay as they are."""
    if response.status_code >= 400 or not response.is_json:
        return response
    return json_response(change(json.loads(response.get_data())), response.status_code)


def _half(body: bytes) -> Iterator[bytes]:
    yield body[: len(body) // 2]
    raise HangUp
