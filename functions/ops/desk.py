"""What people do at the console: look, log in, release a plan, put dead letters back to work, start a run."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from werkzeug.wrappers import Response

from functions.ops import words
from functions.ops.access import Access, TooManyAttemptsError, Visitor
from functions.ops.plans import Lent, lines_of, shows_deletions
from functions.ops.reading import Console, read_employees, read_runs, time_of
from functions.ops.verdict import judge, nobody_reads, state_of
from shared.errors import (
    FieldProblem,
    HoldUnknownError,
    IntegrationError,
    InvalidRequestError,
    NotFoundError,
    UnauthenticatedError,
)
from shared.events.topics import CALENDAR_SYNC_EMPLOYEE, is_kuerzel
from shared.log import get_log
from shared.state.calendar_runs import Holds
from shared.web.call import Call
from shared.web.pages import Pages
from shared.web.problems import translated

if TYPE_CHECKING:
    from datetime import datetime

    from functions.ops.snapshot import Employee

log = get_log(__name__)
PAGES: Final = Pages(Path(__file__).parent / "templates", "console.css", "console.js", forms=True)
DONE: Final[Mapping[str, str]] = {
    "freigegeben": "Freigegeben. Der Lauf ist angestoßen; er lässt genau diesen Plan einmal durch.",
    "erneut": "Der Eintrag ist wieder in Arbeit.",
    "alle": "Alle aufgegebenen Einträge sind wieder in Arbeit.",
    "lauf": "Der Lauf ist angestoßen.",
    "abgemeldet": "Sie sind abgemeldet.",
}
TROUBLES: Final[Mapping[str, tuple[str, str]]] = {
    "unavailable": (
        "Redis ist nicht erreichbar",
        "Ohne Redis ist hier nichts zu sehen und nichts zu tun. Webhooks werden mit 503 abgewiesen, ihre Absender "
        "kommen wieder. Bitte den Dienst und REDIS_URL prüfen.",
    ),
    "not-configured": ("Es fehlt eine Einstellung", "Wie man sie setzt, sagt bitbylaw doctor."),
    "stale-form": (
        "Dieses Formular gilt nicht mehr",
        "Es ist zu alt, kam von einer anderen Seite, oder der Browser nimmt kein Cookie an. Es wurde nichts getan.",
    ),
    "hold-unknown": (
        "Dieser Plan wartet nicht mehr",
        "Er wurde schon freigegeben, oder ein neuer Lauf hat anders geplant. Es wurde nichts getan.",
    ),
    "not-found": ("Das gibt es hier nicht (mehr)", "Vielleicht hat es inzwischen jemand erledigt."),
    "invalid-request": ("Diese Angabe passt nicht", "Es wurde nichts getan."),
    "upstream-unavailable": ("Die Cloud antwortet gerade nicht", "Es wurde nichts getan."),
}
_HASH = re.compile(r"[0-9a-f]{1,64}")
_BETNR = re.compile(r"[1-9][0-9]{0,17}")
Handler = Callable[[Call, Visitor], Response]


@dataclass(frozen=True)
class Desk:
    """Answers people with pages."""

    access: Access
    console: Console
    lent: Lent

    def show(self, call: Call, visitor: Visitor) -> Response:
        """Show everything at a glance."""
        seen = self.console.snapshot()
        done = DONE.get(call.query.get("getan", ""), "")
        return self._page("console.html", visitor, seen=seen, verdict=judge(seen), now=seen.now, done=done)

    def show_employee(self, call: Call, visitor: Visitor) -> Response:
        """Show the last runs of one employee."""
        kuerzel = self._employee(call.params["kuerzel"]).kuerzel
        runs = read_runs(self.console.bus.client(1), kuerzel)
        return self._page("employee.html", visitor, kuerzel=kuerzel, runs=runs, now=self._now())

    def show_plan(self, call: Call, visitor: Visitor) -> Response:
        """Show what a run of one employee would do, and let held deletions pass."""
        each = self._employee(call.params["kuerzel"])
        text, trouble = self.lent.plan_of(each.kuerzel)
        lines = list(lines_of(text))
        return self._page("plan.html", visitor, each=each, text=text, lines=lines, trouble=trouble, now=self._now())

    def show_letter(self, call: Call, visitor: Visitor) -> Response:
        """Show one dead letter, and let a person decide."""
        row = self.console.letters.show(call.params["id"])
        is_party = str(row["topic"]).startswith("vmh.")
        return self._page("letter.html", visitor, row=row, is_party=is_party, now=self._now())

    def release(self, call: Call, visitor: Visitor) -> Response:
        """Let a held plan pass, once, and start a run."""
        mark = self.access.check_form(call, visitor).get("hash", "")
        kuerzel, bus = call.params["kuerzel"], self.console.bus
        if not is_kuerzel(kuerzel) or not _HASH.fullmatch(mark) or not Holds(bus.client(1)).release(kuerzel, mark):
            raise HoldUnknownError
        bus.publisher.publish(CALENDAR_SYNC_EMPLOYEE, kuerzel, {})
        log.info("plan_released", action="release")
        return _to("freigegeben")

    def run(self, call: Call, visitor: Visitor) -> Response:
        """Start a run of one employee."""
        self.access.check_form(call, visitor)
        each = self._employee(call.params["kuerzel"])
        self.console.bus.publisher.publish(CALENDAR_SYNC_EMPLOYEE, each.kuerzel, {})
        return _to("lauf")

    def redrive(self, call: Call, visitor: Visitor) -> Response:
        """Put one dead letter back to work, with the party that a person chose."""
        number = self.access.check_form(call, visitor).get("betNr", "").strip()
        if number and not _BETNR.fullmatch(number):
            raise InvalidRequestError(fields=[FieldProblem("betNr", "form", "is no number")])
        self.console.letters.redrive(call.params["id"], int(number) if number else None)
        log.info("letter_redriven", count=1)
        return _to("erneut")

    def redrive_all(self, call: Call, visitor: Visitor) -> Response:
        """Put all dead letters back to work; what somebody else did meanwhile is done."""
        self.access.check_form(call, visitor)
        rows, _ = self.console.letters.seen()
        for row in rows:
            try:
                self.console.letters.redrive(str(row["id"]))
            except NotFoundError:
                continue
        log.info("letter_redriven", count=len(rows))
        return _to("alle")

    def log_in(self, call: Call) -> Response:
        """Take the password."""
        visitor = self.access.visitor(call)
        if self.access.settings.ops_password is None:
            raise NotFoundError("There is no login here.")
        try:
            password = self.access.check_form(call, visitor).get("password", "")
            ticket = self.access.log_in(call, password)
        except TooManyAttemptsError as error:
            return self._login(visitor, error.status, _wait(error.retry_after_s or 1), error)
        except IntegrationError as error:
            return self._trouble(error, visitor)
        if ticket is None:
            return self._login(visitor, 401, "Das Passwort stimmt nicht.")
        response = _to()
        self.access.remember(response, ticket)
        return response

    def log_out(self, call: Call, visitor: Visitor) -> Response:
        """End the session in this browser."""
        self.access.check_form(call, visitor)
        response = _to()
        self.access.forget(response)
        return response

    def page(self, handler: Handler) -> Callable[[Call], Response]:
        """Let only those in who may, and tell them in German what went wrong."""

        def answer(call: Call) -> Response:
            visitor = self.access.visitor(call)
            if not visitor.allowed:
                if self.access.settings.ops_password is None:
                    raise UnauthenticatedError("The gateway secret is missing or wrong.")
                return self._login(visitor, 401)
            try:
                response = handler(call, visitor)
            except Exception as error:  # noqa: BLE001 - people get a page, whatever happens
                response = self._trouble(translated(error), visitor)
            if visitor.new and handler != self.log_out:
                self.access.remember(response, visitor.ticket)
            return response

        return answer

    def _now(self) -> datetime:
        return time_of(self.console.bus.client(1))

    def _employee(self, kuerzel: str) -> Employee:
        if is_kuerzel(kuerzel):
            for each in read_employees(self.console.bus.client(1)):
                if each.kuerzel == kuerzel:
                    return each
        raise NotFoundError("There is no such employee.")

    def _login(
        self, visitor: Visitor, status: int, trouble: str = "", error: IntegrationError | None = None
    ) -> Response:
        response = self._page("login.html", visitor, status, trouble=trouble)
        if error is not None and error.retry_after_s:
            response.headers["Retry-After"] = str(error.retry_after_s)
        if visitor.new:
            self.access.remember(response, visitor.ticket)
        return response

    def _trouble(self, error: IntegrationError, visitor: Visitor) -> Response:
        title, text = TROUBLES.get(error.slug, ("Das ging nicht", words.reason(error.slug)))
        detail = error.detail if error.slug == "not-configured" else f"{error.status} {error.slug}"
        told = {"title": title, "text": text, "detail": detail, "again": error.status == 503}
        response = self._page("trouble.html", visitor, error.status, **told)
        response.headers.update(error.headers)
        if error.retry_after_s is not None:
            response.headers["Retry-After"] = str(max(1, error.retry_after_s))
        return response

    def _page(self, name: str, visitor: Visitor, status: int = 200, **values: Any) -> Response:
        token = self.access.signer.form_token(visitor.ticket)
        helpers = {
            "words": words,
            "state_of": state_of,
            "nobody_reads": nobody_reads,
            "shows_deletions": shows_deletions,
        }
        return PAGES.render(name, status, token=token, visitor=visitor, **helpers, **values)


def _to(done: str = "") -> Response:
    return Response(status=303, headers={"Location": f"/ops?getan={done}" if done else "/ops"})


def _wait(seconds: int) -> str:
    return f"Zu viele Versuche. Bitte in {words.span(seconds)} noch einmal."
