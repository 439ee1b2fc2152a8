package approval_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/api/apitest"
	"lethe/internal/access"
	"lethe/internal/account"
	"lethe/internal/approval"
	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/consent"
	cutting "lethe/internal/cut"
	"lethe/internal/database"
	"lethe/internal/departure"
	"lethe/internal/disclosure"
	"lethe/internal/identity"
	"lethe/internal/invalid"
	"lethe/internal/ledger/evidence"
	"lethe/internal/operations"
	"lethe/internal/permission"
	"lethe/internal/retention"
	"lethe/internal/subject"
	"lethe/internal/textform"
	"lethe/models"
)

// refusal is a command that is not carried out as things are.
type refusal struct {
	what    string
	by      models.Actor
	command any
	want    error
}

// refused is a field of a file that is refused.
func refused(location, code string) error {
	return &archive.InvalidError{ValuesError: invalid.ValuesError{Problems: []invalid.Value{{Location: location, Code: code}}}}
}

// refusals prepares some of every operation in the table.
func refusals(f *apitest.Fixture) map[string][]refusal {
	person := func() uuid.UUID { return f.Hire("S"+uuid.NewString()[:8], f.A) }
	as := func(role models.Role) models.Actor { return models.Actor{EmployeeID: f.People[role], Role: role} }
	self := func(id uuid.UUID, role models.Role) models.Actor { return models.Actor{EmployeeID: id, Role: role} }
	hr, itOps, reviewer := as(models.RoleHRAdmin), as(models.RoleITOps), as(models.RoleReviewer)
	day := func(days int) *clock.Date {
		d, err := clock.ParseDate(f.Day(days))
		if err != nil {
			f.T.Fatal(err)
		}
		return &d
	}
	newcomer := func(no string, change func(n *archive.NewEmployee)) archive.NewEmployee {
		n := archive.NewEmployee{EmployeeNo: no, Name: "Person " + no, DepartmentID: f.A, HiredOn: *day(-10)}
		change(&n)
		return n
	}
	hired := f.Hire("E-hired", f.A)
	left, moved := f.LeftLongAgo(f.Hire("E-left", f.A), -5, false), f.LeftLongAgo(person(), -5, false)
	leaving, late, mistaken := f.Resign(person()), f.LeftLongAgo(person(), -20, false), f.LeftLongAgo(f.Hire("E-again", f.A), -20, false)
	cut := f.Resign(person())
	f.Run(func(tx *database.Tx) error {
		if err := departure.AskAnnulment(tx, f.Vault, hr, mistaken.ID, "wrong"); err != nil {
			return err
		}
		if _, _, err := archive.Create(tx, f.Vault, newcomer("E-again", func(n *archive.NewEmployee) { n.HiredOn = *day(0) })); err != nil {
			return err
		}
		_, _, err := account.OrderUnlink(tx, account.UnlinkOrder{
			EmploymentID: f.Employment(cut.EmployeeID), DepartureID: &cut.ID, Mode: models.ModeDisable, Origin: models.OriginDeparture, By: models.System,
		})
		if err != nil {
			return err
		}
		return database.Hide(tx.DB().Exec("UPDATE departures SET accounts_state = 'unlinking' WHERE id = ?", cut.ID).Error)
	})
	kase := f.StuckCase(person())
	f.Run(func(tx *database.Tx) error {
		_, err := account.ResolveCase(tx, kase, itOps, models.ResolutionRetry, "")
		return err
	})
	held := person()
	var hold models.Hold
	var unlinking models.AccountOperation
	f.Run(func(tx *database.Tx) (err error) {
		if hold, _, err = retention.PlaceHold(tx, retention.HoldOrder{EmployeeID: held, Matter: "M-1", By: models.System}); err != nil {
			return err
		}
		unlinking, _, err = account.OrderUnlink(tx, account.UnlinkOrder{
			EmploymentID: f.Employment(held), Mode: models.ModeDisable, Origin: models.OriginStandalone, By: models.System,
		})
		return err
	})
	overruled, extended, agreed := f.RejectedPurge(person()), f.RejectedPurge(person()), f.PurgeInReview(f.Resign(person()))
	var rejecter uuid.UUID
	f.Run(func(tx *database.Tx) error {
		if err := retention.Decide(tx, agreed, reviewer, models.DecisionApproved); err != nil {
			return err
		}
		return database.Hide(tx.DB().Raw("SELECT rejected_by FROM purges WHERE id = ?", overruled).Row().Scan(&rejecter))
	})
	user, disabled := f.User(person()), f.User(person())
	f.Run(func(tx *database.Tx) error {
		_, err := identity.LinkLogin(tx, user, "https://login.example", "taken", models.System)
		return errors.Join(err, identity.Disable(tx, disabled, models.System))
	})
	unlink := func(systems ...string) operations.Detachment {
		return operations.Detachment{EmployeeID: held, Systems: systems}
	}
	dates := func(id uuid.UUID, w departure.RequestedDates) operations.Reschedule {
		return operations.Reschedule{DepartureID: id, RequestedDates: w}
	}
	link := func(user uuid.UUID, issuer, subject string) operations.LoginLink {
		return operations.LoginLink{UserID: user, Issuer: issuer, Subject: subject}
	}
	zone, nowhere, value := "Mars/Base", "ZZ", "1"
	return map[string][]refusal{
		operations.CreateEmployee: {
			{"somebody else's number", hr, newcomer("E-hired", func(n *archive.NewEmployee) { n.Name = "Other" }), archive.ErrEmployeeNoTaken},
			{"still employed", hr, newcomer("e-hired", func(n *archive.NewEmployee) { n.Name = "Person E-hired" }), archive.ErrStillEmployed},
			{"before the former end", hr, newcomer("E-left", func(*archive.NewEmployee) {}), refused("hired_on", invalid.TooEarly)},
			{"unknown field", hr, newcomer("E-new", func(n *archive.NewEmployee) { n.Fields = map[string]string{"no": "x"} }), refused("fields[0]", archive.CodeUnknownField)},
			{"unknown department", hr, newcomer("E-new", func(n *archive.NewEmployee) { n.DepartmentID = uuid.Max }), refused("department_id", invalid.Unknown)},
		},
		operations.ChangeBasis: {
			{"own file", self(hired, models.RoleHRAdmin), operations.BasisChange{EmployeeID: hired}, archive.ErrOwnFile},
			{"unknown zone", hr, operations.BasisChange{EmployeeID: hired, Patch: archive.Patch{TimeZone: &zone}}, refused("time_zone", invalid.Unknown)},
			{"hired after the last day", hr, operations.BasisChange{EmployeeID: left.EmployeeID, Patch: archive.Patch{HiredOn: day(0)}}, departure.ErrBeforeHire},
			{"no rules", hr, operations.BasisChange{EmployeeID: moved.EmployeeID, Patch: archive.Patch{Jurisdiction: &nowhere}}, &retention.MissingRulesError{}},
			{"held", hr, operations.BasisChange{EmployeeID: held, Patch: archive.Patch{HiredOn: day(-99), Fields: map[string]*string{"tax_no": &value}}}, archive.ErrHeld},
		},
		operations.BeginImmediately: {
			{"twice", hr, departure.Notice{EmployeeID: leaving.EmployeeID, Kind: models.KindDismissal, RequestedDates: departure.RequestedDates{Immediate: true}}, &departure.ExistsError{}},
			{"unknown kind", hr, departure.Notice{EmployeeID: hired, RequestedDates: departure.RequestedDates{Immediate: true}}, departure.ErrUnknownKind},
		},
		operations.BringForward: {
			{"own", self(leaving.EmployeeID, models.RoleHRAdmin), dates(leaving.ID, departure.RequestedDates{Immediate: true}), departure.ErrSubject},
			{"over", hr, dates(late.ID, departure.RequestedDates{CountFromEnd: true}), departure.ErrStage},
			{"another cutoff after the cut", hr, dates(cut.ID, departure.RequestedDates{LastWorkingDay: day(9), EmploymentEndDate: day(9), AccessCutoffAt: ptr(soon(f))}), departure.ErrCutoffPassed},
		},
		operations.EarlierDates: {
			{"own", self(late.EmployeeID, models.RoleHRAdmin), dates(late.ID, departure.RequestedDates{}), departure.ErrSubject},
			{"not over", hr, dates(leaving.ID, departure.RequestedDates{}), departure.ErrStage},
		},
		operations.WithdrawUnlinked: {
			{"no consent", hr, operations.Withdrawal{DepartureID: cut.ID, Reason: "stays"}, departure.ErrConsentRequired},
			{"unreadable", hr, operations.Withdrawal{DepartureID: cut.ID, Reason: "\x00", CompanyConsent: true}, textform.ErrUnreadable},
			{"own", self(cut.EmployeeID, models.RoleHRAdmin), operations.Withdrawal{DepartureID: cut.ID, CompanyConsent: true}, departure.ErrSubject},
		},
		operations.Annul: {{"hired again", hr, operations.Annulment{DepartureID: mistaken.ID}, departure.ErrRehired}},
		operations.Waive: {{"closed", itOps, operations.Waiver{CaseID: kase}, account.ErrCaseClosed}},
		operations.Detach: {
			{"nothing there", hr, operations.Detachment{EmployeeID: hired, Systems: []string{"finance"}}, account.ErrNothingToUnlink},
			{"under way", hr, unlink(), &account.AlreadyRunningError{}},
		},
		operations.Unlink: {
			{"under way", itOps, unlink("mail"), &account.AlreadyRunningError{}},
			{"all or nothing after the cut", itOps, operations.Detachment{EmployeeID: cut.EmployeeID, AllOrNothing: true}, account.ErrDepartureOwns},
		},
		operations.Relink: {
			{"nothing there", hr, operations.Relinking{UnlinkingID: unlinking.ID, Systems: []string{"finance"}}, account.ErrNothingToUndo},
		},
		operations.LiftCut:     {{"not there", hr, operations.CutLift{CutID: uuid.New()}, cutting.ErrNotFound}},
		operations.ReleaseHold: {{"own", self(held, models.RoleHRAdmin), operations.HoldRelease{HoldID: hold.ID}, retention.ErrSubject}},
		operations.HoldEverybody: {
			{"no matter", hr, operations.HoldOnEverybody{}, retention.ErrMatterRequired},
			{"unknown category", hr, operations.HoldOnEverybody{Matter: "M", Categories: []models.Category{"no"}}, retention.ErrUnknownCategory},
		},
		operations.HoldOwn: {
			{"unknown department", hr, operations.HoldByFilter{Matter: "M", Query: retention.HoldQuery{DepartmentID: &uuid.Max}}, retention.ErrHoldDepartment},
			{"reversed", hr, operations.HoldByFilter{Matter: "M", Query: retention.HoldQuery{LeftFrom: day(1), LeftTo: day(0)}}, retention.ErrHoldPeriod},
		},
		operations.DecidePurge: {
			{"decided", reviewer, operations.PurgeDecision{PurgeID: agreed, Decision: models.DecisionRejected}, retention.ErrNotInReview},
			{"rejected", reviewer, operations.PurgeDecision{PurgeID: overruled, Decision: models.DecisionApproved}, retention.ErrRejected},
			{"another role", hr, operations.PurgeDecision{PurgeID: overruled, Decision: models.DecisionApproved}, retention.ErrRoleMayNot},
			{"no decision", reviewer, operations.PurgeDecision{PurgeID: agreed, Decision: "maybe"}, retention.ErrUnknownDecision},
		},
		operations.OverrulePurge: {
			{"who rejected it", self(rejecter, models.RoleReviewer), operations.PurgeOverruling{PurgeID: overruled}, retention.ErrRejecter},
			{"not rejected", reviewer, operations.PurgeOverruling{PurgeID: agreed}, retention.ErrNotRejected},
		},
		operations.ExtendPurge: {
			{"not rejected", reviewer, operations.PurgeExtension{PurgeID: agreed, Until: *day(90)}, retention.ErrNotRejected},
			{"over", reviewer, operations.PurgeExtension{PurgeID: extended, Until: *day(-1)}, retention.ErrUntilPast},
			{"another role", hr, operations.PurgeExtension{PurgeID: extended, Until: *day(90)}, retention.ErrRoleMayNot},
		},
		operations.CreateUser: {
			{"taken", hr, identity.NewUser{EmployeeID: hired, Login: "R-Reviewer", Roles: []models.Role{models.RoleEmployee}}, identity.ErrLoginTaken},
			{"no login", hr, identity.NewUser{EmployeeID: hired, Login: "a b", Roles: []models.Role{models.RoleEmployee}}, identity.ErrLogin},
			{"no role", hr, identity.NewUser{EmployeeID: hired, Login: "fresh"}, identity.ErrRole},
			{"unknown role", hr, identity.NewUser{EmployeeID: hired, Login: "fresh", Roles: []models.Role{"no"}}, identity.ErrRole},
			{"nobody", hr, identity.NewUser{EmployeeID: uuid.Max, Login: "fresh", Roles: []models.Role{models.RoleEmployee}}, identity.ErrNoSuchPerson},
		},
		operations.GrantRole: {
			{"disabled", hr, operations.RoleGrant{UserID: disabled, Role: models.RoleAuditor}, identity.ErrUserDisabled},
			{"unknown", hr, operations.RoleGrant{UserID: user, Role: "no"}, identity.ErrRole},
		},
		operations.ResetUser:   {{"nobody", hr, operations.UserReset{UserID: uuid.Max}, identity.ErrNoSuchUser}},
		operations.DisableUser: {{"nobody", hr, operations.UserReset{UserID: uuid.Max}, identity.ErrNoSuchUser}},
		operations.RevokeRole:  {{"not held", hr, operations.RoleGrant{UserID: user, Role: models.RoleAuditor}, identity.ErrRoleNotGranted}},
		operations.LinkLogin: {
			{"disabled", hr, link(disabled, "https://login.example", "s"), identity.ErrUserDisabled},
			{"taken", hr, link(f.User(hired), "https://login.example", "taken"), identity.ErrSubjectTaken},
			{"has one", hr, link(user, "https://login.example", "other"), identity.ErrAlreadyLinked},
			{"no subject", hr, link(user, "https://login.example", "a\nb"), identity.ErrSubject},
			{"no provider", hr, link(user, "", "s"), identity.ErrNoProvider},
		},
		operations.Permissions: {
			{"who does not configure", hr, operations.PermissionsChange{Matrix: access.Matrix{Tiers: access.Builtin().Tiers}}, permission.ErrNotConfigurer},
			{"from another version", hr, operations.PermissionsChange{Matrix: access.Matrix{Version: 7, Tiers: access.Builtin().Tiers}}, permission.ErrChanged},
		},
		operations.PrivacyPolicy: {
			{"who does not configure", hr, consent.Draft{Base: 1, Zh: "新", En: "new"}, permission.ErrNotConfigurer},
		},
		operations.EraseForSubject: {
			{"nobody asked", hr, operations.SubjectAnswered{RequestID: uuid.Max}, subject.ErrNotFound},
		},
		operations.EnrolFormer: {
			{"nobody", hr, identity.NewFactor{EmployeeID: uuid.Max, Document: models.DocumentPassport}, identity.ErrNoSuchPerson},
			{"works here", hr, identity.NewFactor{EmployeeID: hired, Document: models.DocumentPassport}, identity.ErrNotLeft},
			{"no such document", hr, identity.NewFactor{EmployeeID: left.EmployeeID, Document: "word"}, identity.ErrDocument},
			{"no private address", hr, identity.NewFactor{EmployeeID: left.EmployeeID, Document: models.DocumentPassport}, operations.ErrNoAddress},
			{"a login that is taken", hr, identity.NewFactor{EmployeeID: left.EmployeeID, Document: models.DocumentPassport, Login: "R-Reviewer"}, identity.ErrLoginTaken},
		},
		operations.FieldCatalogue: {
			{"who does not configure", hr, archive.OwnCatalogue{Sections: []archive.OwnSection{{Key: "custom_a", LabelZh: "甲", LabelEn: "A"}}}, permission.ErrNotConfigurer},
		},
		operations.RunImport:     {{"nothing checked", hr, operations.ImportRun{ImportID: uuid.Max}, database.ErrNotFound}},
		operations.RunDepartures: {{"nothing checked", hr, operations.DeparturesRun{BatchID: uuid.Max}, database.ErrNotFound}},
		operations.LookAtFields:  {{"nothing waits", hr, operations.LookAsked{DisclosureID: uuid.Max}, disclosure.ErrNotFound}},
		operations.ExportLog: {
			{"beyond the log", as(models.RoleAuditor), evidence.Request{Reason: "r", Range: &evidence.Range{Epoch: 1, End: 1 << 40}}, evidence.ErrEpoch},
			{"no reason", as(models.RoleAuditor), evidence.Request{}, evidence.ErrReason},
		},
	}
}

