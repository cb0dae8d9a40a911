"""The load of an upgrade, with nothing but the standard library: parties and leads until told to stop, then the count.

load.py send SECONDS FILE    enters parties in EspoCRM and tells the app, sends leads, notes what was acknowledged
load.py count FILE           tells how many of these have arrived, and prints `acknowledged processed missing twice`
From the environment: APP, CRM, CRM_KEY, GATEWAY_SECRET, ESPO_SECRET (id:secret), LEAD_SECRET.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import os
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

LEADS, PARTIES = "/api/leads/vermieterhelden", "/vmh/webhook/beteiligte/create"


def call(where: str, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Any:
    """Call one of them: its JSON where it answered 200, else None."""
    connection = http.client.HTTPConnection(os.environ[where], timeout=5)
    try:
        connection.request(method, path, body or None, {"Content-Type": "application/json", **(headers or {})})
        answer = connection.getresponse()
        text = answer.read()
        return json.loads(text) if answer.status == 200 else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def crm(method: str, path: str, fields: dict[str, Any] | None = None) -> Any:
    """Call EspoCRM as a person."""
    body = json.dumps(fields).encode() if fields else b""
    return call("CRM", method, f"/api/v1/{path}", body, {"X-Api-Key": os.environ["CRM_KEY"]})


def party(number: int) -> str:
    """Enter a party and tell of it; its id when that was acknowledged."""
    made = crm("POST", "CBeteiligte", {"lastName": f"Last{number:05}", "emailAddress": f"last{number:05}@example.org"})
    body = json.dumps([{"id": made["id"]}]).encode()
    name, _, secret = os.environ["ESPO_SECRET"].partition(":")
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    signature = base64.b64encode(f"{name}:{digest}".encode()).decode()
    headers = {"X-Gateway-Secret": os.environ["GATEWAY_SECRET"], "Signature": signature}
    return f"party {made['id']}" if call("APP", "POST", PARTIES, body, headers) else ""


def lead(number: int) -> str:
    """Send a lead once; its id when that was acknowledged."""
    form = {"typ": "vermieter", "nachname": f"Last{number:05}", "email": f"lead{number:05}@example.org",
            "nachricht": f"Anliegen {number}", "thema": "kaution", "ip": "203.0.113.9"}  # fmt: skip
    headers = {"X-Gateway-Secret": os.environ["GATEWAY_SECRET"], "X-Webhook-Secret": os.environ["LEAD_SECRET"]}
    answer = call("APP", "POST", LEADS, json.dumps(form).encode(), headers)
    return f"lead {answer['id']}" if answer else ""


def send(seconds: float, path: Path) -> None:
    """Send until the time is over; what was refused while an app restarts is simply not acknowledged."""
    ends, number = time.monotonic() + seconds, 0
    with path.open("a", encoding="utf-8") as acknowledged:
        while time.monotonic() < ends:
            number += 1
            noted = party(number) if number % 4 else lead(number)
            if noted:
                print(noted, file=acknowledged, flush=True)
            else:
                time.sleep(0.1)


def every(entity: str) -> list[dict[str, Any]]:
    """List all records of a kind, page by page."""
    rows: list[dict[str, Any]] = []
    while page := crm("GET", f"{entity}?maxSize=200&offset={len(rows)}")["list"]:
        rows += page
    return rows


def count(path: Path) -> str:
    """Compare what was acknowledged with what has arrived: a party has its number, a lead is one record."""
    noted = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
    numbers = {row["id"]: row.get("betnr") for row in every("CBeteiligte")}
    described = [crm("GET", f"Lead/{row['id']}")["description"] for row in every("Lead")]
    found = Counter[str]()
    for kind, name in noted:
        found[name] = bool(numbers.get(name)) if kind == "party" else sum(name in text for text in described)
    taken = Counter(number for number in numbers.values() if number)
    twice = sum(each > 1 for each in found.values()) + sum(each > 1 for each in taken.values())
    processed = sum(each > 0 for each in found.values())
    return f"{len(noted)} {processed} {len(noted) - processed} {twice}"


def main(arguments: list[str]) -> int:
    """Send, or count."""
    match arguments:
        case ["send", seconds, path]:
            send(float(seconds), Path(path))
        case ["count", path]:
            sys.stdout.write(f"{count(Path(path))}\n")
        case _:
            sys.stderr.write(f"{__doc__}\n")
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
