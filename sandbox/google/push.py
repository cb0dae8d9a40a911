"""Keep push channels and send their notifications."""

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests

from sandbox.google.errors import GoogleError, invalid, not_found

LONGEST_S, DEFAULT_S = 30 * 86_400, 604_800
ID = re.compile(r"[A-Za-z0-9\-_+/=]{1,64}")


@dataclass
class Channel:
    """Hold one channel of a calendar."""

    id: str
    calendar_id: str
    resource_id: str
    resource_uri: str
    address: str
    token: str
    expires_at: float
    messages: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def resource(self) -> dict[str, Any]:
        """Show the channel as events.watch answers it."""
        own = {"id": self.id, "resourceId": self.resource_id, "resourceUri": self.resource_uri}
        times = {"expiration": str(int(self.expires_at * 1000))}
        return {"kind": "api#channel", **own, **({"token": self.token} if self.token else {}), **times}

    def headers(self, state: str) -> dict[str, str]:
        """Write the headers of the next message."""
        with self.lock:
            self.messages += 1
            number = self.messages
        token = {"X-Goog-Channel-Token": self.token} if self.token else {}
        return {
            "X-Goog-Channel-ID": self.id,
            "X-Goog-Channel-Expiration": str(int(self.expires_at)),
            "X-Goog-Resource-ID": self.resource_id,
            "X-Goog-Resource-URI": self.resource_uri,
            "X-Goog-Resource-State": state,
            "X-Goog-Message-Number": str(number),
            **token,
        }


class Channels:
    """Open, stop and use channels."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.https_only = False
        self.open: dict[str, Channel] = {}

    def watch(self, calendar_id: str, uri: str, body: dict[str, Any]) -> Channel:
        """Open a channel, refusing what Google refuses."""
        channel_id, address, token = body.get("id", ""), body.get("address", ""), body.get("token", "")
        if not ID.fullmatch(channel_id) or len(token) > 256:
            raise invalid("Invalid channel id or token.")
        if body.get("type") not in ("web_hook", "webhook"):
            raise invalid("Unknown channel type.")
        if not re.match("https://" if self.https_only else "https?://", address):
            raise GoogleError(400, "push.webhookUrlNotHttps", f"WebHook callback must be HTTPS: {address}")
        if channel_id in self.open:
            raise GoogleError(400, "channelIdNotUnique", f"Channel id {channel_id} not unique")
        channel = Channel(channel_id, calendar_id, f"r-{calendar_id[:40]}", uri, address, token, self._end(body))
        self.open[channel_id] = channel
        return channel

    def _end(self, body: dict[str, Any]) -> float:
        now = self.clock()
        asked = int(body["expiration"]) / 1000 if "expiration" in body else None
        ttl = float(body.get("params", {}).get("ttl", DEFAULT_S))
        return min(asked or now + ttl, now + LONGEST_S)

    def stop(self, body: dict[str, Any]) -> None:
        """Close a channel."""
        channel = self.open.get(body.get("id", ""))
        if channel is None or channel.resource_id != body.get("resourceId"):
            raise not_found()
        del self.open[channel.id]

    def of(self, calendar_id: str) -> list[Channel]:
        """List the channels of a calendar that have not ended."""
        return [c for c in list(self.open.values()) if c.calendar_id == calendar_id and c.expires_at > self.clock()]

    def notify(self, calendar_id: str, state: str = "exists") -> list[int]:
        """Tell every channel of a calendar that something changed; 0 stands for nobody there."""
        return [send(channel, state) for channel in self.of(calendar_id)]

    def notify_soon(self, channel: Channel, state: str) -> None:
        """Send one message without waiting for its answer."""
        threading.Thread(target=send, args=(channel, state), daemon=True).start()


def send(channel: Channel, state: str) -> int:
    """Post one message and tell the status of the answer."""
    try:
        return requests.post(channel.address, headers=channel.headers(state), timeout=10).status_code
    except requests.RequestException:
        return 0
