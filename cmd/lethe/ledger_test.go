package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/pquerna/otp/totp"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/identity"
	"lethe/internal/ledger"
	"lethe/internal/ledger/policy"
	"lethe/internal/vault"
	"lethe/models"
)

// host is an installation whose commands a test runs.
type host struct {
	t         *testing.T
	env       *databasetest.Env
	sequencer *ledger.Sequencer
	service   *identity.Service
	dir       string
	secrets   map[string]string // by login: that of the second factor
}

func newHost(t *testing.T) *host {
	t.Helper()
	h := &host{t: t, env: databasetest.New(t), dir: t.TempDir(), secrets: map[string]string{}}
	keyFile, kekFile := filepath.Join(h.dir, "ledger.json"), filepath.Join(h.dir, "kek.json")
	h.must(ledger.CreateKeyFile(keyFile))
	h.must(vault.CreateKEKFile(kekFile))
	keys, err := ledger.LoadKeys(keyFile)
	h.must(err)
	kek, err := vault.LoadKEKFile(kekFile)
	h.must(err)
	ledger.Attach(h.env.Facts, ledger.NewWriter(h.env.LedgerOrigin(), keys.Writer()))
	h.sequencer = ledger.NewSequencer(h.env.Facts, h.env.LedgerStorage, keys, ledger.Options{Origin: h.env.LedgerOrigin(), Log: slog.New(slog.DiscardHandler)})
	h.service = identity.New(h.env.Facts, vault.New(h.env.Keys, kek, h.env.Installation.ID), identity.Options{})
	for name, value := range map[string]string{
		"LETHE_DATABASE_URL": h.env.FactsURL, "LETHE_KEYS_DATABASE_URL": h.env.KeysURL, "LETHE_KEK_FILE": kekFile, "LETHE_LEDGER_KEY_FILE": keyFile,
		"LETHE_LEDGER_DIR": filepath.Dir(h.env.LedgerStorage.Log(1).Dir()), "LETHE_LEDGER_ORIGIN": h.env.LedgerOrigin(),
	} {
		t.Setenv(name, value)
	}
	p, err := policy.Of(h.env.LedgerOrigin(), keys, 0)
	h.must(err)
	h.must(os.WriteFile(h.policy(), p.Marshal(), 0o600))
	return h
}

func (h *host) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *host) policy() string { return filepath.Join(h.dir, "policy.json") }

// person has a user with a role and both factors.
func (h *host) person(login string, role models.Role) uuid.UUID {
	h.t.Helper()
	employee := h.env.Hire(h.t, "CN").EmployeeID
	h.user(login, employee, role)
	return employee
}

func (h *host) user(login string, employee uuid.UUID, role models.Role) {
	h.t.Helper()
	var user models.User
	h.must(database.Run(h.t.Context(), h.env.Facts, func(tx *database.Tx) (err error) {
		if user, err = identity.EnsureUser(tx, employee, login); err != nil {
			return err
		}
		return identity.Grant(tx, user.ID, role, models.System)
	}))
	var err error
	h.secrets[login], err = h.service.SetCredentials(h.t.Context(), user.ID, "correct horse battery "+login)
	h.must(err)
}

// people is the file of two logins, each with a code that was not used yet.
func (h *host) people(logins ...string) string {
	h.t.Helper()
	h.env.Advance(h.t, 30*time.Second)
	now, err := h.env.Facts.Now(h.t.Context())
	h.must(err)
	var list []credentials
	for _, login := range logins {
		code, err := totp.GenerateCode(h.secrets[login], now)
		h.must(err)
		list = append(list, credentials{Login: login, Password: "correct horse battery " + login, TOTP: code})
	}
	content, err := json.Marshal(list)
	h.must(err)
	path := filepath.Join(h.dir, "people.json")
	h.must(os.WriteFile(path, content, 0o600))
	return path
}

func (h *host) write(n int) {
	h.t.Helper()
	for range n {
		h.must(database.Run(h.t.Context(), h.env.Facts, func(tx *database.Tx) error {
			_, err := ledger.Append(tx, ledger.Entry{Kind: ledger.KindAccount, Action: "account.linked"})
			return err
		}))
	}
	h.must(h.sequencer.Drain(h.t.Context()))
}

// exec does what the owner of the tables can.
func (h *host) exec(statements ...string) {
	h.t.Helper()
	for _, s := range statements {
		h.must(h.env.Facts.Read(h.t.Context()).Exec(s).Error)
	}
}

func (h *host) lethe(want int, args ...string) {
	h.t.Helper()
	if got := run(context.WithoutCancel(h.t.Context()), args); got != want {
		h.t.Fatalf("lethe %v ends with %d, want %d", args, got, want)
	}
}

