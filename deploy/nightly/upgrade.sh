#!/usr/bin/env bash
# Roll from the previous version to this one and back under load: what was acknowledged is processed, nothing twice.
# Called by deploy/nightly.sh with the base image; wants its CONTAINERS_CONF and the image bitbylaw:nightly. About a minute
# and the build of the previous image. PREVIOUS names it: the last tag, else twenty commits back, but nothing before
# the commit in `oldest`: the first whose image takes leads in.
set -euo pipefail
cd "$(dirname "$0")/../.."
BASE=$1
PORT=${NIGHTLY_PORT:-18080}
OLDEST=$(cat deploy/nightly/oldest)
PREVIOUS=${PREVIOUS:-$(git describe --tags --abbrev=0 HEAD^ 2>/dev/null || git rev-parse --short HEAD~20)}
git merge-base --is-ancestor "$OLDEST" "$PREVIOUS" 2>/dev/null || PREVIOUS=$OLDEST
WORK=$(mktemp -d)
NAMES="upg-app upg-worker upg-redis upg-crm upg-advoware"
# shellcheck disable=SC2086
load=
trap 'kill $load 2>/dev/null || true; podman rm -f -t 2 $NAMES >/dev/null 2>&1 || true; podman network rm -f upg >/dev/null 2>&1 || true; rm -rf "$WORK"' EXIT
say() { printf '%-58s %s\n' "$1" "$2"; }
fail() { echo "FAILED: $1" >&2; exit 1; }

mkdir "$WORK/old"
git archive "$PREVIOUS" | tar -x -C "$WORK/old"
podman build -q --network host --isolation=chroot -v /etc/ssl/certs:/etc/ssl/certs:ro --format docker \
    --build-arg BASE_IMAGE="$BASE" --target runtime -t bitbylaw:previous "$WORK/old" >/dev/null
say "previous version" "$PREVIOUS ($(git log -1 --format=%cs "$PREVIOUS"))"

podman network create upg >/dev/null
podman run -d --name upg-redis --network upg --no-healthcheck --entrypoint redis-server "$BASE" --protected-mode no \
    --appendonly yes --appendfsync always --maxmemory 64mb --maxmemory-policy noeviction >/dev/null
double() { # name, port, published port
    podman run -d --name "upg-$1" --network upg --no-healthcheck -v "$PWD/sandbox:/app/sandbox:ro" -e PYTHONUNBUFFERED=1 \
        -p "127.0.0.1:$3:$2" --entrypoint python3 bitbylaw:nightly -m "sandbox.$4" --host 0.0.0.0 --port "$2" >/dev/null
}
double crm 8093 $((PORT + 1)) espocrm
double advoware 8092 $((PORT + 2)) advoware
for each in crm advoware; do
    for _ in $(seq 100); do podman logs "upg-$each" 2>/dev/null | grep -q '=' && break; sleep 0.1; done
    podman logs "upg-$each" 2>/dev/null | sed -n "s#http://[^/]*:\(809[23]\)#http://upg-$each:\1#; /^[A-Z_]*=/p" >>"$WORK/doubles"
done
CRM_KEY=$(sed -n 's/^PERSON_API_KEY=//p' "$WORK/doubles")
[ -n "$CRM_KEY" ] || { podman logs upg-crm >&2; fail "the doubles did not start"; }
sed -i '/^PERSON_API_KEY=/d' "$WORK/doubles"
export CRM_KEY APP=127.0.0.1:$PORT CRM=127.0.0.1:$((PORT + 1)) GATEWAY_SECRET=upgrade-gateway ESPO_SECRET=hook:upgrade \
    LEAD_SECRET=upgrade-leads-secret-upgrade-leads
cat >"$WORK/settings" <<S
ENVIRONMENT=production
GATEWAY_SECRET=$GATEWAY_SECRET
REDIS_URL=redis://upg-redis:6379
ESPOCRM_WEBHOOK_SECRETS=$ESPO_SECRET
ESPOCRM_DEFAULT_USER_ID=user-upgrade
VERMIETERHELDEN_WEBHOOK_SECRET=$LEAD_SECRET
THREECX_WEBHOOK_SECRET=upgrade-threecx
LEAD_ENCRYPTION_KEY=$(head -c 32 /dev/urandom | base64 | tr '+/' '-_')
RETRY_BASE_SECONDS=0.2
RETRY_CAP_SECONDS=2
QUEUE_LEASE_SECONDS=20
QUEUE_REAP_SECONDS=1
S
HARD="--network upg --no-healthcheck --read-only --tmpfs /tmp --cap-drop all --security-opt no-new-privileges
      --memory 256m --pids-limit 128 --env-file $WORK/settings --env-file $WORK/doubles"
