"""Send webhooks as EspoCRM's scheduled job does: signed, in batches, with its own idea of what to try again."""

import base64
import hashlib
import hmac
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import requests

from sandbox.espocrm.answers import Json, php_json
from sandbox.espocrm.webhooks import Item, Webhooks

EVENTS_A_RUN, WEBHOOKS_A_RUN, ITEMS_A_REQUEST = 20, 20, 50
ATTEMPTS, AGAIN_AFTER = 4, timedelta(minutes=10)
AGAIN = frozenset({0, 401, 403, 404, 405, 408, 500, 503})
CONNECT_S, WHOLE_S = 5.0, 10.0
Post = Callable[[str, bytes, dict[str, str], tuple[float, float]], int]


@dataclass(frozen=True)
class Delivery:
    """One request that was made, and the status that came back: 0 for none, 408 for too late."""

    event: str
    url: str
    items: int
    status: int


def signed(raw: bytes, webhook: Json) -> dict[str, str]:
    """Write the headers of a request."""
    digest = hmac.digest(webhook["secretKey"].encode(), raw, hashlib.sha256)
    name = webhook["id"].encode()
    return {
        "Content-Type": "application/json",
        "Signature": base64.b64encode(name + b":" + digest.hex().encode()).decode(),
        "X-Signature": base64.b64encode(name + b":" + digest).decode(),
    }


def post(url: str, raw: bytes, headers: dict[str, str], timeout: tuple[float, float]) -> int:
    """Make one request; only the status counts."""
    try:
        return requests.post(url, data=raw, headers=headers, timeout=timeout, allow_redirects=False).status_code
    except requests.Timeout:
        return 408
    except requests.RequestException:
        return 0


class Sender:
    """The job *Process Webhook Queue*; nothing is sent unless somebody runs it."""

    def __init__(self, webhooks: Webhooks, *, version: str = "9.2.7", send: Post = post) -> None:
        self.webhooks, self.version, self.send = webhooks, version, send
        self.timeout = (CONNECT_S, WHOLE_S)
        self.deliveries: list[Delivery] = []
        self._stop = threading.Event()

    def run(self) -> list[Delivery]:
        """Run once: take events over, then serve each webhook one request."""
        self.webhooks.take_over(EVENTS_A_RUN)
        due = dict.fromkeys(item.webhook_id for item in self.webhooks.items if item.status == "Pending")
        made = [self._serve(each) for each in list(due)[:WEBHOOKS_A_RUN]]
        new = [delivery for delivery in made if delivery]
        self.deliveries += new
        return new

    def run_all(self, most: int = 100) -> list[Delivery]:
        """Run until nothing is due any more."""
        made: list[Delivery] = []
        for _ in range(most):
            new = self.run()
            made += new
            if not new and not self.webhooks.events:
                break
        return made

    def drop(self) -> int:
        """Lose everything that waits, as an EspoCRM does whose receiver was down for long."""
        with self.webhooks.lock:
            lost = len(self.webhooks.events) + sum(item.status == "Pending" for item in self.webhooks.items)
            self.webhooks.events.clear()
            self.webhooks.items.clear()
            return lost

    def start(self, every_s: float) -> None:
        """Run in a thread until stopped."""

        def work() -> None:
            while not self._stop.wait(every_s):
                self.run()

        threading.Thread(target=work, name="webhooks", daemon=True).start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()

    def _serve(self, webhook_id: str) -> Delivery | None:
        webhook, items = self.webhooks.rows.get(webhook_id), self.webhooks.due(webhook_id, ITEMS_A_REQUEST)
        if webhook is None or not items:
            return None
        raw = php_json([item.payload for item in items]).encode()
        status = self.send(webhook["url"], raw, signed(raw, webhook), self.timeout)
        self._settle(webhook_id, items, status)
        return Delivery(webhook["event"], webhook["url"], len(items), status)

    def _settle(self, webhook_id: str, items: list[Item], status: int) -> None:
        if status == 410:
            self.webhooks.remove(webhook_id)
            return
        given_up = status == 0 and self.version.startswith("10")
        for item in items:
            item.attempts += 1
            if 200 <= status < 400:
                item.status = "Success"
            elif status not in AGAIN or item.attempts >= ATTEMPTS or given_up:
                item.status = "Failed"
            else:
                item.due = self.webhooks.clock() + AGAIN_AFTER
