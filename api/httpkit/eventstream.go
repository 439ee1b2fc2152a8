package httpkit

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/google/uuid"

	"lethe/internal/identity"
)

// EventStream writes server-sent events (WHATWG HTML, 9.2) to one client.
type EventStream struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

// StreamWriteLimit is how long a client may take for one event.
const StreamWriteLimit = 10 * time.Second

// OpenStream begins a stream. The server's limits for whole requests do not fit one.
func OpenStream(ctx huma.Context) *EventStream {
	c := humagin.Unwrap(ctx)
	s := &EventStream{w: c.Writer, control: http.NewResponseController(c.Writer)}
	_ = s.control.SetReadDeadline(time.Time{})
	ctx.SetHeader("Content-Type", "text/event-stream")
	ctx.SetHeader("X-Accel-Buffering", "no")
	ctx.SetStatus(http.StatusOK)
	return s
}

// Send writes one event; id 0 leaves the client's position as it is.
func (s *EventStream) Send(kind string, id int64, data any) error {
	body, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("rendering an event: %w", err)
	}
	return s.SendRaw(kind, id, body)
}

// SendRaw is Send of what is JSON already.
func (s *EventStream) SendRaw(kind string, id int64, body []byte) error {
	var b bytes.Buffer
	b.WriteString("event: " + kind + "\n")
	if id > 0 {
		b.WriteString("id: " + strconv.FormatInt(id, 10) + "\n")
	}
	b.WriteString("data: ")
	b.Write(body)
	b.WriteString("\n\n")
	return s.write(b.Bytes())
}

// beat keeps proxies from closing a silent connection and finds out whether the client is there.
func (s *EventStream) beat() error { return s.write([]byte(": waiting\n\n")) }

func (s *EventStream) write(b []byte) error {
	_ = s.control.SetWriteDeadline(time.Now().Add(StreamWriteLimit))
	if _, err := s.w.Write(b); err != nil {
		return fmt.Errorf("writing to a stream: %w", err)
	}
	if err := s.control.Flush(); err != nil {
		return fmt.Errorf("flushing a stream: %w", err)
	}
	return nil
}

// Rhythm is how often a stream does what.
type Rhythm struct {
	Poll    time.Duration // all streams together: has anything changed?
	Render  time.Duration // the thorough look, whatever the fingerprint says: some of it follows from the time of day
	Recheck time.Duration // is the token still good?
	Beat    time.Duration // a sign of life in silence
}

// NormalRhythm is what clients are promised.
var NormalRhythm = Rhythm{Poll: 300 * time.Millisecond, Render: 15 * time.Second, Recheck: 5 * time.Second, Beat: 15 * time.Second}

// Follow calls show whenever the resource may have changed, until that says that nothing more can
// happen, the client goes, or the bearer may not ask any more.
func (s *API) Follow(ctx context.Context, stream *EventStream, kind StreamKind, id uuid.UUID, bearer identity.Bearer, show func() (over bool, err error)) error {
	changes, stop := s.Streams.watch(kind, id)
	defer stop()
	pace := NormalRhythm
	recheck, beat, render := time.NewTicker(pace.Recheck), time.NewTicker(pace.Beat), time.NewTicker(pace.Render)
	defer recheck.Stop()
	defer beat.Stop()
	defer render.Stop()
	over, err := show()
	for err == nil && !over {
		select {
		case <-ctx.Done():
			return nil
		case <-changes:
			over, err = show()
		case <-render.C:
			over, err = show()
		case <-recheck.C:
			_, err = identity.Recheck(ctx, s.DB, bearer)
		case <-beat.C:
			err = stream.beat()
		}
	}
	return err
}

// pause waits, and says whether it goes on.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// The kinds of events of every stream.
const (
	EventSnapshot = "snapshot" // how things stand when a stream begins
	EventChanged  = "changed"  // something changed that the timeline does not tell
	EventProblem  = "problem"  // why the stream ends
)
