"""Render pages for people: every value escaped, and a policy that lets in the folder's own style and script only."""

from __future__ import annotations

import base64
import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from werkzeug.wrappers import Response


@dataclass(frozen=True)
class Pages:
    """The templates of one folder, with one style and at most one script; both are written into the page."""

    folder: Path
    style: str
    script: str = ""
    forms: bool = False  # True: forms may be sent to our own origin

    def render(self, template: str, status: int = 200, **values: Any) -> Response:
        """Write a page as an answer."""
        text = self._environment.get_template(template).render(css=self._css, js=self._js, **values)
        headers = {
            "Content-Security-Policy": self._policy,
            # a form sent with no-referrer would not say where it comes from
            "Referrer-Policy": "same-origin" if self.forms else "no-referrer",
            "X-Robots-Tag": "noindex",
        }
        return Response(text, status, headers, content_type="text/html; charset=utf-8")

    @functools.cached_property
    def _environment(self) -> Any:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined

        return Environment(
            loader=FileSystemLoader(self.folder),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    @functools.cached_property
    def _css(self) -> str:
        return (self.folder / self.style).read_text("utf-8")

    @functools.cached_property
    def _js(self) -> str:
        return (self.folder / self.script).read_text("utf-8") if self.script else ""

    @functools.cached_property
    def _policy(self) -> str:
        script = f"; script-src '{_hash(self._js)}'; connect-src 'self'" if self._js else ""
        target = "'self'" if self.forms else "'none'"
        return (
            f"default-src 'none'; style-src '{_hash(self._css)}'{script}; img-src data:; base-uri 'none'; "
            f"form-action {target}; frame-ancestors 'none'"
        )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
