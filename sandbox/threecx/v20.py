"""Stand in for a 3CX v20: one token at a time, XAPI and Call Control as far as we use them."""

import json
import re
import secrets
import threading
from typing import Any
from urllib.parse import parse_qs, quote

from werkzeug.wrappers import Request, Response

from sandbox.double import Double, json_response
from sandbox.threecx.double import Json


class ThreeCxV20(Double):
    """A phone system with one token at a time: `lines` (participants by extension), `log`, `recordings`, `users` ...

    What starts with a word in `denied` is forbidden ("Users", "callcontrol").
    """

    def __init__(self, client_id: str = "900", secret: str = "v20-secret") -> None:  # noqa: S107
        super().__init__()
        self.client_id, self.secret = client_id, secret
        self.token, self.tokens_given, self.expires_in = "", 0, 60
        self.lines: dict[str, list[Json]] = {}
        self.unregistered: set[str] = set()
        self.log: list[Json] = []
        self.recordings: dict[int, bytes] = {}
        self.erased: list[int] = []
        self.made: list[Json] = []
        self.devices: dict[str, list[Json]] = {}
        self.users: list[Json] = []
        self.contacts: list[Json] = []
        self.listed: list[Json] = []  # what Recordings answers
        self.denied: set[str] = set()
        self._lock = threading.Lock()

    def env(self, url: str) -> dict[str, str]:
        """Say which settings a client needs to work with this double."""
        named = {"THREECX_CLIENT_ID": self.client_id, "THREECX_CLIENT_SECRET": self.secret}
        return {"THREECX_PROVIDER": "v20", "THREECX_API_BASE_URL": url, **named}

    def handle(self, request: Request) -> Response:
        """Answer one call."""
        if request.path == "/connect/token":
            return self._token(request)
        if request.headers.get("Authorization") != f"Bearer {self.token}" or not self.token:
            return json_response({"error": {"code": "", "message": "unauthorized"}}, 401)
        if not request.path.startswith("/callcontrol"):
            return self._xapi(request)
        return json_response({}, 403) if "callcontrol" in self.denied else self._control(request)

    def _token(self, request: Request) -> Response:
        form = parse_qs(request.get_data().decode())
        if form.get("client_id") != [self.client_id] or form.get("client_secret") != [self.secret]:
            return json_response({"error": "invalid_client", "error_description": "wrong"}, 400)
        with self._lock:
            self.token, self.tokens_given = secrets.token_hex(16), self.tokens_given + 1
            return json_response({"token_type": "Bearer", "expires_in": self.expires_in, "access_token": self.token})

    def _control(self, request: Request) -> Response:
        parts = request.path.strip("/").split("/")
        if len(parts) == 1:
            return json_response([{"dn": dn, "participants": there} for dn, there in self.lines.items()])
        if parts[2:3] == ["devices"]:
            return self._devices(request, parts)
        there = self.lines.get(parts[1], [])
        if len(parts) == 4 and parts[2] == "participants":
            found = [each for each in there if str(each["id"]) == parts[3]]
            return json_response(found[0]) if found else json_response({"error": {"code": "404"}}, 404)
        return json_response({"dn": parts[1], "participants": there})

    def _devices(self, request: Request, parts: list[str]) -> Response:
        """List the phones of an extension, or dial with one; its id is a SIP URI that arrives escaped."""
        there = self.devices.get(parts[1], [])
        if len(parts) == 3:
            return json_response(there)
        raw = str(request.environ.get("REQUEST_URI") or "").partition("?")[0].strip("/").split("/")
        named = [each for each in there if len(raw) == 5 and quote(each["device_id"], safe="") == raw[3]]
        if not named or raw[4] != "makecall":
            return json_response({"error": {"code": "404"}}, 404)
        return self._make_call({**json.loads(request.get_data()), "dn": parts[1], "device": named[0]["device_id"]})

    def _xapi(self, request: Request) -> Response:
        path = request.path.removeprefix("/xapi/v1/")
        if any(path.startswith(each) for each in self.denied):
            return json_response({"error": {"code": "", "message": "forbidden"}}, 403)
        match request.method, path.partition("(")[0]:
            case "POST", "Users/Pbx.MakeCall":
                return self._make_call(json.loads(request.get_data()))
            case "GET", "ActiveCalls" | "Defs":
                return json_response({"value": []})
            case "GET", "Users" | "Recordings" as what:
                return self._page(request, self.users if what == "Users" else self.listed)
            case "GET", "ReportCallLogData/Pbx.GetCallLogData":
                skip, top = int(request.args.get("$skip", 0)), int(request.args.get("$top", 100))
                return json_response({"value": self._logged(path)[skip : skip + top]})
            case "GET", "Contacts/Pbx.GetContactsByNumber":
                wanted = path.partition("'")[2].rstrip("')")
                return json_response({"value": [row for row in self.contacts if row["PhoneNumber"] == wanted]})
            case "DELETE", "Contacts":
                there = [row for row in self.contacts if path != f"Contacts({row['Id']})"]
                found, self.contacts = len(there) < len(self.contacts), there
                return Response(status=204) if found else json_response({"error": {"code": "404"}}, 404)
            case "GET", "Recordings/Pbx.DownloadRecording":
                return self._download(path)
            case "POST", "Recordings/Pbx.BulkRecordingsDelete":
                self.erased += json.loads(request.get_data())["ids"]
                return Response(status=204)
        return json_response({"error": {"code": "", "message": "not found"}}, 404)

    def _page(self, request: Request, rows: list[Json]) -> Response:
        skip, top = int(request.args.get("$skip", 0)), int(request.args.get("$top", 100))
        if top > 100:
            return json_response({"error": {"code": "", "message": "the limit of 100 is exceeded"}}, 400)
        return json_response({"value": rows[skip : skip + top]})

    def _make_call(self, body: Json) -> Response:
        if body["dn"] in self.unregistered:
            return json_response({"error": {"code": "404", "message": "no device"}}, 404)
        self.made.append(body)
        number = len(self.made)
        participant: dict[str, Any] = {
            "id": number,
            "callid": number,
            "legid": 1,
            "dn": body["dn"],
            "status": "Dialing",
        }
        self.lines.setdefault(body["dn"], []).append({**participant, "party_caller_id": body["destination"]})
        if "device" in body:
            return json_response({"finalstatus": "Success", "result": {**participant, "device_id": body["device"]}})
        return json_response({"FinalStatus": "Success", "Result": {"CallId": number, "LegId": 1, "DN": body["dn"]}})

    def _logged(self, path: str) -> list[Json]:
        found = re.search(r"periodFrom=([^,]+),periodTo=([^,)]+)", path)
        assert found, path
        return [row for row in self.log if found[1] <= row["StartTime"] <= found[2]]

    def _download(self, path: str) -> Response:
        number = int(re.sub(r"\D", "", path.partition("recId=")[2]))
        if number not in self.recordings:
            return json_response({"error": {"code": "404"}}, 404)
        return Response(self.recordings[number], content_type="audio/x-wav")
