package chaos

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"lethe/internal/departure"
	"lethe/internal/ledger/verify"
	"lethe/internal/vault"
	"lethe/models"
	"lethe/sandbox/control"
)

// world is evidence of three people, each with one account: one left and was purged, one withdrew
// after the unlinking, one had a stand-alone unlinking that was taken back as a whole.
type world struct {
	Evidence
	left, stayed, alone story
}

// story is the rows of one person.
type story struct {
	employment, departure, account, unlink, relink uuid.UUID
	remote                                         string
}

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func after(d time.Duration) *time.Time { t := noon.Add(d); return &t }

// sequence makes ids that grow, as those of version 7 do.
func sequence() func() uuid.UUID {
	var n byte
	return func() uuid.UUID { n++; return uuid.UUID{0: n, 6: 0x70, 8: 0x80} }
}

func newWorld() *world {
	w := &world{}
	id := sequence()
	w.Now, w.Acknowledged, w.Systems = noon.Add(time.Hour), map[uuid.UUID]uuid.UUID{}, map[string]SystemState{}
	w.left, w.stayed, w.alone = w.person(id, "L"), w.person(id, "S"), w.person(id, "A")
	w.purgedLife(id)
	w.withdrawnLife()
	w.compensated()
	return w
}

func (w *world) person(id func() uuid.UUID, no string) story {
	employee := id()
	s := story{employment: id(), departure: id(), account: id(), unlink: id(), relink: id(), remote: "remote-" + no}
	w.Employees = append(w.Employees, models.Employee{ID: employee, EmployeeNo: no})
	w.Employments = append(w.Employments, models.Employment{ID: s.employment, EmployeeID: employee})
	w.Accounts = append(w.Accounts, models.LinkedAccount{ID: s.account, EmploymentID: s.employment, System: "mail", Registered: true})
	mail := w.Systems["mail"]
	mail.Accounts = append(mail.Accounts, control.Account{ID: s.remote, EmployeeNo: no})
	w.Systems["mail"] = mail
	if no != "A" {
		w.Departures = append(w.Departures, models.Departure{
			ID: s.departure, EmployeeID: employee, EmploymentID: s.employment, AccessCutoffAt: noon, EmploymentEndedAt: noon,
		})
		w.Acknowledged[s.departure] = employee
		w.Operations = append(w.Operations, models.AccountOperation{
			ID: s.unlink, EmploymentID: s.employment, DepartureID: &s.departure, Kind: models.OperationUnlink,
			Origin: models.OriginDeparture, State: models.OperationSettled, Asked: models.Names{"mail"},
		})
		step := models.AccountStep{ID: id(), OperationID: s.unlink, AccountID: s.account, System: "mail", State: models.StepDone}
		w.Steps = append(w.Steps, step)
		w.Looked = append(w.Looked, models.AccountEvidence{StepID: step.ID, Substep: "find", Outcome: "confirmed"})
		w.tell(s.departure, departure.EventStarted)
	}
	return s
}

func (w *world) tell(id uuid.UUID, events ...string) {
	for _, what := range events {
		n := int64(len(w.Events) + 1)
		w.Events = append(w.Events, models.DepartureEvent{ID: n, DepartureID: id, At: noon.Add(time.Duration(n) * time.Second), What: what})
	}
}

func (w *world) effect(s story, operation uuid.UUID, op string) {
	mail := w.Systems["mail"]
	mail.Effects = append(mail.Effects, control.Effect{
		Seq: uint64(len(mail.Effects) + 1), AccountID: s.remote, Op: op, Changed: true, IdempotencyKey: operation.String() + "/mail/step/disable",
	})
	for i := range mail.Accounts {
		if mail.Accounts[i].ID == s.remote {
			mail.Accounts[i].Active = op == control.OpEnable
		}
	}
	w.Systems["mail"] = mail
}

func (w *world) account(s story) *models.LinkedAccount {
	return &w.Accounts[slices.IndexFunc(w.Accounts, func(a models.LinkedAccount) bool { return a.ID == s.account })]
}

