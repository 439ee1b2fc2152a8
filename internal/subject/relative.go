package subject

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/google/uuid"

	"lethe/internal/archive"
	"lethe/internal/database"
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

func (r *Relative) check(onPaper bool, found *InvalidError) {
	if r == nil {
		return
	}
	if !onPaper {
		found.add("relative", CodeNotWanted)
	}
	if !slices.Contains(models.NearRelatives, r.Relation) {
		found.add("relative.relation", CodeUnknown)
	}
	for _, line := range []struct {
		name string
		text *string
		most int
	}{{"name", &r.Name, maxKeptAt}, {"proof", &r.Proof, maxText}, {"interest", &r.Interest, maxText}} {
		text, fault := textform.Paragraphs(*line.text, line.most)
		found.add("relative."+line.name, faultCode(fault))
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

// died refuses with [ErrNotDead] whoever is not recorded as dead: the departure of the latest employment is by death, stands,
// and its last day is over. It is asked at each step, since a departure may be annulled.
func died(tx *database.Tx, person uuid.UUID) error {
	employment, err := archive.LatestEmployment(tx.DB(), person)
	if err != nil {
		return err
	}
	var dead bool
	err = tx.DB().Raw(`SELECT EXISTS (SELECT FROM departures WHERE employment_id = ? AND kind = ? AND stage IN ?)
		AND NOT EXISTS (SELECT FROM employments WHERE employee_id = ? AND ended_at IS NULL)`, employment.ID, models.KindDeath,
		[]models.Stage{models.StageDeparted, models.StagePurging, models.StagePurged}, person).Row().Scan(&dead)
	if err == nil && !dead {
		return ErrNotDead
	}
	return database.Wrap("looking whether somebody died", err)
}

// grantable says of a relative's request whether anything may be granted: the person is dead, two people have seen the proof,
// and the person did not object in life.
func grantable(tx *database.Tx, r models.SubjectRequest) error {
	switch {
	case !r.ByRelative:
		return nil
	case r.Objected:
		return ErrObjected
	case r.ProofSeenBy == nil:
		return ErrProofOnce
	}
	return died(tx, r.EmployeeID)
}

// SeeProof notes that a second person has seen the proof of death and relation. Again it changes nothing.
func SeeProof(tx *database.Tx, by models.Actor, id uuid.UUID) (models.SubjectRequest, error) {
	r, err := lock(tx, id)
	switch {
	case err != nil:
		return r, err
	case !r.ByRelative:
		return r, ErrNotFound
	case r.EnteredBy == by.EmployeeID || r.EmployeeID == by.EmployeeID:
		return r, ErrOwn
	case r.State != models.SubjectOpen:
		return r, ErrClosed
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
	r.ProofSeenBy, r.ProofSeenAt = by.ID(), &now
	return r, change(tx, &r, actionProof, nil, map[string]any{"proof_seen_by": r.ProofSeenBy, "proof_seen_at": now})
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
