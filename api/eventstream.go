package api

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

// eventStream writes server-sent events (WHATWG HTML, 9.2) to one client.
type eventStream struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

const streamWriteLimit = 10 * time.Second

// openStream begins a stream. The server's limits for whole requests do not fit one.
func openStream(ctx huma.Context) *eventStream {
	c := humagin.Unwrap(ctx)
	s := &eventStream{w: c.Writer, control: http.NewResponseController(c.Writer)}
	_ = s.control.SetReadDeadline(time.Time{})
	ctx.SetHeader("Content-Type", "text/event-stream")
	ctx.SetHeader("X-Accel-Buffering", "no")
	ctx.SetStatus(http.StatusOK)
	return s
}

// send writes one event; id 0 leaves the client's position as it is.
func (s *eventStream) send(kind string, id int64, data any) error {
	body, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("rendering an event: %w", err)
	}
	return s.sendRaw(kind, id, body)
}

func (s *eventStream) sendRaw(kind string, id int64, body []byte) error {
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
func (s *eventStream) beat() error { return s.write([]byte(": waiting\n\n")) }

func (s *eventStream) write(b []byte) error {
	_ = s.control.SetWriteDeadline(time.Now().Add(streamWriteLimit))
	if _, err := s.w.Write(b); err != nil {
		return fmt.Errorf("writing to a stream: %w", err)
	}
	if err := s.control.Flush(); err != nil {
		return fmt.Errorf("flushing a stream: %w", err)
	}
	return nil
}

// rhythm is how often a stream does what.
type rhythm struct {
	poll    time.Duration // all streams together: has anything changed?
	render  time.Duration // the thorough look, whatever the fingerprint says: some of it follows from the time of day
	recheck time.Duration // is the token still good?
	beat    time.Duration // a sign of life in silence
}

var normalRhythm = rhythm{poll: 300 * time.Millisecond, render: 15 * time.Second, recheck: 5 * time.Second, beat: 15 * time.Second}

// follow calls show whenever the resource may have changed, until that says that nothing more can
// happen, the client goes, or the bearer may not ask any more.
func (s *server) follow(ctx context.Context, stream *eventStream, kind streamKind, id uuid.UUID, bearer identity.Bearer, show func() (over bool, err error)) error {
	changes, stop := s.streams.watch(kind, id)
	defer stop()
	pace := normalRhythm
	recheck, beat, render := time.NewTicker(pace.recheck), time.NewTicker(pace.beat), time.NewTicker(pace.render)
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
