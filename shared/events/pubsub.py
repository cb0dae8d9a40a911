"""The transport of Google Cloud: one Pub/Sub topic per topic over its REST interface, and what its push brings."""

from __future__ import annotations

import base64
import functools
import json
import os
import re
from collections.abc import Mapping
from typing import Any, Final, Protocol

from werkzeug.datastructures import Headers

from shared.errors import UnreadableRequestError
from shared.events.cloudevent import Event, from_document, from_message, is_binary, structured
from shared.log import get_log
from shared.settings.kinds import decoded
from shared.web.reading import strict_json

log = get_log(__name__)
SERVICE: Final = "https://pubsub.googleapis.com"
SCOPE: Final = "https://www.googleapis.com/auth/pubsub"
PUSHED: Final = "google.cloud.pubsub.topic.v1.messagePublished"
TIMEOUT_S: Final = (0.5, 1.0)
_PLAIN: Final = re.compile(r"[^\r\n]*")


class Post(Protocol):
    """Posts one JSON document and tells the status and the body of the answer, or None when none came."""

    def __call__(self, url: str, document: Mapping[str, Any]) -> tuple[int, bytes] | None:
        """Send it."""
        ...


class PubSubTransport:
    """Sends by `topics.publish`, which can hold nothing back."""

    def __init__(self, project: str, send: Post | None = None) -> None:
        self._project, self._post = project, post if send is None else send

    def __call__(self, event: Event, delay_s: float = 0) -> int | None:
        """Send it now or not at all."""
        if delay_s:
            return None
        answer = self._post(publish_url(self._project, event.type), message_of(event))
        return answer[0] if answer else None


def publish_url(project: str, topic: str) -> str:
    """Name where a topic's messages go."""
    return resource_url(project, f"topics/{topic}:publish")


def resource_url(project: str, rest: str) -> str:
    """Name a resource of the project; at the emulator of the SDK where one is set."""
    emulator = os.environ.get("PUBSUB_EMULATOR_HOST")
    return f"{f'http://{emulator}' if emulator else SERVICE}/v1/projects/{project}/{rest}"


def message_of(event: Event) -> dict[str, Any]:
    """Wrap an event: the structured CloudEvent is the message's data."""
    return {"messages": [{"data": base64.b64encode(structured(event)).decode(), "attributes": {"topic": event.type}}]}


def received(headers: Headers, body: bytes) -> Event:
    """Read what an event path was sent: a CloudEvent in either mode, or a push that wraps one; else 400."""
    if is_binary(headers):
        return from_message(headers, body)
    document = strict_json(body)
    if not isinstance(document, dict):
        raise UnreadableRequestError("The request carries no CloudEvent.")
    is_push = "specversion" not in document and "message" in document
    return from_push(document) if is_push else from_document(document)


def unwrapped(event: Event) -> Event:
    """Take our event out of what functions-framework makes of a push; any other event is ours already."""
    if event.type != PUSHED:
        return event
    return from_push(event.data)


def from_push(document: Any) -> Event:
    """Take our event out of the body of a push; the event is the message's data or its attributes."""
    message = document.get("message") if isinstance(document, Mapping) else None
    if not isinstance(message, Mapping):
        raise UnreadableRequestError("The push carries no message.")
    headers = _headers(message.get("attributes"))
    data = message.get("data", "" if "Ce-Specversion" in headers else None)
    body = decoded(data) if isinstance(data, str) else None
    if body is None:
        raise UnreadableRequestError("The message is not base64.")
    return from_message(headers, body)


def _headers(attributes: Any) -> Headers:
    """Read a message's attributes as what they are in the HTTP binding."""
    given = attributes.items() if isinstance(attributes, Mapping) else ()
    return Headers([(name, value) for name, value in given if isinstance(value, str) and _PLAIN.fullmatch(value)])


def post(url: str, document: Mapping[str, Any]) -> tuple[int, bytes] | None:
    """Call the REST interface as the service's own account; a refusal is an answer and no exception."""
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
    return int(answer.status_code), bytes(answer.content)


@functools.cache
def _session(authorized: bool) -> Any:
    if not authorized:
        from shared.http import new_session

        return new_session()
    import google.auth
    from google.auth.transport.requests import AuthorizedSession

    credentials, _ = google.auth.default(scopes=[SCOPE])
    return AuthorizedSession(credentials, max_refresh_attempts=1)  # type: ignore[no-untyped-call]
