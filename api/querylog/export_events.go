package querylog

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"lethe/api/httpkit"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/internal/ledger/evidence"
)

func (s *server) exportEvents(ctx context.Context, in *httpkit.ByID) (*huma.StreamResponse, error) {
	if _, err := s.exportView(ctx, in.ID, in.Language()); err != nil {
		return nil, err
	}
	f := &exportFollower{server: s, id: in.ID, bearer: httpkit.BearerOf(ctx), language: in.Language()}
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

// exportFollower shows one export to one client until it is over.
type exportFollower struct {
	*server
	stream   *httpkit.EventStream
	id       uuid.UUID
	bearer   identity.Bearer
	language i18n.Language
	shown    []byte
}

func (f *exportFollower) run(ctx context.Context) {
	err := f.Follow(ctx, f.stream, streamsOfExports, f.id, f.bearer, func() (bool, error) { return f.show(ctx) })
	if err != nil && ctx.Err() == nil {
		_ = f.stream.Send(httpkit.EventProblem, 0, httpkit.ProblemOf(ctx, err).In(f.language, httpkit.RequestIDOf(ctx)))
	}
}

// over says that nothing more will happen but that the file goes.
func (v ExportView) over() bool { return v.State != evidence.Queued && v.State != evidence.Running }

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
	kind := httpkit.EventChanged
	if f.shown == nil {
		kind = httpkit.EventSnapshot
	}
	f.shown = body
	return view.over(), f.stream.SendRaw(kind, 0, body)
}

const streamsOfExports httpkit.StreamKind = `SELECT x.id, x.xmin::text AS fingerprint FROM query_log_exports x WHERE x.id IN ?`
