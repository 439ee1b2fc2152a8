package access

import (
	"testing"

	"lethe/models"
)

// I27: who may know of which part of a departure, written by hand for every role.
func TestI27_WhoMayKnowOfAPartOfADeparture(t *testing.T) {
	want := map[models.Role]string{ // ground, requests, reviews, troubles, workflow, external ids
		models.RoleHRAdmin:        "++++-+",
		models.RoleReviewer:       "-+++--",
		models.RoleAuditor:        "-+++--",
		models.RoleITOps:          "-+++++",
		models.RoleDepartmentHead: "---+--",
		models.RoleEmployee:       "------",
		models.RoleSystem:         "------",
	}
	for role, row := range want {
		got, own := "", ""
		for _, part := range Parts {
			for leaver, text := range map[bool]*string{false: &got, true: &own} {
				if MayKnow(models.Actor{Role: role}, leaver, part) {
					*text += "+"
				} else {
					*text += "-"
				}
			}
		}
		if got != row {
			t.Errorf("%s: %s, not %s", role, got, row)
		}
		if own != "------" {
			t.Errorf("%s knows of the own departure: %s", role, own)
		}
	}
	if len(want) != len(models.Roles)+1 {
		t.Error("a role is missing from this test")
	}
	if MayKnow(models.Actor{Role: models.RoleHRAdmin}, false, "something new") {
		t.Error("a part that is not in the table is known")
	}
}
