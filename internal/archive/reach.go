package archive

import (
	"slices"

	"github.com/google/uuid"

	"lethe/internal/access"
	"lethe/internal/database"
	"lethe/internal/permission"
	"lethe/models"
)

// Reach is whom the permissions let people look at because both are at one site or in one legal entity: who is moved comes
// to be reached, or to reach others.
type Reach struct {
	matrix *access.Matrix
	roles  map[uuid.UUID][]models.Role
	who    []placed
}

// placed is where somebody is.
type placed struct {
	ID            uuid.UUID
	SiteID        *uuid.UUID
	LegalEntityID *uuid.UUID
}

// ReachNow reads it, for a move behind which some people stand. Where no tier has such a scope there is nothing to read.
func ReachNow(tx *database.Tx, people ...uuid.UUID) (*Reach, error) {
	matrix, err := permission.Current(tx.DB())
	if err != nil || !matrix.HasScope(access.ScopeSite) && !matrix.HasScope(access.ScopeEntity) {
		return &Reach{matrix: matrix}, err
	}
	r := &Reach{matrix: matrix}
	if r.roles, err = permission.Lookers(tx); err != nil {
		return nil, err
	}
	err = tx.DB().Raw(`SELECT e.id, e.site_id, (SELECT m.legal_entity_id FROM employments m WHERE m.employee_id = e.id ORDER BY m.created_at DESC, m.id DESC LIMIT 1) AS legal_entity_id
		FROM employees e WHERE e.id = ANY (?)`, models.IDs(people)).Scan(&r.who).Error
	return r, database.Wrap("reading where people are", err)
}

func (r *Reach) by(scope access.Scope, id uuid.UUID) bool {
	return r.matrix != nil && r.matrix.ReachesBy(scope, id, r.roles[id])
}

// BySite says whether somebody who moves to a site would look further by it: one of those behind the move at the person, or
// the person at whoever is there.
func (r *Reach) BySite(e models.Employee, site *uuid.UUID) bool {
	if site == nil || e.SiteID != nil && *e.SiteID == *site {
		return false
	}
	return r.by(access.ScopeSite, e.ID) || r.gainBySite(*site)
}

func (r *Reach) gainBySite(site uuid.UUID) bool {
	return slices.ContainsFunc(r.who, func(p placed) bool {
		return p.SiteID != nil && *p.SiteID == site && r.by(access.ScopeSite, p.ID)
	})
}

// byEntity says whether one of those behind a move to another legal entity would look at whoever moves.
func (r *Reach) byEntity(before, after uuid.UUID) bool {
	return before != after && slices.ContainsFunc(r.who, func(p placed) bool {
		return p.LegalEntityID != nil && *p.LegalEntityID == after && r.by(access.ScopeEntity, p.ID)
	})
}

// GainsNothing refuses with [permission.ErrGains] a patch by which somebody could look at the person who could not before.
func (p Patch) GainsNothing(tx *database.Tx, id, who uuid.UUID) error {
	person, employment, err := LatestFile(tx, id)
	if err != nil {
		return err
	}
	department, err := p.department(tx)
	if err != nil {
		return err
	}
	gains, err := comesBelow(tx, employment, department, who)
	if err == nil && !gains {
		var reach *Reach
		if reach, err = ReachNow(tx, who); err == nil {
			gains = p.SiteID != nil && (person.SiteID == nil || *person.SiteID != *p.SiteID) && reach.gainBySite(*p.SiteID) ||
				department != nil && reach.byEntity(employment.LegalEntityID, department.LegalEntityID)
		}
	}
	if err == nil && gains {
		err = permission.ErrGains
	}
	return err
}

// comesBelow says whether somebody would come into a department that who heads, or below one.
func comesBelow(tx *database.Tx, employment models.Employment, department *models.Department, who uuid.UUID) (bool, error) {
	if department == nil || department.ID == employment.DepartmentID {
		return false, nil
	}
	above, err := upwards(tx, department.ID)
	return slices.ContainsFunc(above, func(d models.Department) bool { return headedBy(d, who) }), err
}
