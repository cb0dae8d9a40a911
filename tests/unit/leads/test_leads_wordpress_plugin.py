"""The sender plugin: PHP takes it, and its outbox delivers to the running receiver; skipped where there is no PHP."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from leads_world import PATH, SECRET, World, lines_of
from werkzeug.wrappers import Request, Response

from sandbox.double import Double
from sandbox.server import serve

HERE = Path(__file__).parent
PLUGIN = HERE.parents[2] / "deploy" / "wordpress" / "vermieterhelden-leads"
PHP = os.environ.get("PHP") or shutil.which("php")
pytestmark = pytest.mark.skipif(PHP is None and not os.environ.get("CI"), reason="no PHP here")
FORM = {"typ": "vermieter", "nachname": "Groß", "email": "anna@example.org", "nachricht": 'Er sagt "nein"\nzu 500 €'}


class Site(Double):
    """Our receiver behind a door that says some other answers first."""

    def __init__(self, world: World, *first: int) -> None:
        super().__init__()
        self.world, self.first, self.keys = world, list(first), []

    def handle(self, request: Request) -> Response:
        self.keys.append(request.headers["Idempotency-Key"])
        if self.first:
            return Response(status=self.first.pop(0), headers={"Retry-After": "7000"})
        answer = self.world.client.post(PATH, data=request.get_data(), headers=dict(request.headers))
        return Response(answer.data, answer.status_code)


def send(site: Site, times: int = 1, secret: str = SECRET) -> list[dict[str, Any]]:
    with serve(site) as server:
        arguments = [str(PLUGIN / "vermieterhelden-leads.php"), server.url + PATH, secret, json.dumps(FORM), str(times)]
        run = subprocess.run(
            [str(PHP), str(HERE / "wordpress_stub.php"), *arguments], capture_output=True, text=True, check=True
        )
    return json.loads(run.stdout)


@pytest.mark.parametrize("name", ["vermieterhelden-leads.php", "form.php", "admin.php"])
def test_php_takes_it(name):
    assert subprocess.run([str(PHP), "-l", str(PLUGIN / name)], capture_output=True, check=False).returncode == 0


def test_a_form_is_delivered_signed_and_then_forgotten(world):
    rows = send(Site(world))
    assert (rows[0]["state"], rows[0]["body"], rows[0]["status"]) == ("zugestellt", None, 200)
    world.work()
    lead = world.rows("Lead")[0]
    assert (lead["lastName"], lead["description"].endswith('Er sagt "nein"\nzu 500 €')) == ("Groß", True)
    assert lines_of(lead["description"])["Quelle"].startswith("bridge")


def test_every_attempt_has_the_same_key_and_waits_as_told(world):
    site = Site(world, 503, 401, 500)
    rows = send(site, times=5)
    assert [row["state"] for row in rows] == ["wartet"] * 3 + ["zugestellt"] * 2
    assert len(site.keys) == 4
    assert len(set(site.keys)) == 1
    assert rows[0]["due_at"] - rows[0]["created_at"] > 6900
    world.work()
    assert len(world.rows("Lead")) == 1


def test_a_wrong_secret_is_our_mistake_and_not_the_lead_s(world):
    assert send(Site(world), secret="falsch")[0]["state"] == "wartet"


def test_what_no_repeat_can_mend_waits_for_a_person(world):
    row = send(Site(world, 422))[0]
    assert (row["state"], bool(row["body"])) == ("gescheitert", True)
