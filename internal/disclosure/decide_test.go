package disclosure

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"lethe/internal/access"
	"lethe/internal/consent"
	"lethe/internal/screening"
	"lethe/models"
)

// grants are what HR may open, as somebody would draw it on paper: L a look, R a look after a review, - nothing.
const grants = `
                   medical_emergency unreachable work_injury death_in_service own_request payroll certificate statutory_filing employment_dispute authority_order reference_check
contract           -                 -           L           -                L           L       L           L                L                  R               R
emergency_contact  L                 L           L           L                L           -       -           -                -                  R               -
identity           L                 -           L           L                L           L       L           L                L                  R               -
private_contact    L                 L           L           L                L           L       L           L                L                  R               -
pay_bank           -                 -           L           L                L           L       L           L                L                  R               -
social_insurance   -                 -           L           L                L           L       -           L                L                  R               -
departure          -                 -           -           -                L           -       L           -                L                  R               -`

// verdicts are what a look comes to, by the first line that fits; * fits all.
const verdicts = `
grant  purpose    person    category   text      consent  verdict  rule
*      *          *         destroyed  *         *        refuse   category_destroyed
-      *          *         open       *         *        refuse   purpose_not_for_field
*      *          *         open       refused   *        refuse   never_for_this
*      *          *         open       *         no       refuse   no_consent
L      emergency  employed  open       ok        *        show     granted
L      emergency  employed  open       review    *        prove    text_doubtful
L      emergency  left      open       ok        *        review   person_left
L      emergency  left      open       review    *        review   text_doubtful
L      other      *         open       ok        *        show     granted
L      other      *         open       review    *        review   text_doubtful
R      other      *         open       *         *        review   grant_after_review
R      consented  *         open       *         *        review   grant_after_review`

func lines(text string) (rows [][]string) {
	for line := range strings.Lines(strings.TrimSpace(text)) {
		rows = append(rows, strings.Fields(line))
	}
	return rows
}

// drawn is the grant for a group and a purpose, by the table above.
func drawn(t *testing.T, group access.Group, purpose access.Purpose) string {
	rows := lines(grants)
	at := slices.Index(rows[0], string(purpose))
	for _, row := range rows[1:] {
		if row[0] == string(group) && at >= 0 {
			return row[at+1]
		}
	}
	t.Fatalf("%s for %s is not in the table", group, purpose)
	return ""
}

// consents are how somebody stands to a purpose, as the table has it.
var consents = map[consent.State]string{
	consent.Unanswered: "none", consent.Given: "yes", consent.Declined: "no", consent.Withdrawn: "no", consent.Outdated: "none", consent.Ended: "none",
}

// TestI28_EveryLookIsDecidedAsTheTableSays: role × group × purpose × status × state of the category × text × consent.
func TestI28_EveryLookIsDecidedAsTheTableSays(t *testing.T) {
	emergencies := []access.Purpose{access.MedicalEmergency, access.WorkInjury, access.DeathInService}
	employed := map[models.EmployeeStatus]string{
		models.StatusActive: "employed", models.StatusPendingDeparture: "employed", models.StatusDeparted: "left", models.StatusPurged: "left",
	}
	tried := 0
	for _, role := range models.Roles {
		for _, group := range access.Groups {
			for _, purpose := range access.Purposes {
				for status, person := range employed {
					for _, category := range []string{"open", "destroyed"} {
						for _, text := range screening.Verdicts {
							known, ok := purposeOf(purpose)
							if !ok {
								t.Fatalf("%s has no evidence", purpose)
							}
							grant, kind := "-", "other"
							if role == models.RoleHRAdmin {
								grant = drawn(t, group, purpose)
							}
							switch {
							case slices.Contains(emergencies, purpose):
								kind = "emergency"
							case purpose == access.ReferenceCheck:
								kind = "consented"
							}
							for state, agreed := range consentsTo(kind) {
								d := Decide(Facts{
									Role: role, Relation: access.RelationNone, Status: status, Purpose: known, Groups: []access.Group{group},
									Destroyed: category == "destroyed", Text: screening.Finding{Verdict: text}, Consent: state,
								})
								given := []string{grant, kind, person, category, string(text), agreed}
								if diff := cmp.Diff(expected(t, given), []string{string(d.Verdict), string(d.Rule)}); diff != "" {
									t.Errorf("%s %s %s %s: %s", role, group, purpose, given, diff)
								}
								tried++
							}
						}
					}
				}
			}
		}
	}
	t.Logf("%d decisions", tried)
}