func (w *world) dep(s story) *models.Departure {
	return &w.Departures[slices.IndexFunc(w.Departures, func(d models.Departure) bool { return d.ID == s.departure })]
}

func (w *world) purgedLife(id func() uuid.UUID) {
	s, d := w.left, w.dep(w.left)
	d.Stage, d.AccountsState, d.DepartedAt = models.StagePurged, models.AccountsSettled, after(0)
	w.account(s).State = models.AccountDisabled
	w.effect(s, s.unlink, control.OpDisable)
	purge := models.Purge{ID: id(), DepartureID: s.departure, State: models.PurgePurged, IntentAt: after(20 * time.Second)}
	w.Purges = append(w.Purges, purge)
	w.Certificates = append(w.Certificates, models.DestructionCertificate{ID: id(), PurgeID: purge.ID})
	w.Tombstones = append(w.Tombstones, vault.Tombstone{PurgeID: purge.ID})
	for _, category := range models.Categories {
		k := models.EmploymentCategory{ID: id(), EmploymentID: s.employment, Category: category, State: models.CategoryPurged, PurgingAt: after(20 * time.Second)}
		w.Categories = append(w.Categories, k)
		w.Deadlines = append(w.Deadlines, models.RetentionDeadline{
			ID: id(), DepartureID: s.departure, CategoryID: k.ID, Category: category, Deadline: noon.Add(15 * time.Second), State: models.DeadlinePurged,
		})
		w.Claims = append(w.Claims, models.PurgeClaim{PurgeID: purge.ID, DepartureID: s.departure, CategoryID: k.ID, Category: category, State: models.ClaimPurged})
		w.DataKeys = append(w.DataKeys, DataKey{ID: id(), CategoryID: k.ID, DestroyedAt: after(21 * time.Second)})
		w.FieldValues = append(w.FieldValues, models.FieldValue{ID: id(), CategoryID: k.ID})
	}
	w.tell(s.departure, departure.EventDeparted, departure.EventPurgingBegan, departure.EventCategoryPurged, departure.EventPurged)
}

func (w *world) withdrawnLife() {
	s, d := w.stayed, w.dep(w.stayed)
	d.Stage, d.AccountsState = models.StageWithdrawn, models.AccountsRelinked
	w.account(s).State = models.AccountRelinked
	w.Operations = append(w.Operations, models.AccountOperation{
		ID: s.relink, EmploymentID: s.employment, DepartureID: &s.departure, Kind: models.OperationRelink,
		Origin: models.OriginWithdrawal, State: models.OperationSettled,
	})
	w.effect(s, s.unlink, control.OpDisable)
	w.effect(s, s.relink, control.OpEnable)
	w.tell(s.departure, departure.EventWithdrawn)
}

func (w *world) compensated() {
	s := w.alone
	w.account(s).State = models.AccountRelinked
	w.Operations = append(w.Operations, models.AccountOperation{
		ID: s.unlink, EmploymentID: s.employment, Kind: models.OperationUnlink, Origin: models.OriginStandalone,
		AllOrNothing: true, State: models.OperationCompensated,
	})
	w.effect(s, s.unlink, control.OpDisable)
	w.effect(s, s.unlink, control.OpEnable)
}

func TestCheckerAcceptsLegalLives(t *testing.T) {
	for _, v := range Check(newWorld().Evidence) {
		t.Error(v)
	}
}

