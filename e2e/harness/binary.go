package harness

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"

	"lethe/internal/launch/launchtest"
)

// BinaryFolder is the variable that names a folder with lethe and lethe-failpoints. Without it
// they are built, once for each test binary.
const BinaryFolder = "LETHE_TEST_BIN"

// Binary is the path of the product, Failpoints of the build that kills itself on request.
var (
	binary     = sync.OnceValues(func() (string, error) { return build("lethe") })
	failpoints = sync.OnceValues(func() (string, error) { return build("lethe-failpoints", "-tags", "failpoints") })
)

// Binary is the path of the product's program.
func Binary() (string, error) { return binary() }

func build(name string, flags ...string) (string, error) {
	if folder := os.Getenv(BinaryFolder); folder != "" {
		return exec.LookPath(filepath.Join(folder, name))
	}
	root, err := launchtest.ModuleRoot()
	if err != nil {
		return "", err
	}
	folder, err := scratch()
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder.Path, name)
	args := append([]string{"build", "-buildvcs=false", "-o", path}, flags...)
	cmd := exec.Command("go", append(args, "./cmd/lethe")...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", name, err, out)
	}
	return path, nil
}

// scratch is this process's folder for binaries; the next process removes it.
var scratch = sync.OnceValues(func() (*launchtest.Scratch, error) {
	return launchtest.NewScratch(filepath.Join(os.TempDir(), fmt.Sprintf("lethe-e2e-bin-%d", os.Geteuid())))
})
