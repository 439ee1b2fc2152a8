package sandbox

import (
	"slices"

	"lethe/sandbox/control"
)

const keptCalls = 200

// callLog keeps the last calls and counts all of them.
type callLog struct {
	ring []control.Call
	next int
	byOp map[string]int
}

func newCallLog() callLog { return callLog{byOp: make(map[string]int)} }

func (l *callLog) add(c control.Call) {
	l.byOp[c.Op]++
	if len(l.ring) < keptCalls {
		l.ring = append(l.ring, c)
		return
	}
	l.ring[l.next] = c
	l.next = (l.next + 1) % keptCalls
}

// last returns the kept calls, oldest first.
func (l *callLog) last() []control.Call {
	return slices.Concat(l.ring[l.next:], l.ring[:l.next])
}
