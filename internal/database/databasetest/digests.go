package databasetest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"sync"

	"lethe/internal/keyed"
)

// Digests are keys of digests that live as long as the test.
type Digests struct {
	mu   sync.Mutex
	keys map[string][][]byte
}

// DigestKeys draws a purpose's key when it is first asked for.
func (e *Digests) DigestKeys(_ context.Context, p keyed.Purpose) ([][]byte, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.keys[p.Name]) == 0 {
		e.add(p)
	}
	return e.keys[p.Name], nil
}

// Follow draws the next key of a purpose, which makes digests from now on; the ones before it live on.
func (e *Digests) Follow(p keyed.Purpose) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.add(p)
}

func (e *Digests) add(p keyed.Purpose) {
	if e.keys == nil {
		e.keys = map[string][][]byte{}
	}
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // never fails
	e.keys[p.Name] = append([][]byte{key}, e.keys[p.Name]...)
}
