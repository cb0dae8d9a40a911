"""CloudEvents 1.0: write ours, read anybody's, in structured and binary mode."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from werkzeug.datastructures import Headers

from shared.clock import iso, utc_now
from shared.errors import UnreadableRequestError
from shared.log import current
from shared.settings.kinds import decoded
from shared.web.reading import is_json, strict_json

CONTENT_TYPE = "application/cloudevents+json"


@dataclass(frozen=True)
class Event:
    """What we need of a CloudEvent."""

    type: str
    source: str
    subject: str
    data: Any
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    time: str = ""
    request_id: str = ""


def new_event(topic: str, target: str, subject: str, data: Any, now: datetime | None = None) -> Event:
    """Make an event of ours that carries the request id it came from."""
    return Event(topic, f"/functions/{target}", subject, data, time=iso(now or utc_now()), request_id=_request_id())


def structured(event: Event) -> bytes:
    """Write an event in structured mode."""
    document = {
        "specversion": "1.0",
        "id": event.id,
        "type": event.type,
        "source": event.source,
        "subject": event.subject,
        "time": event.time,
        "requestid": event.request_id,
        "datacontenttype": "application/json",
        "data": event.data,
    }
    return json.dumps({name: value for name, value in document.items() if value != ""}, ensure_ascii=False).encode()


def from_message(headers: Headers, body: bytes) -> Event:
    """Read an event from a message in either mode; 400 when it is none."""
    if is_binary(headers):
        return _binary(headers, body)
    document = strict_json(body)
    if not isinstance(document, dict):
        raise _no_event()
    return from_document(document)


def is_binary(headers: Headers) -> bool:
    """Tell whether the headers are the event's attributes; a media type of events says that the body holds them."""
    return bool(headers.get("Ce-Specversion")) and not _is_structured(headers.get("Content-Type"))


def from_document(document: Mapping[str, Any]) -> Event:
    """Read an event in structured mode, its data written as JSON or as the base64 of JSON."""
    if "data_base64" not in document:
        return from_attributes(document, document.get("data"))
    encoded = document["data_base64"]
    data = decoded(encoded) if isinstance(encoded, str) and "data" not in document else None
    if data is None:
        raise _no_event()
    return from_attributes(document, strict_json(data) if data else None)


def from_attributes(attributes: Mapping[str, Any], data: Any) -> Event:
    """Read an event whose attributes and data are already apart, as in an SDK's object."""
    if attributes.get("specversion") != "1.0":
        raise _no_event()
    needed = [attributes.get(name) for name in ("type", "source", "id")]
    if not all(isinstance(value, str) and value for value in needed):
        raise _no_event()
    event_type, source, event_id = (str(value) for value in needed)
    subject, time, request_id = (str(attributes.get(name) or "") for name in ("subject", "time", "requestid"))
    return Event(event_type, source, subject, {} if data is None else data, event_id, time, request_id)


def from_sdk(event: Any) -> Event:
    """Read the CloudEvent object that functions-framework hands to an event function."""
    attributes, data = event.get_attributes(), event.get_data()
    return from_attributes(
        attributes, _data(attributes.get("datacontenttype"), data) if isinstance(data, bytes) else data
    )


def check_message(headers: Headers, body: bytes) -> None:
    """Refuse what no library should try to read: no strict JSON, no object, a version that is no text."""
    if is_binary(headers):
        _data(headers.get("Content-Type"), body)
        return
    document = strict_json(body)
    if not isinstance(document, dict) or not isinstance(document.get("specversion", ""), str):
        raise _no_event()
    if "data_base64" in document:
        from_document(document)


def _is_structured(content_type: str | None) -> bool:
    return (content_type or "").strip().lower().startswith("application/cloudevents")


def _binary(headers: Headers, body: bytes) -> Event:
    names = ("specversion", "id", "type", "source", "subject", "time", "requestid")
    attributes = {name: unquote(headers.get(f"Ce-{name.capitalize()}") or "") for name in names}
    return from_attributes(attributes, _data(headers.get("Content-Type"), body))


def _data(content_type: str | None, body: bytes) -> Any:
    """Read the data of binary mode; bytes of another kind stay bytes, which no topic carries."""
    if not body:
        return None
    return body if content_type and not is_json(content_type) else strict_json(body)


def _no_event() -> UnreadableRequestError:
    return UnreadableRequestError("The request carries no CloudEvent.")


def _request_id() -> str:
    return current("request_id") or uuid.uuid4().hex
