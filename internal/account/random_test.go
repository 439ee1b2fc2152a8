package account

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"lethe/internal/connector"
	"lethe/models"
)

// chaos is one leaver's life under random faults, crashes and commands.
type chaos struct {
	w       *world
	l       *leaver
	current models.AccountOperation
	ops     []models.AccountOperation
	gone    bool // withdrawn
}

// TestI12_RandomLives: whatever fails, dies and is commanded in between, once everything came to
// rest each account is read back as wanted, or stuck with an open case that somebody sees.
func TestI12_RandomLives(t *testing.T) {
	w := newWorld(t)
	rapid.Check(t, func(r *rapid.T) {
		for _, name := range systems {
			w.targets[name] = newTarget(name, nil)
		}
		w.service = New(w.env.Facts, w.vault, registryOf(t, w.targets), short)
		c := &chaos{w: w, l: w.leaver(t)}
		if rapid.Bool().Draw(r, "alone first") {
			c.take(w.unlink(t, c.l, func(o *UnlinkOrder) {
				o.AllOrNothing = rapid.Bool().Draw(r, "all or nothing")
				o.Systems = []string{"mail", "finance"}
			}))
			c.live(t, r)
		}
		w.leave(t, c.l)
		if op, created, err := w.tryUnlink(c.l, nil); err != nil {
			t.Fatal(err)
		} else if created {
			c.take(op)
		}
		c.live(t, r)
		if rapid.Bool().Draw(r, "withdraw") {
			c.gone = true
			if op, created := w.relink(t, c.l, nil); created {
				c.take(op)
			}
			c.live(t, r)
		}
		c.rest(t)
		c.check(t)
		c.helpers(t)
		c.check(t)
		for _, op := range c.ops {
			if f := w.facts(t, op); !f.Done {
				t.Fatalf("an operation never ends: %+v", f)
			}
		}
	})
}

func registryOf(t testing.TB, targets map[string]*target) *connector.Registry {
	t.Helper()
	var listed []connector.System
	for _, name := range systems {
		listed = append(listed, connector.System{Name: name, Kind: name, Connector: targets[name]})
	}
	registry, err := connector.RegistryOf(listed...)
	if err != nil {
		t.Fatal(err)
	}
	return registry
}

// land lets a target carry out what it accepted, as long as somebody still watches for it: what comes
// after the last check is for the daily comparison to find.
func (c *chaos) land(t *testing.T, tg *target) {
	a := c.w.account(t, c.l, tg.name)
	if a.State.Settled() || a.State == models.AccountRelinked || a.State == models.AccountLinked {
		tg.mu.Lock()
		tg.landings = nil
		tg.mu.Unlock()
	}
	tg.land()
}

func (c *chaos) take(op models.AccountOperation) {
	c.current = op
	c.ops = append(c.ops, op)
}

var calls = []string{"find", "read_back", "snapshot", "disable", "revoke_sessions", "residue", "restore"}

func (c *chaos) live(t *testing.T, r *rapid.T) {
	for range rapid.IntRange(0, 8).Draw(r, "events") {
		tg := c.w.targets[rapid.SampledFrom(systems).Draw(r, "system")]
		switch rapid.IntRange(0, 7).Draw(r, "event") {
		case 0, 1:
			tg.fail(rapid.SampledFrom(calls).Draw(r, "call"), rapid.SampledFrom([]fault{
				{before: temporary(connector.CodeUnavailable)}, {after: temporary(connector.CodeConnectionCut)},
				{before: &connector.Error{Code: connector.CodeUnauthorized}}, {lie: true}, {accept: true},
			}).Draw(r, "fault"))
		case 2:
			c.land(t, tg)
		case 3:
			c.decide(t, r)
		case 4:
			c.w.env.Advance(t, time.Duration(rapid.IntRange(1, 20).Draw(r, "seconds"))*time.Second)
		case 5:
			op := rapid.SampledFrom(c.ops).Draw(r, "operation")
			step := c.w.step(t, op, c.anySystem(t, r, op))
			c.w.runUntil(t, op, step, rapid.IntRange(0, 16).Draw(r, "dies at"))
		default:
			c.w.turn(t, c.current, c.w.facts(t, c.current))
		}
	}
}

