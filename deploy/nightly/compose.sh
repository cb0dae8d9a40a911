#!/usr/bin/env bash
# Bring compose.yaml up with podman-compose as docs/deploy.md says, follow requests through it, and take it down again.
# Called by deploy/nightly.sh with the base image; wants its CONTAINERS_CONF and the image bitbylaw:nightly. About two
# minutes. Redis and Prometheus are Debian's in stand-in images; Kong and Grafana are left out: nothing stands in for them.
set -euo pipefail
cd "$(dirname "$0")/../.."
BASE=$1
CACHE=${BITBYLAW_CACHE:-/var/cache/bitbylaw}
SERVICES="redis app worker scheduler prometheus"
WORK=$(mktemp -d)
TREE=$WORK/tree
export APP_PORT=${NIGHTLY_PORT:-18080} CRM_PORT=$((${NIGHTLY_PORT:-18080} + 1))
export BITBYLAW_IMAGE=localhost/bitbylaw:nightly REDIS_IMAGE=localhost/bbl-redis:nightly PROMETHEUS_IMAGE=localhost/bbl-prometheus:nightly
sees() { grep "$@" >/dev/null; } # reads to the end, unlike -q, which would break the pipe before it
say() { printf '%-58s %s\n' "$1" "$2"; }
fail() { echo "FAILED: $1" >&2; for each in app worker; do podman logs --tail 20 "bblc_${each}_1" >&2 || true; done; exit 1; }
compose() { # every command is bounded: a composer that waits for ever must not hold the night
    timeout -k 5 120 "$CACHE/compose/bin/podman-compose" -p bblc -f "$TREE/compose.yaml" -f "$TREE/deploy/nightly/compose.yaml" \
        "$@" >>"$WORK/compose.log" 2>&1 || { tail -20 "$WORK/compose.log" >&2; fail "podman-compose $1"; }
}
trap 'podman rm -f -t 2 $(podman ps -aq --filter label=io.podman.compose.project=bblc) >/dev/null 2>&1 || true
      podman network rm -f bblc_front bblc_state bblc_metrics bblc_out bblc_edge >/dev/null 2>&1 || true
      podman volume rm -f bblc_redis-data bblc_prometheus-data bblc_grafana-data >/dev/null 2>&1 || true; rm -rf "$WORK"' EXIT

[ -x "$CACHE/compose/bin/podman-compose" ] || { python3 -m venv "$CACHE/compose" && "$CACHE/compose/bin/pip" install -q podman-compose==1.6.0; }
build() { podman build -q --network host --isolation=chroot -v /etc/ssl/certs:/etc/ssl/certs:ro --format docker --build-arg BASE="$BASE" -t "$1" - >/dev/null; }
build "$REDIS_IMAGE" <<'D'
ARG BASE
FROM ${BASE}
RUN mkdir /data && chown 999:999 /data
D
build "$PROMETHEUS_IMAGE" <<'D'
ARG BASE
FROM ${BASE}
RUN printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d && apt-get update -q \
    && apt-get install -qy --no-install-recommends prometheus && mkdir /prometheus && chown 65534:65534 /prometheus
ENTRYPOINT ["/usr/bin/prometheus"]
D

# --- what an operator does before the first start ---
mkdir "$TREE"
git archive HEAD | tar -x -C "$TREE"
openssl genrsa 2048 2>/dev/null | openssl rsa -pubout -out "$WORK/issuer.pem" 2>/dev/null
API_HOST=api.example.org CORS_ORIGINS=https://crm.example.org ESPOCRM_CIDRS=192.0.2.10/32 WORDPRESS_CIDRS=192.0.2.20/32 \
    THREECX_CIDRS=192.0.2.30/32 OIDC_ISSUER=https://login.example OIDC_PUBLIC_KEY="$(cat "$WORK/issuer.pem")" sh "$TREE/deploy/compose/init.sh"
secret() { cat "$TREE/deploy/compose/secrets/$1"; }
put() { printf '%s' "$2" >"$TREE/deploy/compose/secrets/$1"; } # keeps mode and owner
compose up -d crm advoware
for each in crm advoware; do
    for _ in $(seq 100); do podman logs "bblc_${each}_1" 2>/dev/null | sees '=' && break; sleep 0.1; done
    podman logs "bblc_${each}_1" 2>/dev/null | sed -n "s#http://[^/]*:\(809[23]\)#http://$each:\1#; /^[A-Z_]*=/p" >>"$WORK/doubles"
done
CRM_KEY=$(sed -n 's/^PERSON_API_KEY=//p' "$WORK/doubles")
[ -n "$CRM_KEY" ] || fail "the doubles did not start"
put ESPOCRM_WEBHOOK_SECRETS hook:compose-night
while read -r line; do
    name=${line%%=*} value=${line#*=}
    case $name in
        PERSON_API_KEY) ;;
        ADVOWARE_API_KEY | ADVOWARE_PASSWORD | ESPOCRM_API_KEY) put "$name" "$value" ;;
        *) sed -i "/^$name=/d" "$TREE/deploy/compose/settings.env" && echo "$name=$value" >>"$TREE/deploy/compose/settings.env" ;;
    esac
