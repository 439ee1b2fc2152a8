package access

import (
	"lethe/internal/closed"
	"lethe/models"
)

// Group is a group of sensitive fields that are opened for the same purposes. Beside the program's groups each section that
// a company adds to the file is one, by its key; nobody looks at it until the permissions say so.
type Group string

// The groups. What reaches the person (address, phone, mail) is one of its own: it is asked for most, and by whom it
// should not be.
const (
	GroupContract         Group = "contract"
	GroupEmergencyContact Group = "emergency_contact"
	GroupIdentity         Group = "identity"
	GroupPrivateContact   Group = "private_contact"
	GroupPayBank          Group = "pay_bank"
	GroupSocialInsurance  Group = "social_insurance"
	GroupDeparture        Group = "departure"
)

// Groups lists the program's.
var Groups = closed.Of("field_group", GroupContract, GroupEmergencyContact, GroupIdentity, GroupPrivateContact,
	GroupPayBank, GroupSocialInsurance, GroupDeparture)

// Purpose is what a sensitive field is opened for.
type Purpose string

// The purposes. What each demands as evidence is package disclosure's.
const (
	MedicalEmergency  Purpose = "medical_emergency"
	Unreachable       Purpose = "unreachable"
	AuthorityOrder    Purpose = "authority_order"
	StatutoryFiling   Purpose = "statutory_filing"
	EmploymentDispute Purpose = "employment_dispute"
	OwnRequest        Purpose = "own_request"
	Payroll           Purpose = "payroll"
	Certificate       Purpose = "certificate"
	WorkInjury        Purpose = "work_injury"
	DeathInService    Purpose = "death_in_service"
	ReferenceCheck    Purpose = "reference_check"
)

// Purposes lists them all, in the order in which they are offered.
var Purposes = closed.Of("purpose", MedicalEmergency, Unreachable, WorkInjury, DeathInService, OwnRequest, Payroll, Certificate,
	StatutoryFiling, EmploymentDispute, AuthorityOrder, ReferenceCheck)

// Level is how far a grant reaches.
type Level string

// The levels of a look, each reaching further than the one before.
const (
	NoLook          Level = "none"
	LookAfterReview Level = "look_after_review"
	Look            Level = "look"
)

// Levels lists them all.
var Levels = closed.Of("look_level", NoLook, LookAfterReview, Look)

// looks are the grants of HR administrators; nobody else opens what is somebody else's. What is not in it is not granted.
var looks = map[Group]map[Purpose]Level{
	GroupContract: {
		OwnRequest: Look, Certificate: Look, Payroll: Look, StatutoryFiling: Look, EmploymentDispute: Look, WorkInjury: Look,
		AuthorityOrder: LookAfterReview, ReferenceCheck: LookAfterReview,
	},
	GroupEmergencyContact: {
		MedicalEmergency: Look, Unreachable: Look, WorkInjury: Look, DeathInService: Look, OwnRequest: Look, AuthorityOrder: LookAfterReview,
	},
	GroupIdentity: {
		OwnRequest: Look, Certificate: Look, StatutoryFiling: Look, EmploymentDispute: Look, WorkInjury: Look, DeathInService: Look,
		Payroll: Look, MedicalEmergency: Look, AuthorityOrder: LookAfterReview,
	},
	GroupPrivateContact: {
		MedicalEmergency: Look, Unreachable: Look, WorkInjury: Look, DeathInService: Look, OwnRequest: Look, Certificate: Look,
		Payroll: Look, StatutoryFiling: Look, EmploymentDispute: Look, AuthorityOrder: LookAfterReview,
	},
	GroupPayBank: {
		OwnRequest: Look, Payroll: Look, Certificate: Look, StatutoryFiling: Look, EmploymentDispute: Look, WorkInjury: Look,
		DeathInService: Look, AuthorityOrder: LookAfterReview,
	},
	GroupSocialInsurance: {
		OwnRequest: Look, Payroll: Look, StatutoryFiling: Look, EmploymentDispute: Look, WorkInjury: Look, DeathInService: Look,
		AuthorityOrder: LookAfterReview,
	},
	GroupDeparture: {
		OwnRequest: Look, EmploymentDispute: Look, Certificate: Look, AuthorityOrder: LookAfterReview,
	},
}

// LookAt says how far somebody may look at a group of fields for a purpose. The own file is nobody's to open this way,
// in whichever role.
func LookAt(role models.Role, relation Relation, group Group, purpose Purpose) Level {
	if role != models.RoleHRAdmin || relation == RelationSelf {
		return NoLook
	}
	if level, granted := looks[group][purpose]; granted {
		return level
	}
	return NoLook
}
