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

// TestI18_EveryDetailOfTheLedgerHasItsText finds the details in the product's source, as literals: what is given as the
// Details of an entry, kept in a variable of that name, made by a function of that name, or handed to one that records.
func TestI18_EveryDetailOfTheLedgerHasItsText(t *testing.T) {
	keys := map[string]bool{}
	sources(t, func(file *ast.File) {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.KeyValueExpr:
				if named(n.Key) {
					addKeys(keys, n.Value)
				}
			case *ast.AssignStmt:
				for i, to := range n.Lhs {
					if at, ok := to.(*ast.IndexExpr); ok && named(at.X) {
						addKey(keys, at.Index)
					} else if named(to) && i < len(n.Rhs) {
						addKeys(keys, n.Rhs[i])
					}
				}
			case *ast.FuncDecl:
				if named(n.Name) {
					addKeys(keys, n)
				}
			case *ast.CallExpr:
				if name, ok := n.Fun.(*ast.Ident); ok && strings.HasPrefix(strings.ToLower(name.Name), "record") {
					for _, argument := range n.Args {
						addKeys(keys, argument)
					}
				}
			}
			return true
		})
	})
	if len(keys) < 70 {
		t.Fatalf("only %d details were found", len(keys))
	}
	for key := range keys {
		for _, ending := range []string{"_before", "_sha256", "_mac"} {
			key = strings.TrimSuffix(key, ending)
		}
		if _, ok := i18n.Lookup(i18n.English, "approval.field."+key); !ok {
			missing(t, "ledger.detail."+key)
		}
	}
}

// named says whether something is called details.
func named(e ast.Expr) bool {
	if of, ok := e.(*ast.SelectorExpr); ok {
		e = of.Sel
	}
	name, ok := e.(*ast.Ident)
	return ok && strings.HasSuffix(strings.ToLower(name.Name), "details")
}

// addKeys adds the keys of the maps of texts in a piece of source.
func addKeys(keys map[string]bool, within ast.Node) {
	ast.Inspect(within, func(n ast.Node) bool {
		made, ok := n.(*ast.CompositeLit)
		if !ok {
			return true
		}
		of, ok := made.Type.(*ast.MapType)
		if !ok {
			return true
		}
		if value, ok := of.Value.(*ast.Ident); !ok || value.Name != "string" {
			return true
		}
		for _, element := range made.Elts {
			if pair, ok := element.(*ast.KeyValueExpr); ok {
				addKey(keys, pair.Key)
			}
		}
		return true
	})
}

func addKey(keys map[string]bool, key ast.Expr) {
	if literal, ok := key.(*ast.BasicLit); ok && literal.Kind == token.STRING {
		keys[strings.Trim(literal.Value, `"`)] = true
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

// sources hands over the files of the product that may write into the ledger.
func sources(t *testing.T, each func(file *ast.File)) {
	t.Helper()
	for _, folder := range []string{"api", "activities", "cmd", "internal"} {
		err := filepath.WalkDir(filepath.Join("../..", folder), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") ||
				slices.Contains([]string{"databasetest", "apitest", "corpus"}, filepath.Base(filepath.Dir(path))) { // fixtures record what nobody reads
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err == nil {
				each(file)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func actionsInSource(t *testing.T) (actions []string) {
	t.Helper()
	sources(t, func(file *ast.File) {
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
	})
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