done <"$WORK/doubles"
echo ESPOCRM_DEFAULT_USER_ID=user-compose >>"$TREE/deploy/compose/settings.env"

# --- up, ready, and through all of it ---
started=$SECONDS
# shellcheck disable=SC2086
compose up -d $SERVICES
ready() { curl -sS -m 3 -o "$WORK/ready" -w '%{http_code}' ${1:+-H "X-Gateway-Secret: $1"} "http://127.0.0.1:$APP_PORT/ready" 2>/dev/null || true; }
for _ in $(seq 100); do [ "$(ready "$(secret GATEWAY_SECRET)")" = 200 ] && break; sleep 0.3; done
[ "$(ready "$(secret GATEWAY_SECRET)")" = 200 ] || fail "not ready: $(cat "$WORK/ready" 2>/dev/null)"
[ "$(ready '')" = 401 ] || fail "/ready answers without the gateway's secret"
say "compose: five services up and ready" "$((SECONDS - started)) s"
GATEWAY_SECRET=$(secret GATEWAY_SECRET) LEAD_SECRET=$(secret VERMIETERHELDEN_WEBHOOK_SECRET)
export CRM_KEY GATEWAY_SECRET LEAD_SECRET APP=127.0.0.1:$APP_PORT CRM=127.0.0.1:$CRM_PORT ESPO_SECRET=hook:compose-night
python3 deploy/nightly/load.py send 4 "$WORK/acknowledged"
for _ in $(seq 60); do
    read -r acknowledged processed missing twice < <(python3 deploy/nightly/load.py count "$WORK/acknowledged")
    [ "$missing" = 0 ] && break
    sleep 0.5
done
say "compose: acknowledged by app / done by worker / twice" "$acknowledged / $processed / $twice"
[ "$acknowledged" -gt 0 ] && [ "$missing" = 0 ] && [ "$twice" = 0 ] || fail "not everything went through Redis to the worker"
for _ in $(seq 75); do podman logs bblc_scheduler_1 2>/dev/null | sees '"/ops/relay", "status": 200' && break; sleep 1; done
podman logs bblc_scheduler_1 2>/dev/null | sees '"/ops/relay", "status": 200' || fail "the scheduler called nobody"
say "compose: the scheduler's call answered" ok

# --- secrets, Redis' users, networks, metrics ---
for each in app worker scheduler; do
    podman inspect "bblc_${each}_1" | sees -F -e "$GATEWAY_SECRET" -e compose-night && fail "a secret in the definition of $each"
    podman logs "bblc_${each}_1" 2>&1 | sees -F -e "$GATEWAY_SECRET" -e "$LEAD_SECRET" -e compose-night && fail "a secret in the log of $each"
done
[ "$(podman exec bblc_app_1 stat -c '%a %u' /run/secrets/GATEWAY_SECRET)" = "600 10001" ] || fail "somebody else may read a secret"
password=$(secret REDIS_URL | sed 's#.*bitbylaw:##; s#@.*##')
redis() { podman exec bblc_redis_1 redis-cli --no-auth-warning --user bitbylaw -a "$password" "$@"; }
podman exec bblc_redis_1 redis-cli ping | sees NOAUTH || fail "Redis lets anybody in"
[ "$(redis ping)" = PONG ] && [ "$(redis config get appendfsync | tail -1)" = always ] || fail "Redis' user"
for each in flushall "config set appendonly no" "acl list" shutdown; do
    # shellcheck disable=SC2086
    redis $each 2>&1 | sees NOPERM || fail "Redis' user may $each"
done
podman exec bblc_scheduler_1 python3 -c 'import socket; socket.getaddrinfo("redis", 6379)' 2>/dev/null && fail "the scheduler reaches Redis"
for _ in $(seq 40); do
    up=$(podman exec bblc_prometheus_1 python3 -c 'import json, urllib.request as u
print(*sorted(t["labels"]["role"] for t in json.load(u.urlopen("http://127.0.0.1:9090/api/v1/targets"))["data"]["activeTargets"] if t["health"] == "up"))' || true)
    [ "$up" = "app worker" ] && break
    sleep 1
done
[ "$up" = "app worker" ] || fail "Prometheus reads only: $up"
say "compose: secrets as files, ACL, networks, Prometheus" ok

# --- stop within the grace, and find everything again ---
before=$(redis -n 1 get vmh:beteiligte:fence)
started=$SECONDS
# shellcheck disable=SC2086
compose stop -t 30 $SERVICES
took=$((SECONDS - started))
for each in $SERVICES; do
    code=$(podman inspect "bblc_${each}_1" --format '{{.State.ExitCode}}')
    [ "$code" = 0 ] || fail "$each ended with $code"
done
[ "$took" -le 35 ] || fail "stopping took $took s"
say "compose: all ended well within the grace" "$took s"
compose down
compose up -d redis
for _ in $(seq 100); do [ "$(redis ping 2>/dev/null)" = PONG ] && break; sleep 0.3; done
after=$(redis -n 1 get vmh:beteiligte:fence)
[ -n "$before" ] && [ "$after" = "$before" ] || { podman logs bblc_redis_1 >&2; fail "Redis counted $before before and ${after:-nothing} afterwards"; }
compose down -v
say "compose: down and up again finds Redis as it was" ok
