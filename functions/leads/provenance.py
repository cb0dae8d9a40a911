"""Read what came along with a form: consents, where the visitor came from, signs of machines, links to files."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from functions.leads.meanings import Meanings
from functions.leads.submission import Remark
from functions.leads.unwrap import Fields
from functions.leads.values import agreed, as_moment, as_number, line
from shared.domain import lead as nouns
from shared.domain.lead import NEWSLETTER

PLUGINS: Final = frozenset({"bridge", "cf7", "elementor", "gravity", "wpforms", "automator", "wpwebhooks", "unbekannt"})
PURPOSES: Final = frozenset({"datenschutzhinweis", "newsletter", "werbung_telefon", "weitergabe_kanzlei"})
_MARKS = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "gclid", "fbclid", "msclkid")
_LONGEST_MARK = {"gclid": 200, "fbclid": 200, "msclkid": 200}


def consents(found: Meanings, kind: str, received_at: str) -> tuple[nouns.Consent, ...]:
    """Read listed consents, then boxes by their names."""
    given, ip = found.get("einwilligungen"), line(found.get("ip"))[:45] or None
    rows = given if isinstance(given, list) else [given]
    listed = [each for row in rows if isinstance(row, dict) and (each := _consent(row, ip, received_at))]
    general = "newsletter" if kind == NEWSLETTER else "datenschutzhinweis"
    boxes = (
        ("datenschutz", "datenschutzhinweis"),
        ("newsletter", "newsletter"),
        ("einwilligung", general),
        ("werbung_telefon", "werbung_telefon"),
        ("weitergabe_kanzlei", "weitergabe_kanzlei"),
    )
    for name, purpose in boxes:
        value = found.get(name)
        if value is not None and not any(each.zweck == purpose for each in listed):
            text = line(value)[:2000] if len(line(value)) > 10 else None
            listed.append(nouns.Consent(purpose, agreed(value), text, None, received_at, ip))
    return tuple(listed[:8])


def _consent(row: dict[str, Any], ip: str | None, received_at: str) -> nouns.Consent | None:
    purpose = line(row.get("zweck"))
    if purpose not in PURPOSES:
        return None
    return nouns.Consent(
        purpose,
        agreed(row.get("erteilt")),
        line(row.get("text"))[:2000] or None,
        line(row.get("text_version"))[:40] or None,
        as_moment(row.get("zeitpunkt")) or received_at,
        line(row.get("ip"))[:45] or ip,
    )


def source(found: Meanings, fields: Fields) -> nouns.Source:
    """Say where the visitor came from; marks in the page's address count where the form names none."""
    page = line(found.get("seite"))[:2000] or None
    is_address = page is not None and page.startswith(("http://", "https://"))
    marks = dict(parse_qsl(urlsplit(page or "").query)) if is_address else {}
    named = {
        name: (line(found.get(name)) or marks.get(name, ""))[: _LONGEST_MARK.get(name, 100)] or None for name in _MARKS
    }
    return nouns.Source(
        fields.plugin if fields.plugin in PLUGINS else "unbekannt",
        line(found.get("site"))[:200] or None,
        page,
        line(found.get("referrer"))[:2000] or None,
        fields.form_names[-1][:120] if fields.form_names else None,
        **named,
    )


def technical(found: Meanings) -> nouns.Technical:
    """Read what helps to tell people from machines."""
    return nouns.Technical(
        line(found.get("ip"))[:45] or None,
        line(found.get("user_agent"))[:400] or None,
        line(found.get("honeypot"))[:500] or None,
        as_number(found.get("ausfuellzeit_s")),
    )


def attachments(
    found: Meanings, hosts: Collection[str], remarks: list[Remark], hints: list[Remark]
) -> tuple[nouns.Attachment, ...]:
    """Keep links to files on our own sites over https; nothing is ever fetched.

    WordPress serves its folder of uploads to everybody, which the office has to know.
    """
    kept = []
    for each in [*_listed(found.get("anhang")), *_listed(found.get("anhaenge"))]:
        name = each.get("name") if isinstance(each, dict) else None
        url = line(each.get("url") if isinstance(each, dict) else each)
        if _is_ours(url, hosts):
            kept.append(nouns.Attachment(url, line(name)[:200] or None))
            if "/uploads/" in urlsplit(url).path:
                hints.append(Remark("anhaenge", "anhang_oeffentlich"))
        elif url.startswith("http"):
            remarks.append(Remark("anhaenge", "anhang_verworfen"))
    return tuple(kept[:10])


def _is_ours(url: str, hosts: Collection[str]) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" and parts.hostname in hosts and len(url) <= 2000


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
