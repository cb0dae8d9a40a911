#!/usr/bin/env bash
# Build the image for real, run it as compose would, stop it under load, and boot the units under systemd as PID 1.
# Needs root on Debian: apt-get install podman buildah runc netavark aardvark-dns iptables mmdebstrap ca-certificates
set -euo pipefail
cd "$(dirname "$0")/.."
SUITE=${SUITE:-bookworm}
BASE=bitbylaw-base:$SUITE
WORK=$(mktemp -d)
CACHE=${BITBYLAW_CACHE:-/var/cache/bitbylaw}
PORT=${NIGHTLY_PORT:-18080}
export CONTAINERS_CONF=$WORK/containers.conf
BUILD="--network host --isolation=chroot -v /etc/ssl/certs:/etc/ssl/certs:ro --format docker"
cat >"$CONTAINERS_CONF" <<'CONF'
[containers]
default_ulimits = ["nofile=4096:4096","nproc=4096:4096"]
[engine]
runtime = "runc"
events_logger = "file"
cgroup_manager = "cgroupfs"
[network]
network_backend = "netavark"
CONF

say() { printf '%-58s %s\n' "$1" "$2"; }
fail() { echo "FAILED: $1" >&2; exit 1; }
cleanup() {
    podman rm -f -t 2 bbl-app bbl-worker bbl-redis bbl-systemd bbl-unsafe >/dev/null 2>&1 || true
    podman network rm -f bbl >/dev/null 2>&1 || true
    rm -rf "$WORK"
}
trap cleanup EXIT

# --- a stand-in for the official base image ---
mkdir -p "$CACHE"
if [ ! -s "$CACHE/$SUITE.tar" ]; then # whole or not at all: what was broken off must not be taken the next time
    mmdebstrap --quiet --variant=minbase --include=python3,python3-venv,ca-certificates,redis-server,systemd-sysv,dbus \
        "$SUITE" "$CACHE/$SUITE.part.tar" && mv "$CACHE/$SUITE.part.tar" "$CACHE/$SUITE.tar"
fi
podman image exists "$BASE" || podman import -q "$CACHE/$SUITE.tar" "$BASE" >/dev/null

# --- build ---
started=$SECONDS
# shellcheck disable=SC2086
podman build -q $BUILD --build-arg BASE_IMAGE="$BASE" --target runtime -t bitbylaw:nightly . >/dev/null
say "image built" "$((SECONDS - started)) s"
# shellcheck disable=SC2086
podman build -q $BUILD --build-arg BASE_IMAGE="$BASE" --target lambda -t bitbylaw:lambda . >/dev/null
size() { podman image inspect "$1" --format '{{.Size}}'; }
ours=$((($(size bitbylaw:nightly) - $(size "$BASE")) / 1000000))
say "our layers above the base image" "$ours MB (at most 90)"
[ "$ours" -le 90 ] || fail "the image is too large"
say "with boto3 and the Lambda client" "$((($(size bitbylaw:lambda) - $(size "$BASE")) / 1000000)) MB"
podman history --no-trunc bitbylaw:nightly | grep -iE 'secret|password|api_key' && fail "a secret in the image's history"
podman run --rm --no-healthcheck bitbylaw:nightly sh -c 'ls /app/.env /app/tests /app/.git 2>/dev/null' && fail "more in the image than belongs there"
podman run --rm --no-healthcheck --entrypoint python3 bitbylaw:lambda -c "import awslambdaric, boto3, functions.aws; boto3.client('sqs', region_name='eu-central-1')"
say "stage lambda imports its handlers" ok

# --- run, as restricted as in compose.yaml ---
podman network create bbl >/dev/null
podman run -d --name bbl-redis --network bbl --no-healthcheck --entrypoint redis-server "$BASE" --protected-mode no \
    --requirepass nightly --appendonly yes --appendfsync always --maxmemory 64mb --maxmemory-policy noeviction >/dev/null
mkdir "$WORK/secrets"
put() { printf '%s' "$2" >"$WORK/secrets/$1"; chmod 0444 "$WORK/secrets/$1"; }
put GATEWAY_SECRET nightly-gateway
put REDIS_URL redis://default:nightly@bbl-redis:6379
put ESPOCRM_WEBHOOK_SECRETS hook:nightly
put VERMIETERHELDEN_WEBHOOK_SECRET nightly-leads-secret-nightly-leads
put THREECX_WEBHOOK_SECRET nightly-threecx
put LEAD_ENCRYPTION_KEY "$(head -c 32 /dev/urandom | base64 | tr '+/' '-_')"
HARD="--network bbl --no-healthcheck --memory 256m --pids-limit 128 --read-only --tmpfs /tmp --cap-drop all
      --security-opt no-new-privileges -v $WORK/secrets:/run/secrets:ro -e ENVIRONMENT=production"
