package departures

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"lethe/api/httpkit"
	"lethe/internal/departure"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/models"
)

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
			httpkit.Streaming[DepartureView](s.API, departure.Events...)(op)
			op.Responses["204"] = &huma.Response{Description: "Nothing more will happen"}
		},
	}, s.departureEvents)
}

func (s *server) departureEvents(ctx context.Context, in *eventsInput) (*huma.StreamResponse, error) {
	actor := httpkit.ActorOf(ctx)
	f := httpkit.Followed{Kind: StreamsOfDepartures, ID: in.ID, Language: i18n.Negotiate(in.Language), Resumed: in.LastSeen != ""}
	if f.Resumed {
		last, err := strconv.ParseInt(in.LastSeen, 10, 64)
		if err != nil || last < 0 {
			return nil, httpkit.NewProblem(httpkit.CodeValidationFailed, httpkit.FieldError{Location: "header.last_event_id", Code: httpkit.FieldFormat})
		}
		f.Position = last
	}
	newest, err := departure.LastEvent(ctx, s.DB, in.ID)
	if err != nil {
		return nil, fmt.Errorf("looking at a timeline: %w", err)
	}
	view, err := s.departureView(ctx, actor, f.Language, in.ID)
	if err != nil {
		return nil, err
	}
	if f.Resumed && f.Position >= newest && view.Over() {
		return &huma.StreamResponse{Body: func(hctx huma.Context) { hctx.SetStatus(http.StatusNoContent) }}, nil
	}
	f.Position = min(f.Position, newest)
	f.Look = func(ctx context.Context, after int64) (httpkit.Moment, error) {
		return s.moment(ctx, actor, f.Language, in.ID, after)
	}
	return s.Stream(ctx, f)
}

// moment passes over the lines of which the actor may not know; they move the position all the same.
func (s *server) moment(ctx context.Context, actor models.Actor, language i18n.Language, id uuid.UUID, after int64) (httpkit.Moment, error) {
	now := httpkit.Moment{Position: after}
	// The timeline is read first: what it tells has happened in the resource that is read after it.
	lines, err := departure.Timeline(ctx, s.DB, id, after)
	if err != nil {
		return now, err
	}
	view, err := s.departureView(ctx, actor, language, id)
	if err != nil {
		return now, err
	}
	if n := len(lines); n > 0 {
		now.Position = lines[n-1].ID
	}
	for _, e := range knownEvents(lines, view.knows) {
		now.Events = append(now.Events, httpkit.StreamEvent{ID: e.ID, Kind: e.What})
	}
	now.View, now.Over = view, view.Over()
	return now, nil
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
