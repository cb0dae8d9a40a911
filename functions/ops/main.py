"""Entries for operators: overview, dead letters, and the relay that a scheduler calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import functions_framework
from pydantic import BaseModel, ConfigDict, PositiveInt
from werkzeug.wrappers import Request, Response

from functions.ops.letters import Letters
from functions.ops.page import overview
from shared.events import topics
from shared.events.bus import MODELS, Bus
from shared.settings.common import CommonSettings
from shared.startup import start
from shared.web.call import Call
from shared.web.entry import Entry, Route
from shared.web.framework import install

if TYPE_CHECKING:
    from shared.espocrm.links import PartyLinks

PARTS = start(*MODELS)
BUS = Bus("ops")


def links() -> PartyLinks:
    """Give what is known about parties that may be meant."""
    from shared.espocrm.links import PartyLinks

    return PartyLinks(BUS.client(1))


LETTERS = Letters(BUS.queue, links, BUS.cloud_letters)


class Redrive(BaseModel):
    """The body of a redrive: nothing, or the party that a person chose."""

    model_config = ConfigDict(strict=True, extra="forbid")

    betNr: PositiveInt | None = None


def relay(_call: Call) -> dict[str, Any]:
    """Send again what no subscriber has taken."""
    return dict(BUS.relay())


def page(_call: Call) -> Response:
    """Show the overview."""
    return overview({name: BUS.queue(name).stats() for name in topics.QUEUES}, *LETTERS.seen())


def list_letters(_call: Call) -> dict[str, Any]:
    """List what was given up."""
    return {"deadletters": LETTERS.all()}


def show_letter(call: Call) -> dict[str, Any]:
    """Show one dead letter."""
    return LETTERS.show(call.params["id"])


def redrive_letter(call: Call) -> dict[str, Any]:
    """Put one dead letter back to work."""
    return LETTERS.redrive(call.params["id"], call.json(Redrive).betNr)


_OPS = Entry(
    "ops",
    [
        Route("GET", "/ops", page, page=True),
        Route("POST", "/ops/relay", relay),
        Route("GET", "/ops/deadletters", list_letters),
        Route("GET", "/ops/deadletters/<id>", show_letter),
        Route("POST", "/ops/deadletters/<id>/redrive", redrive_letter, body=Redrive),
    ],
    PARTS[CommonSettings],
    needs=PARTS.missing,
    redis=BUS.state,
)
install(_OPS)


@functions_framework.http
def ops(request: Request) -> Response:
    """Answer operators and the scheduler."""
    return _OPS(request)
