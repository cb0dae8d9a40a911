"""Text that Google's editor has dressed in HTML, undressed; and titles compared without regard to dress."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable
from html.parser import HTMLParser

_TAGS = "a|b|br|div|em|font|h[1-6]|hr|html-blob|i|img|li|ol|p|s|span|strong|sub|sup|table|tbody|td|tr|u|ul"
_LOOKS_LIKE_HTML = re.compile(rf"</?(?:{_TAGS})(?:\s[^<>]*)?/?>", re.IGNORECASE)
_BREAKS = frozenset({"br", "div", "p", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "hr"})


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br" or (tag in _BREAKS and self.parts and not self.parts[-1].endswith("\n")):
            self.parts.append("\n")
        del attrs

    def handle_endtag(self, tag: str) -> None:
        if tag in {"p", "div"} and self.parts and not self.parts[-1].endswith("\n"):
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def plain_text(description: str) -> str:
    """Reduce a description to text; one without known tags is text already and stays as it is."""
    if not _LOOKS_LIKE_HTML.search(description):
        return description
    reader = _Reader()
    reader.feed(description.replace("<![", "&lt;!["))  # the parser refuses marked sections it does not know
    reader.close()
    return "".join(reader.parts).replace("\xa0", " ")


def dressed(text: str) -> str:
    """Write plain text so that `plain_text` gives it back, also where it happens to look like HTML."""
    return text if plain_text(text) == text else f"<span>{html.escape(text, quote=False)}</span>"


def folded(title: str) -> str:
    """Fold a title for recognition: NFC, blanks of every kind joined, case dropped."""
    return " ".join(unicodedata.normalize("NFC", title).split()).casefold()


def is_placeholder(title: str, placeholders: Iterable[str]) -> bool:
    """Tell whether a title is one of the texts that stand in for a real one."""
    return folded(title) in {folded(placeholder) for placeholder in placeholders}
