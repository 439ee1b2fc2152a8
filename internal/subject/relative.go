package subject

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/identity"
	"lethe/internal/invalid"
	"lethe/internal/reasons"
	"lethe/internal/textform"
	"lethe/models"
)

// Relative is a near relative of somebody who died, who asks for the own lawful interest (PIPL Art. 49).
type Relative struct {
	Name     string              `json:"name"`
	Relation models.NearRelative `json:"relation"`
	Proof    string              `json:"proof"`    // which documents were seen, of the death and of the relation
	Interest string              `json:"interest"` // the own lawful and legitimate interest
	// Objected: the person had arranged in life that relatives get nothing.
	Objected bool `json:"-"`
}

func (r *Relative) check(onPaper bool, found *invalid.ValuesError) {
	if r == nil {
		return
	}
	if !onPaper {
		found.Add("relative", invalid.NotWanted)
	}
	if !slices.Contains(models.NearRelatives, r.Relation) {
		found.Add("relative.relation", invalid.Unknown)
	}
	for _, line := range []struct {
		name string
		text *string
		most int
	}{{"name", &r.Name, maxKeptAt}, {"proof", &r.Proof, maxText}, {"interest", &r.Interest, maxText}} {
		text, fault := textform.Paragraphs(*line.text, line.most)
		found.Add("relative."+line.name, invalid.Text(fault))
		*line.text = text
	}
}

func (r *Relative) seal(tx *database.Tx, id uuid.UUID) (models.Sealed, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return models.Sealed{}, errors.New("writing who asks failed")
	}
	return reasons.Seal(tx, cell(columnRelative, id), string(text))
}

// dyingStages are those of a departure by death that stands, also while its last day is still ahead.
var dyingStages = []models.Stage{models.StagePendingDeparture, models.StageDeparted, models.StagePurging, models.StagePurged}

// fits says whether a paper may ask so: a near relative for nobody who lives, and nobody for the dead but a near relative,
// also while the last day is still ahead.
func (r *Relative) fits(tx *database.Tx, person uuid.UUID) error {
	if r != nil {
		return died(tx, person)
	}
	dead, err := byDeath(tx, person, dyingStages...)
	if err == nil && dead {
		err = invalid.At("relative", invalid.Required)
	}
	return err
}

// died refuses with [ErrNotDead] whoever is not recorded as dead: the departure of the latest employment is by death, stands,
// and its last day is over. It is asked at each step, since a departure may be annulled.
func died(tx *database.Tx, person uuid.UUID) error {
	dead, err := byDeath(tx, person, models.StageDeparted, models.StagePurging, models.StagePurged)
	if err == nil && !dead {
		return ErrNotDead
	}
	return err
}

// byDeath says whether the departure of somebody's latest employment is by death, and so far.
func byDeath(tx *database.Tx, person uuid.UUID, stages ...models.Stage) (dead bool, err error) {
	employment, err := archive.LatestEmployment(tx.DB(), person)
	if err != nil {
		return false, err
	}
	err = tx.DB().Raw("SELECT EXISTS (SELECT FROM departures WHERE employment_id = ? AND kind = ? AND stage IN ?)", employment.ID, models.KindDeath, stages).Row().Scan(&dead)
	return dead, database.Wrap("looking for a departure by death", err)
}

// objected says whether the person had arranged that relatives get nothing: once it was found, it binds all requests.
func objected(tx *database.Tx, person uuid.UUID) (yes bool, err error) {
	err = tx.DB().Raw("SELECT EXISTS (SELECT FROM subject_requests WHERE employee_id = ? AND objected)", person).Row().Scan(&yes)
	return yes, database.Wrap("looking for what somebody had arranged", err)
}

// grantable says of a relative's request whether anything may be granted: the person is dead, two people have seen the proof,
// and the person did not object in life.
func grantable(tx *database.Tx, r models.SubjectRequest) error {
	if !r.ByRelative {
		return ownInLife(tx, r)
	}
	against, err := objected(tx, r.EmployeeID)
	switch {
	case err != nil:
		return err
	case against:
		return ErrObjected
	case r.ProofSeenBy == nil:
		return ErrProofOnce
	}
	return died(tx, r.EmployeeID)
}

