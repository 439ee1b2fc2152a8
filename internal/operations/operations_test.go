package operations

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"lethe/internal/approval"
	"lethe/internal/i18n"
	"lethe/models"
)

// floor is what needs two people whatever an installation sets.
var floor = []string{
	CreateEmployee, ChangeBasis, BeginImmediately, BringForward, EarlierDates, WithdrawUnlinked, Annul, Waive, Detach, Unlink, Relink, ReleaseHold, HoldEverybody, HoldOwn, OverrulePurge, ExtendPurge,
	CreateUser, GrantRole, ResetUser, DisableUser, RevokeRole, LinkLogin, ExportLog, LookAtFields, Permissions, PrivacyPolicy, FieldCatalogue, RunImport, RunDepartures, EraseForSubject, EnrolFormer, LiftCut,
}

func TestI21_TheFloor(t *testing.T) {
	r, err := New(Deps{}, approval.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var always []string
	for _, op := range r.Operations() {
		if op.Floor {
			always = append(always, op.Name)
		}
	}
	slices.Sort(always)
	if diff := cmp.Diff(slices.Sorted(slices.Values(floor)), always); diff != "" {
		t.Errorf("the floor moved (-want +got):\n%s", diff)
	}
	present := models.Caller{SessionID: uuid.Max}
	if len(r.Assess(present, DecidePurge)) > 0 {
		t.Error("a decision about a purge is a second person's already")
	}
	if r, err = New(Deps{}, approval.Options{Required: []string{DecidePurge}}); err != nil || len(r.Assess(present, DecidePurge)) == 0 {
		t.Errorf("a setting adds to the floor: %v", err)
	}
	if _, err := New(Deps{}, approval.Options{Required: []string{"departure.begin"}}); err == nil {
		t.Error("a setting may name what there is not")
	}
}

func TestEveryOperationHasAName(t *testing.T) {
	r, err := New(Deps{}, approval.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range r.Names() {
		for _, l := range i18n.Languages {
			if _, ok := i18n.Lookup(l, "approval.operation."+name); !ok {
				t.Errorf("%s has no name in %s", name, l)
			}
		}
	}
}