// Each doctored world breaks one invariant, and the checker must name it.
func TestCheckerNoticesEachViolation(t *testing.T) {
	sealed := models.NewSealed([]byte("anything"))
	someone := uuid.UUID{0: 0xee}
	for name, test := range map[string]struct {
		invariant string
		doctor    func(w *world)
	}{
		"purged before the deadline":    {"I1", func(w *world) { w.Categories[0].PurgingAt = after(10 * time.Second) }},
		"purged with no deadline":       {"I1", func(w *world) { w.Deadlines = w.Deadlines[1:] }},
		"purged before the end":         {"I1", func(w *world) { w.dep(w.left).EmploymentEndedAt = noon.Add(30 * time.Second) }},
		"intent before the deadline":    {"I1", func(w *world) { w.Purges[0].IntentAt = after(5 * time.Second) }},
		"purged though taken back":      {"I1", func(w *world) { w.dep(w.left).Stage = models.StageAnnulled }},
		"key destroyed, category open":  {"I1", func(w *world) { w.Categories[0].State = models.CategoryOpen }},
		"due and not purged":            {"I2", func(w *world) { w.Deadlines[0].State = models.DeadlineScheduled }},
		"a category without a deadline": {"I2", func(w *world) { w.Deadlines = w.Deadlines[1:] }},
		"a field value left":            {"I2", func(w *world) { w.FieldValues[0].ValueSealed = sealed }},
		"a snapshot left": {"I2", func(w *world) {
			w.Snapshots = append(w.Snapshots, models.AccountSnapshot{CategoryID: w.Categories[0].ID, SnapshotSealed: sealed})
		}},
		"a note left":                     {"I2", func(w *world) { w.dep(w.left).NoteSealed = sealed }},
		"a key left":                      {"I3", func(w *world) { w.DataKeys[0].DestroyedAt = nil }},
		"no certificate":                  {"I3", func(w *world) { w.Certificates = nil }},
		"two certificates":                {"I3", func(w *world) { w.Certificates = append(w.Certificates, w.Certificates[0]) }},
		"no tombstone":                    {"I3", func(w *world) { w.Tombstones = nil }},
		"purged twice":                    {"I3", func(w *world) { w.Claims = append(w.Claims, w.Claims[0]) }},
		"a purge that hangs":              {"I3", func(w *world) { w.Purges[0].State = models.PurgePurging }},
		"two open departures":             {"I9", func(w *world) { d := *w.dep(w.left); d.ID = someone; w.Departures = append(w.Departures, d) }},
		"two unlinkings":                  {"I9", func(w *world) { op := w.Operations[0]; op.ID = someone; w.Operations = append(w.Operations, op) }},
		"accepted and lost":               {"I10", func(w *world) { w.Acknowledged[someone] = someone }},
		"accepted for somebody else":      {"I10", func(w *world) { w.Acknowledged[w.left.departure] = someone }},
		"stopped half-way":                {"I10", func(w *world) { w.dep(w.left).Stage = models.StageDeparted }},
		"accounts stopped half-way":       {"I10", func(w *world) { w.dep(w.left).AccountsState = models.AccountsUnlinking }},
		"an operation that hangs":         {"I10", func(w *world) { w.Operations[0].State = models.OperationRunning }},
		"a stage left out":                {"I11", func(w *world) { w.drop(departure.EventPurgingBegan) }},
		"departed twice":                  {"I11", func(w *world) { w.tell(w.left.departure, departure.EventDeparted) }},
		"the stage is not the timeline's": {"I11", func(w *world) { w.drop(departure.EventWithdrawn) }},
		"time runs backwards":             {"I11", func(w *world) { w.Events[len(w.Events)-1].At = noon.Add(-time.Hour) }},
		"departed too early":              {"I11", func(w *world) { w.dep(w.left).DepartedAt = after(-time.Second) }},
		"called disabled and active":      {"I12", func(w *world) { w.Systems["mail"].Accounts[0].Active = true }},
		"called not found and active": {"I12", func(w *world) {
			w.account(w.left).State = models.AccountNotFound
			w.Systems["mail"].Accounts[0].Active = true
		}},
		"settled without asking":    {"I29", func(w *world) { w.Operations[0].Asked = nil }},
		"settled without a finding": {"I29", func(w *world) { w.Looked = nil }},
		"never unlinked":            {"I12", func(w *world) { w.account(w.left).State = models.AccountLinked }},
		"stuck without a case":      {"I12", func(w *world) { w.account(w.left).State = models.AccountStuck }},
		"waived by nobody":          {"I12", func(w *world) { w.account(w.left).State = models.AccountWaived }},
		"waived by one": {"I12", func(w *world) {
			w.account(w.left).State = models.AccountWaived
			w.Cases = append(w.Cases, models.SupportCase{AccountID: w.left.account, Resolution: models.ResolutionWaive, AskedBy: &someone, ConfirmedBy: &someone})
		}},
		"called relinked and inactive": {"I13", func(w *world) { w.Systems["mail"].Accounts[1].Active = false }},
		"not given back":               {"I13", func(w *world) { w.account(w.stayed).State = models.AccountDisabled }},
		"a late attempt undid the relink": {"I13", func(w *world) {
			w.Operations[1].State = models.OperationSuperseded
			w.effect(w.stayed, w.stayed.unlink, control.OpDisable)
		}},
		"compensation undone":        {"I13", func(w *world) { w.effect(w.alone, w.alone.unlink, control.OpDisable) }},
		"a failure re-opened access": {"I13", func(w *world) { w.effect(w.left, w.left.unlink, control.OpEnable) }},
		"a relink disabled":          {"I13", func(w *world) { w.effect(w.stayed, w.stayed.relink, control.OpDisable) }},
		"disabled twice":             {"I14", func(w *world) { w.effect(w.left, w.left.unlink, control.OpDisable) }},
		"disabled by nobody":         {"I14", func(w *world) { w.effect(w.left, someone, control.OpDisable) }},
		"a departure not recorded":   {"I18", func(w *world) { w.Recorded.Departures = w.Departures[:1] }},
		"a ledger that is tampered with": {"I19", func(w *world) {
			w.Ledger = &verify.Report{Problems: []verify.Problem{{Code: verify.MissingEntry}}}
		}},
		"entries that nobody verified": {"I19", func(w *world) { w.Ledger = &verify.Report{Entries: 1} }},
		"an account deleted":           {"I14", func(w *world) { mail := w.Systems["mail"]; mail.Deletes = 1; w.Systems["mail"] = mail }},
	} {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			w := newWorld()
			test.doctor(w)
			found := Check(w.Evidence)
			if !slices.ContainsFunc(found, func(v Violation) bool { return v.Invariant == test.invariant }) {
				t.Errorf("not noticed as %s; found %v", test.invariant, found)
			}
		})
	}
}

