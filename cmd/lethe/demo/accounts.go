package demo

import (
	"net/http"
	"strings"

	"github.com/google/uuid"

	"lethe/sandbox/control"
)

// accountSpace is the namespace of the accounts' ids (RFC 9562, version 5).
var accountSpace = uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://lethe.example/demo/accounts"))

// externalID is the id that an account has in its system.
func externalID(system, no string) string {
	return uuid.NewSHA1(accountSpace, []byte(system+"/"+no)).String()
}

// Plants are the accounts that a system holds, with the ids that the employee files refer to.
// Planting them again changes nothing as long as nobody has worked with them.
func Plants(system string) []control.Plant {
	var plants []control.Plant
	for i, p := range People() {
		login := strings.ToLower(p.No)
		plants = append(plants, control.Plant{
			ID: externalID(system, p.No), EmployeeNo: p.No, UserName: login + "@" + system + ".example",
			Emails: []string{login + "@corp.example"},
			Groups: []string{"everybody", strings.ToLower(p.Department)}, Sessions: 1 + i%3, Tokens: i % 2,
		})
	}
	return plants
}

// Faults is how a system misbehaves from the start: finance refuses to disable one account, so
// that there is something that waits for people.
func Faults(system string) control.Faults {
	faults := control.Faults{Rules: []control.Rule{}}
	if system == "finance" {
		faults.Rules = append(faults.Rules, control.Rule{
			Match: control.Match{Operation: control.OpDisable, EmployeeNo: refusedNo},
			Kind:  control.Status, Status: http.StatusForbidden,
		})
	}
	return faults
}
