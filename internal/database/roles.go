package database

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Role is a group role that migrations make; the processes' own logins are members of one each.
type Role string

// The group roles.
const (
	// RoleApp is for serve and worker: it reads and changes what they do, and can only add to the ledger.
	RoleApp Role = "lethe_app"
	// RoleSequencer orders entries into the ledger's tree.
	RoleSequencer Role = "lethe_sequencer"
	// RoleLedgerRetention may drop the content of entries past their ten years, and nothing else.
	RoleLedgerRetention Role = "lethe_ledger_retention"
)

// What is wrong with the login of a process.
var (
	// ErrRolesMissing says that the owner may not make the group roles.
	ErrRolesMissing = errors.New("the database roles lethe_app, lethe_sequencer and lethe_ledger_retention are missing, " +
		"and the user of LETHE_DATABASE_URL may not create roles: have a database administrator run " +
		"CREATE ROLE lethe_app NOLOGIN; CREATE ROLE lethe_sequencer NOLOGIN; CREATE ROLE lethe_ledger_retention NOLOGIN; and start again")
	// ErrKeysRoleMissing says the same of the keys' cluster.
	ErrKeysRoleMissing = errors.New("the database role lethe_app is missing in the keys' cluster, and the user of LETHE_KEYS_DATABASE_URL may not " +
		"create roles: have a database administrator run CREATE ROLE lethe_app NOLOGIN there, and start again")
	// ErrTooPowerful says that a process would log in with more rights than it may have.
	ErrTooPowerful = errors.New("serve and worker refuse to run with it, since it could rewrite what happened: " +
		"name a login that is a member of its group role and of nothing else (docs/production.md)")
	// ErrMakes says that a login may make objects of its own in the database.
	ErrMakes = errors.New("may make tables in the database, temporary ones too, and serve and worker refuse to run with it, " +
		"since a table of its own could answer in the place of ours: as the owner of the database run `lethe migrate`, which takes " +
		"TEMPORARY and CREATE back from PUBLIC, and revoke what was granted to the user itself")
	// ErrNotOwner says that a command that changes the schema or makes the first users lacks the right.
	ErrNotOwner = errors.New("this command needs the owner of the facts database in LETHE_DATABASE_URL, not the login of serve and worker")
	// ErrNotMember says that a login is not a member of the group role that it needs.
	ErrNotMember = errors.New("the login lacks its group role")
)

// powers are what a login could do beyond its group role.
type powers struct {
	Login                                         string
	Superuser, Creates, Owns, Rewrites, Sequences bool
	Makes                                         bool
	App, Sequencer                                bool
}

// powersOf looks at the login itself (session_user): what it may become counts too.
func powersOf(ctx context.Context, db *DB) (powers, error) {
	var p powers
	err := db.Read(ctx).Raw(`
		WITH tables AS (
			SELECT c.oid, c.relowner, c.relname FROM pg_class c
			WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
		), appended AS (
			SELECT DISTINCT t.tgrelid AS oid FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid
			WHERE t.tgtype & 16 <> 0 AND f.proname = 'refuse_change' AND t.tgrelid IN (SELECT oid FROM tables WHERE relname <> 'ledger_pending')
		)
		SELECT r.rolname AS login, r.rolsuper AS superuser,
			r.rolcreaterole OR has_parameter_privilege(session_user, 'session_replication_role', 'SET') AS creates,
			pg_has_role(session_user, (SELECT datdba FROM pg_database WHERE datname = current_database()), 'MEMBER')
				OR EXISTS (SELECT FROM tables WHERE pg_has_role(session_user, relowner, 'MEMBER')) AS owns,
			EXISTS (SELECT FROM appended WHERE has_table_privilege(session_user, oid, 'UPDATE, DELETE, TRUNCATE, TRIGGER')) AS rewrites,
			EXISTS (SELECT FROM tables WHERE relname IN ('ledger_head', 'ledger_pending') AND has_table_privilege(session_user, oid, 'UPDATE, DELETE')) AS sequences,
			has_database_privilege(session_user, current_database(), 'TEMPORARY, CREATE')
				OR EXISTS (SELECT FROM pg_namespace n WHERE has_schema_privilege(session_user, n.oid, 'CREATE')) AS makes,
			EXISTS (SELECT FROM pg_roles g WHERE g.rolname = ? AND pg_has_role(session_user, g.oid, 'MEMBER')) AS app,
			EXISTS (SELECT FROM pg_roles g WHERE g.rolname = ? AND pg_has_role(session_user, g.oid, 'MEMBER')) AS sequencer
		FROM pg_roles r WHERE r.rolname = session_user`, RoleApp, RoleSequencer).Scan(&p).Error
	if err != nil {
		return powers{}, fmt.Errorf("reading what the database login may do: %w", hide(err))
	}
	return p, nil
}

// excess names the first reason why a process must not log in so; "" if there is none.
func (p powers) excess() string {
	switch {
	case p.Superuser:
		return "is a superuser"
	case p.Owns:
		return "owns the database or its tables, or is a member of their owner"
	case p.Creates:
		return "may create roles or switch triggers off"
	case p.Rewrites:
		return "may change or delete rows of append-only tables"
	}
	return ""
}

