package departure_test

import (
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"lethe/internal/account"
	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/connector"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/departure"
	"lethe/internal/launch/launchtest"
	"lethe/internal/retention"
	"lethe/internal/textform"
	"lethe/internal/vault"
	"lethe/models"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, launchtest.Goroutines()...) }

// stand is one installation with a department and people.
type stand struct {
	*databasetest.Env
	vault      *vault.Vault
	department models.Department
	hr, second models.Actor
	hired      int
	connected  *connector.Registry
}

func newStand(t *testing.T) *stand {
	t.Helper()
	s := &stand{Env: databasetest.New(t)}
	var err error
	s.connected, err = connector.RegistryOf(connector.System{Name: "finance", Kind: "finance"}, connector.System{Name: "mail", Kind: "mail"})
	if err != nil {
		t.Fatal(err)
	}
	kekFile := filepath.Join(t.TempDir(), "kek")
	if err := vault.CreateKEKFile(kekFile); err != nil {
		t.Fatal(err)
	}
	kek, err := vault.LoadKEKFile(kekFile)
	if err != nil {
		t.Fatal(err)
	}
	s.vault = vault.New(s.Keys, kek, s.Installation.ID)
	entity := models.LegalEntity{
		ID: uuid.Must(uuid.NewV7()), Code: "CN", NameZh: "测试公司", NameEn: "Test", Jurisdiction: "CN",
		TimeZone: "Asia/Shanghai", CutoffTime: "18:00:00",
	}
	s.department = models.Department{ID: uuid.Must(uuid.NewV7()), LegalEntityID: entity.ID, Code: "D", NameZh: "部门", NameEn: "Department"}
	s.run(t, func(tx *database.Tx) error {
		if err := errors.Join(archive.InstallCatalogue(tx), retention.InstallRules(tx, true)); err != nil {
			return err
		}
		if err := tx.DB().Create(&entity).Error; err != nil {
			return err
		}
		return tx.DB().Create(&s.department).Error
	})
	s.hr = models.Actor{EmployeeID: s.hire(t), Role: models.RoleHRAdmin}
	s.second = models.Actor{EmployeeID: s.hire(t), Role: models.RoleReviewer}
	return s
}

func (s *stand) run(t testing.TB, f func(tx *database.Tx) error) {
	t.Helper()
	if err := s.try(t, f); err != nil {
		t.Fatal(err)
	}
}

func (s *stand) try(t testing.TB, f func(tx *database.Tx) error) error {
	return database.Run(t.Context(), s.Facts, f)
}

// hire makes a person with two accounts.
func (s *stand) hire(t testing.TB) (id uuid.UUID) {
	t.Helper()
	s.hired++
	no := "E-" + string(rune('A'+s.hired/26%26)) + string(rune('A'+s.hired%26)) + uuid.NewString()[:8]
	s.run(t, func(tx *database.Tx) error {
		person, employment, err := archive.Create(tx, s.vault, archive.NewEmployee{
			EmployeeNo: no, Name: "Test Person", DepartmentID: s.department.ID, HiredOn: clock.NewDate(2020, 3, 1),
		})
		if err != nil {
			return err
		}
		id = person
		for _, system := range []string{"finance", "mail"} {
			external := system + "-" + no
			if _, err := account.Link(tx, employment, system, system, &external); err != nil {
				return err
			}
		}
		return nil
	})
	return id
}

func (s *stand) begin(t testing.TB, n departure.Notice) (dep models.Departure, err error) {
	if n.Kind == "" {
		n.Kind = models.KindResignation
	}
	err = s.try(t, func(tx *database.Tx) (err error) {
		dep, err = departure.Begin(tx, s.vault, s.hr, n)
		return err
	})
	return dep, err
}

func (s *stand) advance(t testing.TB, id uuid.UUID) (f departure.Facts) {
	t.Helper()
	s.run(t, func(tx *database.Tx) (err error) { f, err = departure.Advance(tx, id, s.connected); return err })
	return f
}

func (s *stand) read(t testing.TB, id uuid.UUID) models.Departure {
	t.Helper()
	dep, err := departure.Get(t.Context(), s.Facts, id)
	if err != nil {
		t.Fatal(err)
	}
	return dep
}

