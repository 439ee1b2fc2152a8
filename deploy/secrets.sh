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
folder deploy/state/ledger-keys
for part in whole serve worker host; do folder "deploy/state/ledger-keys/$part"; done
folder deploy/state/tombstones
folder deploy/state/systems
folder deploy/state/ledger
folder deploy/state/ledger/log
folder deploy/state/witness
folder deploy/state/policy
folder deploy/state/exports

for name in postgres keys_postgres lethe_role lethe_keys_role temporal_role lethe_server lethe_order lethe_keys_server; do
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
printf 'postgres://lethe_server:%s@keys-postgres:5432/lethe?sslmode=disable' "$(cat deploy/secrets/lethe_keys_server_password)" |
	create deploy/secrets/server_keys_database_url
echo '[]' | create deploy/state/systems/systems.json
printf 'LETHE_UID=%s\nLETHE_GID=%s\n' "${owner%%:*}" "${owner##*:}" | create .env

# The ledger's name stands in every entry and never changes; an .env from an earlier version lacks it.
grep -q '^LETHE_ORIGIN=' .env || printf 'LETHE_ORIGIN=lethe/%s\n' "$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')" >>.env
origin=$(sed -n 's/^LETHE_ORIGIN=//p' .env)

if [ -n "${LETHE:-}" ]; then
	lethe() { "$LETHE" "$@"; }
	state=deploy/state
else
	chown -R "$owner" deploy/state
	docker compose --profile setup build keys
	state=
	lethe() {
		docker compose --profile setup run --rm --no-deps --volume "$PWD/deploy/state/witness:/witness" \
			--env LETHE_LEDGER_KEY_FILE --env LETHE_DATABASE_URL keys "$@"
	}
fi
keys=$state/keys ledger=$state/ledger-keys/whole/ledger.json witness=$state/witness

# An earlier version had the ledger's whole key file among those that every process reads.
if [ -e deploy/state/keys/ledger.json ] && [ ! -e deploy/state/ledger-keys/whole/ledger.json ]; then
	mv deploy/state/keys/ledger.json deploy/state/ledger-keys/whole/ledger.json
fi
for kind in kek codec; do
	[ -e "deploy/state/keys/$kind.json" ] || { lethe keys create "$kind" "$keys/$kind.json" && echo "made deploy/state/keys/$kind.json"; }
done
[ -e deploy/state/ledger-keys/whole/ledger.json ] || { lethe keys create ledger "$ledger" && echo "made deploy/state/ledger-keys/whole/ledger.json"; }
# Each process gets the part that it needs; after `lethe ledger rotate-keys` this makes them anew.
for part in serve worker host; do
	lethe keys part "$part" "$ledger" "$state/ledger-keys/$part/ledger.json"
done

# The witness's key, and the policy that names it. Here it runs beside Lethe, which guards against
# nobody who administers this machine: docs/operations.md says how others run it.
if [ ! -e deploy/state/witness/key.json ]; then
	lethe witness key "$witness/key.json" witness.invalid/lethe | create deploy/state/witness/public_key
fi
if [ ! -e deploy/state/policy/ledger-policy.json ]; then
	# The policy needs no database, since the origin is given.
	LETHE_LEDGER_KEY_FILE=$ledger LETHE_DATABASE_URL=postgres://unused/unused \
		lethe ledger policy --origin "$origin" --witness "$(cat deploy/state/witness/public_key)=http://witness:8095" |
		create deploy/state/policy/ledger-policy.json
fi
chown -R "$owner" deploy/secrets deploy/state
echo "ready: docker compose up --build --wait"
