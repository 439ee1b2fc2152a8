package querylog

import (
	"context"
	"log/slog"
	"time"

	"lethe/internal/database"
)

// sortEvery is how long new words wait at most before they are sorted into the index.
const sortEvery = time.Second

// KeepSorted sorts the words of new entries into the index until ctx ends, so that no command has to
// wait for it. Searches find them before too.
func KeepSorted(ctx context.Context, db *database.DB, log *slog.Logger) {
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(sortEvery):
		}
		err := SortIn(ctx, db)
		if err != nil && ctx.Err() == nil && !failing {
			log.WarnContext(ctx, "the words of new log entries are not sorted in", "error", err.Error())
		}
		failing = err != nil
	}
}

// SortIn sorts in what waits.
func SortIn(ctx context.Context, db *database.DB) error {
	return database.Wrap("sorting in the words of new entries", db.Read(ctx).Exec("SELECT query_log_sort_in()").Error)
}
