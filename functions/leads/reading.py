"""Read any sender's body as nested values; what cannot be read is kept for a person, not refused."""

from __future__ import annotations

import contextlib
import io
import json
import re
from bisect import bisect_left
from dataclasses import dataclass, replace
from typing import Any, NoReturn
from urllib.parse import unquote_plus

from functions.leads.errors import EmptyBodyError, WrongKindError

_BOM = b"\xef\xbb\xbf"
MAX_FIELDS, MAX_DEPTH, MAX_JSON_DEPTH = 400, 5, 32
_OTHER_KINDS = re.compile(
    r"(application|text)/(.*\+)?(xml|graphql|x-graphql)|application/(octet-stream|pdf|zip|gzip|(x-)?(msgpack|protobuf|tar|gzip)|vnd\..*)"
    r"|(image|audio|video|font)/.*"
)
_KEY = r'"([\w .\-äöüÄÖÜß/]{1,60})"\s*:'
_BEGIN, _END = re.compile(_KEY + r'\s*"'), re.compile(rf'"(?=\s*(?:,\s*{_KEY}|\}}\s*$))')


@dataclass(frozen=True)
class Body:
    """What a body says; unreadable ones keep their text, and what could be rescued from it."""

    values: dict[str, Any]
    readable: bool = True
    remarks: tuple[str, ...] = ()
    text: str = ""


def read_body(raw: bytes, content_type: str | None) -> Body:
    """Read a body by its looks first and its label second."""
    kind = (content_type or "").partition(";")[0].strip().lower()
    if not raw.removeprefix(_BOM).strip():
        raise EmptyBodyError
    if kind == "multipart/form-data":
        return _multipart(raw, content_type or "")
    text, remarks = _as_utf8(raw)
    body = _read(text.removeprefix(_BOM).strip(), kind)
    return replace(body, remarks=tuple(dict.fromkeys((*remarks, *body.remarks))))


def _read(stripped: bytes, kind: str) -> Body:
    if stripped[:1] == b"{":
        return _json(stripped, kind)
    if _OTHER_KINDS.fullmatch(kind) or stripped[:5].lower() == b"<?xml" or b"\0" in stripped:
        raise WrongKindError
    if kind.endswith("json") or stripped[:1] == b"[":
        return _json(stripped, kind)
    return _form(stripped) if b"=" in stripped else _unreadable(stripped)


def _as_utf8(raw: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Write a body in UTF-8; what is neither that nor marked as UTF-16 comes from a system of the last century."""
    if raw[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        with contextlib.suppress(UnicodeDecodeError):
            return raw.decode("utf-16").encode(), ()
    try:
        raw.decode()
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace").encode(), ("zeichen_ersetzt",)
    return raw, ()


def _json(raw: bytes, kind: str) -> Body:
    try:
        value = json.loads(raw.decode(), strict=False, object_pairs_hook=_once, parse_constant=_refuse)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()  # no halves of characters, no infinity
    except (ValueError, RecursionError):
        if "graphql" in kind:
            raise WrongKindError from None
        return _unreadable(raw)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, dict) or _depth(value) > MAX_JSON_DEPTH:
        return _unreadable(raw)
    if _is_graphql(value, kind):
        raise WrongKindError
    return Body(value)


def _is_graphql(value: dict[str, Any], kind: str) -> bool:
    """Tell a query from a form; most that send one call it JSON."""
    asks = "graphql" in kind or "{" in str(value.get("query"))
    return asks and value.keys() <= {"query", "variables", "operationName", "extensions"}


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key appears twice")
    return value


def _refuse(_name: str) -> NoReturn:
    raise ValueError("no number")


def _depth(value: Any) -> int:
    level, depth = [value], 0
    while level and depth <= MAX_JSON_DEPTH:
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        depth += 1
    return depth


def _form(raw: bytes) -> Body:
    remarks: list[str] = []
    pairs = [part.partition(b"=")[::2] for part in raw.split(b"&") if part]
    if len(pairs) > MAX_FIELDS:
        remarks.append("felder_gekuerzt")
    read = [(_unquoted(key, remarks), _unquoted(value, remarks)) for key, value in pairs[:MAX_FIELDS]]
    return Body(nested(read), remarks=tuple(dict.fromkeys(remarks)))


def _unquoted(part: bytes, remarks: list[str]) -> str:
    try:
        return unquote_plus(part.decode(), errors="strict")
    except UnicodeDecodeError:
        remarks.append("zeichen_ersetzt")
        return unquote_plus(part.decode(errors="replace"), "cp1252", errors="replace")


def _multipart(raw: bytes, content_type: str) -> Body:
    from werkzeug.formparser import MultiPartParser
    from werkzeug.http import parse_options_header

    class AsBytes(MultiPartParser):
        """Leaves the values as they came, one character a byte."""

        def get_part_charset(self, _headers: object) -> str:
            return "latin-1"

    boundary = parse_options_header(content_type)[1].get("boundary", "").encode("latin-1", "replace")
    try:
        form, files = AsBytes(max_form_parts=MAX_FIELDS).parse(io.BytesIO(raw), boundary, len(raw))
    except Exception:  # noqa: BLE001 - whatever the parser says, a person looks at it
        return _unreadable(raw)
    remarks = ["datei_verworfen"] if any(each.filename for each in files.values()) else []
    pairs = [(key or "", _characters(value.encode("latin-1"), remarks)) for key, value in form.items(multi=True)]
    return Body(nested(pairs), remarks=tuple(dict.fromkeys(remarks)))


def _characters(value: bytes, remarks: list[str]) -> str:
    text, replaced = _as_utf8(value)
    remarks += replaced
    return text.decode()


def nested(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """Undo PHP's brackets: `a[b]` nests, `a[]` and `a[0..n]` become lists."""
    root: dict[str, Any] = {}
    for key, value in pairs:
        name, *rest = re.split(r"\[", key, maxsplit=MAX_DEPTH)
        path = [name, *(part.removesuffix("]") for part in rest)]
        _put(root, path, value)
    return {key: _lists(value) for key, value in root.items()}


def _put(node: dict[str, Any], path: list[str], value: str) -> None:
    for part in path[:-1]:
        inner = node.setdefault(part or str(len(node)), {})
        if not isinstance(inner, dict):
            inner = node[part] = {"": inner}
        node = inner
    last = path[-1] or str(len(node))
    if len(path) == 1 and last in node:  # a plain key that comes twice is a list
        _repeat(node, last, value)
    else:
        node[last] = value


def _repeat(node: dict[str, Any], key: str, value: str) -> None:
    earlier = node[key]
    node[key] = [*earlier, value] if isinstance(earlier, list) else [earlier, value]


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {key: _lists(each) for key, each in value.items()}
    if inner and list(inner) == [str(number) for number in range(len(inner))]:
        return list(inner.values())
    return inner


def _unreadable(raw: bytes) -> Body:
    """Keep the text, and rescue the pairs of JSON that some template made of a message with quotes in it."""
    text = raw.decode(errors="replace")
    return Body(_rescued(text[:50_000]), readable=False, text=text)


def _rescued(text: str) -> dict[str, Any]:
    """Pair each beginning with the next end; the ends are looked up once, or a long message would take seconds."""
    found: dict[str, Any] = {}
    ends, place = [end.start() for end in _END.finditer(text)], 0
    while begin := _BEGIN.search(text, place):
        following = bisect_left(ends, begin.end())
        if following == len(ends):
            break
        found[begin[1]] = text[begin.end() : ends[following]]
        place = ends[following] + 1
    return found
