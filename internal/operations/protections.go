package operations

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"lethe/internal/account"
	"lethe/internal/approval"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/departure"
	"lethe/internal/retention"
	"lethe/models"
)

// Waiver is the command of [Waive].
type Waiver struct {
	CaseID uuid.UUID `json:"case_id"`
	// Note stays with the case once it is waived.
	Note string `json:"note,omitempty"`
}

// HoldRelease is the command of [ReleaseHold].
type HoldRelease struct {
	HoldID uuid.UUID `json:"hold_id"`
}

// HoldByFilter is the command of [HoldOwn].
type HoldByFilter struct {
	Query      retention.HoldQuery `json:"query"`
	Categories []models.Category   `json:"categories,omitempty"`
	Matter     string              `json:"matter"`
}

// HoldOnEverybody is the command of [HoldEverybody].
type HoldOnEverybody struct {
	Categories []models.Category `json:"categories,omitempty"`
	Matter     string            `json:"matter"`
}

// PurgeDecision is the command of [DecidePurge]: about one, or about the list of those who came in with a file.
type PurgeDecision struct {
	PurgeID  uuid.UUID       `json:"purge_id"`
	Decision models.Decision `json:"decision"`
	ImportID uuid.UUID       `json:"import_id,omitzero"`
	// List is the version of the list as it was seen, But what is taken out of it, Purges what is left.
	List   string      `json:"list,omitempty"`
	But    []uuid.UUID `json:"but,omitempty"`
	Purges []uuid.UUID `json:"purges,omitempty"`
}

// all are the purges that it is about.
func (c PurgeDecision) all() []uuid.UUID {
	if c.ImportID == uuid.Nil {
		return []uuid.UUID{c.PurgeID}
	}
	return c.Purges
}

// waive accepts an account that was not confirmed as off. A case that was solved otherwise is gone.
func (d Deps) waive() approval.Operation {
	return approval.Define(approval.Spec[Waiver]{
		Alike: func(c Waiver) Waiver { return Waiver{CaseID: c.CaseID} },
		Judge: func(tx *database.Tx, c Waiver) (approval.Review, error) {
			row, linked, owner, err := account.LockCase(tx, c.CaseID)
			if err != nil {
				return approval.Review{}, gone(err, account.ErrCaseClosed, database.ErrNotFound)
			}
			who, err := person(tx, owner)
			if err != nil {
				return approval.Review{}, fmt.Errorf("naming whose account it is: %w", err)
			}
			asked := ""
			if row.AskedBy != nil {
				asked = row.AskedBy.String()
			}
			changes := []approval.Change{
				who, shown("system", linked.System), word("account", "account_state", string(linked.State), string(models.AccountWaived)),
				word("case_reason", "case_reason", row.Reason, ""),
			}
			if c.Note != "" {
				changes = append(changes, shown("note", c.Note))
			}
			return approval.Review{
				Subjects: []uuid.UUID{owner},
				Targets: []approval.Target{
					{Kind: "support_case", ID: row.ID, Version: approval.Version(row.State, asked)},
					{Kind: "account", ID: linked.ID, Version: approval.Version(linked.State, linked.Attempt)},
				},
				Changes: changes,
			}, nil
		},
		Asked: func(tx *database.Tx, by models.Actor, c Waiver) error {
			row, err := account.ResolveCase(tx, c.CaseID, by, models.ResolutionWaive, "")
			return changed(tx, row, err)
		},
		Dropped: func(tx *database.Tx, by models.Actor, id uuid.UUID, _ models.ApprovalState) error {
			return account.DropWaiver(tx, id, by)
		},
		Run: func(tx *database.Tx, by approval.By, c Waiver) (models.Ref, error) {
			row, err := account.ConfirmCase(tx, c.CaseID, by.Approver, c.Note)
			return models.Ref{Kind: models.RefCase, ID: c.CaseID}, changed(tx, row, err)
		},
	})
}

// changed lets the departure see what was decided about an account.
func changed(tx *database.Tx, row models.SupportCase, err error) error {
	if err != nil || row.DepartureID == nil {
		return err
	}
	return departure.AccountsChanged(tx, *row.DepartureID)
}

