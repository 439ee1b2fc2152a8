package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"lethe/internal/i18n"
	"lethe/internal/identity"
)

func (s *server) exportEvents(ctx context.Context, in *ByID) (*huma.StreamResponse, error) {
	if _, err := s.exportView(ctx, in.ID, in.language()); err != nil {
		return nil, err
	}
	f := &exportFollower{server: s, id: in.ID, bearer: bearerOf(ctx), language: in.language()}
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

// exportFollower shows one export to one client until it is over.
type exportFollower struct {
	*server
	stream   *eventStream
	id       uuid.UUID
	bearer   identity.Bearer
	language i18n.Language
	shown    []byte
}

func (f *exportFollower) run(ctx context.Context) {
	err := f.follow(ctx, f.stream, streamsOfExports, f.id, f.bearer, func() (bool, error) { return f.show(ctx) })
	if err != nil && ctx.Err() == nil {
		_ = f.stream.send(eventProblem, 0, problemOf(ctx, err).in(f.language, requestIDOf(ctx)))
	}
}

// over says that nothing more will happen but that the file goes.
func (v ExportView) over() bool { return v.State != "queued" && v.State != "running" }

func (f *exportFollower) show(ctx context.Context) (over bool, err error) {
	view, err := f.exportView(ctx, f.id, f.language)
	if err != nil {
		return false, err
	}
	body, err := json.Marshal(view)
	if err != nil {
		return false, fmt.Errorf("rendering an export: %w", err)
	}
	if bytes.Equal(body, f.shown) {
		return view.over(), nil
	}
	kind := eventChanged
	if f.shown == nil {
		kind = eventSnapshot
	}
	f.shown = body
	return view.over(), f.stream.sendRaw(kind, 0, body)
}
