package launch

import (
	"os"
	"path/filepath"
	"strconv"
)

// processesIn lists the processes whose working directory is the folder. A
// Postgres server and its backends stay in their data folder, so this finds
// what a killed run left behind, without trusting a process id in a file.
func processesIn(folder string) ([]int, error) {
	want, err := os.Stat(folder)
	if err != nil {
		return nil, err
	}
	entries, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, entry := range entries {
		got, err := os.Stat(entry)
		if err != nil || !os.SameFile(want, got) {
			continue // gone meanwhile, or another user's
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(entry)))
		if err == nil && pid != os.Getpid() {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}
