package disclosure

import (
	"github.com/google/uuid"

	"lethe/internal/access"
	"lethe/internal/closed"
	"lethe/internal/consent"
	"lethe/internal/screening"
	"lethe/models"
)

// Rule is a rule that a look is judged by.
type Rule string

// The rules, in the order in which they are consulted.
const (
	RuleOwnFile            Rule = "own_file"              // nobody opens the own file as HR
	RuleDestroyed          Rule = "category_destroyed"    // there is nothing left
	RulePurposeNotForField Rule = "purpose_not_for_field" // no rule grants this field for this purpose
	RuleNeverFor           Rule = "never_for_this"        // the text tells of what nobody's data is opened for
	RuleNoConsent          Rule = "no_consent"            // the person declined or withdrew what the purpose rests on
	RuleTries              Rule = "compared_too_often"    // a number of the person was compared as often as it may be
	RuleGrantReviewed      Rule = "grant_after_review"    // the grant wants a reviewer
	RuleTextDoubtful       Rule = "text_doubtful"         // the text contradicts the purpose, or tells too little
	RuleRefusedBefore      Rule = "refused_before"        // a look at the person was refused lately: its text, or another purpose
	RuleManyPeople         Rule = "many_people"           // the looker looked at many people within a day
	RuleOftenSamePerson    Rule = "often_same_person"     // or at this one often within a week
	RuleLongAgo            Rule = "long_ago"              // what it is for happened long ago
	RuleLeft               Rule = "person_left"           // an emergency of somebody who has left
	RuleEnteredAlone       Rule = "entered_alone"         // whoever prints a copy entered the paper that asks for it
	RuleGranted            Rule = "granted"               // the grant, the purpose and the evidence fit
	RuleRegistered         Rule = "registered"            // nothing was asked for: what somebody wanted was registered
)

// Rules lists them all.
var Rules = closed.Of("disclosure_rule", RuleOwnFile, RuleDestroyed, RulePurposeNotForField, RuleNeverFor, RuleNoConsent, RuleTries, RuleGrantReviewed, RuleTextDoubtful,
	RuleRefusedBefore, RuleManyPeople, RuleOftenSamePerson, RuleLongAgo, RuleLeft, RuleEnteredAlone, RuleGranted, RuleRegistered)

// Verdict is what a look comes to.
type Verdict string

// The verdicts.
const (
	Refuse Verdict = "refuse"
	// Review: a reviewer decides before anything is shown.
	Review Verdict = "review"
	// Prove: the value is shown once the looker has just proved who they are; somebody reviews it afterwards (I28).
	Prove Verdict = "prove"
	Show  Verdict = "show"
)

// Facts are what a look is judged by.
type Facts struct {
	Role     models.Role
	Relation access.Relation
	Status   models.EmployeeStatus
	Purpose  Purpose
	// Groups are those of the fields that are asked for.
	Groups []access.Group
	// Barred: one of the fields is not opened for the purpose, whatever is granted for its group.
	Barred bool
	// Matrix, Asker and Target say what is granted; without a matrix the program's own table does.
	Matrix *access.Matrix
	Asker  uuid.UUID
	Target access.Target
	// Destroyed: a category of theirs is purged or being purged.
	Destroyed bool
	Text      screening.Finding
	// Consent is how the person stands to what the purpose rests on; of one that rests on something else it is nothing.
	Consent consent.State
	// RefusedBefore: within thirty days a look at the person was refused for its text, or for another purpose.
	RefusedBefore bool
	// People are how many others the looker looked at within a day, Looks how often at this person within a week.
	People, Looks int
	// Compares: nothing is to be shown, but whether a number is the one in the file; Tries is how often that was asked
	// within a day, by whomever.
	Compares bool
	Tries    int
	// LongAgo: a piece of evidence is older than the purpose has it.
	LongAgo bool
	// EnteredAlone: a copy is to be printed by who entered the paper that asks for it: nobody else has seen it.
	EnteredAlone bool
}

// Decision is a verdict with its explanation.
type Decision struct {
	Verdict Verdict
	// Rule is the one that decided: the first that refuses, else the first that wants a reviewer, else the grant.
	Rule Rule
	// Flags are all rules that want somebody to look at it.
	Flags []Rule
	// Consulted is each rule, and whether it lets the look pass.
	Consulted []Consulted
}

// Consulted is a rule that was asked.
type Consulted struct {
	Rule   Rule `json:"rule"`
	Passes bool `json:"passes"`
}

// employed says whether the person works here still.
func (f Facts) employed() bool {
	return f.Status == models.StatusActive || f.Status == models.StatusPendingDeparture
}

// Decide is pure. What refuses does so whoever asks and whatever for; what wants a reviewer gets one first, but for the
// emergency of somebody who is employed: there the looker proves who they are, and the reviewer comes after.
func Decide(f Facts) Decision {
	var d Decision
	ask := func(rule Rule, passes bool) bool {
		d.Consulted = append(d.Consulted, Consulted{rule, passes})
		return passes
	}
	for _, r := range []struct {
		rule   Rule
		passes bool
	}{
		{RuleOwnFile, f.Relation != access.RelationSelf},
		{RuleDestroyed, !f.Destroyed},
		{RulePurposeNotForField, f.level() != access.NoLook},
		{RuleNeverFor, f.Text.Verdict != screening.Refused},
		{RuleNoConsent, !f.Consent.Refuses()},
		{RuleTries, !f.Compares || f.Tries < maxTries},
	} {
		if !ask(r.rule, r.passes) {
			d.Verdict, d.Rule = Refuse, r.rule
			return d
		}
	}
	for _, r := range []struct {
		rule   Rule
		passes bool
	}{
		{RuleGrantReviewed, f.level() == access.Look},
		{RuleTextDoubtful, f.Text.Verdict == screening.OK},
		{RuleRefusedBefore, !f.RefusedBefore},
		{RuleManyPeople, f.People < f.Matrix.Frequency().PeoplePerDay},
		{RuleOftenSamePerson, f.Looks < f.Matrix.Frequency().LooksPerWeek},
		{RuleLongAgo, !f.LongAgo},
		{RuleLeft, f.employed() || !f.Purpose.Emergency},
		{RuleEnteredAlone, !f.EnteredAlone},
	} {
		if !ask(r.rule, r.passes) {
			d.Flags = append(d.Flags, r.rule)
		}
	}
	switch {
	case len(d.Flags) == 0:
		ask(RuleGranted, true)
		d.Verdict, d.Rule = Show, RuleGranted
	case f.Purpose.Emergency && f.employed():
		d.Verdict, d.Rule = Prove, d.Flags[0]
	case f.Compares: // no reviewer is asked for a comparison: a look is
		d.Verdict, d.Rule = Refuse, d.Flags[0]
	default:
		d.Verdict, d.Rule = Review, d.Flags[0]
	}
	return d
}

func (f Facts) granted(g access.Group) access.Level {
	if f.Matrix == nil {
		return access.LookAt(f.Role, f.Relation, g, f.Purpose.Purpose)
	}
	level, _ := f.Matrix.Look(access.Asker{ID: f.Asker, Role: f.Role}, f.Target, g, f.Purpose.Purpose)
	return level
}

// level is the lowest of what is granted for each of the groups; for none nothing is.
func (f Facts) level() access.Level {
	lowest := access.Look
	for _, g := range f.Groups {
		switch level := f.granted(g); level {
		case access.Look:
		case access.LookAfterReview:
			lowest = level
		default:
			return access.NoLook
		}
	}
	if len(f.Groups) == 0 || f.Barred {
		return access.NoLook
	}
	return lowest
}