// consentsTo are the states that there are for a kind of purpose: only a reference check rests on consent.
func consentsTo(kind string) map[consent.State]string {
	if kind != "consented" {
		return map[consent.State]string{"": "none"}
	}
	return consents
}

// TestOnlyAReferenceCheckRestsOnConsent: declining anything keeps nobody from being helped.
func TestOnlyAReferenceCheckRestsOnConsent(t *testing.T) {
	for _, p := range Purposes() {
		if want := p.Purpose == access.ReferenceCheck; (p.Consent != "") != want {
			t.Errorf("%s rests on consent: %q", p.Purpose, p.Consent)
		}
	}
}

// expected is the verdict and the rule of the first line that fits.
func expected(t *testing.T, given []string) []string {
	for _, row := range lines(verdicts)[1:] {
		fits := true
		for i, value := range given {
			fits = fits && (row[i] == "*" || row[i] == value)
		}
		if fits {
			return row[len(given):]
		}
	}
	t.Fatalf("the table says nothing about %s", given)
	return nil
}

// TestNobodyButHROpensWhatIsSomebodyElses, and nobody the own file.
func TestNobodyButHROpensWhatIsSomebodyElses(t *testing.T) {
	levels := map[string]access.Level{"L": access.Look, "R": access.LookAfterReview, "-": access.NoLook}
	for _, role := range append(slices.Clone(models.Roles), models.RoleSystem, "", "hr") {
		for _, relation := range access.Relations {
			for _, group := range access.Groups {
				for _, purpose := range access.Purposes {
					want := access.NoLook
					if role == models.RoleHRAdmin && relation != access.RelationSelf {
						want = levels[drawn(t, group, purpose)]
					}
					if got := access.LookAt(role, relation, group, purpose); got != want {
						t.Errorf("%q, %s: %s for %s: %s, want %s", role, relation, group, purpose, got, want)
					}
				}
				if got := access.LookAt(role, relation, group, "anything"); got != access.NoLook {
					t.Errorf("%q opens %s for a purpose that nobody knows: %s", role, group, got)
				}
			}
			if got := access.LookAt(role, relation, "anything", access.OwnRequest); got != access.NoLook {
				t.Errorf("%q opens a group that nobody knows: %s", role, got)
			}
		}
	}
}

// someFacts are any facts at all.
func someFacts(t *rapid.T) Facts {
	return Facts{
		Role:     rapid.SampledFrom(append(slices.Repeat([]models.Role{models.RoleHRAdmin}, len(models.Roles)), models.Roles...)).Draw(t, "role"),
		Relation: rapid.SampledFrom(access.Relations).Draw(t, "relation"),
		Status:   rapid.SampledFrom([]models.EmployeeStatus{models.StatusActive, models.StatusPendingDeparture, models.StatusDeparted, models.StatusPurged}).Draw(t, "status"),
		Purpose:  rapid.SampledFrom(Purposes()).Draw(t, "purpose"),
		Groups:   rapid.SliceOfNDistinct(rapid.SampledFrom(access.Groups), 0, 3, rapid.ID[access.Group]).Draw(t, "groups"),
		Text:     screening.Finding{Verdict: rapid.SampledFrom(screening.Verdicts).Draw(t, "text")},
		People:   rapid.IntRange(0, 40).Draw(t, "people"), Looks: rapid.IntRange(0, 10).Draw(t, "looks"),
		Consent:   rapid.SampledFrom(consent.States).Draw(t, "consent"),
		Destroyed: rapid.Bool().Draw(t, "destroyed"), RefusedBefore: rapid.Bool().Draw(t, "refused before"), LongAgo: rapid.Bool().Draw(t, "long ago"),
	}
}

