package httpkit

import (
	"log/slog"

	"github.com/google/uuid"

	"lethe/internal/database"
)

// Hub is a hub that looks only when a test does.
type Hub struct{ *streamHub }

// NewHub is a hub that does not look by itself.
func NewHub(db *database.DB) Hub {
	h := newStreamHub(db, slog.New(slog.DiscardHandler))
	h.polling = true
	return Hub{h}
}

// Watch is what a stream does.
func (h Hub) Watch(kind StreamKind, id uuid.UUID) (changes <-chan struct{}, stop func()) {
	return h.watch(kind, id)
}

// Look looks once.
func (h Hub) Look() (byKind map[StreamKind][]uuid.UUID, err error) {
	byKind = h.toLookAt()
	for kind, ids := range byKind {
		if err = h.look(kind, ids); err != nil {
			return byKind, err
		}
	}
	return byKind, nil
}
