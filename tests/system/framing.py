"""Say what is wrong with how an answer stands on the wire; servers in front may refuse what is said twice."""

from __future__ import annotations

from collections import Counter

MAY_REPEAT = {"set-cookie", "vary", "link", "www-authenticate", "cache-control"}


def mistakes(answer: bytes, method: str = "GET") -> list[str]:
    """Name headers that are said twice, a length that is missing or not that of the body."""
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    status = int(first.split()[1])
    headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    found = [f"{name} is said {times} times" for name, times in Counter(name for name, _ in headers).items()]
    found = [each for each in found if not each.endswith(" 1 times") and each.split()[0] not in MAY_REPEAT]
    said = dict(headers)
    bare = method == "HEAD" or status in {204, 304} or status < 200
    if status == 204 or status < 200:
        found += [f"a {status} says {name}" for name in ("content-length", "transfer-encoding") if name in said]
    elif ("content-length" in said) == ("transfer-encoding" in said) and status != 304:
        found.append(f"a {status} says its length {'twice' if 'content-length' in said else 'not at all'}")
    if "content-length" in said and not bare and int(said["content-length"]) != len(body):
        found.append(f"the body has {len(body)} bytes instead of {said['content-length']}")
    if bare and body:
        found.append("a body where none may be")
    return found
