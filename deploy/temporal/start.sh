#!/bin/sh
# The image takes the password from the environment only; it is read here, so that no compose file
# and no `docker inspect` shows it.
set -eu
POSTGRES_PWD=$(cat /run/secrets/temporal_role_password)
export POSTGRES_PWD
exec /etc/temporal/entrypoint.sh
