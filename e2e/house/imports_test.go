// Package house checks the rules of the house that no compiler knows: who may import whom.
package house

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// order is the one total order of the inner packages: left never imports right. What is not a
// domain package (failpoints, launchers, the payload codec) stands where its users can reach it.
// A folder that is listed apart from its parent has a place of its own: the test databases come
// with everything that tests of any package need.
var order = []string{
	"internal/failpoint", "internal/durable", "internal/config", "internal/launch", "internal/clock", "internal/i18n", "internal/textform", "internal/invalid", "internal/scim", "internal/telemetry",
	"internal/closed", "internal/sheet", "internal/pdf", "models", "internal/access", "internal/screening", "internal/database", "internal/keyed", "internal/reasons", "internal/ledger", "internal/vault", "internal/identity",
	"internal/consent", "internal/approval", "internal/permission", "internal/archive", "internal/imports", "internal/disclosure", "internal/message", "internal/feedback", "internal/duty", "internal/connector", "internal/account",
	"internal/retention", "internal/subject", "internal/departure", "internal/cut", "internal/reconcile", "internal/succession", "internal/operations", "internal/overview", "internal/notify", "internal/leavers", "internal/holders", "internal/places", "internal/payload", "activities", "workflows",
	"internal/relay",
	"api/httpkit", "api/render", "api/approvals", "api/employees", "api/imports", "api/accounts", "api/purges", "api/disclosures", "api/permissions", "api/consents", "api/subjects", "api/messages", "api/emergencies", "api/holds", "api/successions", "api/departures", "api/users", "api/feedback", "api/overview", "api/reports", "api/reconciliations", "api/querylog", "api/settings", "api",
	"internal/database/databasetest", "api/apitest",
}

type goPackage struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

func packages(t *testing.T) []goPackage {
	t.Helper()
	command := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", "lethe/...")
	command.Dir = "../.."
	out, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []goPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < 20 {
		t.Fatalf("only %d packages were found", len(all))
	}
	return all
}

// rank is the place of a package, or of the package it is a part of, in the order; -1: not in it.
func rank(path string) int {
	path = strings.TrimPrefix(path, "lethe/")
	longest := -1
	for i, o := range order {
		if (path == o || strings.HasPrefix(path, o+"/")) && (longest < 0 || len(o) > len(order[longest])) {
			longest = i
		}
	}
	return longest
}

func violations(p goPackage) []string {
	var found []string
	refuse := func(imported, why string) { found = append(found, p.ImportPath+" imports "+imported+": "+why) }
	own := rank(p.ImportPath)
	for _, imported := range p.Imports {
		other := rank(imported)
		if own >= 0 && other > own {
			refuse(imported, "left never imports right")
		}
		switch {
		case p.ImportPath == "lethe/workflows" && !allowedInWorkflows(imported):
			refuse(imported, "workflows know the SDK and activities alone")
		case imported == "lethe/workflows" && !slices.Contains([]string{"lethe/internal/relay", "lethe/worker"}, p.ImportPath) && !outside(p.ImportPath):
			refuse(imported, "only relay and worker know the workflows")
		case imported == "go.temporal.io/sdk/client" && !slices.Contains([]string{"lethe/internal/relay", "lethe/worker"}, p.ImportPath) && !outside(p.ImportPath):
			refuse(imported, "only relay and worker hold the Temporal client")
		case own >= 0 && !strings.HasPrefix(p.ImportPath, "lethe/api/") && slices.Contains([]string{"lethe/api", "lethe/worker"}, imported):
			refuse(imported, "the inner packages know nothing of the outer ones")
		case strings.HasPrefix(imported, "lethe/cmd/") || strings.HasPrefix(imported, "lethe/e2e/"):
			if !outside(p.ImportPath) {
				refuse(imported, "commands and end-to-end tests are nobody's library")
			}
		}
	}
	if name := p.ImportPath[strings.LastIndex(p.ImportPath, "/")+1:]; slices.Contains([]string{"util", "utils", "common", "helpers", "helper"}, name) {
		found = append(found, p.ImportPath+": a package is named after what it does")
	}
	return found
}

// outside are the places that put everything together.
func outside(path string) bool {
	return strings.HasPrefix(path, "lethe/cmd/") || strings.HasPrefix(path, "lethe/e2e/")
}

func allowedInWorkflows(path string) bool {
	if path == "lethe/activities" || strings.HasPrefix(path, "go.temporal.io/") {
		return true
	}
	return !strings.Contains(path, ".") && !strings.HasPrefix(path, "lethe/") // the standard library
}

func TestImportsKeepTheOrder(t *testing.T) {
	for _, p := range packages(t) {
		for _, v := range violations(p) {
			t.Error(v)
		}
	}
}

func TestViolationsAreFound(t *testing.T) {
	for _, p := range []goPackage{
		{ImportPath: "lethe/internal/account", Imports: []string{"lethe/internal/departure"}},
		{ImportPath: "lethe/internal/clock", Imports: []string{"lethe/models"}},
		{ImportPath: "lethe/workflows", Imports: []string{"lethe/internal/clock"}},
		{ImportPath: "lethe/workflows", Imports: []string{"gorm.io/gorm"}},
		{ImportPath: "lethe/internal/departure", Imports: []string{"lethe/api"}},
		{ImportPath: "lethe/internal/departure", Imports: []string{"go.temporal.io/sdk/client"}},
		{ImportPath: "lethe/api", Imports: []string{"lethe/workflows"}},
		{ImportPath: "lethe/internal/database", Imports: []string{"lethe/internal/ledger"}},
		{ImportPath: "lethe/internal/ledger/verify", Imports: []string{"lethe/internal/vault"}},
		{ImportPath: "lethe/internal/vault", Imports: []string{"lethe/internal/database/databasetest"}},
		{ImportPath: "lethe/internal/helpers"},
	} {
		if len(violations(p)) == 0 {
			t.Errorf("%s with %v passes", p.ImportPath, p.Imports)
		}
	}
}
