package chaos

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"

	"lethe/e2e/harness"
	"lethe/internal/account"
	"lethe/models"
	"lethe/sandbox/control"
)

// theatre plays the scenes against a stack.
type theatre struct {
	stack *harness.Stack
	plan  Plan
	start time.Time

	mu           sync.Mutex
	acknowledged map[uuid.UUID]uuid.UUID // departure to employee
	refused      map[string]int          // why commands were refused, by code
	resolved     map[string]int          // what was done about support cases
}

// sleep waits until an instant of the plan.
func (th *theatre) sleep(ctx context.Context, at time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Until(th.start.Add(at))):
		return nil
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// hire puts everybody of the plan into the archive before the storm.
func (th *theatre) hire(ctx context.Context) (map[string]harness.Person, error) {
	people := map[string]harness.Person{}
	for _, s := range th.plan.Scenes {
		p, err := th.stack.Hire(ctx, harness.Hire{No: s.No, KnownIDs: s.KnownIDs})
		if err != nil {
			return nil, err
		}
		people[s.No] = p
		if s.Ghost != "" {
			if err := th.stack.System(s.Ghost).Remove(ctx, p.Accounts[s.Ghost]); err != nil {
				return nil, err
			}
		}
	}
	return people, nil
}

// answerWithin is how long a client asks again, far longer than anything of the storm is away: what
// is not answered by then never is.
const answerWithin = 2 * time.Minute

// persist does what a client does whose call got no answer: it asks again. A refusal is final.
func (th *theatre) persist(ctx context.Context, call func() error) error {
	for began := time.Now(); ; {
		err := call()
		var refused *harness.RefusedError
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return err
		case errors.As(err, &refused) && refused.Status < http.StatusInternalServerError:
			th.mu.Lock()
			th.refused[refused.Code]++
			th.mu.Unlock()
			return refused
		case time.Since(began) > answerWithin:
			return fmt.Errorf("no answer within %s: %w", answerWithin, err)
		}
		pause(ctx, 300*time.Millisecond)
	}
}

func (th *theatre) play(ctx context.Context, s Scene, p harness.Person) error {
	if err := th.sleep(ctx, s.At); err != nil {
		return err
	}
	if s.Kind == AllOrNothing || s.Kind == AllThenDeparts {
		itOps := th.stack.As(th.stack.Staff.ITOps)
		err := th.persist(ctx, func() error { _, err := itOps.Unlink(ctx, p.EmployeeID.String(), s.Kind == AllOrNothing); return err })
		if err != nil || s.Kind == AllOrNothing {
			return err
		}
		pause(ctx, s.Second)
	}
	id, err := th.depart(ctx, s, p)
	if err != nil {
		return err
	}
	switch s.Kind {
	case WithdrawEarly:
		pause(ctx, min(s.Second, s.Cutoff/2))
		return th.persist(ctx, func() error { return th.stack.Withdraw(ctx, id, "changed their mind") })
	case WithdrawLate:
		pause(ctx, s.Cutoff+s.Second/2)
		return th.persist(ctx, func() error { return th.stack.Withdraw(ctx, id, "changed their mind late") })
	case Annul:
		pause(ctx, s.Second/2)
		return th.annul(ctx, id)
	}
	return nil
}

// annul asks and confirms, and again if the stage turned between the two: an approval is bound to
// the state that it was asked for.
func (th *theatre) annul(ctx context.Context, id string) error {
	for {
		err := th.persist(ctx, func() error { return th.stack.As(th.stack.Staff.HR).AskAnnulment(ctx, id, "the wrong person") })
		if err != nil {
			return err
		}
		err = th.persist(ctx, func() error { return th.stack.ConfirmAnnulment(ctx, id) })
		var refused *harness.RefusedError
		if !errors.As(err, &refused) || refused.Code != "approval_void" {
			return err
		}
	}
}

