"""Pass audio on as it comes, in the part that was asked for, also where the phone system ignores the wish."""

from __future__ import annotations

import re
from collections.abc import Iterator

import requests

from shared.errors import UpstreamMalformedError, UpstreamUnavailableError
from shared.threecx.provider import ME, Audio

CHUNK = 64 * 1024
_RANGE = re.compile(r"bytes=(?P<first>\d{0,15})-(?P<last>\d{0,15})")
_PASSED = ("Content-Range", "Content-Length")


def part_of(wanted: str, total: int) -> tuple[int, int] | None:
    """Read a Range header of one part as first and last byte; None for the whole.

    Raises ValueError where nothing of that part exists.
    """
    found = _RANGE.fullmatch(wanted.strip())
    if not found or not (found["first"] or found["last"]):
        return None
    if not found["first"]:
        length = int(found["last"])
        first, last = max(0, total - length), total - 1
        if length == 0:
            raise ValueError(wanted)
    else:
        first = int(found["first"])
        last = min(int(found["last"]), total - 1) if found["last"] else total - 1
        if found["last"] and int(found["last"]) < first:
            return None
    if first >= total:
        raise ValueError(wanted)
    return first, last


def answered_audio(response: requests.Response, wanted: str) -> Audio:
    """Turn the phone system's answer into ours; a page or a message is no audio."""
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if response.status_code != 416 and (kind.startswith("text/") or kind.endswith(("json", "xml"))):
        response.close()
        raise UpstreamMalformedError(ME, f"{ME} answered no audio", upstream_status=response.status_code)
    headers = {"Content-Type": response.headers.get("Content-Type", "audio/x-wav"), "Accept-Ranges": "bytes"}
    length = response.headers.get("Content-Length", "")
    if response.status_code in {206, 416} or not wanted or not length.isdigit():
        headers |= {name: response.headers[name] for name in _PASSED if name in response.headers}
        return Audio(response.status_code, _body(response), headers)
    total = int(length)
    try:
        part = part_of(wanted, total)
    except ValueError:
        response.close()
        return Audio(416, iter(()), {**headers, "Content-Range": f"bytes */{total}"})
    if part is None:
        return Audio(200, _body(response), {**headers, "Content-Length": length})
    first, last = part
    headers |= {"Content-Range": f"bytes {first}-{last}/{total}", "Content-Length": str(last - first + 1)}
    return Audio(206, cut(_body(response), first, last), headers)


def cut(body: Iterator[bytes], first: int, last: int) -> Iterator[bytes]:
    """Let through only the bytes from first to last."""
    place = 0
    for block in body:
        part = block[max(0, first - place) : max(0, last + 1 - place)]
        place += len(block)
        if part:
            yield part
        if place > last:
            return


def _body(response: requests.Response) -> Iterator[bytes]:
    try:
        yield from response.iter_content(CHUNK)
    except requests.RequestException as error:
        raise UpstreamUnavailableError(ME, f"{ME} broke off") from error
    finally:
        response.close()