// worse are facts with one more that speaks against the look.
func worse(t *rapid.T, f Facts) Facts {
	switch rapid.IntRange(0, 8).Draw(t, "what is worse") {
	case 0:
		f.RefusedBefore = true
	case 1:
		f.People += 20
	case 2:
		f.Looks += 5
	case 3:
		f.LongAgo = true
	case 4:
		f.Destroyed = true
	case 5:
		f.Relation = access.RelationSelf
	case 6:
		f.Text.Verdict = map[screening.Verdict]screening.Verdict{screening.OK: screening.Review}[f.Text.Verdict]
		if f.Text.Verdict == "" {
			f.Text.Verdict = screening.Refused
		}
	case 7:
		f.Status = models.StatusDeparted
	case 8:
		f.Consent = consent.Withdrawn
	}
	return f
}

// TestI28_ALookThatHasMoreAgainstItIsNeverEasier: what refuses refuses, whatever else there is; no flag goes when
// another comes; and a decision says by which rules it was made.
func TestI28_ALookThatHasMoreAgainstItIsNeverEasier(t *testing.T) {
	strictness := []Verdict{Show, Prove, Review, Refuse}
	rapid.Check(t, func(t *rapid.T) {
		f := someFacts(t)
		d := Decide(f)
		emergency := f.Purpose.Emergency && (f.Status == models.StatusActive || f.Status == models.StatusPendingDeparture)
		switch {
		case emergency && d.Verdict == Review:
			t.Fatalf("a reviewer stands before an emergency: %+v", d)
		case !emergency && d.Verdict == Prove:
			t.Fatalf("no reviewer where there is no emergency: %+v", d)
		case len(d.Flags) > 0 && d.Verdict == Show:
			t.Fatalf("shown with flags: %+v", d)
		case d.Verdict != Refuse && (f.Destroyed || f.Relation == access.RelationSelf || f.Role != models.RoleHRAdmin || f.Text.Verdict == screening.Refused || len(f.Groups) == 0 || f.Consent.Refuses()):
			t.Fatalf("%+v is not refused: %+v", f, d)
		}
		if err := explained(d); err != nil {
			t.Fatal(err)
		}
		more := Decide(worse(t, f))
		if slices.Index(strictness, more.Verdict) < slices.Index(strictness, d.Verdict) {
			t.Fatalf("with more against it %s became %s", d.Verdict, more.Verdict)
		}
		for _, flag := range d.Flags {
			if more.Verdict != Refuse && !slices.Contains(more.Flags, flag) {
				t.Fatalf("%s is gone: %+v", flag, more)
			}
		}
	})
}

// explained says whether a decision names a rule that was consulted and did not pass, or that everything did.
func explained(d Decision) error {
	var against []Rule
	for i, c := range d.Consulted {
		if slices.ContainsFunc(d.Consulted[:i], func(other Consulted) bool { return other.Rule == c.Rule }) {
			return fmt.Errorf("%s was consulted twice: %+v", c.Rule, d)
		}
		if !c.Passes {
			against = append(against, c.Rule)
		}
	}
	switch {
	case d.Verdict == Show && (len(against) > 0 || d.Rule != RuleGranted || d.Consulted[len(d.Consulted)-1] != Consulted{RuleGranted, true}):
	case d.Verdict == Refuse && (len(against) != 1 || len(d.Flags) > 0 || d.Rule != against[0]):
	case (d.Verdict == Review || d.Verdict == Prove) && (len(against) == 0 || d.Rule != against[0] || !slices.Equal(against, d.Flags)):
	default:
		return nil
	}
	return fmt.Errorf("not explained: %+v", d)
}
