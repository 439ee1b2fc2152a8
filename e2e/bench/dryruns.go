package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"lethe/api/departures"
	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/identity"
	"lethe/internal/launch"
	"lethe/internal/launch/launchtest"
	"lethe/models"
)

const (
	// dryRunsGoal is how long a thousand dry runs may take, each of which asks three systems.
	dryRunsGoal = time.Minute
	dryRunners  = 8 // at once
)

// dryRuns measures dry runs over the real API against the sandbox: of people with an account in each of three systems.
func dryRuns(ctx context.Context, people int) error {
	fmt.Println("starting Postgres (fsync on)")
	w := &world{}
	defer w.close()
	var err error
	if w.scratch, err = launchtest.NewScratch(benchFolder()); err != nil {
		return err
	}
	if w.postgres, err = launch.Postgres(ctx, launch.PostgresOptions{Dir: filepath.Join(w.scratch.Path, "postgres")}); err != nil {
		return err
	}
	if err := errors.Join(w.openDatabases(ctx), w.openSandboxes()); err != nil {
		return err
	}
	if err := w.seed(ctx, people); err != nil {
		return err
	}
	leavers := slices.Clone(w.people)
	token, err := w.oneOfHR(ctx)
	if err != nil {
		return err
	}
	l, err := w.serveTo(ctx, leavers[0])
	if err != nil {
		return err
	}
	defer l.server.Close()
	run := func(n int) error {
		body := fmt.Sprintf(`{"employee_id": %q, "kind": "resignation", "last_working_day": %q, "look_up": true}`, leavers[n], clock.Today(time.Now().AddDate(0, 1, 0), time.UTC))
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, l.server.URL+"/api/v1/departures/preview", bytes.NewBufferString(body))
		if err != nil {
			return fmt.Errorf("asking: %w", err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+token)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			return fmt.Errorf("asking: %w", err)
		}
		defer func() { _ = answer.Body.Close() }()
		var p departures.DeparturePreview
		if answer.StatusCode != http.StatusOK {
			return fmt.Errorf("a dry run was answered with %d", answer.StatusCode)
		}
		if err := json.NewDecoder(answer.Body).Decode(&p); err != nil {
			return fmt.Errorf("reading a dry run: %w", err)
		}
		for _, s := range p.Systems {
			if !s.Reached || len(s.Accounts) != 1 || len(s.Accounts[0].Groups) != 1 {
				return fmt.Errorf("%s has %+v", s.System, s)
			}
		}
		return nil
	}
	var next atomic.Int64
	failed := make(chan error, dryRunners)
	var all sync.WaitGroup
	began := time.Now()
	for range dryRunners {
		all.Go(func() {
			for n := next.Add(1) - 1; n < int64(people); n = next.Add(1) - 1 {
				if err := run(int(n)); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	all.Wait()
	took := time.Since(began)
	select {
	case err := <-failed:
		return err
	default:
	}
	fmt.Printf("  %d dry runs, three systems each, in %.1f s\n", people, took.Seconds())
	if goal := dryRunsGoal * time.Duration(people) / 1000; took > goal {
		return fmt.Errorf("it took longer than %v", goal)
	}
	return nil
}

// oneOfHR makes somebody who may ask.
func (w *world) oneOfHR(ctx context.Context) (token string, err error) {
	err = database.Run(ctx, w.facts, func(tx *database.Tx) error {
		department, err := database.First[models.Department](tx.DB())
		if err != nil {
			return err
		}
		id, _, err := archive.Create(tx, w.vault, archive.NewEmployee{
			EmployeeNo: "HR-1", Name: "Bench", DepartmentID: department.ID, HiredOn: clock.NewDate(2020, time.March, 1),
		})
		if err != nil {
			return err
		}
		if _, err := identity.GrantTo(tx, id, models.RoleHRAdmin); err != nil {
			return err
		}
		token, _, err = identity.Issue(tx, id, models.RoleHRAdmin, "bench", time.Hour, true)
		return err
	})
	return token, err
}
