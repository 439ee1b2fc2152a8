// Package disclosure judges looks at sensitive fields. Somebody asks for fields of one person, for a purpose, with a
// reason and the evidence that the purpose demands; a pure function decides by facts, and says by which rules. Every
// attempt is an entry of the ledger before anything is shown (I18), and a value leaves once, with the notice that it
// carries.
//
// The text of a reason explains and never suffices: what opens a field is a grant, a purpose that fits it, and evidence.
package disclosure

import (
	"slices"
	"time"

	"lethe/internal/access"
	"lethe/internal/closed"
	"lethe/internal/screening"
	"lethe/models"
)

// Kind is what a piece of evidence is.
type Kind string

// The kinds.
const (
	Text    Kind = "text"    // a line of up to 200 characters
	Instant Kind = "instant" // RFC 3339 with its offset, not in the future
	Date    Kind = "date"    // RFC 3339 full-date, not in the future
	Choice  Kind = "choice"
)

// Kinds lists them all.
var Kinds = closed.Of("evidence_kind", Text, Instant, Date, Choice)

// Evidence is one thing that a purpose demands.
type Evidence struct {
	Key     string
	Kind    Kind
	Choices []string // of a Choice
	// OfLeavers: demanded of somebody who has left only.
	OfLeavers bool
	// Unrecorded: demanded only where the person's consent is not recorded.
	Unrecorded bool
	// Fresh is how old it may be before a reviewer looks; 0: as old as it likes.
	Fresh time.Duration
}

// Purpose is what a purpose demands.
type Purpose struct {
	Purpose  access.Purpose
	Evidence []Evidence
	// Emergency: of somebody who is employed no reviewer stands before the value (I28).
	Emergency bool
	// Reviewed: a second person looks at it afterwards.
	Reviewed bool
	// Consent is what the person has to have agreed to; empty: it rests on something else.
	Consent models.ConsentPurpose
}

const day = 24 * time.Hour

// purposes is the catalogue. What a purpose rests on is text: purpose_basis.<purpose>.
var purposes = []Purpose{
	{access.MedicalEmergency, []Evidence{{Key: "what", Kind: Text}, {Key: "when", Kind: Instant, Fresh: 3 * day}, {Key: "reported_by", Kind: Text}}, true, true, ""},
	{access.Unreachable, []Evidence{{Key: "since", Kind: Instant, Fresh: 30 * day}, {Key: "tried", Kind: Text}, {Key: "police_reference", Kind: Text, OfLeavers: true}}, false, true, ""},
	{access.WorkInjury, []Evidence{{Key: "what", Kind: Text}, {Key: "when", Kind: Instant, Fresh: 30 * day}, {Key: "reported_by", Kind: Text}}, true, true, ""},
	{access.DeathInService, []Evidence{{Key: "when", Kind: Date, Fresh: 90 * day}, {Key: "reported_by", Kind: Text}}, true, true, ""},
	{access.OwnRequest, []Evidence{{Key: "confirmed_how", Kind: Choice, Choices: []string{"in_person", "company_mail", "callback", "document"}}, {Key: "confirmed_on", Kind: Date, Fresh: 30 * day}}, false, false, ""},
	{access.Payroll, []Evidence{{Key: "matter", Kind: Text}, {Key: "period", Kind: Text}}, false, false, ""},
	{access.Certificate, []Evidence{{Key: "certificate", Kind: Choice, Choices: []string{"employment", "income", "leaving", "contract_copy"}}, {Key: "asked_on", Kind: Date, Fresh: 90 * day}}, false, false, ""},
	{access.StatutoryFiling, []Evidence{{Key: "filing", Kind: Choice, Choices: []string{"social_insurance", "housing_fund", "tax", "residence", "labour_statistics"}}, {Key: "period", Kind: Text}}, false, false, ""},
	{access.EmploymentDispute, []Evidence{{Key: "case_no", Kind: Text}, {Key: "claimant", Kind: Choice, Choices: []string{"employee", "company"}}}, false, false, ""},
	{access.AuthorityOrder, []Evidence{{Key: "authority", Kind: Text}, {Key: "officials", Kind: Text}, {Key: "document_no", Kind: Text}, {Key: "called_back_at", Kind: Text}}, false, false, ""},
	{access.ReferenceCheck, []Evidence{
		{Key: "consent_on", Kind: Date, Fresh: 180 * day, Unrecorded: true}, {Key: "consent_form", Kind: Choice, Choices: []string{"written", "electronic"}, Unrecorded: true},
		{Key: "asker", Kind: Text},
	}, false, false, models.ConsentReference},
}

