"""The transport of Google Cloud: one Pub/Sub topic per topic over its REST interface, and what its push brings."""

from __future__ import annotations

import base64
import binascii
import functools
import json
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

from werkzeug.datastructures import Headers

from shared import metrics
from shared.errors import UnreadableRequestError
from shared.events.cloudevent import Event, from_message, structured
from shared.events.http import HttpPublisher
from shared.log import get_log

if TYPE_CHECKING:
    from shared.events.arguments import Arguments
    from shared.state.queue import WorkQueue

log = get_log(__name__)
SERVICE: Final = "https://pubsub.googleapis.com"
SCOPE: Final = "https://www.googleapis.com/auth/pubsub"
PUSHED: Final = "google.cloud.pubsub.topic.v1.messagePublished"
TIMEOUT_S: Final = (0.5, 1.0)


class Post(Protocol):
    """Posts one JSON document and tells the status of the answer, or None when none came."""

    def __call__(self, url: str, document: Mapping[str, Any]) -> int | None:
        """Send it."""
        ...


class PubSubPublisher(HttpPublisher):
    """Publishes by `topics.publish`; outbox and relay are those of the base."""

    def __init__(
        self,
        target: str,
        queue_of: Callable[[str], WorkQueue],
        arguments: Callable[[], Arguments],
        *,
        project: str,
        post: Post | None = None,
    ) -> None:
        super().__init__(target, queue_of, arguments, base_url=None, secret=None)
        self._project, self._publish = project, _post if post is None else post

    def _hand_over(self, event: Event) -> bool:
        status = self._publish(publish_url(self._project, event.type), message_of(event))
        taken = status is not None and 200 <= status < 300
        metrics.EVENTS.labels(event.type, "taken" if taken else "left").inc()
        if not taken:
            log.info("event_left_in_outbox", topic=event.type, status=status, event_id=event.id)
        return taken


def publish_url(project: str, topic: str) -> str:
    """Name where a topic's messages go; the emulator of the SDK where one is set."""
    emulator = os.environ.get("PUBSUB_EMULATOR_HOST")
    return f"{f'http://{emulator}' if emulator else SERVICE}/v1/projects/{project}/topics/{topic}:publish"


def message_of(event: Event) -> dict[str, Any]:
    """Wrap an event: the structured CloudEvent is the message's data."""
    return {"messages": [{"data": base64.b64encode(structured(event)).decode(), "attributes": {"topic": event.type}}]}


def unwrapped(event: Event) -> Event:
    """Take our event out of what functions-framework makes of a push; any other event is ours already."""
    if event.type != PUSHED:
        return event
    return from_push(event.data)


def from_push(document: Any) -> Event:
    """Take our event out of the body of a push."""
    message = document.get("message") if isinstance(document, Mapping) else None
    data = message.get("data") if isinstance(message, Mapping) else None
    if not isinstance(data, str):
        raise UnreadableRequestError("The push carries no message.")
    try:
        body = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise UnreadableRequestError("The message is not base64.") from None
    return from_message(Headers(), body)


def _post(url: str, document: Mapping[str, Any]) -> int | None:
    import requests
    from google.auth.exceptions import GoogleAuthError

    try:
        answer = _session(url.startswith(SERVICE)).post(
            url,
            data=json.dumps(document),
            headers={"Content-Type": "application/json"},
            timeout=TIMEOUT_S,
            allow_redirects=False,
        )
    except (requests.RequestException, GoogleAuthError) as error:
        log.warning("request_failed", upstream="pubsub", exception=type(error).__name__)
        return None
    return int(answer.status_code)


@functools.cache
def _session(authorized: bool) -> Any:
    if not authorized:
        from shared.http import new_session

        return new_session()
    import google.auth
    from google.auth.transport.requests import AuthorizedSession

    credentials, _ = google.auth.default(scopes=[SCOPE])
    return AuthorizedSession(credentials, max_refresh_attempts=1)  # type: ignore[no-untyped-call]
