"""The demo rings: with real processes, the page comes and exactly one Call is journalled."""

import io

from rich.console import Console

from sandbox.demo.phone import phone
from sandbox.demo.processes import started
from sandbox.demo.story import Story


def test_the_demo_rings_shows_who_it_is_and_journals_one_call(tmp_path):
    told = io.StringIO()
    with started(tmp_path, rate=6000) as firm:
        story = Story(firm, Console(file=told, width=100))
        phone(story)
        logs = "".join((tmp_path / f"{name}.log").read_text() for name in ("app", "worker"))
    assert story.wrong == [], told.getvalue()
    assert "it says: Anna Groß · 1 laufende Akte · S. Berger (SB)" in told.getvalue()
    assert told.getvalue().count("Eingehender Anruf Anna Groß") == 1
    assert "espocrm-invalid-field" not in logs
    assert "5111234567" not in logs
