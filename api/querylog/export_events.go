package querylog

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"lethe/api/httpkit"
	"lethe/internal/ledger/evidence"
)

func (s *server) exportEvents(ctx context.Context, in *httpkit.ByID) (*huma.StreamResponse, error) {
	look := func(ctx context.Context, _ int64) (httpkit.Moment, error) {
		view, err := s.exportView(ctx, in.ID, in.Language())
		return httpkit.Moment{View: view, Over: view.over()}, err
	}
	if _, err := look(ctx, 0); err != nil {
		return nil, err
	}
	return s.Stream(ctx, httpkit.Followed{Kind: streamsOfExports, ID: in.ID, Language: in.Language(), Look: look})
}

// over says that nothing more will happen but that the file goes.
func (v ExportView) over() bool { return v.State != evidence.Queued && v.State != evidence.Running }

const streamsOfExports httpkit.StreamKind = `SELECT x.id, x.xmin::text AS fingerprint FROM query_log_exports x WHERE x.id IN ?`
