#!/usr/bin/env bash
# Boot the units with systemd as PID 1 in a container: app, worker and a timer run, restart after a crash, and stop cleanly.
# Called by deploy/nightly.sh with the base image; wants its CONTAINERS_CONF.
set -euo pipefail
cd "$(dirname "$0")/../.."
BASE=$1
WORK=$(mktemp -d)
trap 'podman rm -f -t 3 bbl-systemd >/dev/null 2>&1 || true; rm -rf "$WORK"' EXIT
sees() { grep "$@" >/dev/null; } # reads to the end, unlike -q, which would break the pipe before it
say() { printf '%-58s %s\n' "$1" "$2"; }
fail() { echo "FAILED: $1" >&2; podman exec bbl-systemd journalctl --no-pager -n 40 >&2 || true; exit 1; }
inside() { podman exec bbl-systemd "$@"; }

cat >"$WORK/Dockerfile" <<'D'
ARG BASE
FROM bitbylaw:nightly AS app
FROM ${BASE}
RUN useradd --system --user-group --home-dir /opt/bitbylaw --shell /usr/sbin/nologin bitbylaw
COPY --from=app /opt/venv /opt/venv
COPY --from=app /app /opt/bitbylaw
RUN ln -s /opt/venv /opt/bitbylaw/.venv
COPY deploy/systemd /opt/bitbylaw/deploy/systemd
RUN cp -r /opt/bitbylaw/deploy/systemd/*.service /opt/bitbylaw/deploy/systemd/*.timer /opt/bitbylaw/deploy/systemd/*.service.d /etc/systemd/system/
RUN mkdir -p /etc/bitbylaw && printf nightly-gateway-secret >/etc/bitbylaw/gateway-secret \
    && printf 'ENVIRONMENT=development\nGATEWAY_SECRET=nightly-gateway-secret\nREDIS_URL=redis://127.0.0.1:6379\n' >/etc/bitbylaw/env \
    && chmod 0640 /etc/bitbylaw/* && chgrp bitbylaw /etc/bitbylaw/*
RUN sed -i 's/^appendonly .*/appendonly yes/; s/^appendfsync .*/appendfsync always/' /etc/redis/redis.conf \
    && systemctl mask systemd-logind.service && systemctl enable redis-server bitbylaw-app bitbylaw-worker bitbylaw-relay.timer
STOPSIGNAL SIGRTMIN+3
ENTRYPOINT []
CMD ["/sbin/init"]
D
mkdir -p "$WORK/deploy" && cp -r deploy/systemd "$WORK/deploy/"
podman build -q --network host --isolation=chroot --format docker --build-arg BASE="$BASE" -t bbl-systemd "$WORK" >/dev/null
podman run -d --name bbl-systemd --systemd=always --privileged --no-healthcheck bbl-systemd >/dev/null
for _ in $(seq 60); do case $(inside systemctl is-system-running 2>/dev/null || true) in running | degraded) break ;; esac; sleep 0.5; done
for unit in bitbylaw-app bitbylaw-worker; do inside systemctl is-active -q $unit || fail "$unit does not run"; done
for _ in $(seq 40); do inside /opt/venv/bin/python /opt/bitbylaw/deploy/image/scheduler.py health && break; sleep 0.5; done
inside /opt/venv/bin/python /opt/bitbylaw/deploy/image/scheduler.py health || fail "the application does not answer"
say "systemd as PID 1: app and worker" "$(inside systemctl is-system-running || true)"
inside systemctl start bitbylaw-call@ops-relay.service || fail "a scheduled call"
inside journalctl -u bitbylaw-call@ops-relay.service --no-pager -o cat | sees '"path": "/ops/relay", "status": 200' || fail "the call was not answered with 200"
say "a scheduled call with its secret from a file" ok
inside grep -rqs '[n]ightly-gateway-secret' /proc/*/cmdline && fail "a secret on a command line"
[ "$(inside systemctl show -P User bitbylaw-app)" = bitbylaw ] || fail "user"
inside nsenter -t "$(inside systemctl show -P MainPID bitbylaw-worker)" -m sh -c 'echo x >/opt/bitbylaw/x' 2>/dev/null && fail "the code is writable"
say "hardening is enforced" ok
inside systemctl kill -s KILL bitbylaw-worker && sleep 4
inside systemctl is-active -q bitbylaw-worker || fail "the worker was not started again"
say "worker after kill -9" "runs again"
inside sh -c 'systemctl is-active bitbylaw-relay.timer' >/dev/null || fail "timer"
for _ in $(seq 70); do [ "$(inside journalctl -u bitbylaw-call@ops-relay.service --no-pager -o cat | grep -c '"status": 200')" -ge 2 ] && break; sleep 1; done
[ "$(inside journalctl -u bitbylaw-call@ops-relay.service --no-pager -o cat | grep -c '"status": 200')" -ge 2 ] || fail "the timer did not fire"
say "bitbylaw-relay.timer fired" ok
started=$SECONDS
inside systemctl stop bitbylaw-app bitbylaw-worker
[ $((SECONDS - started)) -le 30 ] || fail "stopping took longer than 30 s"
[ "$(inside systemctl show -P Result bitbylaw-worker)" = success ] || fail "the worker did not stop well"
say "both stopped within the grace" "$((SECONDS - started)) s"
