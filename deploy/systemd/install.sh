#!/bin/sh
# Install or upgrade on a Debian machine, as root, from a checkout: user, code, environment, units. Settings are not touched.
set -eu
cd "$(dirname "$0")/../.."
[ "$(id -u)" = 0 ] || { echo "run as root" >&2; exit 1; }
id bitbylaw >/dev/null 2>&1 || useradd --system --user-group --home-dir /opt/bitbylaw --shell /usr/sbin/nologin bitbylaw
install -d -m 0755 /opt/bitbylaw/deploy
install -d -m 0750 -g bitbylaw /etc/bitbylaw
if [ ! -s /etc/bitbylaw/gateway-secret ]; then
    (umask 0137; python3 -c 'import secrets; print(secrets.token_urlsafe(32))' >/etc/bitbylaw/gateway-secret)
    chgrp bitbylaw /etc/bitbylaw/gateway-secret
fi
if [ ! -s /etc/bitbylaw/env ]; then
    (umask 0137; sed 's/ *#.*//; s/^ENVIRONMENT=.*/ENVIRONMENT=production/' .env.example | grep '=.' >/etc/bitbylaw/env)
    echo "GATEWAY_SECRET=$(cat /etc/bitbylaw/gateway-secret)" >>/etc/bitbylaw/env
    chgrp bitbylaw /etc/bitbylaw/env
    echo "fill in /etc/bitbylaw/env, then run this again" >&2
fi
[ -x /opt/bitbylaw/.venv/bin/python ] || python3 -m venv /opt/bitbylaw/.venv
/opt/bitbylaw/.venv/bin/pip install -q --disable-pip-version-check --require-hashes -r deploy/image/requirements.lock
for part in functions shared deploy/image deploy/systemd; do
    rm -rf "/opt/bitbylaw/$part.new"
    cp -r "$part" "/opt/bitbylaw/$part.new"
    rm -rf "/opt/bitbylaw/$part"
    mv "/opt/bitbylaw/$part.new" "/opt/bitbylaw/$part"
done
/opt/bitbylaw/.venv/bin/python -m compileall -q /opt/bitbylaw/functions /opt/bitbylaw/shared
cp -r deploy/systemd/*.service deploy/systemd/*.timer deploy/systemd/*.service.d /etc/systemd/system/
ln -sf /opt/bitbylaw/deploy/systemd/bitbylaw /usr/local/bin/bitbylaw
systemctl daemon-reload
systemctl enable --now $(cd deploy/systemd && ls -- *.timer) >/dev/null
systemctl enable bitbylaw-app.service bitbylaw-worker.service >/dev/null
systemctl restart bitbylaw-app.service bitbylaw-worker.service