func ptr[T any](v T) *T { return &v }

func soon(f *apitest.Fixture) time.Time {
	now, err := f.Env.Facts.Now(f.T.Context())
	if err != nil {
		f.T.Fatal(err)
	}
	return now.Add(48 * time.Hour)
}

// TestWhatIsNotCarriedOutIsRefusedWhenAsked: whoever asks is told at once, by the same code as who agrees would be,
// and asking for it has written nothing.
func TestWhatIsNotCarriedOutIsRefusedWhenAsked(t *testing.T) {
	f := apitest.New(t)
	all := refusals(f)
	for _, op := range f.Approvals.Operations() {
		if len(all[op.Name]) == 0 {
			t.Errorf("the table has a row without a test: %s", op.Name)
		}
	}
	approver := models.Actor{EmployeeID: f.Hire("E-approver", f.B), Role: models.RoleReviewer}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		op, _ := f.Approvals.Operation(name)
		for _, r := range all[name] {
			t.Run(name+"/"+r.what, func(t *testing.T) {
				asked := attempt(f, models.Caller{Actor: r.by}, func(tx *database.Tx) error {
					before := written(t, tx)
					err := op.Ask(tx, r.by, r.command)
					if n := written(t, tx) - before; n != 0 {
						t.Errorf("asking wrote %d rows", n)
					}
					return err
				})
				by := approval.By{Requester: r.by, Approver: approver, Approval: uuid.New()}
				caller := models.Caller{Actor: approver, ApprovalID: by.Approval}
				if r.what == "own file" {
					caller.Actor = r.by // nobody decides about the own file, which comes before
				}
				done := attempt(f, caller, func(tx *database.Tx) error { return op.CarryOut(tx, by, r.command) })
				for when, err := range map[string]error{"asked": asked, "carried out": done} {
					if !same(err, r.want) {
						t.Errorf("%s: %v, want %v", when, err, r.want)
					}
				}
			})
		}
	}
}

