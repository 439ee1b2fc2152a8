package retention

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/models"
)

// togetherAtOnce is about how many people one decision is at most: each of their purges is decided by itself, in one
// transaction.
const togetherAtOnce = 200

// LeftOut is why one decision about many purges is not about this one.
type LeftOut string

// The reasons. Who decides about it by itself sees them, too.
const (
	// LeftHeld: a hold keeps some of what it claims.
	LeftHeld LeftOut = "held"
	// LeftDisputed: the person objects to a look, or waits for an answer about the own data.
	LeftDisputed LeftOut = "disputed"
)

// LeftOuts lists them all.
var LeftOuts = closed.Of("purge_left_out", LeftHeld, LeftDisputed)

// FilePurge is a purge that waits for its review, of somebody who came in with a file.
type FilePurge struct {
	ID           uuid.UUID
	EmployeeID   uuid.UUID
	EmploymentID uuid.UUID
	Claimed      models.Names `gorm:"type:text[]"`
	DueSince     time.Time
	Held         bool
	Disputed     bool
}

// Categories are what it claims.
func (p FilePurge) Categories() []models.Category {
	all := make([]models.Category, len(p.Claimed))
	for i, c := range p.Claimed {
		all[i] = models.Category(c)
	}
	return all
}

// LeftOut is why it is decided about by itself; empty: it is not.
func (p FilePurge) LeftOut() LeftOut {
	switch {
	case p.Held:
		return LeftHeld
	case p.Disputed:
		return LeftDisputed
	}
	return ""
}

// FileList is what waits for a review of people who came in with one file, the longest waiting first.
type FileList struct {
	Purges []FilePurge
	// More wait than one decision is about.
	More bool
	// Version changes with who is in it, and with what of theirs.
	Version string
}

// disputed: the person of a departure d objects to a look, or waits for an answer about the own data.
const disputed = `(EXISTS (SELECT FROM disclosures x WHERE x.employee_id = d.employee_id AND x.objected_at IS NOT NULL AND x.answered_at IS NULL)
				OR EXISTS (SELECT FROM subject_requests x WHERE x.employee_id = d.employee_id AND x.state = 'open'))`

// DueOfFile is the list for a reviewer, who is not told of the own data.
func DueOfFile(g *gorm.DB, batch, reviewer uuid.UUID) (list FileList, err error) {
	err = g.Raw(`SELECT p.id, d.employee_id, d.employment_id, min(l.deadline) AS due_since, array_agg(c.category ORDER BY c.category) AS claimed,
			bool_or(lethe_held(d.employment_id, c.category)) AS held,
			`+disputed+` AS disputed
		FROM purges p JOIN departures d ON d.id = p.departure_id JOIN purge_claims c ON c.purge_id = p.id AND c.state = ?
			JOIN retention_deadlines l ON l.departure_id = d.id AND l.category = c.category
		WHERE d.batch_id = ? AND d.employee_id <> ? AND p.state = ? AND p.decision = ''
		GROUP BY p.id, d.id ORDER BY p.id LIMIT ?`,
		models.ClaimOpen, batch, reviewer, models.PurgeInReview, togetherAtOnce+1).Scan(&list.Purges).Error
	if err != nil {
		return list, database.Wrap("listing what is due of a file", err)
	}
	if list.More = len(list.Purges) > togetherAtOnce; list.More {
		list.Purges = list.Purges[:togetherAtOnce]
	}
	h := sha256.New()
	for _, p := range list.Purges {
		_, _ = fmt.Fprintf(h, "%s %s %s\n", p.ID, strings.Join(p.Claimed, ","), p.LeftOut())
	}
	list.Version = hex.EncodeToString(h.Sum(nil)[:16])
	return list, nil
}

// Chosen are the purges that a decision about a list is about: all but those that it leaves out, and those that somebody
// takes out, in the order in which they are locked. A list that is not as it was seen any more is ErrListChanged.
func (l FileList) Chosen(version string, but []uuid.UUID) ([]uuid.UUID, error) {
	if l.Version != version {
		return nil, ErrListChanged
	}
	free := slices.DeleteFunc(slices.Clone(l.Purges), func(p FilePurge) bool { return p.LeftOut() != "" })
	for _, id := range but {
		at := slices.IndexFunc(free, func(p FilePurge) bool { return p.ID == id })
		if at < 0 {
			return nil, ErrNotInList
		}
		free = slices.Delete(free, at, at+1)
	}
	if len(free) == 0 {
		return nil, ErrNobodyLeft
	}
	slices.SortFunc(free, func(a, b FilePurge) int { return slices.Compare(a.EmploymentID[:], b.EmploymentID[:]) })
	ids := make([]uuid.UUID, len(free))
	for i, p := range free {
		ids[i] = p.ID
	}
	return ids, nil
}

// StillTogether refuses with ErrListChanged a decision about chosen purges of which one has to be left out by now. Who
// carries it out locks them first: whoever places a hold on what they claim then comes before this or after the decision.
func StillTogether(tx *database.Tx, purges []uuid.UUID) error {
	var left bool
	err := tx.DB().Raw(`SELECT EXISTS (SELECT FROM purges p JOIN departures d ON d.id = p.departure_id WHERE p.id IN ? AND (`+disputed+`
			OR EXISTS (SELECT FROM purge_claims c WHERE c.purge_id = p.id AND c.state = ? AND lethe_held(d.employment_id, c.category))))`,
		purges, models.ClaimOpen).Scan(&left).Error
	if err == nil && left {
		return ErrListChanged
	}
	return database.Wrap("looking at a list again", err)
}
