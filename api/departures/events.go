package departures

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"lethe/api/httpkit"
	"lethe/internal/access"
	"lethe/internal/departure"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/models"
)

// The kinds of events besides those of the timeline.
const ()

type eventsInput struct {
	ID       uuid.UUID `path:"id" doc:"The departure's id"`
	LastSeen string    `header:"Last-Event-ID" doc:"The id of the last event that was received: the stream goes on after it"`
	Language string    `header:"Accept-Language" doc:"zh or en"`
}

func (s *server) registerDepartureEvents() {
	r := s.Resource("Departures", identity.ScopeDepartures)
	httpkit.Handle(r, httpkit.Route{
		At: "GET /departures/{id}/events", Summary: "Follow a departure as it goes on", To: httpkit.Everyone,
		More: "Server-sent events. `event` names the kind (that of the timeline, or snapshot, changed, problem), " +
			"`data` is the departure as GET gives it, `id` allows resuming with Last-Event-ID. The stream ends when nothing more can happen; " +
			"asked for again then with the last id, it answers 204.", Problems: []int{http.StatusTooManyRequests}, Shape: func(op *huma.Operation) {
			httpkit.Streaming(op)
			op.Responses["204"] = &huma.Response{Description: "Nothing more will happen"}
		},
	}, s.departureEvents)
}

func (s *server) departureEvents(ctx context.Context, in *eventsInput) (*huma.StreamResponse, error) {
	f := &follower{server: s, id: in.ID, bearer: httpkit.BearerOf(ctx), language: i18n.Negotiate(in.Language)}
	if in.LastSeen != "" {
		last, err := strconv.ParseInt(in.LastSeen, 10, 64)
		if err != nil || last < 0 {
			return nil, httpkit.NewProblem(httpkit.CodeValidationFailed, httpkit.FieldError{Location: "header.last_event_id", Code: httpkit.FieldFormat})
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
	release, err := s.Streams.Admit(f.bearer)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hctx huma.Context) {
		defer release()
		f.stream = httpkit.OpenStream(hctx)
		f.run(hctx.Context())
	}}, nil
}

// follower shows one departure to one client as it changes. It asks the database, which holds the
// facts; so it needs nothing from the processes that change them.
type follower struct {
	*server
	stream   *httpkit.EventStream
	id       uuid.UUID
	bearer   identity.Bearer
	language i18n.Language
	last     int64 // newest line of the timeline that the client has
	resumed  bool
	shown    []byte
}

func (f *follower) run(ctx context.Context) {
	err := f.Follow(ctx, f.stream, StreamsOfDepartures, f.id, f.bearer, func() (bool, error) { return f.show(ctx) })
	if err != nil && ctx.Err() == nil {
		_ = f.stream.Send(httpkit.EventProblem, 0, httpkit.ProblemOf(ctx, err).In(f.language, httpkit.RequestIDOf(ctx)))
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
		return f.stream.SendRaw(httpkit.EventSnapshot, f.last, body)
	}
	events = knownEvents(events, knows)
	for _, e := range events {
		if err := f.stream.SendRaw(e.What, e.ID, body); err != nil {
			return err
		}
	}
	f.last = newest
	if len(events) == 0 && !bytes.Equal(f.shown, body) {
		return f.stream.SendRaw(httpkit.EventChanged, f.last, body)
	}
	return nil
}

// StreamsOfDepartures tells whether anything changed that the view of a departure shows.
const StreamsOfDepartures httpkit.StreamKind = `
		SELECT d.id, concat_ws('|', d.xmin::text,
			(SELECT max(e.id)::text FROM departure_events e WHERE e.departure_id = d.id),
			(SELECT string_agg(a.xmin::text, ',' ORDER BY a.id) FROM linked_accounts a WHERE a.employment_id = d.employment_id),
			(SELECT string_agg(s.xmin::text, ',' ORDER BY s.id) FROM linked_accounts a JOIN account_steps s ON s.account_id = a.id
				WHERE a.employment_id = d.employment_id),
			(SELECT string_agg(c.xmin::text, ',' ORDER BY c.id) FROM support_cases c WHERE c.departure_id = d.id AND c.state <> 'closed'),
			(SELECT string_agg(r.xmin::text, ',' ORDER BY r.id) FROM retention_deadlines r WHERE r.departure_id = d.id),
			(SELECT string_agg(p.xmin::text, ',' ORDER BY p.id) FROM purges p WHERE p.departure_id = d.id),
			(SELECT string_agg(q.xmin::text, ',' ORDER BY q.id) FROM approvals q WHERE q.state = 'pending'
				AND q.targets @> jsonb_build_array(jsonb_build_object('kind', 'departure', 'id', d.id::text)))
		) AS fingerprint FROM departures d WHERE d.id IN ?`
