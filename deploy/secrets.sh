#!/usr/bin/env bash
# Makes what docker-compose.yml needs and nobody may share: passwords, key files, an empty list of
# systems, and .env with the user that the containers run as. Existing files are left alone, so it
# may be repeated. Key files are made by the image; LETHE=bin/lethe makes them without Docker.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
umask 077

owner="$(id -u):$(id -g)"
if [ "$(id -u)" -eq 0 ]; then
	owner=65532:65532 # the containers do not run as root, whoever starts them
fi

folder() { mkdir -p "$1" && chmod 700 "$1"; }
# create FILE < content: never over an existing one.
create() { if [ -e "$1" ]; then cat >/dev/null; else cat >"$1.new" && mv "$1.new" "$1" && echo "made $1"; fi; }
password() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

folder deploy/secrets
folder deploy/state/keys
folder deploy/state/tombstones
folder deploy/state/systems
folder deploy/state/ledger
folder deploy/state/witness

for name in postgres keys_postgres lethe_role lethe_keys_role temporal_role lethe_server lethe_order; do
	password | create "deploy/secrets/${name}_password"
done
printf 'postgres://lethe:%s@postgres:5432/lethe?sslmode=disable' "$(cat deploy/secrets/lethe_role_password)" |
	create deploy/secrets/database_url
for login in server order; do
	printf 'postgres://lethe_%s:%s@postgres:5432/lethe?sslmode=disable' "$login" "$(cat "deploy/secrets/lethe_${login}_password")" |
		create "deploy/secrets/${login}_database_url"
done
printf 'postgres://lethe:%s@keys-postgres:5432/lethe?sslmode=disable' "$(cat deploy/secrets/lethe_keys_role_password)" |
	create deploy/secrets/keys_database_url
echo '[]' | create deploy/state/systems/systems.json
printf 'LETHE_UID=%s\nLETHE_GID=%s\n' "${owner%%:*}" "${owner##*:}" | create .env

for kind in kek codec ledger; do
	file=deploy/state/keys/$kind.json
	[ ! -e "$file" ] || continue
	if [ -n "${LETHE:-}" ]; then
		"$LETHE" keys create "$kind" "$file"
	else
		chown -R "$owner" deploy/state
		docker compose --profile setup run --rm --no-deps --build keys keys create "$kind" "/keys/$kind.json"
	fi
	echo "made $file"
done
chown -R "$owner" deploy/secrets deploy/state
echo "ready: docker compose up --build --wait"
