"""The gateway lets through what it must, and nothing else; each rule of the checker finds its own break."""

from __future__ import annotations

import copy
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest_tools import module

KONG = Path(__file__).parents[2] / "deploy" / "kong"
sys.path.insert(0, str(KONG))

import check as kong_check  # noqa: E402
import form as kong_form  # noqa: E402
import render as kong_render  # noqa: E402

ENVIRON = {
    "API_HOST": "api.bitbylaw.com",
    "APP_TARGET": "app:8080",
    "GATEWAY_SECRET": "gateway-secret-0123456789",
    "DESK_API_KEY": "k" * 40,
    "CORS_ORIGINS": "https://crm.bitbylaw.com,https://desk.bitbylaw.com",
    "ESPOCRM_CIDRS": "192.0.2.10/32",
    "WORDPRESS_CIDRS": "192.0.2.20/32, 2001:db8::1/128",
    "THREECX_CIDRS": "192.0.2.30/32",
    "OIDC_ISSUER": "https://login.example/realms/firm",
    "OIDC_PUBLIC_KEY": "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
}


@pytest.fixture(scope="module")
def rendered() -> dict[str, Any]:
    text = kong_render.render(kong_render.TEMPLATE.read_text(encoding="utf-8"), ENVIRON)
    return module("yaml").safe_load(text)


def route(document: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for service in document["services"] for each in service["routes"] if each["name"] == name)


def service(document: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in document["services"] if each["name"] == name)


