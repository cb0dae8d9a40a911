"""Check a rendered kong.yml by the rules that Kong's own validation leaves open; each is a trap somebody fell into."""

from __future__ import annotations

import ipaddress
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from form import form, settings

OPEN = frozenset({"vmh", "leads", "threecx", "calendar-push", "newsletter", "screenpop"})
FROM_KNOWN = frozenset({"vmh", "leads", "threecx"})
NOT_PUBLIC = (
    "/metrics", "/ready", "/ops", "/ops/relay", "/ops/deadletters", "/events/lead.received", "/calendar/cron",
    "/vmh/reconcile", "/threecx/reconcile", "/leads/maintenance", "/openapi.json", "/health",
)  # fmt: skip
PUBLIC = {
    "/advoware": "advoware", "/advoware/": "advoware", "/advoware/x/1": "advoware", "/calendar/sync": "calendar",
    "/calendar/plan": "calendar", "/calendar/status": "calendar", "/calendar/audit": "calendar",
    "/calendar/locks/SB": "calendar", "/calendar/push": "calendar-push", "/vmh/webhook/beteiligte/create": "vmh",
    "/vmh/webhook/beteiligte/update": "vmh", "/vmh/webhook/beteiligte/delete": "vmh",
    "/api/leads/vermieterhelden": "leads", "/api/leads/newsletter/confirm": "newsletter",
    "/threecx/calls": "threecx-calls", "/threecx/calls/1/recording": "threecx-calls", "/threecx/lookup": "threecx",
    "/threecx/webhook": "threecx", "/threecx/report-call": "threecx", "/threecx/screenpop": "screenpop",
}  # fmt: skip
NEIGHBOURS = (
    "/advowarex",
    "/vmhfoo",
    "/threecx/callsx",
    "/calendar/pushx",
    "/threecx/lookup/x",
    "/calendar/synchronize",
)
SIZES = {"advoware": 20 * 2**20, "vmh": 10 * 2**20, "leads": 256 * 2**10}
UNITS = {"megabytes": 2**20, "kilobytes": 2**10, "bytes": 1}
PRIVATE = re.compile(r"[a-z][a-z0-9-]*|127\.0\.0\.1|10\..*|192\.168\..*|172\.(1[6-9]|2\d|3[01])\..*|\S+\.internal")


class Route:
    """A route with the plugins that act on it."""

    def __init__(self, document: dict[str, Any], service: dict[str, Any], route: dict[str, Any]) -> None:
        self.name, self.route, self.service = str(route.get("name")), route, service
        plugins = [*document.get("plugins", []), *service.get("plugins", []), *route.get("plugins", [])]
        self.plugins = {each["name"]: each.get("config", {}) for each in plugins}

    def matches(self, path: str) -> bool:
        """Tell whether the route takes a path, as Kong's router decides it."""
        return any(
            _found(pattern[1:], path) if pattern.startswith("~") else path.startswith(pattern)
            for pattern in self.route.get("paths", [])
        )


def _found(pattern: str, path: str) -> bool:
    try:
        return re.match(pattern, path) is not None
    except re.error:
        return False  # said elsewhere


def check(document: dict[str, Any]) -> list[str]:
    """List what is wrong; nothing is, when the list is empty."""
    services = document.get("services", [])
    routes = [Route(document, service, route) for service in services for route in service.get("routes", [])]
    return [
        *form(document),
        *_document(document),
        *(problem for service in services for problem in _service(document, service)),
        *(f"route {route.name}: {problem}" for route in routes for problem in _route(route)),
        *_paths(routes),
        *_consumers(document),
    ]


def _document(document: dict[str, Any]) -> Iterator[str]:
    names = {each["name"] for each in document.get("plugins", [])}
    yield from (f"plugin {name} must act everywhere" for name in {"correlation-id", "prometheus"} - names)
    if "rate-limiting" in names:
        yield "a global rate limit answers webhook senders with 429, and EspoCRM drops on that"


def _service(document: dict[str, Any], service: dict[str, Any]) -> Iterator[str]:
    name = service.get("name")
    upstreams = {each["name"]: each for each in document.get("upstreams", [])}
    upstream = upstreams.get(service.get("host", ""))
    if upstream is None:
        yield f"service {name}: host is no upstream, so nobody checks its health"
    elif not upstream.get("healthchecks", {}).get("active", {}).get("unhealthy", {}).get("interval"):
        yield f"service {name}: its upstream is not checked actively"
    else:
        yield from (f"service {name}: {problem}" for problem in _carried(service, upstream))
    if service.get("retries") not in {0, 1}:
        yield f"service {name}: retries must be 0 or 1, a POST would be sent again"
    if not all(service.get(f"{each}_timeout") for each in ("connect", "read", "write")):
        yield f"service {name}: timeouts must be set, 60 s is the default of each"


def _carried(service: dict[str, Any], upstream: dict[str, Any]) -> Iterator[str]:
    protocol = service.get("protocol")
    if upstream["healthchecks"]["active"].get("type") != protocol:
        yield "its health must be asked the way it is called"
    hosts = [str(each.get("target", "")).rpartition(":")[0] for each in upstream.get("targets", [])]
    if protocol != "https" and not all(PRIVATE.fullmatch(host) for host in hosts):
        yield "the gateway's secret would travel in clear: https to a target outside"


