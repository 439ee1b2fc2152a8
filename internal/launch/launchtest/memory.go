package launchtest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

const (
	sharedMemory = "/dev/shm"
	tmpfsMagic   = 0x01021994 // statfs(2)
	gib          = 1 << 30
)

// RunsFolder is where the data of test runs go: into memory where there is plenty, else into the checkout.
// Tests make and drop databases by the hundred, of some 700 files each; on a disk the files cost more than
// the tests.
func RunsFolder(root string) string {
	var fs syscall.Statfs_t
	if syscall.Statfs(sharedMemory, &fs) == nil && fs.Type == tmpfsMagic && fs.Bavail*uint64(fs.Bsize) >= 4*gib && freeMemory() >= 8*gib {
		return filepath.Join(sharedMemory, fmt.Sprintf("lethe-test-%d", os.Geteuid()))
	}
	return filepath.Join(root, ".data", "test")
}

// freeMemory is what the machine, or the container, has left, in bytes; 0 if nobody can tell.
func freeMemory() uint64 {
	var free uint64
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "MemAvailable:"); ok {
			kib, _ := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			free = kib << 10
		}
	}
	for _, limit := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		text, err := os.ReadFile(limit)
		if err != nil {
			continue
		}
		if most, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64); err == nil {
			free = min(free, most)
		}
	}
	return free
}