// same compares what a refusal is answered by.
func same(err, want error) bool {
	var refused, expected *archive.InvalidError
	if errors.As(want, &expected) {
		return errors.As(err, &refused) && refused.Error() == expected.Error()
	}
	switch want.(type) {
	case *retention.MissingRulesError:
		return errors.As(err, new(*retention.MissingRulesError))
	case *departure.ExistsError:
		return errors.As(err, new(*departure.ExistsError))
	case *account.AlreadyRunningError:
		return errors.As(err, new(*account.AlreadyRunningError))
	}
	return errors.Is(err, want)
}

// attempt takes back whatever do writes.
func attempt(f *apitest.Fixture, caller models.Caller, do func(tx *database.Tx) error) (refused error) {
	back := errors.New("take it back")
	err := database.Run(models.WithCaller(context.Background(), caller), f.Env.Facts, func(tx *database.Tx) error {
		refused = do(tx)
		return back
	})
	if !errors.Is(err, back) {
		f.T.Errorf("%v", err)
	}
	return refused
}

// written counts the rows that were written so far, whatever became of them.
func written(t *testing.T, tx *database.Tx) (n int64) {
	t.Helper()
	err := tx.DB().Raw("SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_xact_user_tables").Scan(&n).Error
	if err != nil {
		t.Fatal(err)
	}
	return n
}