func (s *stand) status(t testing.TB, employee uuid.UUID) models.EmployeeStatus {
	t.Helper()
	e, err := database.First[models.Employee](s.Facts.Read(t.Context()).Where("id = ?", employee))
	if err != nil {
		t.Fatal(err)
	}
	return e.Status
}

func (s *stand) inDays(t testing.TB, n int) *clock.Date {
	t.Helper()
	now, err := s.Facts.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	loc, err := clock.LoadZone("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	d := clock.Today(now, loc).AddDays(n)
	return &d
}

func planned(last *clock.Date) departure.RequestedDates {
	return departure.RequestedDates{LastWorkingDay: last}
}

func TestI9_OneOpenDepartureHoweverOftenItIsAskedFor(t *testing.T) {
	s := newStand(t)
	employee, last := s.hire(t), s.inDays(t, 10)
	var mu sync.Mutex
	accepted, refused := map[uuid.UUID]int{}, map[uuid.UUID]int{}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			dep, err := s.begin(t, departure.Notice{EmployeeID: employee, RequestedDates: planned(last)})
			var exists *departure.ExistsError
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				accepted[dep.ID]++
			case errors.As(err, &exists):
				refused[exists.ID]++
			default:
				t.Errorf("got %v", err)
			}
		})
	}
	wg.Wait()
	if len(accepted) != 1 || len(refused) != 1 {
		t.Fatalf("accepted %v, refused with %v", accepted, refused)
	}
	for id := range accepted {
		if refused[id] != 19 {
			t.Fatalf("the refusals name %v, not %s", refused, id)
		}
	}
}

