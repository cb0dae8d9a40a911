"""Targets behind a gateway, and targets that take every path as it came."""

from __future__ import annotations

import pytest
from test_entry_answers import SECRET, ask, entry
from werkzeug.wrappers import Response

from shared import errors
from shared.settings.base import read
from shared.settings.common import CommonSettings
from shared.web.call import Call
from shared.web.entry import Entry


class TestRaw:
    """A target that takes every path as it came."""

    def target(self, environ: dict[str, str] | None = None) -> Entry:
        def passed_on(call: Call) -> Response:
            if call.request.path.endswith("/broken"):
                raise errors.UnreadableRequestError
            return Response(iter([b"a", b"b"]), headers={"Cache-Control": "max-age=9", "X-Upstream": "1"})

        return Entry("proxy", [], read(CommonSettings, environ or {}), raw=passed_on)

    def test_its_answer_keeps_its_own_headers_and_gets_nosniff_only(self):
        answer = ask(self.target(), "GET", "/advoware//x/%2e")
        assert answer.headers["Cache-Control"] == "max-age=9"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Content-Security-Policy" not in answer.headers
        assert "Content-Length" not in answer.headers

    def test_its_own_errors_are_problem_documents_with_all_headers(self):
        answer = ask(self.target(), "GET", "/advoware/broken")
        assert answer.status_code == 400
        assert answer.headers["Cache-Control"] == "no-store"

    def test_it_wants_the_gateway_secret(self):
        assert ask(self.target({"GATEWAY_SECRET": SECRET}), "GET", "/advoware/x").status_code == 401

    def test_it_answers_health_too(self):
        assert ask(self.target(), "GET", "/health").json == {"status": "ok"}


class TestGateway:
    """`GATEWAY_SECRET` is set."""

    target = staticmethod(lambda: entry({"GATEWAY_SECRET": SECRET}))

    @pytest.mark.parametrize(
        "path", ["/calendar/plan", "/nothing", "/ready", "/metrics", "/fail/bug", "/calendar/sync"]
    )
    @pytest.mark.parametrize("headers", [{}, {"X-Gateway-Secret": "wrong"}, {"X-Gateway-Secret": ""}])
    def test_every_path_wants_it(self, path, headers):
        answer = ask(self.target(), "GET", path, headers=headers)
        assert answer.status_code == 401
        assert answer.json["type"].endswith("/unauthenticated")

    def test_with_it_everything_is_as_before(self):
        assert ask(self.target(), "GET", "/calendar/plan", headers={"X-Gateway-Secret": SECRET}).status_code == 200

    def test_health_is_free(self):
        assert ask(self.target(), "GET", "/health").json == {"status": "ok"}

    @pytest.mark.parametrize("path", ["/ready", "/metrics"])
    def test_operators_may_also_send_it_as_bearer(self, path):
        assert ask(self.target(), "GET", path, headers={"Authorization": f"Bearer {SECRET}"}).status_code == 200

    def test_bearer_opens_nothing_else(self):
        answer = ask(self.target(), "GET", "/calendar/plan", headers={"Authorization": f"Bearer {SECRET}"})
        assert answer.status_code == 401

    def test_an_open_route_decides_for_itself(self):
        assert ask(self.target(), "GET", "/open").json == {"gateway": False}

    def test_a_secret_with_an_umlaut_is_no_accident(self):
        assert ask(self.target(), "GET", "/calendar/plan", headers={"X-Gateway-Secret": "ä"}).status_code == 401
