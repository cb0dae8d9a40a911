"""The newsletter's confirmation in a real browser: looking confirms nothing, the button does, by keyboard too."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "leads"))

from leads_world import World
from mail_box import mail_box

from sandbox.server import serve

SIGN_UP = {"typ": "newsletter", "email": "anna@example.org", "newsletter": "Ich möchte den Newsletter erhalten"}


@pytest.fixture
def world(monkeypatch) -> Iterator[World]:
    with mail_box() as box:
        base = {"PUBLIC_BASE_URL": "https://api.example", "NEWSLETTER_TARGET_LIST_ID": "list-1"}
        made = World(monkeypatch, SMTP_URL=box.url, **base)
        made.espocrm.add("TargetList", id="list-1", name="Newsletter")
        made.post(SIGN_UP)
        made.work()
        found = re.search(r"https://api\.example(/\S+\?token=[0-9a-f]{64})", box.text())
        made.link = found.group(1)
        yield made
        made.close()


def shown(page) -> str:
    """Give the text; between two pages there is none, or nobody who could say."""
    try:
        return page.js("document.querySelector('main')?.innerText ?? ''")
    except AssertionError:
        return ""


def press_the_button(page, then: str) -> None:
    """Reach the button by keyboard; a page that has just come may not listen yet."""
    ends = time.monotonic() + 20
    while then not in shown(page):
        assert time.monotonic() < ends, shown(page)
        if page.js("document.activeElement.tagName") != "BUTTON":
            page.press("Tab")
        else:
            page.press("Enter")
        time.sleep(0.2)


def test_only_the_button_confirms_and_once(world, page):
    with serve(world._application) as site:
        page.size(420)
        page.open(site.url + world.link)
        assert "Bitte bestätigen Sie" in shown(page)
        assert page.js("getComputedStyle(document.querySelector('button')).backgroundColor") == "rgb(29, 79, 145)"
        assert page.js("document.documentElement.scrollWidth <= innerWidth")
        assert world.work() == []
        press_the_button(page, "ist bestätigt")
        assert page.complaints() == []
        assert {url.partition("?")[0] for url in page.requests()} == {site.url + world.link.partition("?")[0]}
        world.work()
        assert len(world.rows("Contact")) == 1
        page.open(site.url + world.link)
        press_the_button(page, "abgelaufen oder wurde schon benutzt")


def test_a_made_up_link_shows_no_button(world, page):
    with serve(world._application) as site:
        page.open(f"{site.url}/api/leads/newsletter/confirm?token=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
        assert "abgelaufen" in shown(page)
        assert page.js("document.querySelectorAll('button, script').length") == 0
