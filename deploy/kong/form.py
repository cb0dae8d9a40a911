"""The form of Kong's files: what Kong refuses at start, or takes without a word and does something else."""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

# What is in Kong 3.9 without a database and a licence, and what we use of it. oauth2 would answer 500 for every token
# without a database; mtls-auth is not in the free Kong.
PLUGINS = frozenset({
    "acl", "correlation-id", "cors", "ip-restriction", "jwt", "key-auth", "post-function", "prometheus",
    "rate-limiting", "request-size-limiting", "request-transformer",
})  # fmt: skip
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"})
_LEFT_OVER = re.compile(r"\$\{|\{vault:|\$[A-Z_]{2,}")


def form(document: dict[str, Any]) -> Iterator[str]:
    """Check what is true of every part, wherever it stands."""
    if document.get("_format_version") != "3.0":
        yield "_format_version must be the string 3.0"
    for text in _strings(document):
        if _LEFT_OVER.search(text):
            yield "a placeholder or vault reference is left over, and Kong would take it literally"
    yield from _names(document)
    for where, plugin in _plugins(document):
        yield from (f"{where}: {problem}" for problem in _plugin(plugin))
    for service in document.get("services", []):
        for route in service.get("routes", []):
            yield from (f"route {route.get('name')}: {problem}" for problem in _route(route))


def _names(document: dict[str, Any]) -> Iterator[str]:
    services, consumers = document.get("services", []), document.get("consumers", [])
    kinds = {
        "service": [each.get("name") for each in services],
        "route": [route.get("name") for each in services for route in each.get("routes", [])],
        "consumer": [each.get("username") for each in consumers],
        "upstream": [each.get("name") for each in document.get("upstreams", [])],
        "key": [key.get("key") for each in consumers for key in each.get("keyauth_credentials", [])],
        "issuer": [key.get("key") for each in consumers for key in each.get("jwt_secrets", [])],
    }
    for kind, names in kinds.items():
        yield from (
            f"two {kind}s have the same name" for name, count in Counter(names).items() if count > 1 or not name
        )
    for each in _objects(document):
        if any("," in str(tag) for tag in each.get("tags") or []):
            yield "a tag must not have a comma"


def _plugins(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from (("everywhere", each) for each in document.get("plugins", []))
    for service in document.get("services", []):
        yield from ((f"service {service.get('name')}", each) for each in service.get("plugins", []))
        for route in service.get("routes", []):
            yield from ((f"route {route.get('name')}", each) for each in route.get("plugins", []))
    for consumer in document.get("consumers", []):
        for each in consumer.get("plugins", []):
            yield f"consumer {consumer.get('username')}", each
            if each.get("name") != "rate-limiting":
                yield "consumer", {"name": f"{each.get('name')} on a consumer"}


def _plugin(plugin: dict[str, Any]) -> Iterator[str]:
    name, config = plugin.get("name"), plugin.get("config", {})
    if name not in PLUGINS:
        yield f"plugin {name} does not work here"
    if plugin.get("enabled") is False:
        yield f"plugin {name} is switched off"
    if name == "rate-limiting":
        yield from _rate(config)
    if name == "jwt" and "secret" in config:
        yield "a jwt secret belongs to its consumer, not to the plugin"
    if name == "cors" and config.get("credentials"):
        yield "cors must not allow credentials"
    if name == "prometheus" and not config.get("status_code_metrics"):
        yield "prometheus tells no status codes unless status_code_metrics is on"


def _rate(config: dict[str, Any]) -> Iterator[str]:
    policy = config.get("policy")
    if policy not in {"local", "redis"}:
        yield "rate-limiting needs a database for policy cluster: local or redis"
    if policy == "redis" and not config.get("redis", {}).get("host"):
        yield "rate-limiting with policy redis needs redis.host"
    order = [config[name] for name in ("second", "minute", "hour", "day") if name in config]
    if not order or order != sorted(order):
        yield "rate-limiting needs limits, and a shorter time may not allow more than a longer one"


def _route(route: dict[str, Any]) -> Iterator[str]:
    if not set(route.get("methods", [])) <= METHODS:
        yield "methods are upper case"
    if any(":" in host or "/" in host for host in route.get("hosts", [])):
        yield "a host has no port and no path"
    for path in route.get("paths", []):
        try:
            re.compile(path.removeprefix("~"))
        except re.error:
            yield f"path {path} is no regular expression"


def settings(text: str) -> Iterator[str]:
    """Check kong.env: who may ask Kong what, and what it writes down."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    given = {name: value for name, _, value in (line.partition("=") for line in lines)}
    wanted = {
        "KONG_DATABASE": "off",
        "KONG_LOG_LEVEL": "crit",  # an error line would repeat the request
        "KONG_HEADERS": "off",
        "KONG_ADMIN_LISTEN": "127.0.0.1:8001",
        "KONG_ADMIN_ACCESS_LOG": "off",
        "KONG_STATUS_ACCESS_LOG": "off",
        "KONG_NGINX_PROXY_PROXY_SSL_VERIFY": "on",
    }
    yield from (f"{name} must be {value}" for name, value in wanted.items() if given.get(name) != value)
    yield from _listening(given)
    log = given.get("KONG_NGINX_HTTP_LOG_FORMAT", "")
    if "$uri" not in log or re.search(r"\$(request_uri|args|query_string|is_args|http_referer|arg_\w+|request)\b", log):
        yield "the access log must show paths without query strings"
    if log.split(" ")[0] not in given.get("KONG_PROXY_ACCESS_LOG", ""):
        yield "the access log must be written in our format"


def _listening(given: Mapping[str, str]) -> Iterator[str]:
    if not given.get("KONG_STATUS_LISTEN"):
        yield "KONG_STATUS_LISTEN is where Prometheus asks"
    if " ssl" not in given.get("KONG_PROXY_LISTEN", ""):
        yield "the proxy listens with ssl only"
    trusted, header = given.get("KONG_TRUSTED_IPS", ""), given.get("KONG_REAL_IP_HEADER", "")
    if bool(trusted) != bool(header):
        yield "KONG_TRUSTED_IPS and KONG_REAL_IP_HEADER belong together, else ip-restriction sees the balancer"
    networks = [ipaddress.ip_network(each.strip(), strict=False) for each in trusted.split(",") if each.strip()]
    if any(each.prefixlen == 0 for each in networks):
        yield "who trusts everybody's header believes every address"


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
        yield from _objects(each)


def _strings(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for each in value.values():
                yield from _strings(each)
        case list():
            for each in value:
                yield from _strings(each)