func (d Deps) releaseHold() approval.Operation {
	return approval.Define(approval.Spec[HoldRelease]{
		Judge: func(tx *database.Tx, c HoldRelease) (approval.Review, error) {
			hold, err := retention.LockHold(tx, c.HoldID)
			if err != nil {
				return approval.Review{}, gone(err, database.ErrNotFound)
			}
			if hold.ReleasedAt != nil {
				return approval.Review{}, errors.Join(approval.ErrGone, retention.ErrHoldReleased)
			}
			m := approval.Review{
				Targets: []approval.Target{{Kind: "hold", ID: hold.ID, Version: approval.Version(hold.Categories, hold.Matter)}},
			}
			if m.Changes, err = holdScope(tx, hold); err != nil {
				return m, fmt.Errorf("naming whose data a hold keeps: %w", err)
			}
			if hold.EmployeeID != nil {
				m.Subjects = []uuid.UUID{*hold.EmployeeID}
			}
			m.Changes = append(m.Changes, shown("matter", hold.Matter), word("hold", "approval.hold", "active", "released"))
			return m, nil
		},
		Check: func(tx *database.Tx, by models.Actor, c HoldRelease) error {
			return refusal(retention.PrepareRelease(tx, c.HoldID, by))
		},
		Run: func(tx *database.Tx, by approval.By, c HoldRelease) (models.Ref, error) {
			return models.Ref{Kind: models.RefHold, ID: c.HoldID}, retention.ReleaseHold(tx, c.HoldID, by.Requester, by.Approver)
		},
	})
}

// holdOwn suspends deletion by a filter that reaches whoever asks for it: of the own data nobody decides
// alone.
func (d Deps) holdOwn() approval.Operation {
	return approval.Define(approval.Spec[HoldByFilter]{
		Judge: func(tx *database.Tx, c HoldByFilter) (approval.Review, error) {
			changes, err := holdScope(tx, retention.HoldView{
				LegalEntityID: c.Query.LegalEntityID, DepartmentID: c.Query.DepartmentID, LeftFrom: c.Query.LeftFrom, LeftTo: c.Query.LeftTo,
			})
			return approval.Review{Changes: append(changes, placed(c.Matter, c.Categories)...)}, err
		},
		Check: func(tx *database.Tx, by models.Actor, c HoldByFilter) error {
			return refusal(retention.AssessHold(tx, c.order(by, models.Actor{})))
		},
		Run: func(tx *database.Tx, by approval.By, c HoldByFilter) (models.Ref, error) {
			hold, _, err := retention.PlaceHold(tx, c.order(by.Requester, by.Approver))
			return models.Ref{Kind: models.RefHold, ID: hold.ID}, err
		},
	})
}

func (c HoldByFilter) order(by, approver models.Actor) retention.HoldOrder {
	return retention.HoldOrder{Query: c.Query, Categories: c.Categories, Matter: c.Matter, By: by, Approver: approver}
}

// placed is what is shown of a hold beside whom it is about.
func placed(matter string, categories []models.Category) []approval.Change {
	changes := []approval.Change{shown("matter", matter)}
	for _, category := range categories {
		changes = append(changes, word("hold_category", "category", "", string(category)))
	}
	return changes
}

// holdEverybody stops every deletion in the company, which the law asks for as well: it is nobody's
// word alone.
func (d Deps) holdEverybody() approval.Operation {
	return approval.Define(approval.Spec[HoldOnEverybody]{
		Judge: func(_ *database.Tx, c HoldOnEverybody) (approval.Review, error) {
			changes := []approval.Change{word("hold_scope", "hold_scope", "", "everybody")}
			return approval.Review{Changes: append(changes, placed(c.Matter, c.Categories)...)}, nil
		},
		Check: func(tx *database.Tx, by models.Actor, c HoldOnEverybody) error {
			return refusal(retention.AssessHold(tx, c.order(by, models.Actor{})))
		},
		Run: func(tx *database.Tx, by approval.By, c HoldOnEverybody) (models.Ref, error) {
			hold, _, err := retention.PlaceHold(tx, c.order(by.Requester, by.Approver))
			return models.Ref{Kind: models.RefHold, ID: hold.ID}, err
		},
	})
}