def config(plugins: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(each["config"] for each in plugins if each["name"] == name)


def without(plugins: list[dict[str, Any]], name: str) -> None:
    plugins[:] = [each for each in plugins if each["name"] != name]


def api(document: dict[str, Any], name: str) -> dict[str, Any]:
    return config(service(document, "api")["plugins"], name)


def test_the_file_breaks_no_rule(rendered):
    assert kong_check.check(rendered) == []


def test_settings_arrive_where_they_belong(rendered):
    assert config(route(rendered, "leads")["plugins"], "ip-restriction")["allow"] == [
        "192.0.2.20/32",
        "2001:db8::1/128",
    ]
    assert rendered["consumers"][1]["jwt_secrets"][0]["rsa_public_key"] == ENVIRON["OIDC_PUBLIC_KEY"]


@pytest.mark.parametrize("name", sorted(ENVIRON))
def test_a_name_that_is_not_set_ends_the_rendering(name):
    with pytest.raises(kong_render.UnsetError, match=name):
        kong_render.render(kong_render.TEMPLATE.read_text(encoding="utf-8"), ENVIRON | {name: " "})


def test_a_value_cannot_leave_its_place():
    hostile = ENVIRON | {"GATEWAY_SECRET": 'x"} ], extra: ${DESK_API_KEY} \\ # y'}
    document = module("yaml").safe_load(kong_render.render(kong_render.TEMPLATE.read_text(encoding="utf-8"), hostile))
    added = config(service(document, "webhooks")["plugins"], "request-transformer")["add"]["headers"]
    assert added == [f"X-Gateway-Secret:{hostile['GATEWAY_SECRET']}"]


def test_the_rendered_file_is_readable_by_its_owner_only(tmp_path):
    target = tmp_path / "kong.yml"
    command = [sys.executable, str(KONG / "render.py"), str(target)]
    subprocess.run(command, env=os.environ | ENVIRON, check=True)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert (
        subprocess.run(
            [sys.executable, str(KONG / "check.py"), str(target), str(KONG / "kong.env")], check=False
        ).returncode
        == 0
    )
    refused = subprocess.run(command, env=os.environ | ENVIRON | {"API_HOST": ""}, capture_output=True, check=False)
    assert refused.returncode == 1
    assert b"API_HOST" in refused.stderr


BREAKS: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "version": (lambda d: d.update(_format_version=3.0), "_format_version"),
    "glob": (lambda d: route(d, "advoware").update(paths=["/advoware/*"]), "exact end"),
    "no boundary": (lambda d: route(d, "advoware").update(paths=["~/advoware"]), "/advowarex is taken"),
    "strip": (lambda d: route(d, "vmh").pop("strip_path"), "strip_path"),
    "http": (lambda d: route(d, "vmh").update(protocols=["http", "https"]), "only https"),
    "cron": (lambda d: route(d, "calendar")["paths"].append("~/calendar(/|$)"), "/calendar/cron is public"),
    "ops": (lambda d: route(d, "advoware")["paths"].append("~/ops(/|$)"), "/ops is public"),
    "metrics": (lambda d: route(d, "advoware")["paths"].append("~/metrics$"), "/metrics is public"),
    "events": (lambda d: route(d, "advoware")["paths"].append("~/events(/|$)"), "/events/lead.received is public"),
    "key on webhooks": (
        lambda d: route(d, "vmh")["plugins"].append({"name": "key-auth", "config": {}}),
        "route vmh: key-auth locks",
    ),
    "no acl": (lambda d: without(service(d, "api")["plugins"], "acl"), "are all needed"),
    "acl allows": (lambda d: api(d, "acl").update(deny=["others"]), "acl must deny anonymous"),
    "both at once": (lambda d: api(d, "jwt").pop("anonymous"), "anonymous consumer"),
    "key in query": (lambda d: api(d, "key-auth").pop("key_in_query"), "header only"),
    "swallowed key": (lambda d: api(d, "key-auth").update(key_names=["X-API-Key"]), "swallows X-API-Key"),
    "expired tokens": (lambda d: api(d, "jwt").update(claims_to_verify=[]), "check exp"),
    "token in query": (lambda d: api(d, "jwt").pop("uri_param_names"), "from the query"),
    "cors": (lambda d: api(d, "cors").update(origins=["*"]), "cors must name"),
    "secret kept": (lambda d: api(d, "request-transformer").pop("remove"), "must be removed"),
    "secret missing": (lambda d: api(d, "request-transformer").pop("add"), "must be added"),
    "vouched pop": (
        lambda d: config(route(d, "screenpop")["plugins"], "request-transformer").update(
            add={"headers": ["X-Gateway-Secret:x"]}
        ),
        "screen pop opens",
    ),
    "everybody": (
        lambda d: config(route(d, "vmh")["plugins"], "ip-restriction").update(allow=["0.0.0.0/0"]),
        "restricts nobody",
    ),
    "bad address": (lambda d: config(route(d, "vmh")["plugins"], "ip-restriction").update(allow=["x"]), "no address"),
    "unrestricted": (lambda d: without(route(d, "threecx")["plugins"], "ip-restriction"), "sender's addresses"),
    "502 stays": (lambda d: without(service(d, "webhooks")["plugins"], "post-function"), "must become 503"),
    "429": (
        lambda d: d["plugins"].append({"name": "rate-limiting", "config": {"minute": 600}}),
        "global rate limit",
    ),
    "kb": (
        lambda d: config(route(d, "leads")["plugins"], "request-size-limiting").update(size_unit="kb"),
        "size_unit",
    ),
    "size": (
        lambda d: config(route(d, "vmh")["plugins"], "request-size-limiting").update(allowed_payload_size=1),
        "size limit",
    ),
    "vault": (lambda d: d["consumers"][0]["keyauth_credentials"][0].update(key="{vault://env/x}"), "left over"),
    "placeholder": (lambda d: d["consumers"][1]["jwt_secrets"][0].update(key="${X}"), "left over"),
    "short key": (lambda d: d["consumers"][0]["keyauth_credentials"][0].update(key="abc"), "must be long"),
    "hs256": (lambda d: d["consumers"][1]["jwt_secrets"][0].update(algorithm="HS256"), "RS256"),
    "no limit": (lambda d: d["consumers"][0].pop("plugins"), "600 calls"),
    "anonymous": (lambda d: d["consumers"][2].pop("acls"), "group that acl denies"),
    "retries": (lambda d: service(d, "webhooks").pop("retries"), "retries"),
    "timeouts": (lambda d: service(d, "api").pop("read_timeout"), "timeouts"),
    "upstream": (lambda d: d["upstreams"].clear(), "no upstream"),
    "health": (lambda d: d["upstreams"][0].pop("healthchecks"), "not checked"),
    "no tilde": (lambda d: route(d, "vmh").update(paths=["vmh/(a|b)$"]), "exact end"),
    "plain prefix": (lambda d: route(d, "vmh").update(paths=["/vmh"]), "exact end"),
    "bad pattern": (lambda d: route(d, "vmh").update(paths=["~/vmh/(a$"]), "no regular expression"),
    "lower case": (lambda d: route(d, "vmh").update(methods=["post"]), "upper case"),
    "host with a port": (lambda d: route(d, "vmh").update(hosts=["api.bitbylaw.com:443"]), "no port"),
    "route for everything": (lambda d: route(d, "vmh").pop("hosts"), "must be named"),
    "oauth2": (lambda d: d["plugins"].append({"name": "oauth2", "config": {}}), "oauth2 does not work here"),
    "mtls": (lambda d: route(d, "vmh")["plugins"].append({"name": "mtls-auth"}), "mtls-auth does not work here"),
    "switched off": (lambda d: service(d, "api")["plugins"][0].update(enabled=False), "switched off"),
    "policy cluster": (
        lambda d: config(route(d, "newsletter")["plugins"], "rate-limiting").update(policy="cluster"),
        "needs a database",
    ),
    "policy redis": (
        lambda d: config(route(d, "newsletter")["plugins"], "rate-limiting").update(policy="redis"),
        "redis.host",
    ),
    "second above minute": (
        lambda d: config(route(d, "newsletter")["plugins"], "rate-limiting").update(second=100),
        "shorter time",
    ),
    "more for one": (lambda d: config(d["consumers"][0]["plugins"], "rate-limiting").update(minute=6000), "600 calls"),
    "rate limit on webhooks": (
        lambda d: service(d, "webhooks")["plugins"].append(
            {"name": "rate-limiting", "config": {"minute": 600, "policy": "local"}}
        ),
        "answers 429",
    ),
    "dollar name": (lambda d: d["consumers"][1]["jwt_secrets"][0].update(key="$ISSUER"), "left over"),
    "no expiration": (lambda d: api(d, "jwt").pop("maximum_expiration"), "limit it"),
    "secret in the plugin": (lambda d: api(d, "jwt").update(secret="s"), "belongs to its consumer"),
    "secret at random": (lambda d: d["consumers"][1]["jwt_secrets"][0].pop("rsa_public_key"), "public key"),
    "key at random": (lambda d: d["consumers"][0]["keyauth_credentials"][0].pop("key"), "must be long"),
    "key shown": (lambda d: api(d, "key-auth").update(hide_credentials=False), "go no further"),
    "acl both ways": (lambda d: api(d, "acl").update(allow=["desk"]), "acl must deny anonymous"),
    "key on a consumer": (
        lambda d: d["consumers"][0]["plugins"].append({"name": "key-auth", "config": {}}),
        "key-auth on a consumer",
    ),
    "cookies for strangers": (lambda d: api(d, "cors").update(credentials=True), "credentials"),
    "same route": (lambda d: route(d, "leads").update(name="vmh"), "have the same name"),
    "same key": (
        lambda d: d["consumers"][0]["keyauth_credentials"].append(d["consumers"][0]["keyauth_credentials"][0]),
        "have the same name",
    ),
    "tag": (lambda d: route(d, "vmh").update(tags=["a,b"]), "comma"),
    "other host": (lambda d: service(d, "api").update(host="nobody"), "no upstream"),
    "in clear": (lambda d: d["upstreams"][0]["targets"][0].update(target="api.example:80"), "in clear"),
    "health in clear": (
        lambda d: d["upstreams"][0]["healthchecks"]["active"].update(type="https"),
        "the way it is called",
    ),
    "no status codes": (lambda d: config(d["plugins"], "prometheus").pop("status_code_metrics"), "no status codes"),
    "correlation": (lambda d: without(d["plugins"], "correlation-id"), "correlation-id"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_each_trap_is_found(rendered, name):
    broken, expected = BREAKS[name]
    document = copy.deepcopy(rendered)
    broken(document)
    assert any(expected in problem for problem in kong_check.check(document)), kong_check.check(document)


def test_an_application_elsewhere_is_called_over_https():
    elsewhere = ENVIRON | {"APP_TARGET": "app.bitbylaw.com:443", "APP_PROTOCOL": "https"}
    text = kong_render.render(kong_render.TEMPLATE.read_text(encoding="utf-8"), elsewhere)
    document = module("yaml").safe_load(text)
    assert {each["protocol"] for each in document["services"]} == {"https"}
    assert kong_check.check(document) == []


SETTINGS_BREAKS = {
    "query string": ("$request_method $uri", "$request_method $request_uri", "query strings"),
    "arguments": ("$uri $status", "$uri $args $status", "query strings"),
    "another format": ("KONG_PROXY_ACCESS_LOG=/dev/stdout bitbylaw", "KONG_PROXY_ACCESS_LOG=/dev/stdout", "our format"),
    "error lines": ("KONG_LOG_LEVEL=crit", "KONG_LOG_LEVEL=notice", "KONG_LOG_LEVEL"),
    "admin for all": ("KONG_ADMIN_LISTEN=127.0.0.1:8001", "KONG_ADMIN_LISTEN=0.0.0.0:8001", "KONG_ADMIN_LISTEN"),
    "no status": ("KONG_STATUS_LISTEN=0.0.0.0:8100", "", "KONG_STATUS_LISTEN"),
    "version": ("KONG_HEADERS=off", "", "KONG_HEADERS"),
    "a database": ("KONG_DATABASE=off", "KONG_DATABASE=postgres", "KONG_DATABASE"),
    "no ssl": ("0.0.0.0:8443 ssl http2", "0.0.0.0:8443", "ssl only"),
    "any certificate": ("PROXY_SSL_VERIFY=on", "PROXY_SSL_VERIFY=off", "PROXY_SSL_VERIFY"),
    "balancer unnamed": ("#KONG_TRUSTED_IPS=", "KONG_TRUSTED_IPS=", "belong together"),
    "everybody trusted": ("#KONG_TRUSTED_IPS=10.0.0.0/8\n#KONG", "KONG_TRUSTED_IPS=0.0.0.0/0\nKONG", "every address"),
}


def test_kongs_settings_break_no_rule():
    assert list(kong_form.settings((KONG / "kong.env").read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("name", SETTINGS_BREAKS)
def test_each_trap_in_its_settings_is_found(name):
    here, instead, expected = SETTINGS_BREAKS[name]
    text = (KONG / "kong.env").read_text(encoding="utf-8")
    assert here in text
    assert any(expected in problem for problem in kong_form.settings(text.replace(here, instead)))