func (c *chaos) anySystem(t *testing.T, r *rapid.T, op models.AccountOperation) string {
	v, err := Operation(t.Context(), c.w.env.Facts, op.ID)
	if err != nil {
		t.Fatal(err)
	}
	return rapid.SampledFrom(v.Steps).Draw(r, "step").System
}

func (c *chaos) decide(t *testing.T, r *rapid.T) {
	for _, op := range c.ops {
		for _, sc := range c.w.openCases(t, op) {
			switch rapid.IntRange(0, 3).Draw(r, "decision") {
			case 0:
				c.resolve(t, sc, models.ResolutionRetry)
			case 1:
				c.resolve(t, sc, models.ResolutionByHand)
			case 2:
				if op.Origin == models.OriginStandalone && op.Kind == models.OperationUnlink && c.w.step(t, op, sc.System).Action == models.OperationUnlink {
					c.resolve(t, sc, models.ResolutionAbort)
				}
			}
		}
	}
}

func (c *chaos) resolve(t *testing.T, sc CaseView, action models.Resolution) {
	t.Helper()
	if err := c.w.resolve(sc.ID, c.w.actor(t, models.RoleITOps), action); err != nil {
		t.Fatalf("%s: %v", action, err)
	}
}

// rest lets everything run until only people could go on.
func (c *chaos) rest(t *testing.T) {
	for _, op := range c.ops {
		c.w.drive(t, op)
	}
	c.w.drive(t, c.current)
}

// helpers repair the systems and ask for another round until nothing is stuck.
func (c *chaos) helpers(t *testing.T) {
	for range 5 {
		open := 0
		for _, name := range systems {
			c.land(t, c.w.targets[name])
			c.w.targets[name].heal()
		}
		for _, op := range c.ops {
			for _, sc := range c.w.openCases(t, op) {
				open++
				if sc.Reason == ReasonNoSnapshot || sc.Reason == ReasonPartial {
					// Nothing knows how it was: people put it back.
					c.w.targets[sc.System].set(c.l.id(sc.System), func(h *holder) { h.active = true })
					c.resolve(t, sc, models.ResolutionByHand)
					continue
				}
				c.resolve(t, sc, models.ResolutionRetry)
			}
		}
		c.rest(t)
		if open == 0 {
			return
		}
	}
	t.Fatal("cases come back although nothing is wrong any more")
}

// check looks at every account and at what the system itself says about it.
func (c *chaos) check(t *testing.T) {
	t.Helper()
	open := map[string]bool{}
	for _, op := range c.ops {
		for _, sc := range c.w.openCases(t, op) {
			open[sc.System] = true
		}
	}
	for _, name := range systems {
		a := c.w.account(t, c.l, name)
		h := c.w.targets[name].holder(c.l.id(name))
		pending := len(c.w.targets[name].landings) > 0
		problem := ""
		switch a.State {
		case models.AccountStuck:
			if !open[name] {
				problem = "stuck without a case"
			}
		case models.AccountDisabled:
			if h.active || len(h.groups) > 0 || h.sessions > 0 {
				problem = "settled and not off"
			}
		case models.AccountRelinked, models.AccountLinked:
			if !c.gone {
				problem = "open after the cutoff"
			} else if !h.active && !pending {
				problem = "given back and not usable"
			}
		default:
			problem = "on the way for ever"
		}
		if c.gone && a.State == models.AccountDisabled && slices.ContainsFunc(c.ops, func(op models.AccountOperation) bool {
			return op.ID == *a.OperationID && op.Origin == models.OriginDeparture
		}) {
			problem = "not given back"
		}
		if problem != "" {
			v, _ := Operation(t.Context(), c.w.env.Facts, c.current.ID)
			t.Fatalf("%s is %s (%s): %s\n%s", name, a.State, h, problem, describe(v))
		}
	}
}

func describe(v OperationView) string {
	text := fmt.Sprintf("%s %s\n", v.Kind, v.State)
	for _, s := range v.Steps {
		text += fmt.Sprintf("  %s %s %s tries %d\n", s.System, s.Action, s.State, s.Tries)
		for _, e := range s.Evidence {
			text += fmt.Sprintf("    %d %s %s %s\n", e.Attempt, e.Substep, e.Outcome, e.Detail)
		}
	}
	return text
}