def _route(route: Route) -> Iterator[str]:
    settings, plugins = route.route, route.plugins
    if settings.get("strip_path") is not False:
        yield "strip_path must be false, functions see the whole path"
    if settings.get("protocols") != ["https"]:
        yield "only https"
    if not settings.get("hosts") or not settings.get("methods"):
        yield "hosts and methods must be named"
    for path in settings.get("paths", [""]):
        if not re.fullmatch(r"~/\S*(\(/\|\$\)|\$)", path):
            yield f"path {path} has no exact end"
    yield from _open(plugins) if route.name in OPEN else _guarded(plugins)
    yield from _gateway_secret(route)
    if route.name in FROM_KNOWN:
        yield from _addresses(plugins.get("ip-restriction", {}))
    if route.service.get("name") == "webhooks":
        yield from _webhook(plugins)
    yield from _size(route)


def _open(plugins: dict[str, Any]) -> Iterator[str]:
    yield from (f"{name} locks its sender out" for name in {"key-auth", "jwt", "acl", "basic-auth"} & plugins.keys())


def _guarded(plugins: dict[str, Any]) -> Iterator[str]:
    key, token, acl = plugins.get("key-auth"), plugins.get("jwt"), plugins.get("acl")
    if key is None or token is None or acl is None:
        yield "key-auth, jwt and acl are all needed"
        return
    if not key.get("anonymous") or not token.get("anonymous"):
        yield "key-auth and jwt must both have an anonymous consumer, else both are wanted at once"
    if "anonymous" not in acl.get("deny", []) or "allow" in acl:
        yield "acl must deny anonymous, and nothing else passes for a decision"
    if key.get("key_in_query") is not False or key.get("hide_credentials") is not True:
        yield "a key must come in a header only and go no further"
    if any(name.lower() == "x-api-key" for name in key.get("key_names", ["apikey"])):
        yield "key_names swallows X-API-Key, which senders use for keys of their own"
    if "exp" not in token.get("claims_to_verify", []) or not token.get("maximum_expiration"):
        yield "jwt must check exp and limit it"
    if token.get("uri_param_names") != []:
        yield "jwt must not take tokens from the query"
    if token.get("run_on_preflight") is not False:
        yield "jwt must leave preflights to cors"
    if "*" in plugins.get("cors", {}).get("origins", ["*"]):
        yield "cors must name its origins"


def _gateway_secret(route: Route) -> Iterator[str]:
    change = route.plugins.get("request-transformer", {})
    if "X-Gateway-Secret" not in change.get("remove", {}).get("headers", []):
        yield "what a caller sends as X-Gateway-Secret must be removed"
    adds = [each for each in change.get("add", {}).get("headers", []) if each.startswith("X-Gateway-Secret:")]
    if route.name == "screenpop" and adds:
        yield "the screen pop opens to everybody when the gateway vouches for it"
    if route.name != "screenpop" and not any(len(each) > len("X-Gateway-Secret:") for each in adds):
        yield "the gateway's secret must be added"


def _addresses(restriction: dict[str, Any]) -> Iterator[str]:
    if not restriction.get("allow"):
        yield "only its sender's addresses may call it"
    for each in restriction.get("allow", []):
        try:
            network = ipaddress.ip_network(each, strict=False)
        except ValueError:
            yield f"{each} is no address"
            continue
        if network.prefixlen == 0:
            yield "an address range of everybody restricts nobody"


def _webhook(plugins: dict[str, Any]) -> Iterator[str]:
    lua = "".join(plugins.get("post-function", {}).get("header_filter", []))
    if not all(word in lua for word in ("502", "504", "set_status(503)")):
        yield "502 and 504 must become 503, else the sender gives up"
    if "rate-limiting" in plugins:
        yield "a rate limit answers 429, and the sender drops the message"


def _size(route: Route) -> Iterator[str]:
    limit = route.plugins.get("request-size-limiting", {})
    unit = UNITS.get(limit.get("size_unit", ""))
    if unit is None:
        yield "request-size-limiting with size_unit megabytes, kilobytes or bytes is needed"
    elif limit["allowed_payload_size"] * unit != SIZES.get(route.name, limit["allowed_payload_size"] * unit):
        yield "its size limit is not that of the function"


def _paths(routes: list[Route]) -> Iterator[str]:
    for path in NOT_PUBLIC:
        yield from (f"{path} is public by route {route.name}" for route in routes if route.matches(path))
    for path in NEIGHBOURS:
        yield from (f"{path} is taken by route {route.name}" for route in routes if route.matches(path))
    for path, wanted in PUBLIC.items():
        found = [route.name for route in routes if route.matches(path)]
        if found != [wanted]:
            yield f"{path} goes to {found}, not to {wanted}"


def _consumers(document: dict[str, Any]) -> Iterator[str]:
    for consumer in document.get("consumers", []):
        name = consumer.get("username")
        if name == "anonymous":
            if [each.get("group") for each in consumer.get("acls", [])] != ["anonymous"]:
                yield "consumer anonymous must be in the group that acl denies"
            continue
        limits = [each.get("config", {}) for each in consumer.get("plugins", []) if each["name"] == "rate-limiting"]
        if [(each.get("minute"), each.get("policy")) for each in limits] != [(600, "local")]:
            yield f"consumer {name}: 600 calls a minute, counted locally"
        if any(len(each.get("key", "")) < 32 for each in consumer.get("keyauth_credentials", [])):
            yield f"consumer {name}: keys are not rate-limited, so they must be long"
        for secret in consumer.get("jwt_secrets", []):
            if secret.get("algorithm") != "RS256" or "PUBLIC KEY" not in secret.get("rsa_public_key", ""):
                yield f"consumer {name}: RS256 with the issuer's public key"


def main(arguments: list[str]) -> int:
    """Check kong.yml and, where it is named, kong.env."""
    import yaml

    problems = check(yaml.safe_load(Path(arguments[0]).read_text(encoding="utf-8")))
    problems += [each for path in arguments[1:] for each in settings(Path(path).read_text(encoding="utf-8"))]
    for problem in problems:
        sys.stderr.write(f"kong: {problem}\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
