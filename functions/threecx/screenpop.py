"""Show who is calling: check the link, find the person, gather, render; no answer is no reason for an empty screen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import redis
from werkzeug.wrappers import Response

from functions.threecx.call import Call as PhoneCall
from functions.threecx.links import Links
from functions.threecx.lookup import Found, Lookup
from functions.threecx.matching import Hit, can_match
from functions.threecx.person import People, Person, Rows
from functions.threecx.telling import Dialect
from functions.threecx.view import (
    Page,
    berlin_day,
    call_line,
    choice,
    consent_line,
    known_parts,
    several_parts,
    stranger_parts,
)
from shared.clock import Clock, utc_now
from shared.errors import FieldProblem, InvalidRequestError, UnauthenticatedError
from shared.log import get_log
from shared.state.budget import within
from shared.threecx.number import Kind, Number, display, told_number
from shared.threecx.store import CallStore, call_key
from shared.web.call import Call
from shared.web.pages import Pages

log = get_log(__name__)
T = TypeVar("T")
REDIS_S = 0.4  # of the seconds in which somebody decides how to answer the phone
_PAGES = Pages(Path(__file__).parent / "templates", "screenpop.css")


@dataclass(frozen=True)
class ScreenPop:
    """The page that opens when the phone rings."""

    links: Links
    dialect: Dialect
    store: Callable[[], CallStore]
    find: Callable[[], Lookup]
    people: Callable[[], People]
    clock: Clock = utc_now

    def show(self, call: Call) -> Response:
        """Answer with the page."""
        query = {name: call.query[name] for name in call.query}
        if "sig" in query or "exp" in query:
            if not self.links.is_valid(query, self.clock().timestamp()):
                return rendered(Page("expired", "Dieser Link ist abgelaufen"), 403)
        elif not call.from_gateway:
            raise UnauthenticatedError("The link is not signed.")
        if "number" not in query and "call_id" not in query:
            raise InvalidRequestError(fields=[FieldProblem("number", "missing", "number or call_id is needed.")])
        with within(REDIS_S):
            page = self._page(query)
        log.info("screenpop_shown", state=page.state)
        return rendered(page)

    def _page(self, query: dict[str, str]) -> Page:
        phone_call: PhoneCall | None = None
        number = self.dialect.read(query.get("number"))
        if "call_id" in query:
            try:
                phone_call = PhoneCall(self.store().events(call_key(query["call_id"])))
            except redis.RedisError as error:
                log.error("call_unreadable", exc=error)
                return Page("down", "Gerade nicht abrufbar")
            if not phone_call.events:
                return Page("gone", "Dieser Anruf ist nicht mehr bekannt")
            number = told_number(phone_call.number)
        about: dict[str, Any] = {"call": call_line(phone_call), "consent": consent_line(phone_call)}
        if number.kind is not Kind.OUTSIDE:
            return self._without_number(number, query, about)
        about |= self._actions(number)
        return self._with_number(number, query, about)

    def _without_number(self, number: Number, query: dict[str, str], about: dict[str, Any]) -> Page:
        if number.kind is Kind.WITHHELD:
            return Page("withheld", "Rufnummer unterdrückt", lead_url=self._create("Lead"), **about)
        title = "Interner Anruf" if number.kind is Kind.INTERNAL else "Nummer nicht lesbar"
        shown = number.value or query.get("number", "")[:60]
        return Page("unknown", title, number=shown, lead_url=self._create("Lead"), **about)

    def _with_number(self, number: Number, query: dict[str, str], about: dict[str, Any]) -> Page:
        found = self._found(number) if can_match(number) else Found()
        hits = list(found.hits)
        picked = [hit for hit in hits if f"{hit.type}:{hit.id}" == query.get("pick")]
        if len(hits) == 1 or picked:
            page = self._known((picked or hits)[0], number, about)
            others = self._link(self.clock().timestamp(), query) if len(hits) > 1 else ""
            return replace(page, others_url=others, silent=page.silent or bool(found.silent))
        if hits:
            return self._several(hits, found, query, about)
        if found.silent:
            return Page("down", "Gerade nicht abrufbar", **about)
        return self._stranger(number, about)

    def _found(self, number: Number) -> Found:
        try:
            return self.find().find(number, cached=False)
        except Exception as error:  # noqa: BLE001 - a phone is ringing
            log.error("lookup_failed", exc=error)
            return Found(silent=("everything",))

    def _known(self, hit: Hit, number: Number, about: dict[str, Any]) -> Page:
        now = self.clock()
        try:
            person = self.people().about(hit, number.value, now)
        except Exception as error:  # noqa: BLE001 - the name alone is better than nothing
            log.error("person_failed", exc=error)
            person = Person(silent=("matters", "appointments", "tasks", "leads", "calls"))
        person.leads[:] = [{**row, "url": self._url("Lead", str(row.get("id") or ""))} for row in person.leads]
        return Page("known", **{**about, **known_parts(hit, person, berlin_day(now), number)})

    def _several(self, hits: list[Hit], found: Found, query: dict[str, str], about: dict[str, Any]) -> Page:
        now_s = self.clock().timestamp()
        matters: dict[Hit, Rows] = self._or_nothing(lambda: self.people().matters_of(hits), {})
        choices = [
            choice(hit, self._link(now_s, query, pick=f"{hit.type}:{hit.id}"), matters.get(hit, [])) for hit in hits
        ]
        return Page("several", silent=bool(found.silent), **several_parts(choices), **about)

    def _stranger(self, number: Number, about: dict[str, Any]) -> Page:
        calls: Rows = self._or_nothing(lambda: self.people().earlier_calls(number.value), [])
        return Page("unknown", **stranger_parts(calls, berlin_day(self.clock())), **about)

    def _or_nothing(self, ask: Callable[[], T], nothing: T) -> T:
        """Do without what is only good to know."""
        try:
            return ask()
        except Exception as error:  # noqa: BLE001 - a phone is ringing
            log.error("person_failed", exc=error)
            return nothing

    def _link(self, now_s: float, query: dict[str, str], **more: str) -> str:
        """Lead to the same call or number, with somebody chosen or not."""
        what: dict[str, str] = {name: query[name] for name in ("number", "call_id") if name in query}
        link = self.links.screenpop(now_s, **what, **more)
        return link.removeprefix(self.links.base_url)

    def _actions(self, number: Number) -> dict[str, Any]:
        urls = {f"{kind.lower()}_url": self._create(kind, number.value) for kind in ("Lead", "Contact")}
        return {"number": display(number.value), "dial": number.value, **urls}

    def _create(self, kind: str, number: str = "") -> str:
        return self._directory(lambda directory: directory.create_url(kind, number))

    def _url(self, kind: str, record_id: str) -> str:
        return self._directory(lambda directory: directory.url(kind, record_id))

    def _directory(self, what: Callable[[Any], str]) -> str:
        return what(self.find().directory)


def rendered(page: Page, status: int = 200) -> Response:
    """Write a page as an answer."""
    return _PAGES.render("screenpop.html", status, page=page)