func TestARefusedDepartureWritesNothing(t *testing.T) {
	s := newStand(t)
	employee := s.hire(t)
	confidential := s.inDays(t, 5)
	for name, c := range map[string]struct {
		n    departure.Notice
		want error
	}{
		"unknown employee": {departure.Notice{EmployeeID: uuid.New(), RequestedDates: planned(s.inDays(t, 1))}, departure.ErrEmployeeNotFound},
		"kind":             {departure.Notice{EmployeeID: employee, Kind: "vanished", RequestedDates: planned(s.inDays(t, 1))}, departure.ErrUnknownKind},
		"group transfer":   {departure.Notice{EmployeeID: employee, Kind: models.KindGroupTransfer, RequestedDates: planned(s.inDays(t, 1))}, departure.ErrNotSupportedYet},
		"confidential":     {departure.Notice{EmployeeID: employee, ConfidentialUntil: confidential, RequestedDates: planned(s.inDays(t, 1))}, departure.ErrNotSupportedYet},
		"past":             {departure.Notice{EmployeeID: employee, RequestedDates: planned(s.inDays(t, -1))}, departure.ErrLastDayInPast},
		"control":          {departure.Notice{EmployeeID: employee, Note: "a\x00b", RequestedDates: planned(s.inDays(t, 1))}, textform.ErrUnreadable},
	} {
		if _, err := s.begin(t, c.n); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
	var departures, events int64
	s.Facts.Read(t.Context()).Model(&models.Departure{}).Count(&departures)
	s.Facts.Read(t.Context()).Model(&models.DepartureEvent{}).Count(&events)
	if departures != 0 || events != 0 || s.status(t, employee) != models.StatusActive {
		t.Fatalf("%d departures, %d events, status %s", departures, events, s.status(t, employee))
	}
}

func TestThePlannedWay(t *testing.T) {
	s := newStand(t)
	employee := s.hire(t)
	dep, err := s.begin(t, departure.Notice{EmployeeID: employee, Note: "thanks for all", RequestedDates: departure.RequestedDates{
		LastWorkingDay: s.inDays(t, 10), EmploymentEndDate: s.inDays(t, 20)}})
	if err != nil {
		t.Fatal(err)
	}
	if f := s.advance(t, dep.ID); f.Stage != models.StagePendingDeparture || f.AccountsState != models.AccountsLinked ||
		f.Wait < 9*24*time.Hour || f.Wait > 11*24*time.Hour {
		t.Fatalf("at the start: %+v", f)
	}
	s.Advance(t, 11*24*time.Hour)
	if f := s.advance(t, dep.ID); f.Stage != models.StagePendingDeparture || f.AccountsState != models.AccountsUnlinking {
		t.Fatalf("after the cutoff: %+v", f)
	}
	if f := s.advance(t, dep.ID); f.AccountsState != models.AccountsUnlinking {
		t.Fatalf("a second look: %+v", f)
	}
	s.Advance(t, 10*24*time.Hour)
	f := s.advance(t, dep.ID)
	if f.Stage != models.StageDeparted || f.Done || s.status(t, employee) != models.StatusDeparted {
		t.Fatalf("after the end: %+v", f)
	}
	// A stuck mail server never delays what the law counts from the end of the employment.
	var deadlines, operations int64
	s.Facts.Read(t.Context()).Model(&models.RetentionDeadline{}).Where("departure_id = ?", dep.ID).Count(&deadlines)
	s.Facts.Read(t.Context()).Model(&models.AccountOperation{}).Where("departure_id = ?", dep.ID).Count(&operations)
	if int(deadlines) != len(models.Categories) || operations != 1 {
		t.Fatalf("%d deadlines, %d operations", deadlines, operations)
	}
	if s.read(t, dep.ID).NoteSealed.IsNull() {
		t.Fatal("the note was not kept")
	}
}

func TestImmediateTurnsDepartedAndUnlinkingAtOnce(t *testing.T) {
	s := newStand(t)
	dep, err := s.begin(t, departure.Notice{EmployeeID: s.hire(t), RequestedDates: departure.RequestedDates{Immediate: true}})
	if err != nil {
		t.Fatal(err)
	}
	if f := s.advance(t, dep.ID); f.Stage != models.StageDeparted || f.AccountsState != models.AccountsUnlinking || f.Wait != 0 {
		t.Fatalf("got %+v", f)
	}
}

func TestWithdrawal(t *testing.T) {
	s := newStand(t)
	withdraw := func(id uuid.UUID, consent bool) error {
		return s.try(t, func(tx *database.Tx) error {
			return departure.Withdraw(tx, s.vault, s.hr, id, "a better offer from us", consent)
		})
	}
	employee := s.hire(t)
	dep, err := s.begin(t, departure.Notice{EmployeeID: employee, RequestedDates: planned(s.inDays(t, 3))})
	if err != nil {
		t.Fatal(err)
	}
	if err := withdraw(dep.ID, false); !errors.Is(err, departure.ErrConsentRequired) {
		t.Fatalf("without consent: %v", err)
	}
	for range 2 { // the second call finds the first
		if err := withdraw(dep.ID, true); err != nil {
			t.Fatal(err)
		}
	}
	if f := s.advance(t, dep.ID); f.Stage != models.StageWithdrawn || !f.Done || s.status(t, employee) != models.StatusActive {
		t.Fatalf("got %+v", f)
	}

	again, err := s.begin(t, departure.Notice{EmployeeID: employee, RequestedDates: planned(s.inDays(t, 3))})
	if err != nil {
		t.Fatalf("a new departure after the withdrawn one: %v", err)
	}
	s.Advance(t, 5*24*time.Hour)
	if err := withdraw(again.ID, true); !errors.Is(err, departure.ErrEnded) {
		t.Fatalf("after the end, before the timer: %v", err)
	}
	s.advance(t, again.ID)
	if err := withdraw(again.ID, true); !errors.Is(err, departure.ErrEnded) {
		t.Fatalf("after departed: %v", err)
	}
	for id, want := range map[uuid.UUID]error{again.ID: departure.ErrEnded, dep.ID: departure.ErrStage} {
		err := s.try(t, func(tx *database.Tx) error {
			_, err := departure.PrepareDates(tx, s.hr, id, planned(s.inDays(t, 9)))
			return err
		})
		if !errors.Is(err, want) {
			t.Errorf("other dates: %v, want %v", err, want)
		}
	}
}

// TestAnnulmentEndsWithThePurge: asked for before, it is not confirmed after, and nobody asks any more.
func TestAnnulmentEndsWithThePurge(t *testing.T) {
	s := newStand(t)
	dep, err := s.begin(t, departure.Notice{EmployeeID: s.hire(t), RequestedDates: departure.RequestedDates{Immediate: true}})
	if err != nil {
		t.Fatal(err)
	}
	s.advance(t, dep.ID)
	s.run(t, func(tx *database.Tx) error { return departure.AskAnnulment(tx, s.vault, s.hr, dep.ID, "a mistake") })
	s.run(t, func(tx *database.Tx) error { return departure.PurgingBegan(tx, dep.ID) })
	for name, command := range map[string]func(tx *database.Tx) error{
		"confirmed": func(tx *database.Tx) error { return departure.ConfirmAnnulment(tx, s.second, dep.ID) },
		"asked for": func(tx *database.Tx) error { return departure.AskAnnulment(tx, s.vault, s.second, dep.ID, "a mistake") },
	} {
		if err := s.try(t, command); !errors.Is(err, departure.ErrPurgeBegan) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnnulmentNeedsTwoPeople(t *testing.T) {
	s := newStand(t)
	employee := s.hire(t)
	dep, err := s.begin(t, departure.Notice{EmployeeID: employee, RequestedDates: departure.RequestedDates{Immediate: true}})
	if err != nil {
		t.Fatal(err)
	}
	s.advance(t, dep.ID)
	confirm := func(by models.Actor) error {
		return s.try(t, func(tx *database.Tx) error { return departure.ConfirmAnnulment(tx, by, dep.ID) })
	}
	if err := confirm(s.second); !errors.Is(err, departure.ErrNoAnnulment) {
		t.Fatalf("unasked: %v", err)
	}
	s.run(t, func(tx *database.Tx) error {
		return departure.AskAnnulment(tx, s.vault, s.hr, dep.ID, "the wrong person")
	})
	alias := models.Actor{EmployeeID: s.hr.EmployeeID, Role: models.RoleReviewer}
	if err := confirm(alias); !errors.Is(err, departure.ErrSamePerson) {
		t.Fatalf("the same person by another role: %v", err)
	}
	if err := confirm(models.Actor{EmployeeID: employee, Role: models.RoleReviewer}); !errors.Is(err, departure.ErrSubject) {
		t.Fatalf("the subject: %v", err)
	}
	for range 2 {
		if err := confirm(s.second); err != nil {
			t.Fatal(err)
		}
	}
	got := s.read(t, dep.ID)
	var open int64
	s.Facts.Read(t.Context()).Model(&models.RetentionDeadline{}).
		Where("departure_id = ? AND state <> ?", dep.ID, models.DeadlineCancelled).Count(&open)
	if got.Stage != models.StageAnnulled || s.status(t, employee) != models.StatusActive || open != 0 {
		t.Fatalf("stage %s, status %s, %d deadlines left", got.Stage, s.status(t, employee), open)
	}
	if _, err := s.begin(t, departure.Notice{EmployeeID: employee, RequestedDates: planned(s.inDays(t, 30))}); err != nil {
		t.Fatalf("a departure after the annulled one: %v", err)
	}
}

func TestI6_ReschedulingForwardNeedsAnApproval(t *testing.T) {
	s := newStand(t)
	dep, err := s.begin(t, departure.Notice{EmployeeID: s.hire(t), RequestedDates: planned(s.inDays(t, 10))})
	if err != nil {
		t.Fatal(err)
	}
	to := func(w departure.RequestedDates) error {
		return s.try(t, func(tx *database.Tx) error { return reschedule(tx, s.hr, dep.ID, w) })
	}
	for name, w := range map[string]departure.RequestedDates{
		"a day earlier":        planned(s.inDays(t, 9)),
		"now":                  {Immediate: true},
		"a zone further east":  {LastWorkingDay: s.inDays(t, 10), TimeZone: "Pacific/Kiritimati"},
		"the end a day before": {LastWorkingDay: s.inDays(t, 8), EmploymentEndDate: s.inDays(t, 9)},
	} {
		if err := to(w); !errors.Is(err, departure.ErrApprovalRequired) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	before := s.read(t, dep.ID)
	if err := to(planned(s.inDays(t, 12))); err != nil {
		t.Fatal(err)
	}
	after := s.read(t, dep.ID)
	if !after.EmploymentEndedAt.After(before.EmploymentEndedAt) || after.Revision <= before.Revision {
		t.Fatalf("before %+v, after %+v", before, after)
	}
	s.Advance(t, 12*24*time.Hour-time.Hour)
	s.advance(t, dep.ID)
	early := before.AccessCutoffAt
	if err := to(departure.RequestedDates{LastWorkingDay: s.inDays(t, 5), AccessCutoffAt: &early}); s.read(t, dep.ID).AccountsState != models.AccountsLinked && !errors.Is(err, departure.ErrCutoffPassed) {
		t.Fatalf("a new cutoff after unlinking: %v", err)
	}
}
