package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"lethe/internal/keyed"
	"lethe/models"
)

// digests are all values of all columns that may hold one: 32 bytes.
func (f *fixture) digests() (all [][]byte) {
	f.t.Helper()
	g := f.env.Facts.Read(context.Background())
	var columns []struct{ TableName, ColumnName string }
	err := g.Raw(`SELECT c.table_name, c.column_name FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
		WHERE c.table_schema = 'public' AND c.udt_name = 'bytea' AND t.table_type = 'BASE TABLE'`).Scan(&columns).Error
	if err != nil || len(columns) < 10 {
		f.t.Fatalf("%d columns, %v", len(columns), err)
	}
	for _, c := range columns {
		var values [][]byte
		if err := g.Raw(fmt.Sprintf("SELECT %s FROM %s WHERE octet_length(%s) = 32", c.ColumnName, c.TableName, c.ColumnName)).Scan(&values).Error; err != nil {
			f.t.Fatal(err)
		}
		all = append(all, values...)
	}
	return all
}

// TestI25_NoDigestGivesANoteBack: who reads the database knows all of a request but three digits of its
// note, and hashes all thousand possible ones in the ways that the digests were made in before.
func TestI25_NoDigestGivesANoteBack(t *testing.T) {
	f := newFixture(t)
	const digits = "471"
	people := []string{f.hire("E1", f.a).String(), f.hire("E2", f.a).String()}
	body := func(person, note string) string {
		return `{"employee_id":"` + person + `","kind":"resignation","immediate":true,"note":"IBAN DE` + note + `"}`
	}
	var stored []string
	for i, person := range people {
		got := f.ask(models.RoleHRAdmin, "POST", "/api/v1/departures", body(person, digits), "Idempotency-Key", fmt.Sprintf("key %s of %d", digits, i))
		if got.status >= 300 {
			t.Fatalf("%d %s", got.status, got.body)
		}
		stored = append(stored, person)
	}
	// One that waits for a second person, too.
	asked := f.ask(models.RoleHRAdmin, "POST", "/api/v1/employees", f.newcomer("N"+digits, f.a, ""), "Idempotency-Key", "another")
	if asked.status != http.StatusAccepted {
		t.Fatalf("a request for approval: %d %s", asked.status, asked.body)
	}
	kept := f.digests()
	if len(kept) < 6 {
		t.Fatalf("only %d digests are kept: there is nothing to guess", len(kept))
	}
	for n := range 1000 {
		guess := fmt.Sprintf("%03d", n)
		texts := []string{}
		for i, person := range stored {
			texts = append(texts, fmt.Sprintf("key %s of %d", guess, i), body(person, guess),
				"POST /departures\n"+asDecoded(t, body(person, guess)))
		}
		for _, text := range texts {
			sum := sha256.Sum256([]byte(text))
			if slices.ContainsFunc(kept, func(k []byte) bool { return bytes.Equal(k, sum[:]) }) {
				t.Errorf("a digest is the hash of %s", text)
			}
		}
	}
}

// asDecoded is a body as it was hashed once it was decoded.
func asDecoded(t *testing.T, body string) string {
	t.Helper()
	var command NewDeparture
	if err := json.Unmarshal([]byte(body), &command); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(command)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestI26_ARepetitionAcrossTheNextKeyHasOneEffect: the key of digests that a request was kept under is
// followed by another one before it is repeated.
func TestI26_ARepetitionAcrossTheNextKeyHasOneEffect(t *testing.T) {
	f := newFixture(t)
	a, b := f.hire("E1", f.a), f.hire("E2", f.a)
	first := f.ask(models.RoleHRAdmin, "POST", "/api/v1/departures", f.notice(a, 30), "Idempotency-Key", "k")
	f.env.Digests.Follow(keyed.Requests)
	again := f.ask(models.RoleHRAdmin, "POST", "/api/v1/departures", f.notice(a, 30), "Idempotency-Key", "k")
	if first.status != 202 || again.status != 202 || again.header.Get("Location") != first.header.Get("Location") {
		t.Errorf("first %d %s, then %d %s", first.status, first.header.Get("Location"), again.status, again.header.Get("Location"))
	}
	other := f.ask(models.RoleHRAdmin, "POST", "/api/v1/departures", f.notice(b, 30), "Idempotency-Key", "k")
	if other.status != 422 || other.problem.Code != codeIdempotencyReuse {
		t.Errorf("another body: %d %s", other.status, other.body)
	}
	if n := f.count("idempotency_keys"); n != 1 {
		t.Errorf("%d rows", n)
	}
	f.tokens["other"], _ = f.token(f.people[models.RoleAuditor], models.RoleHRAdmin)
	theirs := f.ask("other", "POST", "/api/v1/departures", f.notice(b, 30), "Idempotency-Key", "k")
	if theirs.status != 202 || theirs.header.Get("Location") == first.header.Get("Location") {
		t.Errorf("another person's key of the same text: %d %s", theirs.status, theirs.body)
	}
}
