// Package upgrade takes installations of released versions over, as their administrators would:
// stopped, migrated by this version, started again.
package upgrade

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lethe/e2e/harness"
	"lethe/internal/database/databasetest"
	"lethe/models"
)

// I16, I10: departures that a release left in every state go on under this version, with their
// workflows, sleeping or in the middle of a step, and nothing that people decided is lost.
func TestI16_AnInstallationOfARelease_GoesOn(t *testing.T) {
	archives, err := filepath.Glob("testdata/*.tar.gz")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no recorded installations: %v", err)
	}
	for _, path := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".tar.gz"), func(t *testing.T) {
			w := &world{t, harness.Start(t, harness.Options{From: path})}
			w.keepsWhatWas()
			w.goesOn()
			w.asksAboutAbsentAccounts()
			w.verifies()
			w.stopsRejectedPurges()
		})
	}
}

type world struct {
	*testing.T
	*harness.Stack
}

const within = 2 * time.Minute

func (w *world) departure(no string) harness.Departure {
	w.Helper()
	d, err := w.As(w.Staff.HR).Departure(w.Context(), w.Recorded(no))
	if err != nil {
		w.Fatalf("reading the departure of %s: %v", no, err)
	}
	return d
}

func (w *world) until(no, what string, holds func(harness.Departure) bool) harness.Departure {
	w.Helper()
	var d harness.Departure
	err := harness.Eventually(w.Context(), within, func() error {
		if d = w.departure(no); !holds(d) {
			return fmt.Errorf("stage %s, accounts %s %v, timeline %v", d.Stage, d.AccountsState, d.AccountStates(), d.Events())
		}
		return nil
	})
	if err != nil {
		w.Fatalf("%s is not %s: %v", no, what, err)
	}
	return d
}

// keepsWhatWas looks at what must be as it was, right after the start.
func (w *world) keepsWhatWas() {
	for no, stage := range map[string]string{
		"U-PENDING": "pending_departure", "U-PENDING-DEMO": "pending_departure", "U-SETTLED": "departed",
		"U-HELD": "departed", "U-PURGED": "purged", "U-WITHDRAWN": "withdrawn", "U-ANNULLED": "annulled",
		"U-ANNULMENT-ASKED": "departed", "U-IN-REVIEW": "departed", "U-REJECTED": "departed", "U-RELINK-STUCK": "annulled",
	} {
		if d := w.departure(no); d.Stage != stage {
			w.Errorf("%s is %s, it was %s", no, d.Stage, stage)
		}
	}
	certificates, err := w.As(w.Staff.Auditor).Certificates(w.Context(), w.Recorded("U-PURGED"))
	if err != nil || len(certificates) == 0 {
		w.Errorf("the certificates of before: %d, %v", len(certificates), err)
	}
	// I25: what people wrote for the record is read as before, and is not there in plain any more.
	answer, err := w.As(w.Staff.HR).Do(w.Context(), http.MethodGet, "/api/v1/holds", nil)
	if err != nil || !strings.Contains(string(answer.Body), `"matter":"U-2026-1"`) {
		w.Errorf("the matter of the hold of before: %v\n%s", err, answer.Body)
	}
	var plain struct{ Holds, Approvals int64 }
	err = w.Facts.Read(w.Context()).Raw("SELECT (SELECT count(*) FROM holds WHERE matter <> '') AS holds, (SELECT count(*) FROM approvals WHERE reason <> '' OR comment <> '') AS approvals").Scan(&plain).Error
	if err != nil || plain.Holds+plain.Approvals > 0 {
		w.Errorf("left in plain: %+v, %v", plain, err)
	}
}

