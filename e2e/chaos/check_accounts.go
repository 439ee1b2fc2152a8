package chaos

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"lethe/models"
	"lethe/sandbox/control"
)

// noAccountIsSilentlyActive is I12: past the cutoff every account is off in its system, or shown as
// stuck with an open case, or waived by two people.
func (c *checker) noAccountIsSilentlyActive() {
	for _, d := range c.Departures {
		if !open(d) || d.AccessCutoffAt.After(c.Now) || c.Now.Sub(d.AccessCutoffAt) < settleTime {
			continue
		}
		for _, a := range c.Accounts {
			if a.EmploymentID != d.EmploymentID {
				continue
			}
			active := c.activeAccounts(a)
			switch {
			case a.State == models.AccountWaived && c.waived(a.ID):
			case a.State == models.AccountStuck && c.openCase(a.ID) && d.AccountsState == models.AccountsNeedsAttention:
			case !a.State.Settled() || a.State == models.AccountWaived:
				c.report("I12", "account %s in %s is %s after the cutoff", a.ID, a.System, a.State)
			case a.State != models.AccountDetached && active > 0:
				c.report("I12", "account %s in %s is %s and active", a.ID, a.System, a.State)
			}
		}
	}
}

// settledMeansAsked is I29: what is called settled has a finding of every system, with its evidence, or
// two people's waiver.
func (c *checker) settledMeansAsked() {
	for _, d := range c.Departures {
		if !open(d) || d.AccountsState != models.AccountsSettled {
			continue
		}
		i := slices.IndexFunc(c.Operations, func(op models.AccountOperation) bool {
			return op.DepartureID != nil && *op.DepartureID == d.ID && op.Kind == models.OperationUnlink && op.State != models.OperationSuperseded
		})
		if i < 0 {
			c.report("I29", "departure %s is settled without an order", d.ID)
			continue
		}
		for name := range c.Systems {
			if op := c.Operations[i]; !slices.Contains(op.Asked, name) || !c.answered(op, name) {
				c.report("I29", "departure %s is settled, and %s was not asked", d.ID, name)
			}
		}
	}
}

func (c *checker) answered(op models.AccountOperation, system string) bool {
	return slices.ContainsFunc(c.Steps, func(s models.AccountStep) bool {
		if s.OperationID != op.ID || s.System != system {
			return false
		}
		return s.State == models.StepWaived || s.State == models.StepDone &&
			slices.ContainsFunc(c.Looked, func(e models.AccountEvidence) bool {
				return e.StepID == s.ID && e.Substep == "find" && e.Outcome != "failed"
			})
	})
}

// whatIsOffIsOff is the rest of I12: what we call disabled is off in its system.
func (c *checker) whatIsOffIsOff() {
	for _, a := range c.Accounts {
		if a.State == models.AccountDisabled && c.activeAccounts(a) > 0 {
			c.report("I12", "account %s in %s is called disabled and is active", a.ID, a.System)
		}
	}
}

// settleTime is what unlinking may take at the end of a storm.
const settleTime = time.Second

// activeAccounts counts what the system has of the person that works.
func (c *checker) activeAccounts(a models.LinkedAccount) int {
	no, n := c.employeeNo(a.EmploymentID), 0
	for _, remote := range c.Systems[a.System].Accounts {
		if remote.EmployeeNo == no && remote.Active {
			n++
		}
	}
	return n
}

func (c *checker) employeeNo(employment uuid.UUID) string {
	i := slices.IndexFunc(c.Employments, func(m models.Employment) bool { return m.ID == employment })
	if i < 0 {
		return ""
	}
	j := slices.IndexFunc(c.Employees, func(p models.Employee) bool { return p.ID == c.Employments[i].EmployeeID })
	if j < 0 {
		return ""
	}
	return c.Employees[j].EmployeeNo
}

func (c *checker) waived(account uuid.UUID) bool {
	return slices.ContainsFunc(c.Cases, func(k models.SupportCase) bool {
		return k.AccountID == account && k.Resolution == models.ResolutionWaive && k.AskedBy != nil && k.ConfirmedBy != nil && *k.AskedBy != *k.ConfirmedBy
	})
}

func (c *checker) openCase(account uuid.UUID) bool {
	return slices.ContainsFunc(c.Cases, func(k models.SupportCase) bool {
		return k.AccountID == account && k.State != models.CaseClosed
	})
}

