"""What outsiders' bytes are read by, each as a function that takes bytes and raises when a promise is broken."""

from __future__ import annotations

import base64
import json
import re
import string
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from functions.advoware_proxy.passage import headers_back, headers_up
from functions.advoware_proxy.target import read_target
from functions.leads.checks import require_usable
from functions.leads.contact import read_email, read_phones
from functions.leads.envelope import Envelope, Reader
from functions.leads.errors import FieldError
from functions.leads.identity import identify
from functions.leads.intake import decide
from functions.leads.office import Office
from functions.leads.spam import Crowd
from functions.threecx.call import Call
from functions.threecx.links import Links
from functions.threecx.telling import Dialect, event_of, event_of_report
from functions.vmh_webhooks.payload import read_items
from shared import webhook
from shared.crypto import Vault
from shared.errors import IntegrationError
from shared.espocrm import signature
from shared.events import topics
from shared.http import retry_after_s
from shared.mapping.phone import e164
from shared.settings.base import read
from shared.settings.leads import OfficeSettings
from shared.threecx.number import Kind, read_number
from shared.threecx.wire import ReportBody, WebhookBody
from shared.web.reading import MAX_DEPTH, strict_json

SECRET, NOW = "phone-secret", datetime(2026, 11, 24, 8, tzinfo=UTC)
E164 = re.compile(r"\+[1-9]\d{6,16}")  # the library takes two digits more than the standard, for plans that grow
ID = re.compile(r"[0-9a-f]{17}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SLOW_S = 2.0  # of the processor for one input of a few kilobytes


def pieces(data: bytes, count: int) -> list[str]:
    """Cut bytes at NUL into so many texts, as a server would hand headers on."""
    parts = [each.decode("latin-1") for each in data.split(b"\0", count - 1)]
    return parts + [""] * (count - len(parts))


def signatures(data: bytes) -> None:
    """Nobody is believed without the secret, and nothing that is shown makes an error."""
    first, second, third, body = pieces(data, 4)
    raw = body.encode("latin-1")
    if webhook.is_signed(raw, first, second, [SECRET], NOW.timestamp()):
        assert webhook.sign(raw, SECRET, int(first))[7:] in second.lower()
    assert not webhook.is_secret(third, [SECRET]) or third == SECRET
    shown = {"Signature": first, "X-Signature": second}
    genuine = signature.sign(raw, "w1", SECRET)
    if signature.is_signed(raw, shown, {"w1": SECRET}):
        assert {_decoded(each) for each in genuine.values()} & {_decoded(first[:512]), _decoded(second[:512])}
    assert not signature.is_key(third, SECRET) or third == SECRET
    links = Links(b"k" * 32, "https://a.example")
    assert not links.is_valid({"number": first, "exp": second, "sig": third}, NOW.timestamp())


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text.encode("latin-1"), validate=True)
    except ValueError:
        return b"no base64"


def json_reading(data: bytes) -> None:
    """What is read as JSON means the same to every reader, and only ids of EspoCRM come out of a webhook."""
    try:
        value = strict_json(data)
    except IntegrationError:
        return
    text = json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    assert strict_json(text) == value
    assert _depth(value) <= MAX_DEPTH
    try:
        items = read_items(value, topics.find("vmh.beteiligte.update"))
    except IntegrationError:
        return
    assert all(ID.fullmatch(each) for each in items.ids)
    assert len(set(items.ids)) == len(items.ids) <= items.received


def _depth(value: Any) -> int:
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(_depth, inner), default=0)


