package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"lethe/internal/i18n"
	"lethe/internal/identity"
)

// streamed describes a stream of events.
func streamed(path, tag, summary string) huma.Operation {
	op := operation(http.MethodGet, path, tag, summary)
	op.Description = "Server-sent events. `event` is snapshot or changed (or problem), `data` is the resource as GET gives it. The stream ends when nothing more can happen."
	op.Responses = map[string]*huma.Response{
		"200": {Description: "A stream of events", Content: map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeString}}}},
	}
	return op
}

func (s *server) exportEvents(ctx context.Context, in *ByID) (*huma.StreamResponse, error) {
	view, err := s.exportView(ctx, in.ID, in.language())
	if err != nil {
		return nil, err
	}
	f := &exportFollower{server: s, id: in.ID, bearer: bearerOf(ctx), language: in.language(), rhythm: normalRhythm}
	return &huma.StreamResponse{Body: func(hctx huma.Context) {
		streams.Inc()
		defer streams.Dec()
		f.stream = openStream(hctx)
		f.run(hctx.Context(), view)
	}}, nil
}

// exportFollower shows one export to one client until it is over.
type exportFollower struct {
	*server
	stream   *eventStream
	id       uuid.UUID
	bearer   identity.Bearer
	language i18n.Language
	rhythm   rhythm
	shown    []byte
}

func (f *exportFollower) run(ctx context.Context, view ExportView) {
	checked, heard := time.Now(), time.Now()
	err := f.show(eventSnapshot, view)
	for err == nil && !view.over() && pause(ctx, f.rhythm.poll) {
		now := time.Now()
		if now.Sub(checked) >= f.rhythm.recheck {
			checked = now
			if _, err = identity.Recheck(ctx, f.DB, f.bearer); err != nil {
				break
			}
		}
		if view, err = f.exportView(ctx, f.id, f.language); err != nil {
			break
		}
		if err = f.show(eventChanged, view); err == nil && now.Sub(heard) >= f.rhythm.beat {
			heard = now
			err = f.stream.beat()
		}
	}
	if err != nil && ctx.Err() == nil {
		_ = f.stream.send(eventProblem, 0, problemOf(ctx, err).in(f.language, requestIDOf(ctx)))
	}
}

// over says that nothing more will happen but that the file goes.
func (v ExportView) over() bool { return v.State != "queued" && v.State != "running" }

func (f *exportFollower) show(kind string, view ExportView) error {
	body, err := json.Marshal(view)
	if err != nil {
		return fmt.Errorf("rendering an export: %w", err)
	}
	if bytes.Equal(body, f.shown) {
		return nil
	}
	f.shown = body
	return f.stream.sendRaw(kind, 0, body)
}
