package launch

import (
	"os/exec"
	"runtime"
	"sync"
)

// The kernel ties a child's parent-death signal to the thread that started it,
// not to the process. Go ends threads as it likes, so all children are started
// by one goroutine that owns its thread for good.
var (
	spawner  sync.Once
	requests = make(chan spawnRequest)
)

type spawnRequest struct {
	cmd  *exec.Cmd
	done chan<- error
}

// spawn starts the command so that it dies with this process.
func spawn(cmd *exec.Cmd) error {
	spawner.Do(func() { go spawnForever() })
	done := make(chan error)
	requests <- spawnRequest{cmd, done}
	return <-done
}

// spawnForever never returns: its thread must live as long as the process.
func spawnForever() {
	runtime.LockOSThread()
	for request := range requests {
		request.done <- request.cmd.Start()
	}
}