// depart asks for the departure with an Idempotency-Key until it is answered.
func (th *theatre) depart(ctx context.Context, s Scene, p harness.Person) (string, error) {
	fields := map[string]any{"immediate": true}
	if s.Kind == Planned || s.Kind == WithdrawEarly || s.Kind == WithdrawLate {
		var now time.Time
		err := th.persist(ctx, func() (err error) { now, err = th.stack.Facts.Now(ctx); return err })
		if err != nil {
			return "", err
		}
		zone, err := time.LoadLocation(harness.Zone)
		if err != nil {
			return "", fmt.Errorf("loading the zone: %w", err)
		}
		fields = map[string]any{
			"last_working_day": now.In(zone).Format(time.DateOnly),
			"access_cutoff_at": now.Add(s.Cutoff).UTC().Format(time.RFC3339Nano),
		}
	}
	copies := 1
	if s.Kind == Duplicates {
		copies = 8
	}
	ids, failures := make([]string, copies), make([]error, copies)
	var wg sync.WaitGroup
	for i := range copies {
		wg.Go(func() {
			client := th.stack.As(th.stack.Staff.HR)
			failures[i] = th.persist(ctx, func() (err error) {
				ids[i], err = client.Depart(ctx, p.EmployeeID.String(), fields, "Idempotency-Key", "chaos-"+s.No)
				return err
			})
		})
	}
	wg.Wait()
	if err := errors.Join(failures...); err != nil {
		return "", err
	}
	for _, id := range ids {
		parsed, err := uuid.Parse(id)
		if err != nil {
			return "", fmt.Errorf("reading a location: %w", err)
		}
		th.mu.Lock()
		th.acknowledged[parsed] = p.EmployeeID
		th.mu.Unlock()
	}
	return ids[0], nil
}

// solve is IT operations: it looks at open cases and decides by the case's id, so that a seed's
// decisions follow from what happened. In the end it only retries what a retry can solve.
func (th *theatre) solve(ctx context.Context, calm func() bool) {
	itOps := th.stack.As(th.stack.Staff.ITOps)
	for ctx.Err() == nil {
		cases, err := itOps.SupportCases(ctx)
		if err != nil {
			pause(ctx, time.Second)
			continue
		}
		for _, k := range cases {
			action := decide(k, calm())
			if k.State == "waiver_requested" {
				err, action = th.stack.ConfirmWaiver(ctx, k.ID), "confirm"
			} else if err = itOps.Resolve(ctx, k.ID, models.Resolution(action)); err == nil && action == "waive" {
				err = th.stack.ConfirmWaiver(ctx, k.ID)
			}
			if err == nil {
				th.mu.Lock()
				th.resolved[action]++
				th.mu.Unlock()
			}
		}
		pause(ctx, time.Second)
	}
}

func decide(k harness.SupportCase, calm bool) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(k.ID))
	switch n := h.Sum32() % 20; {
	case calm && (k.Reason == account.ReasonNoSnapshot || k.Reason == account.ReasonPartial):
		return "waive" // nothing knows how it was: no retry will
	case calm || n < 12:
		return "retry"
	case n < 15:
		return "waive"
	case n < 18 || k.DepartureID != "":
		return "resolved_by_hand"
	}
	return "abort"
}

// weather sets the systems' faults as planned, under each person's own.
func (th *theatre) weather(ctx context.Context) error {
	for _, w := range th.plan.Weather {
		if th.sleep(ctx, w.At) != nil {
			return nil //nolint:nilerr // the play is over
		}
		faults := control.Faults{Seed: int64(th.plan.Seed % (1 << 62)), Rules: append(th.personal(w.System), w.Rules...)}
		if err := th.stack.System(w.System).SetFaults(ctx, faults); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

func (th *theatre) personal(system string) []control.Rule {
	var out []control.Rule
	for _, s := range th.plan.Scenes {
		if s.Where != system {
			continue
		}
		rule := control.Rule{Kind: s.Fault, Match: control.Match{EmployeeNo: s.No}}
		switch s.Fault {
		case control.Status:
			rule.Match.Operation, rule.Status = control.OpDisable, http.StatusForbidden
		case control.Lie:
			rule.Match.Operation = control.OpDisable
		case control.Delay:
			rule.Match.Operation, rule.Delay = control.OpDisable, control.Duration(1500*time.Millisecond)
		}
		out = append(out, rule)
	}
	return out
}
