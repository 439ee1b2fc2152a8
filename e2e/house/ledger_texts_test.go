package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"lethe/internal/i18n"
)

// An action of the ledger is a noun and what was done with it.
var actionShape = regexp.MustCompile(`^[a-z_]+\.[a-z_]+$`)

// TestI18_EveryActionOfTheLedgerHasItsText finds the actions in the product's source: constants named
// action…, the Action of an entry, and what is handed to a function that records. What people read in
// the log has a text in both languages.
func TestI18_EveryActionOfTheLedgerHasItsText(t *testing.T) {
	actions := actionsInSource(t)
	if len(actions) < 80 {
		t.Fatalf("only %d actions were found", len(actions))
	}
	for _, action := range actions {
		missing(t, "ledger.action."+action)
	}
}

func TestI18_EveryKindOfTheLedgerHasItsText(t *testing.T) {
	kinds := constants(t, "../../internal/ledger/entry.go", func(name string) bool { return strings.HasPrefix(name, "Kind") })
	if len(kinds) < 10 {
		t.Fatalf("only %d kinds were found", len(kinds))
	}
	for _, kind := range kinds {
		missing(t, "ledger.kind."+kind)
	}
}

func missing(t *testing.T, key string) {
	t.Helper()
	for _, language := range []i18n.Language{i18n.English, i18n.Chinese} {
		if text := i18n.Text(language, key); text == "" || text == key {
			t.Errorf("%s has no text in %s", key, language)
		}
	}
}

func actionsInSource(t *testing.T) (actions []string) {
	t.Helper()
	for _, folder := range []string{"api", "activities", "cmd", "internal"} {
		err := filepath.WalkDir(filepath.Join("../..", folder), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") ||
				slices.Contains([]string{"databasetest", "apitest"}, filepath.Base(filepath.Dir(path))) { // fixtures record what nobody reads
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.ValueSpec:
					for i, name := range n.Names {
						if strings.HasPrefix(strings.ToLower(name.Name), "action") && i < len(n.Values) {
							actions = appendAction(actions, n.Values[i])
						}
					}
				case *ast.KeyValueExpr:
					if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Action" {
						actions = appendAction(actions, n.Value)
					}
				case *ast.CallExpr:
					if name, ok := n.Fun.(*ast.Ident); ok && strings.HasPrefix(strings.ToLower(name.Name), "record") {
						for _, argument := range n.Args {
							actions = appendAction(actions, argument)
						}
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(actions)
	return slices.Compact(actions)
}

func appendAction(found []string, value ast.Expr) []string {
	literal, ok := value.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return found
	}
	text, err := strconv.Unquote(literal.Value)
	if err != nil || !actionShape.MatchString(text) {
		return found
	}
	return append(found, text)
}

// constants are the values of the text constants of a file whose name fits.
func constants(t *testing.T, path string, fits func(name string) bool) (values []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		for i, name := range spec.Names {
			if !fits(name.Name) || i >= len(spec.Values) {
				continue
			}
			if literal, ok := spec.Values[i].(*ast.BasicLit); ok {
				text, err := strconv.Unquote(literal.Value)
				if err != nil {
					t.Fatal(err)
				}
				values = append(values, text)
			}
		}
		return true
	})
	return values
}
