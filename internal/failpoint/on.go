//go:build failpoints

// Package failpoint marks the places at which the crash harness kills a process: before, inside
// and after each effect. This is the build that has them.
package failpoint

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// LETHE_FAILPOINTS is "seed:probability" for random kills, or a comma-separated list of names, each
// of which kills once per installation directory (LETHE_FAILPOINTS_DIR remembers the spent ones).
var setup = sync.OnceValue(read)

type plan struct {
	probability float64
	random      *rand.Rand
	once        map[string]bool
	dir         string
	mu          sync.Mutex
}

func read() *plan {
	p := &plan{once: map[string]bool{}, dir: os.Getenv("LETHE_FAILPOINTS_DIR")}
	spec := os.Getenv("LETHE_FAILPOINTS")
	if seed, probability, ok := strings.Cut(spec, ":"); ok {
		s, err1 := strconv.ParseUint(seed, 10, 64)
		f, err2 := strconv.ParseFloat(probability, 64)
		if err1 != nil || err2 != nil {
			panic("LETHE_FAILPOINTS is seed:probability or a list of names")
		}
		h := fnv.New64a()
		fmt.Fprint(h, os.Getpid())
		p.probability, p.random = f, rand.New(rand.NewPCG(s, h.Sum64()))
		return p
	}
	for name := range strings.SplitSeq(spec, ",") {
		if name != "" {
			p.once[name] = true
		}
	}
	return p
}

// Hit kills the process with SIGKILL if the plan says so.
func Hit(name string) {
	p := setup()
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.random != nil:
		if p.random.Float64() >= p.probability {
			return
		}
	case p.once[name]:
		if p.dir != "" {
			f, err := os.OpenFile(p.dir+"/"+name, os.O_CREATE|os.O_EXCL, 0o600)
			if err != nil {
				return
			}
			_ = f.Close()
		}
	default:
		return
	}
	fmt.Fprintf(os.Stderr, "failpoint %s: killing the process\n", name)
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}
