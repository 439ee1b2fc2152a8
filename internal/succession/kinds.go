package succession

import (
	"github.com/google/uuid"

	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/duty"
	"lethe/models"
)

// Kind is one kind of thing that somebody looks after here by name, and what becomes of it when that person is gone. What a
// role looks after, and anybody of it, is none: it waits for whoever else holds the role.
type Kind struct {
	Name   models.Holding
	Effect models.HoldingEffect
	// Needs is the role that a successor has to hold; empty: to be employed.
	Needs models.Role
	// FallsTo is the role that looks after it where nobody does by name.
	FallsTo models.Role
	// held selects those that are open: thing_id; holder, null if a role looks after it; passed, whether it passed to that
	// role; since; about, whose data it is, if anybody's; barred, who may not look after it; and zh, en, code, what it is called.
	held string
	// fits, if given, says whether somebody can take this one over.
	fits func(tx *database.Tx, thing, who uuid.UUID) (bool, error)
	// apply, if given, has the thing itself name who looks after it; nobody: nil.
	apply func(tx *database.Tx, thing uuid.UUID, from uuid.UUID, to *uuid.UUID, entry uuid.UUID) error
}

// last joins how a thing passed on last, as l.
func last(kind models.Holding, thing string) string {
	return ` LEFT JOIN LATERAL (SELECT s.to_id, true AS passed FROM successions s WHERE s.kind = '` + string(kind) + `' AND s.thing_id = ` + thing + ` ORDER BY s.turn DESC LIMIT 1) l ON true `
}

// named selects things of which a column names the holder until they pass on.
func named(kind models.Holding, id, holder, since, about, barred, from string) string {
	return `SELECT ` + id + ` AS thing_id, CASE WHEN l.passed THEN l.to_id ELSE ` + holder + ` END AS holder, l.passed IS TRUE AS passed, ` + since + ` AS since, ` +
		about + ` AS about, array_remove(ARRAY[` + barred + `]::uuid[], NULL) AS barred, '' AS zh, '' AS en, '' AS code FROM ` + from
}

const noName = `'' AS zh, '' AS en, '' AS code`