// ownInLife refuses what came on paper as the person's own once the person is recorded as dead: who handed it in is not
// known, and would have to be a relative with a proof.
func ownInLife(tx *database.Tx, r models.SubjectRequest) error {
	if r.Form != models.ConsentWritten {
		return nil
	}
	dead, err := byDeath(tx, r.EmployeeID, dyingStages...)
	if err == nil && dead {
		err = ErrAfterDeath
	}
	return err
}

// EndRelatives ends what near relatives asked for and nobody has answered: the departure by death was annulled.
func EndRelatives(tx *database.Tx, person uuid.UUID) error {
	rows, err := database.LockAll[models.SubjectRequest](tx, "requests", "employee_id = ? AND by_relative AND state = ?", person, models.SubjectOpen)
	if err != nil || len(rows) == 0 {
		return err
	}
	now, err := tx.Now()
	for i := 0; i < len(rows) && err == nil; i++ {
		err = change(tx, &rows[i], actionAnnulled, nil, map[string]any{"state": models.SubjectEnded, "finished_at": now})
	}
	return err
}

// SeeProof notes that a second person has seen the proof of death and relation: nobody whose user who entered it could have.
// Again it changes nothing.
func SeeProof(tx *database.Tx, by identity.Bearer, id uuid.UUID) (models.SubjectRequest, error) {
	by, err := identity.Dangerous(tx, by)
	if err != nil {
		return models.SubjectRequest{}, err
	}
	r, err := lock(tx, id)
	switch {
	case err != nil:
		return r, err
	case !r.ByRelative:
		return r, ErrNotFound
	case r.EmployeeID == by.Actor.EmployeeID:
		return r, ErrOwn
	case r.State != models.SubjectOpen:
		return r, ErrClosed
	}
	same, err := enteredBy(tx, r, by)
	switch {
	case err != nil:
		return r, err
	case same:
		return r, ErrOwn
	case r.ProofSeenBy != nil:
		return r, nil
	}
	if err := died(tx, r.EmployeeID); err != nil {
		return r, err
	}
	now, err := tx.Now()
	if err != nil {
		return r, err
	}
	r.ProofSeenBy, r.ProofSeenAt = by.Actor.ID(), &now
	return r, change(tx, &r, actionProof, nil, map[string]any{"proof_seen_by": r.ProofSeenBy, "proof_seen_at": now})
}

// enteredBy says whether somebody entered a request, or has a user that who entered it could have (I21).
func enteredBy(tx *database.Tx, r models.SubjectRequest, by identity.Bearer) (bool, error) {
	if r.EnteredBy == by.Actor.EmployeeID {
		return true, nil
	}
	made, err := identity.CreatedOrReset(tx, r.EnteredBy, by.UserID)
	if err != nil || made {
		return made, err
	}
	return identity.HeldHalf(tx, r.EnteredBy, by.UserID)
}

// RelativeOf opens who asks; nil: the person, or it is cleared.
func RelativeOf(ctx context.Context, c reasons.Carrier, r models.SubjectRequest) (*Relative, error) {
	opened, err := reasons.Open(ctx, c, reasons.Text{Cell: cell(columnRelative, r.ID), Sealed: r.RelativeSealed})
	if err != nil || opened[0] == "" {
		return nil, err
	}
	who := &Relative{Objected: r.Objected}
	if json.Unmarshal([]byte(opened[0]), who) != nil {
		return nil, errors.New("reading who asks failed") // the cause would quote it
	}
	return who, nil
}

// OfRelatives are those of some requests for which near relatives asked.
func OfRelatives(db *gorm.DB, requests []uuid.UUID) (ids []uuid.UUID, err error) {
	if len(requests) == 0 {
		return nil, nil
	}
	err = db.Model(&models.SubjectRequest{}).Where("id IN ? AND by_relative", requests).Pluck("id", &ids).Error
	return ids, database.Wrap("looking which requests are relatives'", err)
}