func (w *world) drop(event string) {
	w.Events = slices.DeleteFunc(w.Events, func(e models.DepartureEvent) bool { return e.What == event })
}

// What the law allows must not look like a violation: a waiver by two people, an account that was
// never there, and one that is shown as stuck.
func TestCheckerAcceptsWhatPeopleDecided(t *testing.T) {
	one, two := uuid.UUID{0: 0xe1}, uuid.UUID{0: 0xe2}
	w := newWorld()
	w.account(w.left).State = models.AccountWaived
	w.Systems["mail"].Accounts[0].Active = true
	w.Cases = append(w.Cases, models.SupportCase{
		AccountID: w.left.account, State: models.CaseClosed, Resolution: models.ResolutionWaive, AskedBy: &one, ConfirmedBy: &two,
	})
	mail := w.Systems["mail"]
	mail.Accounts = slices.Delete(mail.Accounts, 1, 2) // the account of the one who stayed is gone
	w.Systems["mail"] = mail
	w.account(w.stayed).State = models.AccountNotFound
	for _, v := range Check(w.Evidence) {
		t.Error(v)
	}
}

// One seed is one storm.
func TestPlanFollowsFromItsSeed(t *testing.T) {
	systems := []string{"mail", "finance", "attendance"}
	a, b, c := NewPlan(7, 2*time.Minute, systems), NewPlan(7, 2*time.Minute, systems), NewPlan(8, 2*time.Minute, systems)
	if !cmp.Equal(a, b) {
		t.Error("the same seed made two storms")
	}
	if cmp.Equal(a, c) {
		t.Error("two seeds made the same storm")
	}
	for _, target := range []string{Worker, Serve, Temporal, Postgres, Wipe} {
		if !slices.ContainsFunc(a.Blows, func(b Blow) bool { return b.Target == target }) {
			t.Errorf("%s is never hit", target)
		}
	}
}
