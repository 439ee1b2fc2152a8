#!/usr/bin/env bash
# Hands the roles' passwords, which only root may read, to init.sh; then the image's own start.
set -euo pipefail
LETHE_ROLE_PASSWORD=$(</run/secrets/lethe_role_password)
export LETHE_ROLE_PASSWORD
LETHE_SERVER_PASSWORD=$(</run/secrets/lethe_server_password)
export LETHE_SERVER_PASSWORD
if [ -f /run/secrets/lethe_order_password ]; then
	LETHE_ORDER_PASSWORD=$(</run/secrets/lethe_order_password)
	export LETHE_ORDER_PASSWORD
fi
if [ -f /run/secrets/temporal_role_password ]; then
	TEMPORAL_ROLE_PASSWORD=$(</run/secrets/temporal_role_password)
	export TEMPORAL_ROLE_PASSWORD
fi
exec docker-entrypoint.sh "$@"