chmod 0755 "$WORK" "$WORK/secrets"
started=$(date +%s%N)
# shellcheck disable=SC2086
podman run -d --name bbl-app $HARD -p "127.0.0.1:$PORT:8080" bitbylaw:nightly app >/dev/null
# shellcheck disable=SC2086
podman run -d --name bbl-worker $HARD -e WORKER_HTTP_PORT=8081 bitbylaw:nightly worker >/dev/null
up() { curl -fsS -m 2 -o /dev/null "http://127.0.0.1:$PORT/health" 2>/dev/null; }
for _ in $(seq 100); do up && break; sleep 0.1; done
up || { podman logs bbl-app >&2; fail "the application does not answer"; }
say "container start to first 200" "$((($(date +%s%N) - started) / 1000000)) ms"
ready=$(curl -sS -m 5 -H 'X-Gateway-Secret: nightly-gateway' "http://127.0.0.1:$PORT/ready")
case $ready in *'"redis: '* | '') fail "not ready: $ready" ;; esac
say "ready: Redis durable, in a container of its own" ok
[ "$(curl -sS -m 5 -o /dev/null -w '%{http_code}' "http://127.0.0.1:$PORT/ready")" = 401 ] || fail "ready without the gateway secret"
podman healthcheck run bbl-app >/dev/null 2>&1 || podman exec bbl-app /app/deploy/image/start health || fail "health check"
podman exec bbl-worker /app/deploy/image/start health || fail "the worker's health"
say "health of app and worker" ok
[ "$(podman exec bbl-app id -u)" = 10001 ] || fail "runs as root"
podman exec bbl-app sh -c 'echo x >/app/x' 2>/dev/null && fail "the file system is writable"
say "user, file system" "10001, read-only"
idle=$(for pid in $(podman top bbl-app hpid | tail -n +2); do awk '/^Pss:/ {print $2}' "/proc/$pid/smaps_rollup"; done | awk '{sum += $1} END {print int(sum / 1024)}')
say "all-in-one idle" "$idle MiB (below 140)"
[ "$idle" -lt 140 ] || fail "the application is too large"
podman logs bbl-app 2>&1 | grep -E 'nightly-(gateway|leads|threecx)|hook:nightly' && fail "a secret in the log"
[ "$(podman exec bbl-redis redis-cli --no-auth-warning -a nightly config get appendfsync | tail -1)" = always ] || fail "Redis"

# --- restart under load: nothing that was acknowledged may be missing ---
python3 - "$PORT" "$WORK/ids" <<'LOAD' &
import base64, hashlib, hmac, http.client, json, sys, time
port, acknowledged, ends, n = int(sys.argv[1]), open(sys.argv[2], "w"), time.time() + 12, 0
while time.time() < ends:
    n += 1
    item = f"{n:017x}"
    body = json.dumps([{"id": item}])
    digest = hmac.new(b"nightly", body.encode(), hashlib.sha256).hexdigest()
    headers = {"Content-Type": "application/json", "X-Gateway-Secret": "nightly-gateway",
               "Signature": base64.b64encode(f"hook:{digest}".encode()).decode()}
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("POST", "/vmh/webhook/beteiligte/create", body, headers)
        if connection.getresponse().status == 200:
            print(item, file=acknowledged, flush=True)
    except OSError:
        time.sleep(0.05)
LOAD
load=$!
sleep 3
podman stop -t 30 bbl-app >/dev/null
code=$(podman inspect bbl-app --format '{{.State.ExitCode}}')
[ "$code" = 0 ] || fail "the application ended with $code"
podman start bbl-app >/dev/null
sleep 2
podman stop -t 30 bbl-worker >/dev/null && podman start bbl-worker >/dev/null
[ "$(podman inspect bbl-worker --format '{{.State.ExitCode}}')" = 0 ] || fail "the worker did not end well"
wait $load
podman stop -t 30 bbl-worker >/dev/null # so that nothing moves while we look
known() { podman exec bbl-redis redis-cli --no-auth-warning -a nightly -n 1 "$@"; }
{ known smembers vmh:beteiligte:create_pending; known zrange vmh:beteiligte:processing 0 -1; known hkeys vmh:beteiligte:owner; } | sort -u >"$WORK/there"
missing=$(sort -u "$WORK/ids" | comm -23 - "$WORK/there" | wc -l)
say "acknowledged during restarts / missing" "$(wc -l <"$WORK/ids") / $missing"
[ "$missing" = 0 ] && [ -s "$WORK/ids" ] || fail "acknowledged work is missing"

# --- one function, and an unsafe start ---
podman rm -f -t 2 bbl-app >/dev/null
# shellcheck disable=SC2086
podman run -d --name bbl-app $HARD -e FUNCTION_TARGET=advoware_proxy -p "127.0.0.1:$PORT:8080" bitbylaw:nightly >/dev/null
for _ in $(seq 100); do up && break; sleep 0.1; done
up || { podman logs bbl-app >&2; fail "one function does not answer"; }
say "FUNCTION_TARGET=advoware_proxy" ok
refused=$(podman run --rm --name bbl-unsafe --no-healthcheck -e ENVIRONMENT=production bitbylaw:nightly app 2>&1) && fail "an unsafe start was not refused"
case $refused in *"start refused: GATEWAY_SECRET is missing"*LEAD_ENCRYPTION_KEY*) ;; *) fail "refused otherwise: $refused" ;; esac
say "unsafe start refused" ok

# --- from one version to the next and back, under load ---
podman rm -f -t 2 bbl-app bbl-worker bbl-redis >/dev/null
deploy/nightly/upgrade.sh "$BASE"

# --- compose.yaml as a whole ---
deploy/nightly/compose.sh "$BASE"

# --- the units under systemd as PID 1 ---
deploy/systemd/boot-test.sh "$BASE"
echo "nightly: everything holds"
