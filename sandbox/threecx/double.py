"""Stand in for 3CX behind the gateway contract: /api/v1, and a hand that lets it ring."""

import base64
import json
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import requests
from werkzeug.wrappers import Request, Response

from sandbox.double import Double, json_response
from shared.webhook import sign

ROOT = "/api/v1/"
Json = dict[str, Any]


def tone(seconds: float) -> bytes:
    """Make a small wav file."""
    samples = bytes(128 + (step * 37 % 64) for step in range(int(8000 * seconds)))
    head = b"RIFF" + (36 + len(samples)).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
    head += (1).to_bytes(2, "little") * 2 + (8000).to_bytes(4, "little") * 2 + (1).to_bytes(2, "little")
    return head + (8).to_bytes(2, "little") + b"data" + len(samples).to_bytes(4, "little") + samples


@dataclass
class Account:
    """What a caller of the API must show."""

    api_key: str = "threecx-sandbox-key"
    username: str = "api"
    password: str = "sandbox"


@dataclass
class Bell:
    """Sends events to a receiver, signed as ours are."""

    url: str
    secret: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def send(self, event: str, call_id: str, **fields: Any) -> requests.Response:
        """Send one event."""
        body = {"event": event, "call_id": call_id, "timestamp": now(), **fields}
        raw, stamp = json.dumps(body).encode(), int(time.time())
        signed = (
            {"X-3CX-Timestamp": str(stamp), "X-3CX-Signature": sign(raw, self.secret, stamp)} if self.secret else {}
        )
        headers = {"Content-Type": "application/json", **signed, **self.headers}
        return requests.post(self.url, data=raw, headers=headers, timeout=10)


def now() -> str:
    """Say what time it is."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


class ThreeCx(Double):
    """The gateway: `calls` holds what was placed, `recordings` the audio; `ignores_range` sends it whole always."""

    def __init__(self, account: Account | None = None) -> None:
        super().__init__()
        self.account = account or Account()
        self.calls: dict[str, Json] = {}
        self.recordings: dict[str, bytes] = {}
        self.erased: list[str] = []
        self.webhooks: list[Json] = []
        self.ignores_range, self.can_erase = True, True

    def env(self, url: str) -> dict[str, str]:
        """Say which settings a client needs to work with this double."""
        return {"THREECX_API_BASE_URL": f"{url}{ROOT}", "THREECX_API_KEY": self.account.api_key}

    def move(self, call_id: str, status: str, **fields: Any) -> None:
        """Let a call get on."""
        self.calls[call_id] |= {"status": status, **fields}

    def handle(self, request: Request) -> Response:
        """Answer one call."""
        if not self._admitted(request):
            return json_response({"error": "unauthorized"}, 401)
        parts = request.path.removeprefix(ROOT).split("/")
        match request.method, parts:
            case "POST", ["calls", "initiate"]:
                return self._initiate(json.loads(request.get_data()))
            case "GET", ["calls", call_id, "status"] if call_id in self.calls:
                return json_response(self.calls[call_id])
            case "GET", ["calls", call_id, "recording"] if call_id in self.recordings:
                return self._audio(request, self.recordings[call_id])
            case "DELETE", ["calls", call_id, "recording"]:
                return self._erase(call_id)
            case "POST", ["webhook"]:
                self.webhooks.append(json.loads(request.get_data()))
                return json_response({"id": len(self.webhooks)}, 201)
        return json_response({"error": "not found"}, 404)

    def _admitted(self, request: Request) -> bool:
        account, basic = self.account, request.headers.get("Authorization", "")
        expected = base64.b64encode(f"{account.username}:{account.password}".encode()).decode()
        return request.headers.get("X-API-Key") == account.api_key or basic == f"Basic {expected}"

    def _initiate(self, body: Json) -> Response:
        if not body.get("from") or not str(body.get("to", "")).startswith("+"):
            return json_response({"error": "from and to are needed"}, 422)
        call_id = f"c-{uuid.uuid4().hex[:8]}"
        self.calls[call_id] = {"call_id": call_id, "status": "initiated", "direction": "outbound", **body}
        return json_response({"call_id": call_id, "status": "initiated"})

    def _audio(self, request: Request, audio: bytes) -> Response:
        response = Response(audio, content_type="audio/x-wav")
        if not self.ignores_range:
            response.make_conditional(request.environ, accept_ranges=True, complete_length=len(audio))
        return response

    def _erase(self, call_id: str) -> Response:
        if not self.can_erase:
            return json_response({"error": "method not allowed"}, 405)
        self.erased.append(call_id)
        self.recordings.pop(call_id, None)
        return Response(status=204)