def proxy_path(data: bytes) -> None:
    """What passes stays below the base, as it was sent; headers that pass are headers."""
    path, name, value, other = pieces(data, 4)
    try:
        target = read_target({"RAW_URI": path if path.startswith("/") else f"/advoware/{path}"})
    except IntegrationError:
        target = None
    if target is not None:
        sent = path if path.startswith("/") else f"/advoware/{path}"
        assert f"/advoware/{target.raw}" == sent
        for plain in (target.endpoint, unquote(target.endpoint), unquote(unquote(target.endpoint))):
            assert not {".", ".."} & set(re.split(r"[/\\]", plain)), plain
            assert "//" not in plain, plain
            assert not re.search(r"[\x00-\x1f\x7f\\]", plain), plain
        assert target.endpoint.isascii()
        assert not re.match(r"[A-Za-z][A-Za-z0-9+.\-]*:", target.endpoint)
        assert target.family == target.segments[0].casefold()
    try:
        up = headers_up({f"HTTP_{name.upper()}": value, "HTTP_CONNECTION": other, "CONTENT_TYPE": other})
    except IntegrationError:
        up = []
    for key, text in [*up, *headers_back([(name, value), ("Location", other)], ["www2.advo-net.example"])]:
        assert not set(key + text) & set("\r\n\0")
        assert "www2.advo-net.example" not in text.lower() or key.lower() != "location"
        assert key.lower() not in {"authorization", "cookie", "connection", "transfer-encoding", "content-length"}
    wait = retry_after_s(value, now=NOW.timestamp())
    assert wait is None or 0 <= wait <= 300


def phones(data: bytes) -> None:
    """A number is E.164 or none; reading it again changes nothing; who asks gets the same answer."""
    text, prefix, code = pieces(data, 3)
    text = text.encode("latin-1").decode("utf-8", "replace")
    number = read_number(text, prefix[:2] if prefix[:2].isdigit() else "", code[:5] if code[:5].isdigit() else "")
    if number.kind is Kind.OUTSIDE:
        assert E164.fullmatch(number.value), number
        assert read_number(number.value).value == number.value
    if number.kind is Kind.INTERNAL:
        assert number.value.removeprefix("+").isdigit()
        assert number.value.isascii()
    folded = e164(text)
    assert folded is None or (re.fullmatch(r"\+[1-9]\d{2,16}", folded) and e164(folded) == folded), folded
    for each in read_phones(text):
        assert E164.fullmatch(each), each
    mail = read_email(text)
    assert mail.address is None or not set(mail.address) & set('\r\n\0 ,;<>"()'), mail.address


READER, VAULT = Reader({}, frozenset()), Vault.of("S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2U=")
OFFICE = Office.of(read(OfficeSettings, {}))


def forms(data: bytes) -> None:
    """Any body becomes a lead, or one of our refusals; what comes out can be stored, judged and read again."""
    kind, body = pieces(data, 2)
    raw = body.encode("latin-1")
    envelope = Envelope(raw, kind, None, NOW)
    try:
        submission = READER.read(envelope)
    except IntegrationError:
        return
    assert READER.read(Envelope.from_bytes(envelope.to_bytes())) == submission
    identity = identify(VAULT, None, submission, raw, NOW.timestamp())
    assert re.fullmatch(r"[A-Za-z0-9_-]{8,64}", identity.lead_id), identity.lead_id
    try:
        require_usable(submission)
    except FieldError:
        return
    verdict = decide(submission, Crowd(0, 0, 0), OFFICE, NOW, released=False)
    assert verdict.priority in {"Urgent", "High", "Normal", "Low"}
    for number in submission.phones:
        assert E164.fullmatch(number), number
    json.dumps(submission.lead.anliegen.beschreibung).encode()


def calls(data: bytes) -> None:
    """Whatever the phone system says becomes a call or a refusal."""
    for model in (WebhookBody, ReportBody):
        try:
            body: Any = model.read(strict_json(data))
        except IntegrationError:
            continue
        event = event_of(body, Dialect()) if model is WebhookBody else event_of_report(body, Dialect("0"), NOW)
        if event is not None:
            call = Call(frozenset({event}))
            assert call.number == "" or E164.fullmatch(call.number) or set(call.number) <= set(string.digits + "*#")
            assert len(call.agent) <= 40


TARGETS: dict[str, Callable[[bytes], None]] = {
    each.__name__: each for each in (signatures, json_reading, proxy_path, phones, forms, calls)
}


def timed(target: Callable[[bytes], None], data: bytes) -> None:
    """Run a target once; an input that takes long is a find too."""
    began = time.process_time()
    target(data)
    spent = time.process_time() - began
    assert spent < SLOW_S, f"{spent:.1f} s for {len(data)} bytes"
