"""Debian's WordPress with our plugin hands real forms to the running leads function; CI always has its packages."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))

from processes import environment, eventually, get, process
from redis_server import RedisServer, free_port, running
from wp_site import NEEDED, Site, is_here, wordpress

from sandbox.espocrm import EspoCrm
from sandbox.server import serve

SECRET = "geheim-123"
FORM = {
    "anrede": "Frau",
    "vorname": "Änne",
    "nachname": "Groß",
    "email": "anna@example.org",
    "telefon": "0511 1234567",
    "objekt_strasse": "Lange Straße 1, 30159 Hannover",
    "gegenseite_name": "Otto Kühn",
    "nachricht": 'Er sagt "nein"\r\nund zahlt 500 € nicht. 😀',
    "datenschutz": "1",
}
pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


class World:
    """The site, our service (not running until started) and an EspoCRM."""

    def __init__(self, site: Site, espocrm: EspoCrm, start: Callable[[], None]) -> None:
        self.site, self.espocrm, self._start, self._started = site, espocrm, start, False

    def start(self) -> None:
        """Start the service, once."""
        if not self._started:
            self._start()
        self._started = True

    def rows(self, command: str = "rows", argument: str = "") -> list[dict[str, Any]]:
        return self.site.command(command, argument)

    def leads(self) -> list[dict[str, Any]]:
        return self.espocrm.records.all("Lead")

    def wait_for(self, name: str) -> dict[str, Any]:
        eventually(lambda: any(row["lastName"] == name for row in self.leads()), 60)
        return next(row for row in self.leads() if row["lastName"] == name)


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with running(aof=True) as started:
        yield started


@pytest.fixture(scope="module")
def world(server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    if not is_here():
        missing = ", ".join(str(each) for each in NEEDED if not each.exists())
        assert not os.environ.get("CI"), f"missing: {missing}"
        pytest.skip(f"no WordPress here: {missing}")
    directory, port, espocrm = tmp_path_factory.mktemp("wp"), free_port(), EspoCrm()
    url = f"http://127.0.0.1:{port}"
    with ExitStack() as stack:
        crm = stack.enter_context(serve(espocrm))
        env = environment(
            PORT=str(port),
            REDIS_URL=server.url,
            VERMIETERHELDEN_WEBHOOK_SECRET=SECRET,
            LEAD_ENCRYPTION_KEY="S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2U=",
            ESPOCRM_DEFAULT_USER_ID="1",
            **espocrm.env(crm.url),
        )
        site = stack.enter_context(wordpress(directory, f"{url}/api/leads/vermieterhelden", SECRET))

        def start() -> None:
            for module in ("functions.app", "functions.worker"):
                stack.enter_context(process("-m", module, env=env, log=directory / "service.log"))
            eventually(lambda: get(f"{url}/health")[0] == 200, 60)

        yield World(site, espocrm, start)


def test_a_form_waits_while_the_service_is_down_and_is_delivered_once_it_is_back(world):
    status, shown = world.site.submit(**FORM)
    assert (status, "Vielen Dank für Ihre Anfrage" in shown) == (200, True)
    world.site.cron()
    (row,) = world.rows()
    assert (row["state"], row["attempts"], row["status"]) == ("wartet", "1", "0")
    assert json.loads(row["body"])["data"]["nachname"] == "Groß"
    assert 50 <= int(row["due_at"]) - int(row["created_at"]) <= 66 + time.time() - int(row["created_at"])
    world.site.cron()
    assert world.rows()[0]["attempts"] == "1"  # not before it is due

    world.start()
    world.rows("due")
    for run in [world.site.start("cron") for _ in range(3)]:  # three at once
        run.communicate(timeout=60)
    (row,) = world.rows()
    assert (row["state"], row["attempts"], row["status"], row["body"]) == ("zugestellt", "2", "200", None)

    lead = world.wait_for("Groß")
    assert (lead["firstName"], lead["emailAddress"], lead["phoneNumber"]) == (
        "Änne",
        "anna@example.org",
        "+495111234567",
    )
    assert lead["description"].endswith('Nachricht:\nEr sagt "nein"\nund zahlt 500 € nicht. 😀')
    assert "Quelle: bridge" in lead["description"]
    assert "Einwilligungen: datenschutzhinweis ja (20" in lead["description"]
    assert len(world.leads()) == 1


def test_contact_form_7_is_heard_though_its_mail_failed(world):
    world.start()
    entered = {"your-name": "Karl Klein", "your-email": "karl@example.org", "your-message": "Hilfe"}
    row = world.rows("cf7", json.dumps(entered | {"newsletter-box": ["1"]}))[-1]
    (said,) = json.loads(row["body"])["data"]["einwilligungen"]
    assert (said["zweck"], said["erteilt"], said["text"]) == ("newsletter", True, "Ja, ich möchte den Newsletter")
    world.site.cron()
    assert world.rows()[-1]["state"] == "zugestellt"
    lead = world.wait_for("Klein")
    assert "Quelle: cf7, Kontakt" in lead["description"]
    assert "Einwilligungen: newsletter ja (20" in lead["description"]


def test_elementor_s_forms_are_read_by_their_labels(world):
    world.start()
    fields = {
        "name": {"title": "Ihr Name", "value": "Eva Elemente", "raw_value": "Eva Elemente"},
        "field_ab12": {"title": "E-Mail", "value": "eva@example.org", "raw_value": "eva@example.org"},
        "message": {"title": "", "value": "Bitte um Rückruf"},
    }
    world.rows("elementor", json.dumps(fields))
    world.site.cron()
    lead = world.wait_for("Elemente")
    assert (lead["firstName"], lead["emailAddress"]) == ("Eva", "eva@example.org")
    assert lead["description"].endswith("Nachricht:\nBitte um Rückruf")
    assert "Quelle: elementor, Rückruf" in lead["description"]


def test_what_is_refused_waits_for_a_person_who_is_told_no_more_than_its_number(world):
    world.start()
    world.rows("cf7", json.dumps({"your-name": "Nora Namenlos", "your-message": "ohne Adresse"}))
    world.site.cron()
    row = world.rows()[-1]
    assert (row["state"], row["status"], "Namenlos" in row["body"]) == ("gescheitert", "422", True)
    mails, page = world.site.mails(), world.site.command("admin")
    assert row["idem"] in mails
    assert row["idem"] in page
    assert "Noch einmal" in page
    for text in (mails, page):
        assert not [word for word in ("Namenlos", "ohne Adresse", "Groß", "karl@") if word in text]


def test_many_visitors_at_once_lose_nothing(world):
    world.start()
    before = len(world.rows())
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: world.site.submit(**FORM | {"nachname": f"Nr{n}"})[0], range(16)))
    assert answers == [200] * 16
    assert len(world.rows()) == before + 16
    for run in [world.site.start("cron") for _ in range(2)]:
        run.communicate(timeout=60)
    assert {(row["state"], row["attempts"]) for row in world.rows()[before:]} == {("zugestellt", "1")}