// accessComesBackOnlyWhenAsked is I13: access is given back only by an operation that somebody asked
// for, a late attempt never undoes it, and in the end it is there.
func (c *checker) accessComesBackOnlyWhenAsked() {
	operations := map[uuid.UUID]models.AccountOperation{}
	for _, op := range c.Operations {
		operations[op.ID] = op
	}
	for name, system := range c.Systems {
		for account, effects := range byAccount(system.Effects) {
			c.judgeEffects(name, account, effects, operations)
		}
	}
	for _, a := range c.Accounts {
		if a.LookUp() {
			continue // a question: there is nothing to give back
		}
		back := a.State == models.AccountLinked || a.State == models.AccountRelinked
		// What was never there, or was waived, cannot be given back.
		if back && c.exists(a) && !c.waived(a.ID) && c.activeAccounts(a) == 0 {
			c.report("I13", "account %s in %s is called %s and is not active", a.ID, a.System, a.State)
		}
	}
	for _, d := range c.Departures {
		if open(d) || d.AccountsState == models.AccountsNeedsAttention || c.laterDeparture(d) {
			continue
		}
		for _, a := range c.Accounts {
			if a.EmploymentID != d.EmploymentID || a.LookUp() || c.waived(a.ID) || !c.exists(a) {
				continue
			}
			if a.State != models.AccountLinked && a.State != models.AccountRelinked {
				c.report("I13", "account %s in %s is %s after departure %s was taken back", a.ID, a.System, a.State, d.ID)
			}
		}
	}
}

func (c *checker) exists(a models.LinkedAccount) bool {
	no := c.employeeNo(a.EmploymentID)
	return slices.ContainsFunc(c.Systems[a.System].Accounts, func(r control.Account) bool { return r.EmployeeNo == no })
}

// laterDeparture: the same employment left again, which unlinks anew.
func (c *checker) laterDeparture(d models.Departure) bool {
	return slices.ContainsFunc(c.Departures, func(other models.Departure) bool {
		return other.EmploymentID == d.EmploymentID && strings.Compare(other.ID.String(), d.ID.String()) > 0
	}) || slices.ContainsFunc(c.Operations, func(op models.AccountOperation) bool {
		return op.EmploymentID == d.EmploymentID && op.Kind == models.OperationUnlink && op.Origin == models.OriginStandalone
	})
}

// byAccount keeps what had an effect on whether the account can be used.
func byAccount(effects []control.Effect) map[string][]control.Effect {
	out := map[string][]control.Effect{}
	for _, e := range effects {
		if e.Changed && (e.Op == control.OpDisable || e.Op == control.OpEnable) {
			out[e.AccountID] = append(out[e.AccountID], e)
		}
	}
	return out
}

// operationOf reads the operation from an effect's idempotency key.
func operationOf(e control.Effect) (uuid.UUID, bool) {
	head, _, _ := strings.Cut(e.IdempotencyKey, "/")
	id, err := uuid.Parse(head)
	return id, err == nil
}

func (c *checker) judgeEffects(system, account string, effects []control.Effect, operations map[uuid.UUID]models.AccountOperation) {
	slices.SortFunc(effects, func(a, b control.Effect) int { return int(int64(a.Seq) - int64(b.Seq)) })
	var restored []uuid.UUID // operations that have given this account back
	for _, e := range effects {
		id, ok := operationOf(e)
		op, known := operations[id]
		if !ok || !known {
			c.report("I14", "%s: %s of account %s without a known operation", system, e.Op, account)
			continue
		}
		givesBack := op.Kind == models.OperationRelink || op.AllOrNothing
		if e.Op == control.OpEnable {
			if !givesBack {
				c.report("I13", "%s: operation %s (%s) re-opened account %s", system, id, op.Origin, account)
			}
			restored = append(restored, id)
			continue
		}
		if op.Kind == models.OperationRelink {
			c.report("I13", "%s: relink %s disabled account %s", system, id, account)
		}
		for _, relink := range restored {
			if relink == id || strings.Compare(id.String(), relink.String()) < 0 { // ids grow with time
				c.report("I13", "%s: operation %s disabled account %s after %s had given it back", system, id, account, relink)
			}
		}
	}
}

// oneEffectPerOperation is I14: each operation had at most one effect of a kind on an account, and
// nobody was deleted.
func (c *checker) oneEffectPerOperation() {
	for name, system := range c.Systems {
		if system.Deletes > 0 {
			c.report("I14", "%s: %d accounts were to be deleted", name, system.Deletes)
		}
		type effect struct{ account, op, operation string }
		count := map[effect]int{}
		for account, effects := range byAccount(system.Effects) {
			for _, e := range effects {
				id, _ := operationOf(e)
				k := effect{account, e.Op, id.String()}
				if count[k]++; count[k] == 2 {
					c.report("I14", "%s: operation %s had the effect %s on account %s twice", name, k.operation, e.Op, account)
				}
			}
		}
	}
}
