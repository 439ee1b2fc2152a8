package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/api/departures"
	"lethe/e2e/harness"
	"lethe/internal/database/databasetest"
)

// TestI25_WhatWasPurgedIsNotInCopies: two people leave with notes, legal grounds and keys that the
// attacker knows but for three digits; an evidence pack shows them. After their purges nothing is left
// of it in digests, columns, pages, write-ahead log and packs.
func TestI25_WhatWasPurgedIsNotInCopies(t *testing.T) {
	stack := harness.Start(t, harness.Options{OwnPostgres: true, BeforeMidnight: 6 * time.Hour})
	hr, auditor := stack.As(stack.Staff.HR), stack.As(stack.Staff.Auditor)
	var known, gone []string
	for i := range 2 {
		p, err := stack.Hire(t.Context(), harness.Hire{No: fmt.Sprintf("C-%d", i), Name: fmt.Sprintf("Copy %d", i), KnownIDs: true})
		if err != nil {
			t.Fatal(err)
		}
		note, ground, key := fmt.Sprintf("Kanarienvogel-%d IBAN 471", i), fmt.Sprintf("Paragraphenreiter-%d 471", i), fmt.Sprintf("Schluesselbund-%d 471", i)
		id, err := hr.Depart(t.Context(), p.EmployeeID.String(), map[string]any{
			"immediate": true, "note": note, "legal_ground": ground, "reason_code": fmt.Sprintf("zaunkoenig-%d-471", i),
		}, "Idempotency-Key", key)
		if err != nil {
			t.Fatal(err)
		}
		gone = append(gone, id)
		body := departures.NewDeparture{EmployeeID: p.EmployeeID, Kind: "resignation", Note: note, LegalGround: ground, ReasonCode: fmt.Sprintf("zaunkoenig-%d-471", i)}
		body.Immediate = true
		decoded, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{note, ground, key, fmt.Sprintf("zaunkoenig-%d-471", i), string(decoded)} {
			at := strings.Index(text, "471")
			known = append(known, text[:at]+"###"+text[at+3:])
		}
	}
	pack := makePack(t, auditor)
	for _, id := range gone {
		err := harness.Eventually(t.Context(), 3*time.Minute, func() error {
			d, err := hr.Departure(t.Context(), id)
			if err == nil && d.Stage != "purged" {
				err = fmt.Errorf("stage %s, accounts %s", d.Stage, d.AccountsState)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, sql := range []string{"VACUUM", "CHECKPOINT"} {
		if err := stack.Facts.Read(t.Context()).Exec(sql).Error; err != nil {
			t.Fatal(err)
		}
	}
	exports := filepath.Join(filepath.Dir(stack.LedgerDir()), "exports")
	found, err := attack(t.Context(), stack.Facts, known, []string{filepath.Join(stack.Folder, "postgres"), stack.LedgerDir()})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		t.Error(f)
	}
	wantEnded(t, auditor, pack, exports)
}

func makePack(t *testing.T, auditor *harness.Client) (address string) {
	t.Helper()
	asked, err := auditor.Do(t.Context(), "POST", "/api/v1/query-log/exports", map[string]any{"filters": map[string]any{}, "reason": "an audit"})
	if err != nil || asked.Status != http.StatusAccepted {
		t.Fatalf("asking for a pack: %d, %v\n%s", asked.Status, err, asked.Body)
	}
	err = harness.Eventually(t.Context(), time.Minute, func() error {
		if state := stateOf(t, auditor, asked.Location); state != "done" && state != "purged" {
			return fmt.Errorf("the pack is %s", state)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return asked.Location
}

func stateOf(t *testing.T, auditor *harness.Client, address string) string {
	t.Helper()
	answer, err := auditor.Do(t.Context(), "GET", address, nil)
	if err != nil {
		t.Fatal(err)
	}
	var view struct{ State string }
	if err := json.Unmarshal(answer.Body, &view); err != nil {
		t.Fatal(err)
	}
	return view.State
}

// wantEnded wants a pack refused with the reason, and its file gone.
func wantEnded(t *testing.T, auditor *harness.Client, address, folder string) {
	t.Helper()
	answer, err := auditor.Do(t.Context(), "GET", address+"/file", nil)
	if err != nil || answer.Status != http.StatusGone || !strings.Contains(string(answer.Body), "export_purged") {
		t.Errorf("downloading the pack: %d, %v\n%s", answer.Status, err, answer.Body)
	}
	err = harness.Eventually(t.Context(), 30*time.Second, func() error {
		files, err := os.ReadDir(folder)
		if err == nil && len(files) > 0 {
			err = fmt.Errorf("%s is still there", files[0].Name())
		}
		if state := stateOf(t, auditor, address); err == nil && state != "purged" {
			err = fmt.Errorf("the pack is %s", state)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestTheAttackFindsWhatIsThere: digests as version 0.2 made them, a text in clear, a file.
func TestTheAttackFindsWhatIsThere(t *testing.T) {
	env := databasetest.New(t)
	person := env.Hire(t, "CN").EmployeeID
	sum := sha256.Sum256([]byte("POST /departures\n" + `{"note":"IBAN 471"}`))
	other := sha256.Sum256([]byte("192.0.2.17"))
	err := env.Facts.Read(t.Context()).Exec(`INSERT INTO idempotency_keys (employee_id, key_hash, route, request_hash, status, expires_at)
		VALUES (?, ?, 'POST /departures', ?, 202, lethe_now())`, person, other[:], sum[:]).Error
	if err == nil {
		err = env.Facts.Read(t.Context()).Exec("CREATE TABLE cage AS SELECT ?::uuid AS id, 'a Kanarienvogel sings'::text AS bird", uuid.New()).Error
	}
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "page"), []byte("...Zaunkoenig..."), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ known, where string }{
		{`{"note":"IBAN ###"}`, "idempotency_keys.request_hash"}, {"192.0.2.##", "idempotency_keys.key_hash"},
		{"Kanarienvogel", "cage.bird"}, {"Zaunkoenig", "page"},
	} {
		found, err := attack(t.Context(), env.Facts, []string{c.known}, []string{folder})
		if err != nil || len(found) != 1 || !strings.Contains(found[0], c.where) {
			t.Errorf("%s: found %v, %v", c.known, found, err)
		}
	}
	if found, err := attack(t.Context(), env.Facts, []string{"Nachtigall ###"}, []string{folder}); err != nil || len(found) != 0 {
		t.Errorf("what is not there: found %v, %v", found, err)
	}
}
