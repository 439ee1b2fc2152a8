package departure_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/departure"
	"lethe/internal/vault"
	"lethe/models"
)

// plain puts codes into a departure as version 0.2 kept them.
func (s *stand) plain(t *testing.T, id uuid.UUID, ground, code string) {
	t.Helper()
	g := s.Facts.Read(t.Context())
	for _, sql := range []string{
		"ALTER TABLE departures DISABLE TRIGGER departures_codes_sealed",
		fmt.Sprintf("UPDATE departures SET legal_ground = '%s', reason_code = '%s' WHERE id = '%s'", ground, code, id),
		"ALTER TABLE departures ENABLE ALWAYS TRIGGER departures_codes_sealed",
	} {
		if err := g.Exec(sql).Error; err != nil {
			t.Fatal(err)
		}
	}
}

func (s *stand) codes(t *testing.T, id uuid.UUID) departure.Codes {
	t.Helper()
	codes, err := departure.OpenCodes(t.Context(), s.Facts, s.vault, s.read(t, id))
	if err != nil {
		t.Fatal(err)
	}
	return codes
}

func TestI25_LegalGroundAndReasonCodeAreSealed(t *testing.T) {
	s := newStand(t)
	dep, err := s.begin(t, departure.Notice{EmployeeID: s.hire(t), LegalGround: "Kanari-ground", ReasonCode: "kanari-code",
		RequestedDates: departure.RequestedDates{LastWorkingDay: s.inDays(t, 10)}})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.codes(t, dep.ID); got != (departure.Codes{LegalGround: "Kanari-ground", ReasonCode: "kanari-code"}) {
		t.Errorf("opened %+v", got)
	}
	var row string
	if err := s.Facts.Read(t.Context()).Raw("SELECT d::text FROM departures d WHERE id = ?", dep.ID).Scan(&row).Error; err != nil {
		t.Fatal(err)
	}
	if row == "" || strings.Contains(strings.ToLower(row), "kanari") {
		t.Errorf("the row holds a code in clear: %s", row)
	}
	for _, column := range []string{"legal_ground", "reason_code"} {
		err := s.Facts.Read(t.Context()).Exec("UPDATE departures SET "+column+" = 'x' WHERE id = ?", dep.ID).Error
		if database.Code(database.Hide(err)) != "23514" {
			t.Errorf("%s takes plain text: %v", column, err)
		}
	}
}

// TestI25_TheUpgradeSealsPlainCodesAndGoesOn: the first try ends in the middle; what is not sealed is
// read meanwhile; the second one finishes, and leaves nothing of the old rows in the table's file.
func TestI25_TheUpgradeSealsPlainCodesAndGoesOn(t *testing.T) {
	s := newStand(t)
	var ids []uuid.UUID
	for i := range 4 {
		dep, err := s.begin(t, departure.Notice{EmployeeID: s.hire(t), RequestedDates: departure.RequestedDates{LastWorkingDay: s.inDays(t, 10)}})
		if err != nil {
			t.Fatal(err)
		}
		s.plain(t, dep.ID, fmt.Sprintf("kanari-ground-%d", i), fmt.Sprintf("kanari-code-%d", i))
		ids = append(ids, dep.ID)
	}
	want := func(i int) departure.Codes {
		return departure.Codes{LegalGround: fmt.Sprintf("kanari-ground-%d", i), ReasonCode: fmt.Sprintf("kanari-code-%d", i)}
	}
	// The file of the third is being purged: its codes are not to be opened, and go.
	if err := s.Facts.Read(t.Context()).Exec(`ALTER TABLE employment_categories DISABLE TRIGGER employment_categories_not_early;
		UPDATE employment_categories SET state = 'purging' WHERE category = 'departure_file' AND employment_id = (SELECT employment_id FROM departures WHERE id = '` + ids[2].String() + `')`).Error; err != nil {
		t.Fatal(err)
	}
	tired := &tiredSealer{Sealer: s.vault, left: 3}
	err := departure.SealPlainCodes(t.Context(), s.Facts, func() (vault.Sealer, error) { return tired, nil })
	if !errors.Is(err, errTired) {
		t.Fatalf("the first try: %v", err)
	}
	for _, i := range []int{0, 1, 3} {
		if got := s.codes(t, ids[i]); got != want(i) {
			t.Errorf("half way, %d: %+v", i, got)
		}
	}
	// A row that is not sealed yet can be changed like any other.
	s.run(t, func(tx *database.Tx) error {
		return tx.Touch(models.DrivenDeparture, ids[3])
	})
	for range 2 { // the second does nothing
		if err := departure.SealPlainCodes(t.Context(), s.Facts, func() (vault.Sealer, error) { return s.vault, nil }); err != nil {
			t.Fatal(err)
		}
	}
	for i, id := range ids {
		expected := want(i)
		if i == 2 {
			expected = departure.Codes{}
		}
		if got := s.codes(t, id); got != expected {
			t.Errorf("sealed, %d: %+v", i, got)
		}
	}
	// What lies in the file is what somebody who copies it reads: dead rows too.
	var file struct{ Bytes, Found int }
	err = s.Facts.Read(t.Context()).Exec("CHECKPOINT").Error
	if err == nil {
		err = s.Facts.Read(t.Context()).Raw(`SELECT length(f) AS bytes, position('kanari'::bytea IN f) AS found
			FROM pg_read_binary_file(pg_relation_filepath('departures')) AS f`).Scan(&file).Error
	}
	if err != nil || file.Bytes == 0 || file.Found != 0 {
		t.Errorf("%d bytes of the table's file, a code at %d, %v", file.Bytes, file.Found, err)
	}
}

