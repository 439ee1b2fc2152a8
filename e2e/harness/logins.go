package harness

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"

	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/internal/ledger/policy"
	"lethe/internal/ledger/witness"
)

// logins are the roles as which serve and worker log in; the test's own connections are the owner's.
type logins struct {
	names                      []string
	app, keysURL, sequencerURL string // addresses
	witness                    string // its key file
}

// makeLogins gives serve and worker logins that may do what they do and no more.
func (s *Stack) makeLogins(ctx context.Context) (err error) {
	if s.logins.app, err = s.makeLogin(ctx, s.Facts, s.factsURL, "app", database.RoleApp); err != nil {
		return err
	}
	if s.logins.keysURL, err = s.makeLogin(ctx, s.Keys, s.keysURL, "keys", database.RoleApp); err != nil {
		return err
	}
	s.logins.sequencerURL, err = s.makeLogin(ctx, s.Facts, s.factsURL, "sequencer", database.RoleSequencer)
	return err
}

func (s *Stack) makeLogin(ctx context.Context, owner *database.DB, ownerURL, kind string, group database.Role) (string, error) {
	name, password := strings.TrimSuffix(s.databases[0], "_facts")+"_"+kind, rand.Text()
	if err := database.CreateLogin(ctx, owner, name, password, group); err != nil {
		return "", err
	}
	s.logins.names = append(s.logins.names, name)
	u, err := url.Parse(ownerURL)
	if err != nil {
		return "", errors.New("the address of the database is not a URL")
	}
	u.User = url.UserPassword(name, password)
	return u.String(), nil
}

// settings are what the processes are told instead of the owner's address.
func (l *logins) settings() map[string]string {
	return map[string]string{"DATABASE_URL": l.app, "KEYS_DATABASE_URL": l.keysURL, "SEQUENCER_DATABASE_URL": l.sequencerURL, "WITNESS_FILE": l.witness}
}

// drop removes the logins from a shared server, after their database.
func (l *logins) drop(ctx context.Context, adminURL string) error {
	if len(l.names) == 0 {
		return nil
	}
	admin, err := pgx.Connect(ctx, adminURL)
	if err != nil {
		return fmt.Errorf("connecting to the tests' Postgres: %w", err)
	}
	defer func() { _ = admin.Close(ctx) }()
	var failures []error
	for _, name := range l.names {
		_, err := admin.Exec(ctx, "DROP ROLE IF EXISTS "+pgx.Identifier{name}.Sanitize())
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}

// Origin is the name of the stack's ledger.
func (s *Stack) Origin() string { return "lethe/" + s.installation.ID.String() }

// LedgerDir is the folder of the ledger outside the database; LedgerKeys are its keys.
func (s *Stack) LedgerDir() string { return s.settings["LEDGER_DIR"] }

// LedgerKeys loads the keys of the stack's ledger.
func (s *Stack) LedgerKeys() (*ledger.Keys, error) {
	return ledger.LoadKeys(s.settings["LEDGER_KEY_FILE"])
}

// attachLedger lets what the test does itself be recorded as well, and makes a witness that serve and
// worker ask.
func (s *Stack) attachLedger() error {
	keys, err := s.LedgerKeys()
	if err != nil {
		return err
	}
	ledger.Attach(s.Facts, ledger.NewWriter(s.Origin(), keys.Writer()))
	s.logins.witness = filepath.Join(s.Folder, "witness.json")
	if s.options.From != "" {
		return nil // the recorded witness and policy go on
	}
	signer, err := witness.CreateKeyFile(s.logins.witness, "lethe-test-witness/"+s.installation.ID.String())
	if err != nil {
		return err
	}
	p, err := policy.Of(s.Origin(), keys, 1, policy.Witness{VerifierKey: signer.String()})
	if err != nil {
		return err
	}
	return os.WriteFile(s.settings["LEDGER_POLICY_FILE"], p.Marshal(), 0o600)
}

// PolicyFile is what a verifier of the stack's ledger must know.
func (s *Stack) PolicyFile() string { return s.settings["LEDGER_POLICY_FILE"] }

// WitnessFolder is the memory of the stack's witness, outside the ledger's own folder.
func (s *Stack) WitnessFolder() string { return filepath.Join(s.Folder, "witness.json.memory") }
