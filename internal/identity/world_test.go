package identity

import (
	"context"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/pquerna/otp/totp"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/keyed"
	"lethe/internal/vault"
	"lethe/models"
)

// world is the service on databases of its own, with a person who can log in.
type world struct {
	*databasetest.Env
	t      testing.TB
	s      *Service
	person uuid.UUID
	user   models.User
	secret string // of the authenticator
}

const rightPassword = "ein Satz über Wolken"

func newWorld(t testing.TB, o Options) *world {
	t.Helper()
	w := &world{Env: databasetest.New(t), t: t}
	path := filepath.Join(t.TempDir(), "kek")
	w.must(vault.CreateKEKFile(path))
	kek, err := vault.LoadKEKFile(path)
	w.must(err)
	if o.Argon == (Argon{}) {
		o.Argon = Argon{Memory: 64, Passes: 1, Lanes: 1}
	}
	w.s = New(w.Facts, vault.New(w.Keys, kek, w.Installation.ID), o)
	w.person = w.Hire(t, "CN").EmployeeID
	w.user = w.grant(w.person, models.RoleHRAdmin)
	w.secret, err = w.s.SetCredentials(t.Context(), w.user.ID, rightPassword)
	w.must(err)
	w.user = w.reload()
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) run(do func(tx *database.Tx) error) error {
	w.t.Helper()
	return database.Run(context.Background(), w.Facts, do)
}

func (w *world) grant(person uuid.UUID, role models.Role) (user models.User) {
	w.t.Helper()
	w.must(w.run(func(tx *database.Tx) (err error) {
		user, err = GrantTo(tx, person, role)
		return err
	}))
	return user
}

// code is what an authenticator shows, so many steps from now.
func (w *world) code(secret string, steps int) string {
	w.t.Helper()
	now, err := w.Facts.Now(context.Background())
	w.must(err)
	code, err := totp.GenerateCode(secret, now.Add(time.Duration(steps)*totpStep*time.Second))
	w.must(err)
	return code
}

func from(address string) Client { return Client{Address: netip.MustParseAddr(address)} }

// next waits by the database's clock for a code that was not used.
func (w *world) next() { w.Advance(w.t, totpStep*time.Second) }

func (w *world) login(p Client, password string) (Opened, error) {
	w.t.Helper()
	return w.s.Login(context.Background(), LoginOrder{Login: w.user.Login, Password: password, TOTP: w.code(w.secret, 0), Client: p})
}

// actions are the actions of the ledger's entries, in order.
func (w *world) actions() (actions []string) {
	w.t.Helper()
	w.must(w.Facts.Read(context.Background()).Raw("SELECT action FROM ledger_content ORDER BY at, entry_id").Scan(&actions).Error)
	return actions
}

func (w *world) reload() models.User {
	w.t.Helper()
	user, err := database.First[models.User](w.Facts.Read(context.Background()).Where("id = ?", w.user.ID))
	w.must(err)
	return user
}

// digest is what a place is kept under.
func (w *world) digest(parts ...string) []byte {
	w.t.Helper()
	mac, err := keyed.Of(context.Background(), w.Facts, keyed.Places, parts...)
	w.must(err)
	return mac
}
