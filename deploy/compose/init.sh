#!/bin/sh
# Make everything that compose.yaml needs and that never goes into git: secrets, Redis' users, Kong's file. Run as root;
# what is there already stays. Secrets of the upstreams are files that you fill in: deploy/compose/secrets/<NAME>.
set -eu
umask 077
cd "$(dirname "$0")"
mkdir -p secrets/tls
random() { python3 -c 'import secrets; print(secrets.token_urlsafe(32), end="")'; }
made() { [ -s "secrets/$1" ] || printf '%s' "$2" >"secrets/$1"; }
made GATEWAY_SECRET "$(random)"
made VERMIETERHELDEN_WEBHOOK_SECRET "$(random)"
made THREECX_WEBHOOK_SECRET "$(random)"
made THREECX_TEMPLATE_KEY "$(random)"
made SIGNING_KEY "$(random)"
made OPS_PASSWORD "$(random)"
made grafana-password "$(random)"
made DESK_API_KEY "$(random)"
made LEAD_ENCRYPTION_KEY "$(python3 -c 'import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode(), end="")')"
for name in ADVOWARE_API_KEY ADVOWARE_PASSWORD ESPOCRM_API_KEY ESPOCRM_WEBHOOK_SECRETS THREECX_API_KEY google-service-account.json; do
    [ -e "secrets/$name" ] || : >"secrets/$name"
done
if [ ! -s secrets/redis-users.acl ]; then
    password=$(random)
    digest=$(printf '%s' "$password" | sha256sum | cut -d' ' -f1)
    # everything that our scripts and /ready need, no administration
    cat >secrets/redis-users.acl <<ACL
user default off ~* &* +@all
user bitbylaw on #$digest ~* &* +@all -@admin -@dangerous +info +config|get
ACL
    printf 'redis://bitbylaw:%s@redis:6379' "$password" >secrets/REDIS_URL
fi
# nobody logs in as the default user, but before 8.4 Redis replays its log as this user: without rights it drops every transaction
sed -i 's/^user default off$/user default off ~* \&* +@all/' secrets/redis-users.acl
cp secrets/GATEWAY_SECRET secrets/metrics-token
[ -e settings.env ] || sed -n 's/ *#.*//; /^[A-Z_]*=./p' ../../.env.example |
    grep -vE '^(ENVIRONMENT|REDIS_URL|[A-Z_]*(SECRETS?|PASSWORD|API_KEY|_KEY|TOKEN|ACCOUNT_PATH))=' >settings.env
grep -q '^ENVIRONMENT=' settings.env || printf 'ENVIRONMENT=production\nGOOGLE_CALENDAR_SERVICE_ACCOUNT_PATH=/run/secrets/google-service-account.json\n' >>settings.env
if [ "$(id -u)" = 0 ]; then # the users inside the images
    chown 10001:10001 secrets/[A-Z]* secrets/google-service-account.json
    chown 999:999 secrets/redis-users.acl
    chown 65534:65534 secrets/metrics-token
    chown 472:472 secrets/grafana-password
    chown 1000:1000 secrets/tls
fi
if [ -n "${API_HOST:-}" ]; then
    export APP_TARGET="${APP_TARGET:-app:8080}"
    GATEWAY_SECRET=$(cat secrets/GATEWAY_SECRET) DESK_API_KEY=$(cat secrets/DESK_API_KEY) python3 ../kong/render.py secrets/kong.yml
    [ "$(id -u)" != 0 ] || chown 1000:1000 secrets/kong.yml
else
    echo "set API_HOST, CORS_ORIGINS, ESPOCRM_CIDRS, WORDPRESS_CIDRS, THREECX_CIDRS, OIDC_ISSUER and OIDC_PUBLIC_KEY to render Kong's file" >&2
fi
