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

// TestI18_EveryActionOfTheLedgerHasItsText finds the actions in the source: constants named action…,
// the Action of an entry, and every other text of that shape about a noun that occurs there, in files
// that write to the ledger. What people read in the log has a text in both languages.
func TestI18_EveryActionOfTheLedgerHasItsText(t *testing.T) {
	sure, maybe := actionsInSource(t)
	if len(sure) < 60 {
		t.Fatalf("only %d actions were found", len(sure))
	}
	nouns := map[string]bool{}
	for _, action := range append(slices.Clone(sure), i18n.Keys("ledger.action.")...) {
		noun, _, _ := strings.Cut(action, ".")
		nouns[noun] = true
	}
	delete(nouns, "ledger") // files and places in the code are named after it, too
	for _, text := range maybe {
		if noun, _, _ := strings.Cut(text, "."); nouns[noun] {
			sure = append(sure, text)
		}
	}
	slices.Sort(sure)
	for _, action := range slices.Compact(sure) {
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

func actionsInSource(t *testing.T) (sure, maybe []string) {
	t.Helper()
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		writes := slices.ContainsFunc(file.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == `"lethe/internal/ledger"` })
		if !writes && file.Name.Name != "ledger" {
			return nil
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				for i, name := range n.Names {
					if strings.HasPrefix(strings.ToLower(name.Name), "action") && i < len(n.Values) {
						sure = appendAction(sure, n.Values[i])
					}
				}
			case *ast.KeyValueExpr:
				if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Action" {
					sure = appendAction(sure, n.Value)
				}
			case *ast.BasicLit:
				maybe = appendAction(maybe, n)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return sure, maybe
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
