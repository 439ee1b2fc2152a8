package api_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"lethe/api/apitest"
	"lethe/api/departures"
	"lethe/internal/keyed"
	"lethe/models"
)

// digests are all values of all columns that may hold one: 32 bytes.
func digests(f *apitest.Fixture) (all [][]byte) {
	f.T.Helper()
	g := f.Env.Facts.Read(context.Background())
	var columns []struct{ TableName, ColumnName string }
	err := g.Raw(`SELECT c.table_name, c.column_name FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
		WHERE c.table_schema = 'public' AND c.udt_name = 'bytea' AND t.table_type = 'BASE TABLE'`).Scan(&columns).Error
	if err != nil || len(columns) < 10 {
		f.T.Fatalf("%d columns, %v", len(columns), err)
	}
	for _, c := range columns {
		var values [][]byte
		if err := g.Raw(fmt.Sprintf("SELECT %s FROM %s WHERE octet_length(%s) = 32", c.ColumnName, c.TableName, c.ColumnName)).Scan(&values).Error; err != nil {
			f.T.Fatal(err)
		}
		all = append(all, values...)
	}
	return all
}

// TestI25_NoDigestGivesANoteBack: who reads the database knows all of a request but three digits of its
// note, and hashes all thousand possible ones in the ways that the digests were made in before.
func TestI25_NoDigestGivesANoteBack(t *testing.T) {
	f := apitest.New(t)
	const digits = "471"
	people := []string{f.Hire("E1", f.A).String(), f.Hire("E2", f.A).String()}
	body := func(person, note string) string {
		return `{"employee_id":"` + person + `","kind":"resignation","immediate":true,"note":"IBAN DE` + note + `"}`
	}
	var stored []string
	for i, person := range people {
		got := f.Ask(models.RoleHRAdmin, "POST", "/api/v1/departures", body(person, digits), "Idempotency-Key", fmt.Sprintf("key %s of %d", digits, i))
		if got.Status >= 300 {
			t.Fatalf("%d %s", got.Status, got.Body)
		}
		stored = append(stored, person)
	}
	// One that waits for a second person, too.
	asked := f.Ask(models.RoleHRAdmin, "POST", "/api/v1/employees", f.Newcomer("N"+digits, f.A, ""), "Idempotency-Key", "another")
	if asked.Status != http.StatusAccepted {
		t.Fatalf("a request for approval: %d %s", asked.Status, asked.Body)
	}
	kept := digests(f)
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
	var command departures.NewDeparture
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
	f := apitest.New(t)
	a, b := f.Hire("E1", f.A), f.Hire("E2", f.A)
	first := f.Ask(models.RoleHRAdmin, "POST", "/api/v1/departures", f.Notice(a, 30), "Idempotency-Key", "k")
	f.Env.Digests.Follow(keyed.Requests)
	again := f.Ask(models.RoleHRAdmin, "POST", "/api/v1/departures", f.Notice(a, 30), "Idempotency-Key", "k")
	if first.Status != 202 || again.Status != 202 || again.Header.Get("Location") != first.Header.Get("Location") {
		t.Errorf("first %d %s, then %d %s", first.Status, first.Header.Get("Location"), again.Status, again.Header.Get("Location"))
	}
	other := f.Ask(models.RoleHRAdmin, "POST", "/api/v1/departures", f.Notice(b, 30), "Idempotency-Key", "k")
	if other.Status != 422 || other.Problem.Code != "idempotency_key_reused" {
		t.Errorf("another body: %d %s", other.Status, other.Body)
	}
	if n := f.Count("idempotency_keys"); n != 1 {
		t.Errorf("%d rows", n)
	}
	f.Tokens["other"], _ = f.Token(f.People[models.RoleAuditor], models.RoleHRAdmin)
	theirs := f.Ask("other", "POST", "/api/v1/departures", f.Notice(b, 30), "Idempotency-Key", "k")
	if theirs.Status != 202 || theirs.Header.Get("Location") == first.Header.Get("Location") {
		t.Errorf("another person's key of the same text: %d %s", theirs.Status, theirs.Body)
	}
}