// TestI25_APurgeOfTheFileLeavesNoCode: of no departure of the employment, and of everybody else all.
func TestI25_APurgeOfTheFileLeavesNoCode(t *testing.T) {
	s := newStand(t)
	begin := func(person uuid.UUID) models.Departure {
		dep, err := s.begin(t, departure.Notice{EmployeeID: person, LegalGround: "a ground", ReasonCode: "code", Note: "a note",
			RequestedDates: departure.RequestedDates{LastWorkingDay: s.inDays(t, 10)}})
		if err != nil {
			t.Fatal(err)
		}
		return dep
	}
	person := s.hire(t)
	withdrawn, other := begin(person), begin(s.hire(t))
	s.run(t, func(tx *database.Tx) error {
		return departure.Withdraw(tx, s.vault, s.hr, withdrawn.ID, "a change of mind", true)
	})
	dep := begin(person)
	s.plain(t, dep.ID, "a plain ground", "plain-code")
	err := databasetest.Unguarded(s.Facts, "employment_categories", "employment_categories_not_early",
		"UPDATE employment_categories SET state = 'purging' WHERE category = 'departure_file' AND employment_id = '"+dep.EmploymentID.String()+"'")
	if err != nil {
		t.Fatal(err)
	}
	s.run(t, func(tx *database.Tx) error { return departure.ClearFile(tx, dep.ID) })
	for _, id := range []uuid.UUID{withdrawn.ID, dep.ID} {
		row := s.read(t, id)
		for column, there := range map[string]bool{
			"legal_ground": row.PlainLegalGround != "", "legal_ground_sealed": !row.LegalGroundSealed.IsNull(),
			"reason_code": row.PlainReasonCode != "", "reason_code_sealed": !row.ReasonCodeSealed.IsNull(),
			"note_sealed": !row.NoteSealed.IsNull(), "withdrawal_reason_sealed": !row.WithdrawalReasonSealed.IsNull(),
		} {
			if there {
				t.Errorf("%s is left", column)
			}
		}
	}
	if got := s.codes(t, other.ID); got != (departure.Codes{LegalGround: "a ground", ReasonCode: "code"}) {
		t.Errorf("somebody else's codes: %+v", got)
	}
}

var errTired = errors.New("enough sealed")

// tiredSealer seals so many values and then fails.
type tiredSealer struct {
	vault.Sealer
	left int
}

func (s *tiredSealer) Seal(tx *database.Tx, p vault.Cell, plain []byte) (models.Sealed, uuid.UUID, error) {
	if s.left == 0 {
		return models.Sealed{}, uuid.Nil, errTired
	}
	s.left--
	return s.Sealer.Seal(tx, p, plain)
}
