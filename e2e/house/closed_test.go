package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	_ "lethe/api" // brings every package that declares closed sets
	"lethe/internal/closed"
	"lethe/internal/i18n"
	"lethe/models"
)

// withoutWords are constants of a closed type that are none of its values for people.
var withoutWords = []string{string(models.RoleSystem)}

// TestClosedSetsAreTheirConstantsAndHaveTexts: a closed set holds the constants of its type, all of them, and each has
// its words in both languages.
func TestClosedSetsAreTheirConstantsAndHaveTexts(t *testing.T) {
	for set := range closed.All() {
		folder := filepath.Join("../..", strings.TrimPrefix(set.Type.PkgPath(), "lethe/"))
		constants := slices.DeleteFunc(constantsOf(t, folder, set.Type.Name()), func(c string) bool { return slices.Contains(withoutWords, c) })
		values := slices.Sorted(slices.Values(set.Values))
		slices.Sort(constants)
		if diff := cmp.Diff(constants, values); diff != "" {
			t.Errorf("%s (- constants, + declared): %s", set.Type, diff)
		}
		for _, value := range set.Values {
			for _, language := range i18n.Languages {
				if _, ok := i18n.Lookup(language, set.Texts+"."+value); !ok && set.Texts != "" {
					t.Errorf("%s has no text in %s: %s.%s", set.Type, language, set.Texts, value)
				}
			}
		}
	}
}

func constantsOf(t *testing.T, folder, typeName string) (values []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatal(folder, err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			if of, ok := spec.Type.(*ast.Ident); ok && of.Name == typeName && len(spec.Values) == 1 {
				if lit, ok := spec.Values[0].(*ast.BasicLit); ok {
					value, _ := strconv.Unquote(lit.Value)
					values = append(values, value)
				}
			}
			return true
		})
	}
	return values
}

// TestNobodyWritesAClosedSetDownAgain: what the API lists as allowed comes from the set, not from a tag.
func TestNobodyWritesAClosedSetDownAgain(t *testing.T) {
	files, err := filepath.Glob("../../api/*/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	tag := regexp.MustCompile(`\benum:"([^"]+)"`)
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range tag.FindAllStringSubmatch(string(text), -1) {
			written := strings.Split(m[1], ",")
			slices.Sort(written)
			for set := range closed.All() {
				if slices.Equal(written, slices.Sorted(slices.Values(set.Values))) {
					t.Errorf("%s writes down what %s is: %s", filepath.Base(name), set.Type, m[0])
				}
			}
		}
	}
}
