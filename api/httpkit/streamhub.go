package httpkit

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/identity"
)

// How many event streams may be open at once: with one token or session, of one person, and in this
// process. A console needs a few; what opens more has a fault, or means harm to all others.
const (
	StreamsPerCredential = 10
	streamsPerPerson     = 20
	streamsPerProcess    = 1000
)

// streamRetry is when a refused stream may be asked for again.
const streamRetry = 5 * time.Second

// streamHub counts the open streams, and looks for all of them whether what they follow has changed.
// However many there are, the database is asked once per beat and kind of resource.
type streamHub struct {
	db  *database.DB
	log *slog.Logger

	mu            sync.Mutex
	open          int
	byCredential  map[uuid.UUID]int
	byPerson      map[uuid.UUID]int
	watched       map[watchedKey]*watchedResource
	polling       bool
	pollingPeriod time.Duration
}

type watchedKey struct {
	kind StreamKind
	id   uuid.UUID
}

type watchedResource struct {
	fingerprint string
	changes     map[chan struct{}]bool
}

// StreamKind is what a stream follows; its value is the query that tells a fingerprint of each of
// many. xmin changes with every update of a row, so that nothing has to be remembered in a column.
type StreamKind string

func newStreamHub(db *database.DB, log *slog.Logger) *streamHub {
	return &streamHub{
		db: db, log: log, byCredential: map[uuid.UUID]int{}, byPerson: map[uuid.UUID]int{},
		watched: map[watchedKey]*watchedResource{}, pollingPeriod: NormalRhythm.Poll,
	}
}

// Admit counts a stream until release is called, or refuses it.
func (h *streamHub) Admit(b identity.Bearer) (release func(), err error) {
	credential := b.TokenID
	if b.SessionID != uuid.Nil {
		credential = b.SessionID
	}
	person := b.Actor.EmployeeID
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.open >= streamsPerProcess || h.byCredential[credential] >= StreamsPerCredential || h.byPerson[person] >= streamsPerPerson {
		refusedStreams.Inc()
		p := NewProblem(codeTooManyStreams)
		p.RetryAfter = streamRetry
		return nil, p
	}
	h.open++
	h.byCredential[credential]++
	h.byPerson[person]++
	streams.Inc()
	return sync.OnceFunc(func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.open--
		countDown(h.byCredential, credential)
		countDown(h.byPerson, person)
		streams.Dec()
	}), nil
}

func countDown(counts map[uuid.UUID]int, key uuid.UUID) {
	if counts[key]--; counts[key] == 0 {
		delete(counts, key)
	}
}

// watch returns a channel that is ready whenever the resource may have changed since it was looked at
// last. stop ends that.
func (h *streamHub) watch(kind StreamKind, id uuid.UUID) (changes <-chan struct{}, stop func()) {
	key, mine := watchedKey{kind, id}, make(chan struct{}, 1)
	h.mu.Lock()
	defer h.mu.Unlock()
	w := h.watched[key]
	if w == nil {
		w = &watchedResource{changes: map[chan struct{}]bool{}}
		h.watched[key] = w
	}
	w.changes[mine] = true
	if !h.polling {
		h.polling = true
		go h.poll()
	}
	return mine, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if delete(w.changes, mine); len(w.changes) == 0 {
			delete(h.watched, key)
		}
	}
}

// poll runs as long as something is watched.
func (h *streamHub) poll() {
	for {
		time.Sleep(h.pollingPeriod)
		byKind := h.toLookAt()
		if byKind == nil {
			return
		}
		for kind, ids := range byKind {
			if err := h.look(kind, ids); err != nil {
				h.log.Warn("looking for changes for event streams", "error", err)
			}
		}
	}
}

func (h *streamHub) toLookAt() map[StreamKind][]uuid.UUID {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.watched) == 0 {
		h.polling = false
		return nil
	}
	byKind := map[StreamKind][]uuid.UUID{}
	for key := range h.watched {
		byKind[key.kind] = append(byKind[key.kind], key.id)
	}
	return byKind
}

// lookWithin bounds one look: a database that hangs must not pile looks up.
const lookWithin = 10 * time.Second

// look compares the fingerprints with those of the last look. A resource that is looked at for the
// first time counts as changed: whoever follows it has read it before, without knowing when.
func (h *streamHub) look(kind StreamKind, ids []uuid.UUID) error {
	ctx, cancel := context.WithTimeout(context.Background(), lookWithin)
	defer cancel()
	var rows []struct {
		ID          uuid.UUID
		Fingerprint string
	}
	if err := h.db.Read(ctx).Raw(string(kind), ids).Scan(&rows).Error; err != nil {
		return database.Wrap("reading fingerprints", err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, row := range rows {
		w := h.watched[watchedKey{kind, row.ID}]
		if w == nil || w.fingerprint == row.Fingerprint {
			continue
		}
		w.fingerprint = row.Fingerprint
		for _, c := range slices.Collect(maps.Keys(w.changes)) {
			select {
			case c <- struct{}{}:
			default: // it has not looked since the last one
			}
		}
	}
	return nil
}
