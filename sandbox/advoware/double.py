"""Stand in for Advoware over HTTP: its token service, its API and the person at the desk."""

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from werkzeug.wrappers import Request, Response

from sandbox.advoware.answers import Answer, Json, Refused
from sandbox.advoware.api import Api, Paths
from sandbox.advoware.diary import Diary, now
from sandbox.advoware.extras import extra
from sandbox.advoware.registry import Registry
from sandbox.advoware.tokens import Account, Tokens
from sandbox.double import Double, json_response

TOKEN_PATH = "/api/v1/Token"
DISCOVERY_PATH = "/AdvonetConfigurator/api/Url"


class Advoware(Double):
    """Advoware as the project knows it; `tokens`, `diary` and `registry` hold its state.

    ::

        advoware = Advoware()
        advoware.employee("SB", name="Berger", vorname="Sabine")
        number = advoware.create("SB", datum="2026-12-03", uhrzeitVon="09:30:00", text="Verhandlung")
        with serve(advoware) as server:
            environment = advoware.env(server.url)  # the ADVOWARE_* settings of a client that fits
    """

    def __init__(
        self,
        account: Account | None = None,
        paths: Paths | None = None,
        clock: Callable[[], datetime] = now,
    ) -> None:
        super().__init__()
        self.account, self.paths = account or Account(), paths or Paths()
        self.employees: dict[str, Json] = {}
        self.tokens = Tokens(self.account, clock)
        self.diary = Diary(self.employees, clock)
        self.registry = Registry()
        self.api = Api(self.diary, self.registry, self.paths)
        self.create, self.edit, self.delete = self.diary.create, self.diary.edit, self.diary.delete
        self.move, self.get, self.appointments = self.diary.move, self.diary.get, self.diary.appointments
        self.revoke_all = self.tokens.revoke_all

    def employee(self, kuerzel: str, **fields: Any) -> None:
        """Enter an employee, or change one."""
        blank = {"kuerzel": kuerzel, "name": kuerzel, "vorname": "", "email": "", "aktiv": True}
        self.employees[kuerzel] = {**blank, **self.employees.get(kuerzel, {}), **fields}

    def load(
        self,
        employees: Iterable[Json],
        appointments: Iterable[Json] = (),
        parties: Iterable[Json] = (),
        matters: Iterable[Json] = (),
    ) -> None:
        """Take over seed data with its numbers."""
        for row in employees:
            self.employee(**row)
        for row in appointments:
            self.create(row["anwalt"], **{name: value for name, value in row.items() if name != "anwalt"})
        for row in parties:
            self.registry.create_party(**row)
        for row in matters:
            self.registry.create_matter(row["aktenNr"], **{k: v for k, v in row.items() if k != "aktenNr"})

    def env(self, url: str) -> dict[str, str]:
        """Say which settings a client needs to work with this double."""
        return {
            "ADVOWARE_API_BASE_URL": f"{url}/",
            "ADVOWARE_AUTH_URL": f"{url}{TOKEN_PATH}",
            "ADVOWARE_PRODUCT_ID": str(self.account.product),
            "ADVOWARE_APP_ID": self.account.app_id,
            "ADVOWARE_API_KEY": self.account.api_key,
            "ADVOWARE_KANZLEI": self.account.kanzlei,
            "ADVOWARE_DATABASE": self.account.database,
            "ADVOWARE_USER": self.account.user,
            "ADVOWARE_PASSWORD": self.account.password,
            "ADVOWARE_ROLE": str(self.account.role),
            "ADVOWARE_EMPLOYEES_PATH": self.paths.employees,
            "ADVOWARE_APPOINTMENTS_PATH": self.paths.appointments,
            "ADVOWARE_PARTIES_PATH": self.paths.parties,
            "ADVOWARE_MATTERS_PATH": self.paths.matters,
        }

    def handle(self, request: Request) -> Response:
        """Answer one call of the token service, the discovery or the API."""
        try:
            match request.path:
                case path if path == TOKEN_PATH:
                    return self._token(request)
                case path if path == DISCOVERY_PATH:
                    return self._discovery(request)
            self.tokens.admit(request.headers.get("Authorization", ""))
            return extra(request) or self._api(request)
        except Refused as refused:
            return finished(refused.answer())

    def _token(self, request: Request) -> Response:
        if request.method != "POST":
            raise Refused(405, "method not allowed", Allow="POST")
        try:
            body = json.loads(request.get_data())
        except ValueError as error:
            raise Refused(400, "the body is no JSON") from error
        return json_response(self.tokens.request(body), headers={"Cache-Control": "no-store"})

    def _discovery(self, request: Request) -> Response:
        if request.args.get("Kanzlei") != self.account.kanzlei:
            raise Refused(404, "no such Kanzlei")
        root = request.host_url
        return json_response({"connectorUrl": root, "relayUrl": root, "securityGateway": root.rstrip("/")})

    def _api(self, request: Request) -> Response:
        query = request.args.to_dict()
        return finished(self.api.answer(request.method, request.path, query, request.get_data()))


def finished(answer: Answer) -> Response:
    """Write an answer as an HTTP response."""
    kind = "application/json; charset=utf-8" if answer.body else None
    response = Response(answer.body, answer.status, answer.headers, content_type=kind)
    if kind is None:
        response.headers.pop("Content-Type", None)
    return response
