package api_test

import (
	"flag"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/go-cmp/cmp"

	"lethe/api/apitest"
	"lethe/api/httpkit"
	"lethe/models"
)

var update = flag.Bool("update", false, "write testdata/routes.golden anew")

const matrixFile = "testdata/routes.golden"

var roleNames = map[string]models.Role{"hr": httpkit.HR, "head": httpkit.Head, "employee": httpkit.Employee, "reviewer": httpkit.Reviewer, "auditor": httpkit.Auditor, "it": httpkit.IT}

// TestTheMatrixOfRoutes prints every route as a line that a reviewer reads in a diff: who may call it, with
// what, what it answers and what it makes. TestAuthorizationMatrix tries what the file says.
func TestTheMatrixOfRoutes(t *testing.T) {
	got := matrix(apitest.New(t))
	if *update {
		if err := os.WriteFile(matrixFile, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(matrixFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("the routes are others now; if they shall be, go test ./api -run TheMatrixOfRoutes -update (-file +routes):\n%s", diff)
	}
}

func matrix(f *apitest.Fixture) string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	write := func(cells ...string) { _, _ = w.Write([]byte(strings.Join(cells, "\t") + "\n")) }
	write("route", "who", "with", "scope", "answers", "key", "makes")
	byPath := func(a, b string) int {
		one, pathOne, _ := strings.Cut(a, " ")
		two, pathTwo, _ := strings.Cut(b, " ")
		return strings.Compare(pathOne+" "+one, pathTwo+" "+two)
	}
	for _, at := range slices.SortedFunc(maps.Keys(f.Operations()), byPath) {
		op, d := f.Operations()[at], f.API.Routes[at]
		var answers []string
		for status := range op.Responses {
			if status < "4" {
				answers = append(answers, status)
			}
		}
		slices.Sort(answers)
		if d.OrRequest {
			answers = append(answers, "or a request")
		}
		key := "-"
		if slices.ContainsFunc(op.Parameters, func(p *huma.Param) bool { return p.Name == "Idempotency-Key" }) {
			key = "idempotent"
		}
		write(at, who(d), with(d), dash(d.Scope), dash(strings.Join(answers, " ")), key, dash(d.Makes.Makes))
	}
	_ = w.Flush()
	return regexp.MustCompile(" +\n").ReplaceAllString(text.String(), "\n")
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func who(d httpkit.Route) string {
	if d.Open || len(d.To) == len(httpkit.Everyone) {
		return "everyone"
	}
	var names []string
	for _, name := range slices.Sorted(maps.Keys(roleNames)) {
		if slices.Contains(d.To, roleNames[name]) {
			names = append(names, name)
		}
	}
	return dash(strings.Join(names, " "))
}

func with(d httpkit.Route) string {
	if d.Open {
		return "nothing"
	}
	with := "session"
	if !d.TokensNeedPeople() {
		with = "token or " + with
	}
	if !d.ClosedToSealedCodes() {
		with += ", sealed codes"
	}
	return with
}

// rule is what the matrix says of a route.
type rule struct{ who, with string }

func readMatrix(t *testing.T) map[string]rule {
	t.Helper()
	text, err := os.ReadFile(matrixFile)
	if err != nil {
		t.Fatal(err)
	}
	rules := map[string]rule{}
	columns := regexp.MustCompile("  +")
	for line := range strings.Lines(string(text)) {
		cells := columns.Split(strings.TrimSpace(line), -1)
		if len(cells) < 3 || cells[0] == "route" {
			continue
		}
		rules[cells[0]] = rule{cells[1], cells[2]}
	}
	return rules
}

func (r rule) allows(role models.Role) bool {
	return r.who == "everyone" || slices.ContainsFunc(strings.Fields(r.who), func(name string) bool { return roleNames[name] == role })
}

// withoutText are closed values that are no words for people: other fields say in words what they mean.
var withoutText = map[string]bool{
	"AccountView.finding": true,                                                            // state_text says it
	"ProofView.state":     true, "SessionView.authenticated": true, "TokenView.role": true, // for programs, and whose own they are
}

// TestClosedValuesHaveTheirText: what is one of a few values in an answer has it in the reader's language beside it.
func TestClosedValuesHaveTheirText(t *testing.T) {
	f := apitest.New(t)
	for name, schema := range f.API.Huma.OpenAPI().Components.Schemas.Map() {
		if !strings.HasSuffix(name, "View") {
			continue
		}
		for field, property := range schema.Properties {
			if len(property.Enum) > 0 && schema.Properties[field+"_text"] == nil && !withoutText[name+"."+field] {
				t.Errorf("%s.%s has no text", name, field)
			}
		}
	}
}
