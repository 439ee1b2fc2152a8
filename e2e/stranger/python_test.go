package stranger

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// noPython is how their program ends when there is no Python to run it with.
const noPython = 2

// needPython installs Python where it is missing and we may, as internal/launch does with Postgres.
func needPython(t *testing.T) {
	t.Helper()
	if out, err := havePython(); err != nil {
		t.Fatalf("the stranger's verifier does not run; it needs Python 3.9 or newer (`sudo apt-get install python3`): %v\n%s", err, out)
	}
}

var havePython = sync.OnceValues(func() (string, error) {
	out, err := installPython()
	if err == nil {
		err = straightToPython()
	}
	return out, err
})

// straightToPython puts the folder of the interpreter itself in front: where a version manager stands before it, each
// of a hundred calls would start that, too.
func straightToPython() error {
	where, err := exec.Command("sh", "-c", `"$(command -v python3 || command -v python)" -c 'import sys; print(sys.executable)'`).Output()
	if err != nil {
		return err
	}
	return os.Setenv("PATH", filepath.Dir(strings.TrimSpace(string(where)))+string(os.PathListSeparator)+os.Getenv("PATH"))
}

func installPython() (string, error) {
	help := exec.Command(theirs, "--help")
	out, err := help.CombinedOutput()
	if err == nil || help.ProcessState == nil || help.ProcessState.ExitCode() != noPython {
		return string(out), err
	}
	if _, missing := exec.LookPath("apt-get"); missing != nil || os.Geteuid() != 0 {
		return string(out), err
	}
	for _, step := range [][]string{{"update", "-q"}, {"install", "-q", "-y", "--no-install-recommends", "python3"}} {
		install := exec.Command("apt-get", step...)
		install.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := install.CombinedOutput(); err != nil {
			return string(out), err
		}
	}
	out, err = exec.Command(theirs, "--help").CombinedOutput()
	return string(out), err
}