func (c HoldOnEverybody) order(by, approver models.Actor) retention.HoldOrder {
	return retention.HoldOrder{Everybody: true, Categories: c.Categories, Matter: c.Matter, By: by, Approver: approver}
}

func (d Deps) decidePurge() approval.Operation {
	return approval.Define(approval.Spec[PurgeDecision]{
		Complete: func(tx *database.Tx, by models.Actor, c PurgeDecision) (PurgeDecision, error) {
			if c.ImportID == uuid.Nil {
				return c, nil
			}
			list, err := retention.DueOfFile(tx.DB(), c.ImportID, by.EmployeeID)
			if err == nil {
				c.Purges, err = list.Chosen(c.List, c.But)
			}
			return c, err
		},
		Judge: func(tx *database.Tx, c PurgeDecision) (all approval.Review, err error) {
			for _, id := range c.all() {
				m, err := judgePurge(tx, id, c.Decision)
				if err != nil {
					return m, err
				}
				all.Targets, all.Changes = append(all.Targets, m.Targets...), append(all.Changes, m.Changes...)
				all.Subjects, all.Rules = union(all.Subjects, m.Subjects), union(all.Rules, m.Rules)
			}
			return all, gone(c.together(tx), retention.ErrListChanged)
		},
		Check: mayDecide,
		Run: func(tx *database.Tx, by approval.By, c PurgeDecision) (models.Ref, error) {
			if err := mayDecide(tx, by.Requester, c); err != nil { // all are locked before the first is decided
				return models.Ref{}, err
			}
			for _, id := range c.all() {
				if err := retention.Decide(tx, id, by.Requester, c.Decision); err != nil {
					return models.Ref{}, err
				}
			}
			if c.ImportID != uuid.Nil {
				return models.Ref{Kind: models.RefImport, ID: c.ImportID}, nil
			}
			return models.Ref{Kind: models.RefPurge, ID: c.PurgeID}, nil
		},
	})
}

func mayDecide(tx *database.Tx, by models.Actor, c PurgeDecision) error {
	for _, id := range c.all() {
		if err := retention.MayDecide(tx, id, by, c.Decision); err != nil {
			return err
		}
	}
	return c.together(tx)
}

// together refuses a list of which somebody has to be left out since it was seen. All of it is locked.
func (c PurgeDecision) together(tx *database.Tx) error {
	if c.ImportID == uuid.Nil {
		return nil
	}
	return retention.StillTogether(tx, c.Purges)
}

func judgePurge(tx *database.Tx, id uuid.UUID, decision models.Decision) (approval.Review, error) {
	purge, dep, err := retention.LockPurge(tx, id)
	if err != nil {
		return approval.Review{}, gone(err, database.ErrNotFound)
	}
	who, err := person(tx, dep.EmployeeID)
	if err != nil {
		return approval.Review{}, fmt.Errorf("naming whose data a purge destroys: %w", err)
	}
	m := approval.Review{
		Subjects: []uuid.UUID{dep.EmployeeID},
		Targets:  []approval.Target{{Kind: "purge", ID: purge.ID, Version: approval.Version(purge.State, purge.Decision)}},
		Changes:  []approval.Change{who, word("purge_decision", "approval.purge", string(purge.Decision), string(decision))},
	}
	due, rules, err := dueOf(tx, purge.ID, dep.TimeZone)
	if err != nil {
		return m, err
	}
	m.Changes, m.Rules = append(m.Changes, due...), rules
	// Whoever began the departure does not decide about the destruction either.
	if dep.CreatedBy != nil {
		m.Subjects = append(m.Subjects, *dep.CreatedBy)
	}
	return m, nil
}

// union adds what is not there yet.
func union[T comparable](all, more []T) []T {
	for _, one := range more {
		if !slices.Contains(all, one) {
			all = append(all, one)
		}
	}
	return all
}

// dueOf is what a purge would destroy: each category with the instant from which it is due, and by which rule.
func dueOf(tx *database.Tx, purge uuid.UUID, zone string) (changes []approval.Change, rules []string, err error) {
	claims, err := retention.Claims(tx, purge)
	if err != nil {
		return nil, nil, err
	}
	for _, claim := range claims {
		c := instant("category."+string(claim.Category), zone, claim.Deadline, time.Time{})
		c.Rule = ruleVersions([]models.RetentionRule{claim.Rule})[0]
		changes, rules = append(changes, c), append(rules, c.Rule)
	}
	return changes, rules, nil
}

