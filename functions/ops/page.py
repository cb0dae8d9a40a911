"""The overview for people: how full the queues are, and what was given up."""

from __future__ import annotations

import functools
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from jinja2 import Template

    from shared.state.queue import QueueStats

NAMES = {
    "calendar_sync": "Kalenderabgleich",
    "vmh:beteiligte": "Beteiligte",
    "lead": "Leads",
    "threecx": "Anrufe",
}


@functools.cache
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    folder = FileSystemLoader(Path(__file__).parent / "templates")
    return Environment(loader=folder, autoescape=True, undefined=StrictUndefined).get_template("overview.html")


def overview(queues: dict[str, QueueStats], letters: list[dict[str, Any]], complete: bool = True) -> Response:
    """Render the page; only its own style may be used by it."""
    nonce = secrets.token_urlsafe(16)
    rows = [{"name": NAMES.get(name, name), "stats": stats} for name, stats in queues.items()]
    body = _template().render(nonce=nonce, queues=rows, letters=letters, complete=complete)
    policy = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return Response(body, content_type="text/html; charset=utf-8", headers={"Content-Security-Policy": policy})
