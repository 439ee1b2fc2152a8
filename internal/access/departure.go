package access

import (
	"slices"

	"lethe/models"
)

// Part is a part of a departure, or of the person's accounts, that not everybody who sees the person may
// know of. What is no part (stage, dates in force, accounts, deadlines) is for everybody who sees the person.
type Part string

// The parts.
const (
	// PartGround is why: the legal ground and the reason.
	PartGround Part = "ground"
	// PartRequests is what waits for a second person's word: until then it is nobody else's business
	// that it was asked for, least of all the leaver's, whose access may be about to end earlier.
	PartRequests Part = "requests"
	// PartReviews is what a reviewer has to say about the destruction.
	PartReviews Part = "reviews"
	// PartTroubles is what people must solve: accounts that could not be switched off, steps that
	// stand still.
	PartTroubles Part = "troubles"
	// PartWorkflow is where the workflow runs.
	PartWorkflow Part = "workflow"
	// PartIDs is by which id a system knows an account: for those who link accounts.
	PartIDs Part = "external_ids"
)

// Parts lists them all.
var Parts = []Part{PartGround, PartRequests, PartReviews, PartTroubles, PartWorkflow, PartIDs}

// whoKnows is the table. The leaver is not in it: of the own departure nobody knows more than every
// leaver does, in whichever role.
var whoKnows = map[Part][]models.Role{
	PartGround:   {models.RoleHRAdmin},
	PartRequests: {models.RoleHRAdmin, models.RoleReviewer, models.RoleAuditor, models.RoleITOps},
	PartReviews:  {models.RoleHRAdmin, models.RoleReviewer, models.RoleAuditor, models.RoleITOps},
	PartTroubles: {models.RoleHRAdmin, models.RoleReviewer, models.RoleAuditor, models.RoleITOps, models.RoleDepartmentHead},
	PartWorkflow: {models.RoleITOps},
	PartIDs:      {models.RoleHRAdmin, models.RoleITOps},
}

// MayKnow says whether somebody who sees a person may know of a part of that person's departure.
func MayKnow(actor models.Actor, leaver bool, part Part) bool {
	return !leaver && slices.Contains(whoKnows[part], actor.Role)
}
