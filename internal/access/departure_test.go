package access

import (
	"testing"

	"lethe/models"
)

// I27: who may know of which part of a departure, written by hand for every role.
func TestI27_WhoMayKnowOfAPartOfADeparture(t *testing.T) {
	want := map[models.Role]string{ // ground, requests, reviews, troubles, workflow
		models.RoleHRAdmin:        "yes yes yes yes no",
		models.RoleReviewer:       "no yes yes yes no",
		models.RoleAuditor:        "no yes yes yes no",
		models.RoleITOps:          "no yes yes yes yes",
		models.RoleDepartmentHead: "no no no yes no",
		models.RoleEmployee:       "no no no no no",
		models.RoleSystem:         "no no no no no",
	}
	for role, row := range want {
		got, own := "", ""
		for _, part := range Parts {
			for leaver, text := range map[bool]*string{false: &got, true: &own} {
				if *text != "" {
					*text += " "
				}
				if MayKnow(models.Actor{Role: role}, leaver, part) {
					*text += "yes"
				} else {
					*text += "no"
				}
			}
		}
		if got != row {
			t.Errorf("%s: %s, not %s", role, got, row)
		}
		if own != "no no no no no" {
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