// RequireApp lets the login of serve and worker through: a member of lethe_app, neither a superuser
// nor the owner, and without any way to rewrite the ledger or to order it.
func RequireApp(ctx context.Context, db *DB) error { return requireApp(ctx, db, "LETHE_DATABASE_URL") }

// RequireKeysApp is RequireApp for the login of serve and worker in the keys database.
func RequireKeysApp(ctx context.Context, db *DB) error {
	return requireApp(ctx, db, "LETHE_KEYS_DATABASE_URL")
}

func requireApp(ctx context.Context, db *DB, variable string) error {
	p, err := powersOf(ctx, db)
	if err != nil {
		return err
	}
	if why := p.excess(); why != "" {
		return fmt.Errorf("the user %s of %s %s; %w", p.Login, variable, why, ErrTooPowerful)
	}
	if p.Sequences {
		return fmt.Errorf("the user %s of %s may order the ledger, which is for the user of LETHE_SEQUENCER_DATABASE_URL alone; %w", p.Login, variable, ErrTooPowerful)
	}
	if p.Makes {
		return fmt.Errorf("the user %s of %s %w", p.Login, variable, ErrMakes)
	}
	if !p.App {
		return fmt.Errorf("the user %[1]s of %[4]s is not a member of %[2]s (GRANT %[2]s TO %[1]s): %[3]w", p.Login, RoleApp, ErrNotMember, variable)
	}
	return nil
}

// RequireSequencer is RequireApp for the login that orders the ledger.
func RequireSequencer(ctx context.Context, db *DB) error {
	p, err := powersOf(ctx, db)
	if err != nil {
		return err
	}
	if why := p.excess(); why != "" {
		return fmt.Errorf("the user %s of LETHE_SEQUENCER_DATABASE_URL %s; %w", p.Login, why, ErrTooPowerful)
	}
	if p.Makes {
		return fmt.Errorf("the user %s of LETHE_SEQUENCER_DATABASE_URL %w", p.Login, ErrMakes)
	}
	if !p.Sequencer {
		return fmt.Errorf("the user %[1]s of LETHE_SEQUENCER_DATABASE_URL is not a member of %[2]s (GRANT %[2]s TO %[1]s): %[3]w", p.Login, RoleSequencer, ErrNotMember)
	}
	return nil
}

// RequireOwner lets the owner of the facts through, and whoever may act for it.
func RequireOwner(ctx context.Context, db *DB) error {
	p, err := powersOf(ctx, db)
	if err != nil {
		return err
	}
	if !p.Owns {
		return fmt.Errorf("the user %s: %w", p.Login, ErrNotOwner)
	}
	return nil
}

// CreateLogin makes a login that is a member of a group role, or gives an existing one the password.
// db belongs to a user who may create roles; [ErrRolesMissing] says that it does not. The server
// gets a verifier, never the password.
func CreateLogin(ctx context.Context, db *DB, name, password string, group Role) error {
	verifier, err := scramVerifier(password)
	if err != nil {
		return err
	}
	login := pgx.Identifier{name}.Sanitize()
	var exists bool
	if err := db.Read(ctx).Raw("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = ?)", name).Scan(&exists).Error; err != nil {
		return fmt.Errorf("looking for a login: %w", hide(err))
	}
	verb := "CREATE"
	if exists {
		verb = "ALTER"
	}
	for _, sql := range []string{
		verb + " ROLE " + login + " LOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB PASSWORD '" + verifier + "'",
		"GRANT " + pgx.Identifier{string(group)}.Sanitize() + " TO " + login,
	} {
		if err := db.Read(ctx).Exec(sql).Error; err != nil {
			return fmt.Errorf("making the login %s: %w", name, hide(err))
		}
	}
	return grantConnect(ctx, db, login)
}

func grantConnect(ctx context.Context, db *DB, login string) error {
	var name string
	if err := db.Read(ctx).Raw("SELECT current_database()").Scan(&name).Error; err != nil {
		return fmt.Errorf("reading the database's name: %w", hide(err))
	}
	if err := db.Read(ctx).Exec("GRANT CONNECT ON DATABASE " + pgx.Identifier{name}.Sanitize() + " TO " + login).Error; err != nil {
		return fmt.Errorf("letting a login into the database: %w", hide(err))
	}
	return nil
}

// scramIterations is what Postgres itself uses (scram_iterations).
const scramIterations = 4096

// scramVerifier is what Postgres stores for a password (RFC 5803, RFC 7677), so that the password
// itself is never in a statement that the server might log.
func scramVerifier(password string) (string, error) {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails
	salted, err := pbkdf2.Key(sha256.New, password, salt, scramIterations, sha256.Size)
	if err != nil {
		return "", fmt.Errorf("hashing a database password: %w", err)
	}
	of := func(key []byte, text string) []byte {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(text))
		return mac.Sum(nil)
	}
	stored := sha256.Sum256(of(salted, "Client Key"))
	b64 := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", scramIterations, b64(salt), b64(stored[:]), b64(of(salted, "Server Key"))), nil
}