// Outcomes are what can come of a look for it: nobody but the person concerned is contacted for what is no emergency, and
// nobody who died is.
func (p Purpose) Outcomes() []models.DisclosureOutcome {
	switch {
	case p.Purpose == access.DeathInService:
		return []models.DisclosureOutcome{models.FamilyContacted, models.PassedOn, models.NotPassedOn}
	case p.Reviewed:
		return models.DisclosureOutcomes
	}
	return []models.DisclosureOutcome{models.PersonContacted, models.PassedOn, models.NotPassedOn}
}

// Purposes are all of them, in the order in which they are offered.
func Purposes() []Purpose { return purposes }

// purposeOf finds a purpose.
func purposeOf(p access.Purpose) (Purpose, bool) {
	for _, known := range purposes {
		if known.Purpose == p {
			return known, true
		}
	}
	return Purpose{}, false
}

// Matters are what nobody's data is ever opened for, whoever asks.
var Matters = screening.Categories

// Alternative is what HR can do instead of a look.
type Alternative string

// The alternatives.
const (
	PoliteReply    Alternative = "polite_reply"    // say so, with the text that can be copied
	AskThePerson   Alternative = "ask_the_person"  // who asks may reach the person by what they have
	Mediation      Alternative = "mediation"       // a people's mediation committee, the union
	LegalWay       Alternative = "legal_way"       // a claim at court: it has its own way to an address
	Successor      Alternative = "successor"       // the colleague who took the work over
	ManagerAsks    Alternative = "manager_asks"    // who insists asks in the own name
	CallEmergency  Alternative = "call_emergency"  // 120, 110, 112
	RegisteredPost Alternative = "registered_post" // HR posts it
	OfficialPaper  Alternative = "official_paper"  // an authority brings its document
	OtherPurpose   Alternative = "other_purpose"   // where it is about something else
	Consent        Alternative = "consent"         // the person agrees
	AskToLook      Alternative = "ask_to_look"     // a look, about which a reviewer decides
	LegalHold      Alternative = "legal_hold"      // what is asked for is kept until the document is there
	PassMessage    Alternative = "pass_message"    // the person agreed to be told that somebody would like to hear from them
)

// Alternatives lists them all.
var Alternatives = closed.Of("alternative", PoliteReply, AskThePerson, Mediation, LegalWay, Successor, ManagerAsks, CallEmergency,
	RegisteredPost, OfficialPaper, OtherPurpose, Consent, AskToLook, LegalHold, PassMessage)

// instead is what fits where a look is refused for a matter.
var instead = map[screening.Category][]Alternative{
	screening.PrivateDebt:       {PoliteReply, PassMessage, AskThePerson, Mediation, LegalWay},
	screening.PrivateDispute:    {PoliteReply, PassMessage, Mediation, LegalWay},
	screening.CustomerResources: {PoliteReply, Successor},
	screening.PrivateContact:    {PoliteReply, PassMessage, AskThePerson},
	screening.ManagersDemand:    {PoliteReply, ManagerAsks, OtherPurpose},
	screening.Recruiting:        {PoliteReply, PassMessage, AskThePerson},
	screening.Marketing:         {PoliteReply},
	screening.Curiosity:         {PoliteReply, OtherPurpose},
}

// insteadOf is what fits a refusal by another rule.
func insteadOf(rule Rule, p access.Purpose) []Alternative {
	switch {
	case p == access.AuthorityOrder:
		return []Alternative{OfficialPaper, LegalHold}
	case p == access.ReferenceCheck:
		return []Alternative{Consent, PoliteReply, PassMessage}
	case rule == RulePurposeNotForField:
		return []Alternative{OtherPurpose, RegisteredPost, PassMessage}
	}
	return []Alternative{OtherPurpose}
}

// Chosen says whether a purpose's evidence is one of given choices, not words.
func Chosen(purpose, key string) bool {
	return slices.ContainsFunc(purposes, func(p Purpose) bool {
		return string(p.Purpose) == purpose && slices.ContainsFunc(p.Evidence, func(e Evidence) bool { return e.Key == key && e.Kind == Choice })
	})
}
