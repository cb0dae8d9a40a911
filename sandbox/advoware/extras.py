"""Answer a few calls that show what a proxy did on the way."""

import hashlib
import re
from collections.abc import Iterator

from werkzeug.wrappers import Request, Response

from sandbox.advoware.answers import Refused
from sandbox.double import json_response

BLOCK = bytes(range(251)) * 256  # an odd length, so that a lost or doubled block shows


def pattern(length: int) -> bytes:
    """Say which bytes `/bytes/{length}` answers."""
    return (BLOCK * (length // len(BLOCK) + 1))[:length]


def parts(length: int) -> Iterator[bytes]:
    """Give the pattern piece by piece."""
    for start in range(0, length, len(BLOCK)):
        yield BLOCK[: length - start]


def extra(request: Request) -> Response | None:
    """Answer one of the extra paths, or say that it is none."""
    name, _, rest = request.path[1:].partition("/")
    match name:
        case "echo":
            return echo(request)
        case "redirect":
            return redirect(request)
        case "bytes" if re.fullmatch(r"\d{1,10}", rest):
            return binary(int(rest), chunked=request.args.get("chunked") == "1")
        case "status" if re.fullmatch(r"[2-5]\d\d", rest):
            return plain_status(int(rest))
    return None


def echo(request: Request) -> Response:
    """Answer what arrived: method, raw path and query, headers in order, and the body's hash."""
    raw = request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or request.path
    path, _, query = raw.partition("?")
    body = request.get_data()
    return json_response(
        {
            "method": request.method,
            "path": path,
            "query": query,
            "headers": [list(header) for header in request.headers.items()],
            "length": len(body),
            "sha256": hashlib.sha256(body).hexdigest(),
        },
        headers={"X-Advoware-Echo": "1", "Set-Cookie": "session=sandbox; HttpOnly"},
    )


def binary(length: int, *, chunked: bool) -> Response:
    """Stream the pattern, with its length or in chunks."""
    headers = {} if chunked else {"Content-Length": str(length)}
    return Response(parts(length), headers=headers, content_type="application/octet-stream")


def plain_status(status: int) -> Response:
    """Answer with nothing but a status and a word of JSON."""
    if status in (204, 304):
        return Response(status=status)
    return json_response({"status": status}, status)


def redirect(request: Request) -> Response:
    """Point somewhere else on this server, under its own address."""
    target = request.args.get("to", "/echo")
    if not target.startswith("/"):
        raise Refused(400, "to: a path")
    return Response(status=302, headers={"Location": request.host_url.rstrip("/") + target})
