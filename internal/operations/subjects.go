package operations

import (
	"errors"
	"strings"

	"github.com/google/uuid"

	"lethe/internal/approval"
	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/retention"
	"lethe/internal/subject"
	"lethe/models"
)

// SubjectAnswered is the command of [EraseForSubject].
type SubjectAnswered struct {
	RequestID uuid.UUID      `json:"request_id"`
	Answer    subject.Answer `json:"answer"`
}

// eraseForSubject answers a request by what takes two people: deadlines come forward (I6), or a private address changes.
func (d Deps) eraseForSubject() approval.Operation {
	return approval.Define(approval.Spec[SubjectAnswered]{
		Judge: func(tx *database.Tx, c SubjectAnswered) (approval.Review, error) {
			r, moved, err := c.Answer.Prepare(tx, models.Actor{}, c.RequestID)
			var kept *retention.KeptError
			if errors.Is(err, subject.ErrNotFound) || errors.Is(err, subject.ErrClosed) || errors.Is(err, subject.ErrNotDead) || errors.Is(err, subject.ErrObjected) || errors.As(err, &kept) || errors.Is(err, archive.ErrHeld) || errors.Is(err, archive.ErrPurged) {
				return approval.Review{}, errors.Join(approval.ErrGone, err)
			}
			if err != nil {
				return approval.Review{}, err
			}
			who, err := person(tx, r.EmployeeID)
			if err != nil {
				return approval.Review{}, err
			}
			changes, targets := []approval.Change{who}, []approval.Target{{Kind: models.RefSubject, ID: r.ID, Version: approval.Version(r.State)}}
			var rules []models.RetentionRule
			for _, e := range moved {
				changes = append(changes, instant("category."+string(e.Category), e.Zone, e.Deadline, e.Earliest))
				rules = append(rules, e.Rule)
				targets = append(targets, approval.Target{Kind: "employment", ID: e.EmploymentID, Version: approval.Version(e.Deadline, e.Category)})
			}
			if named := c.Answer.Named(); len(named) > 0 {
				f := shown("fields", strings.Join(named, " "))
				f.Words = approval.WordsOfFile
				changes = append(changes, f)
			}
			written, err := subject.WrittenFor(tx.Context(), tx, r)
			if err != nil {
				return approval.Review{}, err
			}
			changes = append(changes, word("subject_answer", "subject_answer", "", string(c.Answer.Answer)))
			for _, text := range []approval.Change{shown("subject_text", written[0].Text), shown("subject_answer_text", c.Answer.Text), shown("subject_basis", c.Answer.Basis)} {
				if text.Sealed = true; text.After != "" {
					changes = append(changes, text)
				}
			}
			return approval.Review{Subjects: []uuid.UUID{r.EmployeeID}, Targets: targets, Changes: changes, Rules: ruleVersions(rules)}, nil
		},
		Check: func(tx *database.Tx, by models.Actor, c SubjectAnswered) error {
			_, _, err := c.Answer.Prepare(tx, by, c.RequestID)
			return err
		},
		Run: func(tx *database.Tx, by approval.By, c SubjectAnswered) (models.Ref, error) {
			_, err := subject.Give(tx, d.Vault, by.Requester, c.RequestID, c.Answer, true)
			return models.Ref{Kind: models.RefSubject, ID: c.RequestID}, err
		},
	})
}
