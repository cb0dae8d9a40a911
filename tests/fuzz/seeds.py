"""Where fuzzing begins: for each target the shapes that it knows, and what has once gone wrong."""

from __future__ import annotations

from shared import webhook
from shared.espocrm import signature

_RAW = b'[{"id": "0123456789abcdef0"}]'
_ESPO = signature.sign(_RAW, "w1", "phone-secret")
_STAMP = 1795507200
_LEAD = b'{"typ":"vermieter","nachname":"Gross","email":"a@b.example","nachricht":"Kaution","thema":"kaution"}'
_FORM = b"form_fields%5Bname%5D=Anna&form_fields[email]=a%40b.example&a[0]=x&a[1]=y&typ=kontakt&datenschutz=on"
_PARTS = b'--x\r\nContent-Disposition: form-data; name="email"\r\n\r\na@b.example\r\n--x--\r\n'
_EVENT = (
    b'{"event":"call.ended","call_id":"c-1","direction":"inbound","caller":"+495111234567","callee":"102",'
    b'"timestamp":"2026-11-24T08:00:00Z","answered":true,"duration_s":12.5,"recording_consent":"given"}'
)
_REPORT = (
    b'{"call_type":"Inbound","number":"00495111234567","agent":"102","duration":"00:03:02",'
    b'"started_at":"2026-11-24T08:00:05Z","ended_at":"[CallEndTimeUTC]","entity_type":"Contact","entity_id":"x"}'
)


def _signed(raw: bytes) -> bytes:
    return b"\0".join([str(_STAMP).encode(), webhook.sign(raw, "phone-secret", _STAMP).encode(), b"phone-secret", raw])


SEEDS: dict[str, list[bytes]] = {
    "signatures": [
        _signed(_RAW),
        b"\0".join([_ESPO["Signature"].encode(), _ESPO["X-Signature"].encode(), b"key", _RAW]),
        b"1e9\0sha256=\0\xff\0{}",
        "\u0661\u0662".encode() + b"\0\0\0",
    ],
    "json_reading": [
        _RAW,
        b'{"a": [1, -0.0, 1e308, "\\ud83d\\ude00", null, true]}',
        b"[" * 33 + b"]" * 33,
        b'{"a":1,"a":2}',
        b"NaN",
        b'"\\ud800"',
        b"\xef\xbb\xbf{}",
        b"1" * 5000,
    ],
    "proxy_path": [
        b"akten/4711?x=1&x=2\0x_trace\0abc\0keep-alive, x-trace",
        b"%2e%2e/admin\0connection\0a\r\nb\0https://www2.advo-net.example/x",
        b"//evil.example/x",
        b"/advoware/a;b",
        b"a%5c..%5cb",
        b"a\xe2\x80\xa4\xe2\x80\xa4/b",
        b"M%C3%BCller%20&%C0%AE",
        b"x\0retry\0Wed, 21 Oct 2026 07:28:00 GMT\0%77ww2.advo-net.example",
    ],
    "phones": [
        b"+49 (0)511 / 12 34-567",
        b"<sip:0511123@pbx.example;user=phone>",
        b"0511 1234567, 0171 1234567\x000\x00511",
        b"anonymous",
        b"[CallerNumber]",
        b"112",
        "\uff0b\uff14\uff19511123456".encode(),
        b"a.b+c@example.org",
        b"sean.o'casey@example.org",
        b"an49 (1034-566onymous",
        b"+49 00 0767 203102",
        b"003750080930617530",
    ],
    "forms": [
        b"application/json\0" + _LEAD,
        b"application/x-www-form-urlencoded\0" + _FORM,
        b"multipart/form-data; boundary=x\0" + _PARTS,
        b'application/json\0{"m":"' + b'"a":"' * 50,
        b"text/plain\0a[b][c][]=1&a[b]=2&a=3&[]=4&=5&%FF=%80",
        b'application/json\0{"data":{"form":{"plugin":"cf7"},"fields":{"email":{"title":"E","value":"a@b.example"}}}}',
        b"application/json\0\xff\xfe{\0}\0",
        b"multipart/form-data; boundary=x\0" + _PARTS.replace(b"name=", b"n="),
        b"multipart/form-data; boundary=x\0" + _PARTS.replace(b"a@b", b"\xcc@b"),
    ],
    "calls": [
        _EVENT,
        _REPORT,
        _REPORT.replace(b"00495111234567", b"012540911345672"),
        _REPORT.replace(b"00495111234567", b"00627045500103380451"),
    ],
}