// Kinds are all of them. The views, the page docs/succession.md and the tests follow from it.
var Kinds = []Kind{
	{
		Name: models.HoldingDepartment, Effect: models.EffectPasses, FallsTo: models.RoleHRAdmin,
		held: `SELECT d.id AS thing_id, d.head_employee_id AS holder, d.head_employee_id IS NULL AND l.passed IS TRUE AS passed, NULL::timestamptz AS since, NULL::uuid AS about,
			'{}'::uuid[] AS barred, d.name_zh AS zh, d.name_en AS en, '' AS code FROM departments d` + last(models.HoldingDepartment, "d.id"),
		apply: func(tx *database.Tx, thing, from uuid.UUID, to *uuid.UUID, _ uuid.UUID) error {
			return archive.SetHead(tx, thing, from, to)
		},
	},
	{
		Name: models.HoldingHold, Effect: models.EffectPasses, Needs: models.RoleHRAdmin, FallsTo: models.RoleHRAdmin,
		held: named(models.HoldingHold, "h.id", "h.placed_by", "h.placed_at", "h.employee_id", "h.employee_id", `holds h`+last(models.HoldingHold, "h.id")+`WHERE h.released_at IS NULL`),
	},
	{
		Name: models.HoldingRejection, Effect: models.EffectPasses, Needs: models.RoleReviewer, FallsTo: models.RoleReviewer,
		held: named(models.HoldingRejection, "p.id", "p.rejected_by", "p.rejected_at", "d.employee_id", "d.employee_id, d.created_by",
			`purges p JOIN departures d ON d.id = p.departure_id`+last(models.HoldingRejection, "p.id")+`WHERE p.state = 'rejected'`),
	},
	{
		Name: models.HoldingLook, Effect: models.EffectPasses, Needs: models.RoleHRAdmin, FallsTo: models.RoleHRAdmin,
		held: named(models.HoldingLook, "d.id", "d.actor_id", "d.shown_at", "d.employee_id", "d.employee_id, d.reviewed_by",
			`disclosures d`+last(models.HoldingLook, "d.id")+`WHERE d.state = 'shown' AND d.actor_role = 'hr_admin'`),
	},
	{
		Name: models.HoldingDuty, Effect: models.EffectPasses, Needs: models.RoleHRAdmin, FallsTo: models.RoleHRAdmin,
		held: named(models.HoldingDuty, "s.id", "s.employee_id", "s.starts_at", "NULL::uuid", "", `duty_shifts s`+last(models.HoldingDuty, "s.id")+
			`WHERE s.removed_at IS NULL AND s.ends_at > lethe_now()`),
		fits: duty.CanTake,
		apply: func(tx *database.Tx, thing, _ uuid.UUID, to *uuid.UUID, entry uuid.UUID) error {
			if to == nil { // the rota shows it as one that nobody can be called in
				return nil
			}
			return duty.HandOver(tx, thing, *to, entry)
		},
	},
	{
		Name: models.HoldingCall, Effect: models.EffectReturns, Needs: models.RoleHRAdmin, FallsTo: models.RoleHRAdmin,
		held: `SELECT id AS thing_id, taken_by AS holder, false AS passed, taken_at AS since, employee_id AS about, '{}'::uuid[] AS barred, ` + noName + ` FROM emergency_calls WHERE state = 'taken'`,
	},
	{
		Name: models.HoldingCase, Effect: models.EffectReturns, Needs: models.RoleITOps, FallsTo: models.RoleITOps,
		held: `SELECT c.id AS thing_id, c.asked_by AS holder, false AS passed, c.asked_at AS since, m.employee_id AS about, '{}'::uuid[] AS barred, ` + noName + `
			FROM support_cases c JOIN account_operations o ON o.id = c.operation_id JOIN employments m ON m.id = o.employment_id WHERE c.state = 'waiver_requested'`,
	},
	{
		Name: models.HoldingRequest, Effect: models.EffectEnds, FallsTo: models.RoleHRAdmin,
		held: `SELECT id AS thing_id, requester_id AS holder, false AS passed, requested_at AS since, subject_ids[1] AS about, subject_ids AS barred, '' AS zh, '' AS en, operation AS code
			FROM approvals WHERE state = 'pending'`,
	},
	{
		Name: models.HoldingImport, Effect: models.EffectEnds, FallsTo: models.RoleHRAdmin,
		held: `SELECT id AS thing_id, actor_id AS holder, false AS passed, created_at AS since, NULL::uuid AS about, '{}'::uuid[] AS barred, ` + noName + ` FROM batches WHERE ended_at IS NULL`,
	},
	{
		Name: models.HoldingEnrolment, Effect: models.EffectEnds, FallsTo: models.RoleHRAdmin,
		held: `SELECT e.user_id AS thing_id, h.by AS holder, false AS passed, NULL::timestamptz AS since, u.employee_id AS about, '{}'::uuid[] AS barred, ` + noName + `
			FROM enrolments e JOIN users u ON u.id = e.user_id CROSS JOIN LATERAL (VALUES (e.first_by, e.first_hash), (e.second_by, e.second_hash)) h (by, given)
			WHERE u.state = 'enrolling' AND e.expires_at > lethe_now() AND h.by IS NOT NULL AND h.given IS NULL`,
	},
	{
		Name: models.HoldingRole, Effect: models.EffectVacant, FallsTo: models.RoleHRAdmin,
		held: `SELECT r.id AS thing_id, u.employee_id AS holder, false AS passed, r.granted_at AS since, NULL::uuid AS about, '{}'::uuid[] AS barred, '' AS zh, '' AS en, r.role AS code
			FROM user_roles r JOIN users u ON u.id = r.user_id WHERE r.revoked_at IS NULL AND u.state IN ('active', 'enrolling') AND r.role IN ('hr_admin', 'reviewer', 'it_ops', 'auditor')
				AND NOT EXISTS (SELECT FROM user_roles o JOIN users w ON w.id = o.user_id WHERE o.role = r.role AND o.revoked_at IS NULL
					AND w.employee_id <> u.employee_id AND w.state = 'active' AND lethe_can_hold(w.employee_id, o.role))`,
	},
}

// KindOf finds one by its name.
func KindOf(name models.Holding) (Kind, bool) {
	for _, k := range Kinds {
		if k.Name == name {
			return k, true
		}
	}
	return Kind{}, false
}
