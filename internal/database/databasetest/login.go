package databasetest

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"strings"
	"testing"

	"lethe/internal/database"
	"lethe/internal/keyed"
	"lethe/internal/ledger"
	"lethe/internal/reasons"
)

// Login makes a login of its own that is a member of the group role, connects to the facts with it,
// and returns its address too. Both end with the test.
func (e *Env) Login(t testing.TB, group database.Role) (string, *database.DB) {
	t.Helper()
	return e.login(t, e.Facts, e.FactsURL, group)
}

// KeysLogin is [Env.Login] for the keys.
func (e *Env) KeysLogin(t testing.TB, group database.Role) (string, *database.DB) {
	t.Helper()
	return e.login(t, e.Keys, e.KeysURL, group)
}

func (e *Env) login(t testing.TB, owner *database.DB, ownerURL string, group database.Role) (string, *database.DB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	name, password := "lethe_t_"+strings.ToLower(rand.Text()[:16]), rand.Text()
	if err := database.CreateLogin(ctx, owner, name, password, group); err != nil {
		t.Fatalf("making a login: %v", err)
	}
	address, err := url.Parse(ownerURL)
	if err != nil {
		t.Fatal("the address of the test database is not a URL")
	}
	address.User = url.UserPassword(name, password)
	db, err := database.Open(ctx, address.String(), database.Options{MaxConnections: 4})
	if err != nil {
		t.Fatalf("connecting as %s: %v", group, err)
	}
	t.Cleanup(func() {
		_ = db.Close()
		if err := e.dropLogin(name); err != nil {
			t.Errorf("dropping a login: %v", err)
		}
	})
	return address.String(), db
}

// dropLogin uses a connection of its own: a test may have closed all others.
func (e *Env) dropLogin(name string) error {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	owner, err := database.Open(ctx, e.FactsURL, database.Options{MaxConnections: 1})
	if err != nil {
		return err
	}
	err = owner.Read(ctx).Exec("DROP OWNED BY " + name + "; DROP ROLE " + name).Error
	return errors.Join(database.Hide(err), owner.Close())
}

// AsApp connects to the facts as serve and worker do, with the ledger's writer attached: a statement
// that the app role may not make fails there, as it would in production.
func (e *Env) AsApp(t testing.TB) *database.DB {
	t.Helper()
	_, db := e.Login(t, database.RoleApp)
	ledger.Attach(db, ledger.NewWriter(e.LedgerOrigin(), e.LedgerKeys.Writer()))
	keyed.Attach(db, &e.Digests)
	reasons.Attach(db, e.Reasons)
	return db
}
