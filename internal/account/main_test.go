package account

import (
	"fmt"
	"os"
	"sync"
	"testing"

	"lethe/internal/database/databasetest"
)

// Making a pair of databases takes longer than a test here, and no test looks at another's people:
// the package shares one pair, and its tests run one after the other since they move its clock.
var sharedEnv = sync.OnceValue(func() *databasetest.Env { return databasetest.New(&packageScope) })

var packageScope scope

// scope stands in for a test that lasts as long as the package's tests.
type scope struct {
	testing.TB
	cleanups []func()
}

func (s *scope) Helper()                   {}
func (s *scope) Cleanup(f func())          { s.cleanups = append(s.cleanups, f) }
func (s *scope) Fatal(args ...any)         { panic(fmt.Sprint(args...)) }
func (s *scope) Fatalf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }
func (s *scope) Errorf(f string, a ...any) { fmt.Fprintf(os.Stderr, f+"\n", a...) }

func (s *scope) TempDir() string {
	folder, err := os.MkdirTemp("", "account")
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = os.RemoveAll(folder) })
	return folder
}

func TestMain(m *testing.M) {
	code := m.Run()
	for i := len(packageScope.cleanups) - 1; i >= 0; i-- {
		packageScope.cleanups[i]()
	}
	os.Exit(code)
}
