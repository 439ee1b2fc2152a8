package account

import (
	"math/rand/v2"
	"net/http/httptest"
	"testing"
	"time"

	"lethe/internal/connector"
	"lethe/internal/connector/conformance/wild"
	"lethe/internal/connector/scim"
	"lethe/internal/launch/launchtest"
	"lethe/models"
)

// TestI12_I14_GeneratedServersSettleOnlyWhatIs drives whole steps against generated SCIM servers: a
// share of those that the connector's own test walks through, since each takes a person in Postgres.
func TestI12_I14_GeneratedServersSettleOnlyWhatIs(t *testing.T) {
	n, seed := min(launchtest.Steps(t, 300), 10_000)/20, rand.Uint64()>>16
	w := newWorld(t)
	t.Logf("%d servers from seed %d", n, seed)
	for i := range n {
		l := w.leaver(t)
		c := wild.Begin(seed+uint64(i), l.no)
		state := w.unlinkWild(t, l, c)
		if wrong := c.Wrong(state.Settled()); len(wrong) > 0 || state == models.AccountUnlinking {
			t.Fatalf("the account ends %s at %s\n%v", state, c, wrong)
		}
	}
}

// unlinkWild unlinks the leaver's mail account at a generated server until only people could go on.
func (w *world) unlinkWild(t *testing.T, l *leaver, c *wild.Case) models.AccountState {
	t.Helper()
	server := httptest.NewServer(c.Server)
	defer server.Close()
	client, err := scim.New(scim.Options{
		BaseURL: server.URL, Token: "t", Timeout: 5 * time.Second, Match: c.Server.Grammar.Match, PageSize: 5,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	registry, err := connector.RegistryOf(connector.System{Name: "mail", Kind: "mail", Connector: client})
	if err != nil {
		t.Fatal(err)
	}
	w.service = New(w.env.Facts, w.vault, registry, short)
	var id *string
	if c.Linked {
		person, _ := c.Server.Leaver()
		unique := person.ID
		id = &unique
	}
	w.exec(t, "UPDATE linked_accounts SET external_id = ? WHERE employment_id = ? AND system = 'mail'", id, l.employment)
	op := w.unlink(t, l, mailOnly)
	w.drive(t, op)
	return w.account(t, l, "mail").State
}
