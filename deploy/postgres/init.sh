#!/usr/bin/env bash
# Runs once, when a cluster is created: a role without privileges for each user of the cluster, who
# owns its own databases and sees no others. The owner only migrates; the API and the worker log in as
# lethe_server, and the worker as lethe_order too, which can do less. Afterwards the superuser has no
# password: it is reached from inside the container only, through the socket.
set -euo pipefail

sql() { psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres; }

sql <<'SQL'
\getenv password LETHE_ROLE_PASSWORD
\getenv server LETHE_SERVER_PASSWORD
CREATE ROLE lethe LOGIN PASSWORD :'password';
CREATE DATABASE lethe OWNER lethe;
REVOKE ALL ON DATABASE lethe FROM PUBLIC;
CREATE ROLE lethe_app NOLOGIN;
CREATE ROLE lethe_server LOGIN PASSWORD :'server' IN ROLE lethe_app;
GRANT CONNECT ON DATABASE lethe TO lethe_server;
SQL

if [ -n "${LETHE_ORDER_PASSWORD:-}" ]; then
	sql <<'SQL'
\getenv order LETHE_ORDER_PASSWORD
CREATE ROLE lethe_sequencer NOLOGIN;
CREATE ROLE lethe_ledger_retention NOLOGIN;
CREATE ROLE lethe_order LOGIN PASSWORD :'order' IN ROLE lethe_sequencer;
GRANT CONNECT ON DATABASE lethe TO lethe_order;
SQL
fi

if [ -n "${TEMPORAL_ROLE_PASSWORD:-}" ]; then
	sql <<'SQL'
\getenv password TEMPORAL_ROLE_PASSWORD
CREATE ROLE temporal LOGIN PASSWORD :'password';
CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;
REVOKE ALL ON DATABASE temporal, temporal_visibility FROM PUBLIC;
SQL
fi

sql <<'SQL'
ALTER ROLE CURRENT_USER PASSWORD NULL;
SQL
