"""Stand in for EspoCRM over HTTP: its REST API, its webhooks, and a person's hands."""

import json
import secrets
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from werkzeug.wrappers import Request, Response

from sandbox.double import Double
from sandbox.espocrm.answers import PERSON, Json, Refused, User, php_json
from sandbox.espocrm.filters import read_query, search
from sandbox.espocrm.login import Logins
from sandbox.espocrm.records import Records, shown
from sandbox.espocrm.sender import Sender
from sandbox.espocrm.webhooks import Webhooks

ROOT = "/api/v1/"
ACTION_OF = {"GET": "read", "POST": "create", "PUT": "edit", "PATCH": "edit", "DELETE": "delete"}


class Clock:
    """Run like any clock, but ahead by what somebody adds."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.fromtimestamp(time.time(), UTC) + self.ahead

    def advance(self, **by: float) -> None:
        """Let time pass."""
        self.ahead += timedelta(**by)


class EspoCrm(Double):
    """EspoCRM as far as the project needs it; `records`, `webhooks`, `logins` and `sender` hold its state.

    ::

        espocrm = EspoCrm()
        with serve(espocrm) as server:
            environment = espocrm.env(server.url)
            record_id = espocrm.add("CBeteiligte", firstName="Anna", lastName="Groß")
            espocrm.sender.run()  # what the scheduled job does every two minutes
    """

    def __init__(self, *, version: str = "9.2.7") -> None:
        super().__init__()
        self.clock = Clock()
        self.webhooks = Webhooks(self.clock, lambda: self.records.entities)
        self.records = Records(self.clock, self.webhooks.note)
        self.logins = Logins(self.clock)
        self.sender = Sender(self.webhooks, version=version)
        self.related: dict[tuple[str, str, str], set[str]] = {}
        self.integration = self.user("integration")

    def user(self, name: str, *, hmac: bool = False, denied: frozenset[str] = frozenset()) -> User:
        """Make an API user."""
        user = User(
            secrets.token_hex(9)[:17],
            name,
            secrets.token_hex(16),
            secrets.token_hex(16) if hmac else "",
            denied,
        )
        self.logins.users.append(user)
        return user

    def env(self, url: str, user: User | None = None) -> dict[str, str]:
        """Say which settings a client needs to work with this double."""
        who = user or self.integration
        settings = {"ESPOCRM_API_BASE_URL": f"{url}{ROOT}", "ESPOCRM_API_KEY": who.api_key}
        return settings | ({"ESPOCRM_HMAC_SECRET": who.hmac_secret} if who.hmac_secret else {})

    def secrets_line(self) -> str:
        """Write the value of ESPOCRM_WEBHOOK_SECRETS for the webhooks there are."""
        return ",".join(f"{row['id']}:{row['secretKey']}" for row in self.webhooks.rows.values())

    def add(self, entity: str, *, silent: bool = False, **fields: Any) -> str:
        """Enter a record by hand."""
        record_id = fields.pop("id", "")
        return str(self.records.create(entity, fields, silent=silent, record_id=record_id)["id"])

    def edit(self, entity: str, record_id: str, *, silent: bool = False, **fields: Any) -> None:
        """Change a record by hand; in silence no webhook is told."""
        self.records.update(entity, record_id, fields, silent=silent)

    def remove(self, entity: str, record_id: str, *, silent: bool = False) -> None:
        """Delete a record by hand."""
        self.records.delete(entity, record_id, silent=silent)

    def get(self, entity: str, record_id: str) -> Json:
        """Look at a record."""
        return shown(self.records.read(entity, record_id), self.records.entity(entity))

    def handle(self, request: Request) -> Response:
        """Answer one call."""
        try:
            if not request.path.startswith(ROOT):
                raise Refused(404, html=True, body="<h1>404</h1>")
            path = request.path.removeprefix(ROOT)
            user = self.logins.admit(request, path)
            return self._route(request, path.split("/"), user)
        except Refused as refused:
            return refused.answer()

    def _route(self, request: Request, parts: list[str], user: User) -> Response:
        entity = parts[0]
        if len(parts) > 3:
            raise Refused(404, html=True, body="<h1>404</h1>")
        if entity != "Webhook":
            self.records.entity(entity)
        if f"{entity}.{ACTION_OF[request.method]}" in user.denied:
            wanted = ACTION_OF[request.method]
            raise Refused(403, f"No '{wanted}' access." if len(parts) > 1 else f"No {wanted} access.")
        if entity == "Webhook":
            return self._webhook(request, parts, user)
        if len(parts) == 3:
            return self._link(request, (parts[0], parts[1], parts[2]))
        return self._list_or_create(request, entity, user) if len(parts) == 1 else self._one(request, parts, user)

    def _list_or_create(self, request: Request, entity: str, user: User) -> Response:
        kind = self.records.entity(entity)
        if request.method == "POST":
            check = request.headers.get("X-Skip-Duplicate-Check", "").lower() != "true"
            created = self.records.create(entity, body_of(request), user, check=check)
            return answer(shown(created, kind))
        query = read_query(request.args)
        rows, total = search(kind, self.records.all(entity), query)
        if request.headers.get("X-No-Total", "").lower() == "true":
            total = -1 if int(query.get("offset", 0)) + len(rows) < total else -2
        listed = [shown(row, kind, query.get("select"), whole=False) for row in rows]
        return answer({"total": total, "list": listed})

    def _one(self, request: Request, parts: list[str], user: User) -> Response:
        entity, record_id = parts
        match request.method:
            case "GET":
                found = self.records.read(entity, record_id)
            case "DELETE":
                self.records.delete(entity, record_id, user)
                return answer(True)
            case "PUT" | "PATCH":
                version = request.headers.get("X-Version-Number")
                given = int(version) if version else None
                found = self.records.update(entity, record_id, body_of(request), user, version=given)
            case _:
                raise Refused(405)
        return answer(shown(found, self.records.entity(entity)))

    def _link(self, request: Request, link: tuple[str, str, str]) -> Response:
        self.records.read(link[0], link[1])
        there = self.related.setdefault(link, set())
        if request.method == "GET":
            return answer({"total": len(there), "list": [{"id": each} for each in sorted(there)]})
        fields = body_of(request)
        ids = {*fields.get("ids", []), *([fields["id"]] if "id" in fields else [])}
        (there.update if request.method == "POST" else there.difference_update)(ids)
        return answer(True)

    def _webhook(self, request: Request, parts: list[str], user: User) -> Response:
        match request.method, len(parts):
            case "POST", 1:
                return answer(self.webhooks.register(body_of(request), user), 201)
            case "GET", 1:
                rows = list(self.webhooks.rows.values())
                return answer({"total": len(rows), "list": rows})
            case "GET", 2:
                return answer(self.webhooks.find(parts[1]))
            case "PUT", 2:
                return answer(self.webhooks.change(parts[1], body_of(request)))
            case "DELETE", 2:
                self.webhooks.remove(parts[1])
                return answer(True)
        raise Refused(404)


def body_of(request: Request) -> Json:
    """Read a JSON body; another content type is ignored, broken JSON is a 500 without a word."""
    if request.mimetype != "application/json":
        return {}
    try:
        fields = json.loads(request.get_data() or b"{}")
    except ValueError as error:
        raise Refused(500) from error
    return fields if isinstance(fields, dict) else {}


def answer(value: Any, status: int = 200) -> Response:
    """Answer with JSON as PHP writes it."""
    return Response(php_json(value), status, content_type="application/json")


__all__ = ["PERSON", "Clock", "EspoCrm"]
