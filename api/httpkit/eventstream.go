package httpkit

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/google/uuid"

	"lethe/internal/i18n"
	"lethe/internal/identity"
)

// eventStream writes server-sent events (WHATWG HTML, 9.2) to one client.
type eventStream struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

// StreamWriteLimit is how long a client may take for one event.
const StreamWriteLimit = 10 * time.Second

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

// send writes one event of what is JSON; id 0 leaves the client's position as it is.
func (s *eventStream) send(kind string, id int64, body []byte) error {
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

// Followed is a resource that one client follows as it changes. It is read from the database, which holds the
// facts; so following needs nothing from the processes that change them.
type Followed struct {
	Kind     StreamKind
	ID       uuid.UUID
	Language i18n.Language
	// Position is what the client has seen, of a client that comes back: it gets no snapshot.
	Position int64
	Resumed  bool
	// Look reads the resource, and what happened to it after a position.
	Look func(ctx context.Context, after int64) (Moment, error)

	shown []byte
}

// Moment is how a followed resource stands.
type Moment struct {
	View any // as GET gives it
	// Events are what the client is told of, up to Position; nothing, if the resource has no timeline.
	Events   []StreamEvent
	Position int64
	Over     bool // nothing more can happen
}

// StreamEvent is something that happened, by its place in a timeline.
type StreamEvent struct {
	ID   int64
	Kind string
}

// Stream answers with the events of a resource until nothing more can happen, the client goes, or the caller may not
// ask any more.
func (s *API) Stream(ctx context.Context, f Followed) (*huma.StreamResponse, error) {
	bearer := BearerOf(ctx)
	release, err := s.Streams.Admit(bearer)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hctx huma.Context) {
		defer release()
		ctx, stream := hctx.Context(), openStream(hctx)
		err := s.follow(ctx, stream, bearer, &f)
		if err == nil || ctx.Err() != nil {
			return
		}
		if body, err := json.Marshal(ProblemOf(ctx, err).In(f.Language, RequestIDOf(ctx))); err == nil {
			_ = stream.send(EventProblem, 0, body)
		}
	}}, nil
}

// follow shows the resource whenever it may have changed.
func (s *API) follow(ctx context.Context, stream *eventStream, bearer identity.Bearer, f *Followed) error {
	changes, stop := s.Streams.watch(f.Kind, f.ID)
	defer stop()
	pace := NormalRhythm
	recheck, beat, render := time.NewTicker(pace.Recheck), time.NewTicker(pace.Beat), time.NewTicker(pace.Render)
	defer recheck.Stop()
	defer beat.Stop()
	defer render.Stop()
	over, err := f.show(ctx, stream)
	for err == nil && !over {
		select {
		case <-ctx.Done():
			return nil
		case <-changes:
			over, err = f.show(ctx, stream)
		case <-render.C:
			over, err = f.show(ctx, stream)
		case <-recheck.C:
			_, err = identity.Recheck(ctx, s.DB, bearer)
		case <-beat.C:
			err = stream.beat()
		}
	}
	return err
}

// show sends what is new and says whether nothing more can happen.
func (f *Followed) show(ctx context.Context, stream *eventStream) (over bool, err error) {
	now, err := f.Look(ctx, f.Position)
	if err != nil {
		return false, err
	}
	body, err := json.Marshal(now.View)
	if err != nil {
		return false, fmt.Errorf("rendering an event: %w", err)
	}
	first, changed := f.shown == nil && !f.Resumed, !bytes.Equal(f.shown, body)
	f.shown, f.Position = body, now.Position
	switch {
	case first:
		err = stream.send(EventSnapshot, now.Position, body)
	case len(now.Events) > 0:
		for _, e := range now.Events {
			if err == nil {
				err = stream.send(e.Kind, e.ID, body)
			}
		}
	case changed:
		err = stream.send(EventChanged, now.Position, body)
	}
	return now.Over, err
}

// Streaming is a shape: the call answers a stream of events, which the document tells by their names: those of every
// stream, and kinds of the timeline, have the resource as GET gives it.
func Streaming[V any](s *API, kinds ...string) func(op *huma.Operation) {
	event := func(data reflect.Type, names ...string) *huma.Schema {
		name := &huma.Schema{Type: huma.TypeString}
		for _, n := range names {
			name.Enum = append(name.Enum, n)
		}
		return &huma.Schema{Type: huma.TypeObject, Required: []string{"event", "data"}, AdditionalProperties: false, Properties: map[string]*huma.Schema{
			"event": name, "id": {Type: huma.TypeInteger, Format: "int64"},
			"data": s.Huma.OpenAPI().Components.Schemas.Schema(data, true, data.Name()),
		}}
	}
	schema := &huma.Schema{Type: huma.TypeArray, Description: "The events, one after the other", Items: &huma.Schema{OneOf: []*huma.Schema{
		event(reflect.TypeFor[V](), append([]string{EventSnapshot, EventChanged}, kinds...)...), event(reflect.TypeFor[Problem](), EventProblem),
	}}}
	return Answering("text/event-stream", http.StatusOK, "A stream of events", schema)
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
