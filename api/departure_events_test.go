package api

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"lethe/internal/database"
	"lethe/internal/departure"
	"lethe/internal/identity"
	"lethe/models"
)

// event is one server-sent event.
type event struct {
	kind, id string
	view     DepartureView
	problem  Problem
}

// follow opens a stream; the channel closes when the stream ends.
func (f *fixture) follow(role models.Role, address, last string) <-chan event {
	f.t.Helper()
	return f.followWith(address, last, "Authorization", "Bearer "+f.tokens[role])
}

func (f *fixture) followWith(address, last, name, value string) <-chan event {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	f.t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, "GET", f.http.URL+address+"/events", nil)
	if err != nil {
		f.t.Fatal(err)
	}
	r.Header.Set(name, value)
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		f.t.Fatal(err)
	}
	if response.StatusCode != 200 || response.Header.Get("Content-Type") != "text/event-stream" {
		f.t.Fatalf("the stream answers %d %s", response.StatusCode, response.Header.Get("Content-Type"))
	}
	events := make(chan event, 100)
	go func() {
		defer close(events)
		defer func() { _ = response.Body.Close() }()
		lines := bufio.NewScanner(response.Body)
		lines.Buffer(nil, 1<<20)
		var e event
		for lines.Scan() {
			name, value, _ := strings.Cut(lines.Text(), ": ")
			switch name {
			case "event":
				e.kind = value
			case "id":
				e.id = value
			case "data":
				_ = json.Unmarshal([]byte(value), &e.view)
				_ = json.Unmarshal([]byte(value), &e.problem)
			case "":
				if e.kind != "" {
					events <- e
				}
				e = event{}
			}
		}
	}()
	return events
}

func (f *fixture) next(events <-chan event) event {
	f.t.Helper()
	select {
	case e, ok := <-events:
		if !ok {
			f.t.Fatal("the stream ended")
		}
		return e
	case <-time.After(10 * time.Second):
		f.t.Fatal("no event")
		return event{}
	}
}

func (f *fixture) ended(events <-chan event) {
	f.t.Helper()
	select {
	case e, ok := <-events:
		if ok {
			f.t.Fatalf("instead of an end came %s", e.kind)
		}
	case <-time.After(10 * time.Second):
		f.t.Fatal("the stream goes on")
	}
}

func TestStreamTellsEachChangeAndEnds(t *testing.T) {
	f := newFixture(t)
	d := f.resign(f.hire("E1", f.a))
	address := addressOf(models.RefDeparture, d.ID)
	events := f.follow(models.RoleHRAdmin, address, "")
	if e := f.next(events); e.kind != eventSnapshot || e.id == "" || e.view.ID != d.ID || e.view.Stage != models.StagePendingDeparture {
		t.Fatalf("first came %+v", e)
	}
	f.ask(models.RoleHRAdmin, "PUT", address+"/dates", `{"last_working_day": "`+f.day(40)+`"}`)
	changed := f.next(events)
	if changed.kind != departure.EventDatesChanged || changed.view.LastWorkingDay.String() != f.day(40) {
		t.Fatalf("then came %+v", changed)
	}
	f.ask(models.RoleHRAdmin, "POST", address+"/withdrawal", `{"reason": "stays", "company_consent": true}`)
	last := f.next(events)
	if last.kind != departure.EventWithdrawn || last.view.Stage != models.StageWithdrawn {
		t.Fatalf("then came %+v", last)
	}
	f.ended(events)

	resumed := f.follow(models.RoleHRAdmin, address, changed.id)
	if e := f.next(resumed); e.kind != departure.EventWithdrawn || e.id != last.id {
		t.Errorf("resumed with %s %s", e.kind, e.id)
	}
	f.ended(resumed)
	if got := f.ask(models.RoleHRAdmin, "GET", address+"/events", "", "Last-Event-ID", last.id); got.status != http.StatusNoContent {
		t.Errorf("after the end: %d", got.status)
	}
	if got := f.ask(models.RoleHRAdmin, "GET", address+"/events", "", "Last-Event-ID", "x"); got.problem.Code != codeValidationFailed {
		t.Errorf("a broken position: %d", got.status)
	}
}

func TestStreamTellsWhatTheTimelineDoesNot(t *testing.T) {
	f := newFixture(t)
	d := f.resign(f.hire("E1", f.a))
	events := f.follow(models.RoleHRAdmin, addressOf(models.RefDeparture, d.ID), "")
	f.next(events)
	f.exec("UPDATE linked_accounts SET state = 'unlinking' WHERE id = ?", d.Accounts[0].ID)
	if e := f.next(events); e.kind != eventChanged || e.view.Accounts[0].State != models.AccountUnlinking {
		t.Errorf("came %+v", e)
	}
}

func TestI23_StreamEndsWithItsToken(t *testing.T) {
	f := newFixture(t)
	d := f.resign(f.hire("E1", f.a))
	defer func(r rhythm) { normalRhythm = r }(normalRhythm)
	normalRhythm.recheck = 100 * time.Millisecond
	events := f.follow(models.RoleAuditor, addressOf(models.RefDeparture, d.ID), "")
	f.next(events)
	f.run(func(tx *database.Tx) error {
		_, err := identity.Revoke(tx, f.tokenIDs[models.RoleAuditor].String())
		return err
	})
	if e := f.next(events); e.kind != eventProblem || e.problem.Code != codeTokenRevoked {
		t.Errorf("came %+v", e)
	}
	f.ended(events)
}