// TestI19_LedgerCommands: exit codes tell a whole ledger, a broken one, and a command that could not
// work; what takes two people takes two.
func TestI19_LedgerCommands(t *testing.T) {
	h := newHost(t)
	first := h.person("one", models.RoleHRAdmin)
	h.person("two", models.RoleITOps)
	h.user("one-again", first, models.RoleITOps)
	h.person("auditor", models.RoleAuditor)
	h.write(5)
	verify := []string{"ledger", "verify", "--policy", h.policy(), "--lang", "zh"}
	h.lethe(0, verify...)
	h.lethe(0, append(verify, "--json")...)
	h.lethe(2, "ledger", "verify")
	h.lethe(2, "ledger", "verify", "--lang", "fr")
	h.lethe(2, "ledger", "verify-export", filepath.Join(h.dir, "none.zip"), "--policy", h.policy())
	h.lethe(3, "ledger", "verify-export", h.policy(), "--policy", h.policy())
	h.lethe(2, "ledger", "verify-export", h.policy(), "--policy", filepath.Join(h.dir, "ledger.json"))
	folder := filepath.Dir(h.env.LedgerStorage.Log(1).Dir())
	h.lethe(0, "ledger", "verify-folder", folder, "--policy", h.policy())
	h.lethe(3, "ledger", "verify-folder", h.dir, "--policy", h.policy())
	h.lethe(2, "ledger", "verify-folder", filepath.Join(h.dir, "none"), "--policy", h.policy())
	h.lethe(2, "ledger", "verify-proof", h.policy(), "--policy", h.policy())
	var rows []ledger.Row
	h.must(ledger.Rows(h.env.Facts.Read(t.Context())).Scan(&rows).Error)
	proof, err := ledger.ProofOf(t.Context(), h.env.Facts, h.env.LedgerStorage, rows[0].ID)
	h.must(err)
	answer := func(id uuid.UUID, epoch int, index int64) string {
		content, err := json.Marshal(map[string]any{"entry_id": id, "state": "proven", "epoch": epoch, "index": index, "proof": proof.Text()})
		h.must(err)
		return string(content)
	}
	for _, c := range []struct {
		want    int
		content string
	}{
		{0, answer(rows[0].ID, proof.Epoch, proof.Index)},
		{2, `{"state": "waiting", "witnessed": false}`},
		{2, `{"proof": "nothing"}`},
		{2, `{"title": "Not found", "status": 404}`},
		{2, "c2sp.org/tlog-proof@v2\nextra \n"},
		{2, ""},
		{2, proof.Text() + strings.Repeat("\n", 16<<20)},
		{3, proof.Text() + strings.Repeat("\n", 15<<20)},
		{3, `{"proof": "c2sp.org/tlog-proof@v1"}`},
		{3, answer(rows[1].ID, proof.Epoch, proof.Index)},
		{3, answer(rows[0].ID, proof.Epoch+6, proof.Index)},
		{3, answer(rows[0].ID, proof.Epoch, proof.Index+5)},
	} {
		file := filepath.Join(h.dir, "answer.json")
		h.must(os.WriteFile(file, []byte(c.content), 0o600))
		h.lethe(c.want, "ledger", "verify-proof", file, "--policy", h.policy())
	}
	bare := filepath.Join(h.dir, "proof")
	h.must(os.WriteFile(bare, []byte(proof.Text()), 0o600))
	h.lethe(0, "ledger", "verify-proof", bare, "--policy", h.policy())

	adopt := func(want int, logins ...string) {
		t.Helper()
		h.lethe(want, "ledger", "adopt-policy", h.policy(), h.people(logins...), "--reason", "first")
	}
	adopt(1, "one")
	adopt(1, "one", "one-again")
	adopt(1, "one", "auditor")
	adopt(0, "one", "two")

	h.lethe(1, "ledger", "new-epoch", h.people("one", "two"), "--reason", "nothing was lost")
	h.write(0)
	tables := []string{"ledger_entries", "ledger_content", "ledger_sequence", "ledger_pending", "ledger_head"}
	for _, table := range tables {
		h.exec("CREATE TABLE backup_" + table + " AS SELECT * FROM " + table)
	}
	h.write(4)
	for _, table := range tables {
		h.exec("ALTER TABLE "+table+" DISABLE TRIGGER ALL", "DELETE FROM "+table, "INSERT INTO "+table+" SELECT * FROM backup_"+table)
	}
	h.lethe(3, verify...)
	h.lethe(0, "ledger", "new-epoch", h.people("two", "one"), "--reason", "the disk is gone")
	h.write(2)
	h.lethe(0, verify...)
	h.lethe(2, "ledger", "verify-folder", folder, "--policy", h.policy()) // nothing says how the first epoch ended
	h.exec("UPDATE ledger_content SET reason = 'nothing' WHERE action = 'ledger.epoch_begun'")
	h.lethe(3, verify...)
}
