"""Entries for operators: the console, dead letters, and the relay that a scheduler calls."""

from __future__ import annotations

from typing import Any

import functions_framework
from pydantic import BaseModel, ConfigDict, PositiveInt
from werkzeug.wrappers import Request, Response

from functions.ops.access import Access
from functions.ops.attempts import Attempts
from functions.ops.desk import Desk
from functions.ops.letters import Letters
from functions.ops.plans import Lent
from functions.ops.reading import Console
from shared.events.bus import MODELS, Bus
from shared.settings.common import CommonSettings
from shared.startup import start
from shared.web.call import Call
from shared.web.entry import Entry, Handler, Route
from shared.web.framework import install

FORM_BYTES = 16 * 1024
PARTS = start(*MODELS)
BUS = Bus("ops")


LETTERS = Letters(BUS.queue, BUS.choices, BUS.cloud_letters)
LENT = Lent(missing=PARTS.missing)
ACCESS = Access(PARTS[CommonSettings], Attempts(BUS.state))
DESK = Desk(ACCESS, Console(BUS, LETTERS, PARTS[CommonSettings], LENT), LENT)


class Redrive(BaseModel):
    """The body of a redrive: nothing, or the party that a person chose."""

    model_config = ConfigDict(strict=True, extra="forbid")

    betNr: PositiveInt | None = None


def relay(_call: Call) -> dict[str, Any]:
    """Send again what no subscriber has taken."""
    return dict(BUS.relay())


def list_letters(_call: Call) -> dict[str, Any]:
    """List what was given up."""
    return {"deadletters": LETTERS.all()}


def show_letter(call: Call) -> dict[str, Any]:
    """Show one dead letter."""
    return LETTERS.show(call.params["id"])


def redrive_letter(call: Call) -> dict[str, Any]:
    """Put one dead letter back to work."""
    return LETTERS.redrive(call.params["id"], call.json(Redrive).betNr)


def _page(method: str, pattern: str, handler: Handler) -> Route:
    return Route(method, pattern, handler, max_body=FORM_BYTES, gated=False, page=True)


def _api(method: str, pattern: str, handler: Handler, body: type[BaseModel] | None = None) -> Route:
    def checked(call: Call) -> dict[str, Any] | Response:
        ACCESS.check_api(call)
        return handler(call)

    return Route(method, pattern, checked, gated=False, body=body)


_OPS = Entry(
    "ops",
    [
        _page("GET", "/ops", DESK.page(DESK.show)),
        _page("POST", "/ops/login", DESK.log_in),
        _page("POST", "/ops/logout", DESK.page(DESK.log_out)),
        _page("GET", "/ops/plans/<kuerzel>", DESK.page(DESK.show_plan)),
        _page("POST", "/ops/plans/<kuerzel>/release", DESK.page(DESK.release)),
        _page("GET", "/ops/employees/<kuerzel>", DESK.page(DESK.show_employee)),
        _page("POST", "/ops/employees/<kuerzel>/run", DESK.page(DESK.run)),
        _page("GET", "/ops/letters/<id>", DESK.page(DESK.show_letter)),
        _page("POST", "/ops/letters/<id>/redrive", DESK.page(DESK.redrive)),
        _page("POST", "/ops/redrive-all", DESK.page(DESK.redrive_all)),
        Route("POST", "/ops/relay", relay),
        _api("GET", "/ops/deadletters", list_letters),
        _api("GET", "/ops/deadletters/<id>", show_letter),
        _api("POST", "/ops/deadletters/<id>/redrive", redrive_letter, Redrive),
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
