package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"lethe/internal/access"
	"lethe/internal/departure"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/models"
)

// The kinds of events besides those of the timeline.
const (
	eventSnapshot = "snapshot" // how things stand when a stream begins
	eventChanged  = "changed"  // something changed that the timeline does not tell
	eventProblem  = "problem"  // why the stream ends
)

type eventsInput struct {
	ID       uuid.UUID `path:"id"`
	LastSeen string    `header:"Last-Event-ID" doc:"The id of the last event that was received: the stream goes on after it"`
	Language string    `header:"Accept-Language" doc:"zh or en"`
}

func (s *server) registerDepartureEvents() {
	r := s.resource("Departures", identity.ScopeDepartures)
	handle(r, route{
		at: "GET /departures/{id}/events", summary: "Follow a departure as it goes on", to: everyone,
		more: "Server-sent events. `event` names the kind (that of the timeline, or snapshot, changed, problem), " +
			"`data` is the departure as GET gives it, `id` allows resuming with Last-Event-ID. The stream ends when nothing more can happen; " +
			"asked for again then with the last id, it answers 204.", shape: func(op *huma.Operation) {
			streaming(op)
			op.Responses["204"] = &huma.Response{Description: "Nothing more will happen"}
		},
	}, s.departureEvents)
}

func (s *server) departureEvents(ctx context.Context, in *eventsInput) (*huma.StreamResponse, error) {
	f := &follower{server: s, id: in.ID, bearer: bearerOf(ctx), language: i18n.Negotiate(in.Language)}
	if in.LastSeen != "" {
		last, err := strconv.ParseInt(in.LastSeen, 10, 64)
		if err != nil || last < 0 {
			return nil, problem(codeValidationFailed, FieldError{Location: "header.last_event_id", Code: fieldFormat})
		}
		f.last, f.resumed = last, true
	}
	view, newest, err := f.look(ctx)
	if err != nil {
		return nil, err
	}
	if f.resumed && f.last >= newest && view.Over() {
		return &huma.StreamResponse{Body: func(hctx huma.Context) { hctx.SetStatus(http.StatusNoContent) }}, nil
	}
	f.last = min(f.last, newest)
	release, err := s.streams.admit(f.bearer)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hctx huma.Context) {
		defer release()
		f.stream = openStream(hctx)
		f.run(hctx.Context())
	}}, nil
}

// follower shows one departure to one client as it changes. It asks the database, which holds the
// facts; so it needs nothing from the processes that change them.
type follower struct {
	*server
	stream   *eventStream
	id       uuid.UUID
	bearer   identity.Bearer
	language i18n.Language
	last     int64 // newest line of the timeline that the client has
	resumed  bool
	shown    []byte
}

func (f *follower) run(ctx context.Context) {
	err := f.follow(ctx, f.stream, streamsOfDepartures, f.id, f.bearer, func() (bool, error) { return f.show(ctx) })
	if err != nil && ctx.Err() == nil {
		_ = f.stream.send(eventProblem, 0, problemOf(ctx, err).in(f.language, requestIDOf(ctx)))
	}
}

// look reads the departure as the bearer may see it, and the newest line of its timeline.
func (f *follower) look(ctx context.Context) (DepartureView, int64, error) {
	newest, err := departure.LastEvent(ctx, f.DB, f.id)
	if err != nil {
		return DepartureView{}, 0, fmt.Errorf("looking at a timeline: %w", err)
	}
	view, err := f.departureView(ctx, f.bearer.Actor, f.language, f.id)
	return view, newest, err
}

// show sends what is new and says whether nothing more can happen.
func (f *follower) show(ctx context.Context) (over bool, err error) {
	// The timeline is read first: what it tells has happened in the resource that is read after it.
	events, err := departure.Timeline(ctx, f.DB, f.id, f.last)
	if err != nil {
		return false, err
	}
	view, err := f.departureView(ctx, f.bearer.Actor, f.language, f.id)
	if err != nil {
		return false, err
	}
	body, err := json.Marshal(view)
	if err != nil {
		return false, fmt.Errorf("rendering a departure: %w", err)
	}
	if err := f.send(events, view.knows, body); err != nil {
		return false, err
	}
	f.shown = body
	return view.Over(), nil
}

// send passes over the lines of which the bearer may not know; they move the position all the same.
func (f *follower) send(events []models.DepartureEvent, knows func(access.Part) bool, body []byte) error {
	newest := f.last
	if n := len(events); n > 0 {
		newest = events[n-1].ID
	}
	if f.shown == nil && !f.resumed {
		f.last = newest
		return f.stream.sendRaw(eventSnapshot, f.last, body)
	}
	events = knownEvents(events, knows)
	for _, e := range events {
		if err := f.stream.sendRaw(e.What, e.ID, body); err != nil {
			return err
		}
	}
	f.last = newest
	if len(events) == 0 && !bytes.Equal(f.shown, body) {
		return f.stream.sendRaw(eventChanged, f.last, body)
	}
	return nil
}
