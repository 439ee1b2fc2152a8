#!/bin/sh
# Brings Temporal's two databases to the schema of this image. It may be repeated.
set -eu
SQL_PASSWORD=$(cat /run/secrets/temporal_role_password)
export SQL_PASSWORD

tool() {
	database=$1
	shift
	temporal-sql-tool --plugin postgres12 --ep postgres --port 5432 --user temporal --db "$database" "$@"
}

for pair in temporal:temporal temporal_visibility:visibility; do
	database=${pair%%:*}
	tool "$database" setup-schema --version 0.0
	tool "$database" update-schema --schema-dir "/etc/temporal/schema/postgresql/v12/${pair##*:}/versioned"
done