ended() { [ "$(podman inspect "$1" --format '{{.State.ExitCode}}')" = 0 ] || { podman logs "$1" >&2; fail "$1 did not end well"; }; }
worker() { # version; starts the new one when the old one has ended, as compose and systemd do
    if podman container exists upg-worker; then podman stop -t 30 upg-worker >/dev/null; ended upg-worker; podman rm upg-worker >/dev/null; fi
    # shellcheck disable=SC2086
    podman run -d --name upg-worker $HARD "bitbylaw:$1" worker >/dev/null
}
up() { curl -fsS -m 2 -o /dev/null "http://$APP/health" 2>/dev/null; }
app() {
    if podman container exists upg-app; then podman stop -t 30 upg-app >/dev/null; ended upg-app; podman rm upg-app >/dev/null; fi
    # shellcheck disable=SC2086
    podman run -d --name upg-app $HARD -p "127.0.0.1:$PORT:8080" "bitbylaw:$1" app >/dev/null
    for _ in $(seq 200); do up && return; sleep 0.1; done
    podman logs upg-app >&2
    fail "the application ($1) does not answer"
}
waiting() { # what is in the queues of leads and parties, wherever
    for each in "0 lead" "1 vmh:beteiligte"; do
        # shellcheck disable=SC2086
        set -- $each
        keys() { podman exec upg-redis redis-cli -n "$1" "$2" "$3"; }
        for set in intake_pending create_pending update_pending; do keys "$1" SCARD "$2:$set"; done
        for set in processing delayed; do keys "$1" ZCARD "$2:$set"; done
    done | awk '{ sum += $1 } END { print sum + 0 }'
}
dead() { echo $(($(podman exec upg-redis redis-cli -n 0 XLEN lead:dead) + $(podman exec upg-redis redis-cli -n 1 XLEN vmh:beteiligte:dead))); }

why() { podman logs upg-worker 2>&1 | grep -m3 unexpected_error >&2; for each in "0 lead" "1 vmh:beteiligte"; do podman exec upg-redis redis-cli -n "${each%% *}" XRANGE "${each#* }:dead" - + COUNT 3; done >&2; }

worker previous
app previous
: >"$WORK/acknowledged"
python3 deploy/nightly/load.py send 600 "$WORK/acknowledged" & # ended below: how long the steps take is the machine's affair
load=$!
noted() { wc -l <"$WORK/acknowledged"; }
more() { for _ in $(seq 120); do [ "$(noted)" -ge $(($1 + 20)) ] && return; sleep 0.5; done; fail "nothing is acknowledged any more"; }
more 0
worker nightly && app nightly # up: the worker first, then the app
marks=$(noted)
more "$marks"
up_marks=$(noted)
app previous && worker previous # and back: the other way round
more "$(noted)"
worker nightly && app nightly
more "$(noted)"
kill $load
wait $load || true
say "acknowledged before / by the new version / in all" "$marks / $((up_marks - marks)) / $(noted)"
for _ in $(seq 240); do [ "$(waiting)" = 0 ] && break; sleep 0.5; done
[ "$(waiting)" = 0 ] || fail "$(waiting) entries are still waiting"
sleep 2
read -r acknowledged processed missing twice < <(python3 deploy/nightly/load.py count "$WORK/acknowledged")
say "upgrade, back and up again: acknowledged / processed" "$acknowledged / $processed"
say "missing / twice / dead letters" "$missing / $twice / $(dead)"
[ "$missing" = 0 ] && [ "$twice" = 0 ] && [ "$(dead)" = 0 ] && [ "$acknowledged" -gt 0 ] || { why; fail "the upgrade lost or doubled something"; }
for each in upg-app upg-worker; do
    podman logs "$each" 2>&1 | grep -E 'upgrade-(gateway|leads|threecx)|hook:upgrade|example\.org|Last[0-9]{5}' && fail "a secret or a person in the log of $each"
done
say "no secret and no person in the logs" ok