// goesOn lets people and time do what was left to do.
func (w *world) goesOn() {
	t, ctx := w.T, w.Context()
	for _, system := range harness.SystemNames {
		if err := w.System(system).ClearFaults(ctx); err != nil {
			t.Fatal(err)
		}
	}
	// In the middle of its retries, and in the middle of its purge.
	w.until("U-RETRY", "settled", func(d harness.Departure) bool { return d.AccountsState == "settled" })
	w.until("U-PURGING", "purged", func(d harness.Departure) bool { return d.Stage == "purged" })
	// What was stuck is solved by people: a retry, the other half of a waiver, a stuck relink.
	for _, c := range w.cases() {
		switch c.DepartureID {
		case w.Recorded("U-STUCK"), w.Recorded("U-RELINK-STUCK"):
			if err := w.As(w.Staff.ITOps).Resolve(ctx, c.ID, models.ResolutionRetry); err != nil {
				t.Errorf("retrying a case of before: %v", err)
			}
		case w.Recorded("U-WAIVER"):
			if err := w.ConfirmWaiver(ctx, c.ID); err != nil {
				t.Errorf("confirming a waiver that was asked for before: %v", err)
			}
		}
	}
	for _, no := range []string{"U-STUCK", "U-WAIVER"} {
		w.until(no, "settled", func(d harness.Departure) bool { return d.AccountsState == "settled" })
	}
	w.until("U-RELINK-STUCK", "relinked", func(d harness.Departure) bool { return d.AccountsState == "relinked" })
	// Requests of before can be decided.
	if err := w.ConfirmAnnulment(ctx, w.Recorded("U-ANNULMENT-ASKED")); err != nil {
		t.Errorf("confirming an annulment that was asked for before: %v", err)
	}
	w.until("U-ANNULMENT-ASKED", "annulled and relinked", func(d harness.Departure) bool {
		return d.Stage == "annulled" && d.AccountsState == "relinked"
	})
	// What was pending can be taken back.
	if err := w.Withdraw(ctx, w.Recorded("U-PENDING"), "stays"); err != nil {
		t.Errorf("withdrawing a departure of before: %v", err)
	}
	w.until("U-PENDING", "withdrawn", func(d harness.Departure) bool { return d.Stage == "withdrawn" })
}

func (w *world) cases() []harness.SupportCase {
	w.Helper()
	all, err := w.As(w.Staff.ITOps).SupportCases(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	return all
}

// asksAboutAbsentAccounts: I29, a departure that was settled because nobody had registered an account
// is asked about once, and what is there becomes a case; nothing is cut without people.
func (w *world) asksAboutAbsentAccounts() {
	err := harness.Eventually(w.Context(), within, func() error {
		for _, c := range w.cases() {
			if c.DepartureID == w.Recorded("U-UNREGISTERED") && c.System == "mail" {
				return nil
			}
		}
		return fmt.Errorf("no case; accounts %v", w.departure("U-UNREGISTERED").AccountStates())
	})
	if err != nil {
		w.Errorf("an account that nobody registered, of somebody whom the release has as settled: %v", err)
	}
}

// stopsRejectedPurges: I1, what a reviewer rejected is not carried out by time.
func (w *world) stopsRejectedPurges() {
	if err := databasetest.MoveClock(w.Context(), w.Facts, 60*24*time.Hour); err != nil {
		w.Fatal(err)
	}
	time.Sleep(6 * time.Second) // the relay finds what is overdue within three
	for _, no := range []string{"U-REJECTED", "U-HELD", "U-HELD-DEMO"} {
		var stage models.Stage // read here: the tokens of before have expired
		err := w.Facts.Read(w.Context()).Raw("SELECT stage FROM departures WHERE id = ?", w.Recorded(no)).Scan(&stage).Error
		if err != nil || stage != models.StageDeparted {
			w.Errorf("%s is %s although its purge was rejected, or everything is held: %v", no, stage, err)
		}
	}
}

// verifies reads what an auditor would: the log of before and since is whole.
func (w *world) verifies() {
	out, err := w.Command(w.Context(), "ledger", "verify", "--lang=en")
	if err != nil {
		w.Errorf("lethe ledger verify: %v\n%s", err, out)
	}
	var page struct {
		Items []json.RawMessage `json:"items"`
	}
	a, err := w.As(w.Staff.Auditor).Do(w.Context(), http.MethodGet, "/api/v1/query-log?q=U-PURGED&limit=5", nil)
	if err != nil || a.Status != http.StatusOK || json.Unmarshal(a.Body, &page) != nil {
		w.Errorf("searching the log: %d %v", a.Status, err)
	}
	accounts, err := w.System("mail").Accounts(w.Context(), "U-SETTLED")
	if err != nil || len(accounts) != 1 || accounts[0].Active {
		w.Errorf("the account of somebody who had left: %+v, %v", accounts, err)
	}
}