// PurgeOverruling is the command of [OverrulePurge].
type PurgeOverruling struct {
	PurgeID uuid.UUID `json:"purge_id"`
}

// PurgeExtension is the command of [ExtendPurge].
type PurgeExtension struct {
	PurgeID uuid.UUID  `json:"purge_id"`
	Until   clock.Date `json:"until"`
}

// rejectedPurge is a purge that somebody rejected, or an earlier one of what it claims. Who did see the
// request; that they do not approve is the purge's own rule, which tells them why.
func rejectedPurge(tx *database.Tx, id uuid.UUID, decision models.Decision) (approval.Review, models.Departure, error) {
	purge, dep, err := retention.LockPurge(tx, id)
	if err != nil {
		return approval.Review{}, dep, gone(err, database.ErrNotFound)
	}
	if purge.State != models.PurgeRejected {
		return approval.Review{}, dep, errors.Join(approval.ErrGone, retention.ErrNotRejected)
	}
	who, err := person(tx, dep.EmployeeID)
	if err != nil {
		return approval.Review{}, dep, fmt.Errorf("naming whose data a purge destroys: %w", err)
	}
	rejecters, err := retention.Rejecters(tx, id)
	if err != nil {
		return approval.Review{}, dep, err
	}
	m := approval.Review{
		Subjects: []uuid.UUID{dep.EmployeeID},
		Targets:  []approval.Target{{Kind: "purge", ID: purge.ID, Version: approval.Version(purge.State, purge.RejectedAt.UTC(), rejecters)}},
		Changes: []approval.Change{
			who, word("purge_decision", "approval.purge", string(purge.Decision), string(decision)),
		},
	}
	if dep.CreatedBy != nil {
		m.Subjects = append(m.Subjects, *dep.CreatedBy)
	}
	return m, dep, nil
}

func (d Deps) overrulePurge() approval.Operation {
	return approval.Define(approval.Spec[PurgeOverruling]{
		Judge: func(tx *database.Tx, c PurgeOverruling) (approval.Review, error) {
			m, dep, err := rejectedPurge(tx, c.PurgeID, models.DecisionApproved)
			if err != nil {
				return m, err
			}
			due, rules, err := dueOf(tx, c.PurgeID, dep.TimeZone)
			m.Changes, m.Rules = append(m.Changes, due...), rules
			return m, err
		},
		Check: func(tx *database.Tx, by models.Actor, c PurgeOverruling) error {
			return retention.MayOverrule(tx, c.PurgeID, by)
		},
		Run: func(tx *database.Tx, by approval.By, c PurgeOverruling) (models.Ref, error) {
			return models.Ref{Kind: models.RefPurge, ID: c.PurgeID}, retention.Overrule(tx, c.PurgeID, by.Requester, by.Approver)
		},
	})
}

func (d Deps) extendPurge() approval.Operation {
	return approval.Define(approval.Spec[PurgeExtension]{
		Judge: func(tx *database.Tx, c PurgeExtension) (approval.Review, error) {
			m, dep, err := rejectedPurge(tx, c.PurgeID, models.DecisionExtended)
			if err != nil {
				return m, err
			}
			list, rules, err := retention.Extensions(tx, c.PurgeID, c.Until)
			if err != nil {
				return m, err
			}
			for _, x := range list {
				m.Changes = append(m.Changes, instant("category."+string(x.Category), dep.TimeZone, x.Before, x.After))
			}
			m.Rules = ruleVersions(rules)
			return m, nil
		},
		Check: func(tx *database.Tx, by models.Actor, c PurgeExtension) error {
			return retention.MayExtend(tx, c.PurgeID, by, c.Until)
		},
		Run: func(tx *database.Tx, by approval.By, c PurgeExtension) (models.Ref, error) {
			return models.Ref{Kind: models.RefPurge, ID: c.PurgeID}, retention.Extend(tx, c.PurgeID, by.Requester, by.Approver, c.Until)
		},
	})
}
