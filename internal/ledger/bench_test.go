package ledger_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/ledger"
)

// BenchmarkAppend is a small transaction of three statements, with and without an entry.
func BenchmarkAppend(b *testing.B) {
	for _, with := range []bool{false, true} {
		b.Run(fmt.Sprintf("ledger=%v", with), func(b *testing.B) {
			env := databasetest.New(b)
			employment := env.Hire(b, "CN")
			b.SetParallelism(8)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					err := database.Run(context.Background(), env.Facts, func(tx *database.Tx) error {
						for range 3 {
							err := tx.DB().Exec("INSERT INTO retention_rules (id, jurisdiction, category, version, period, floor, anchor, basis_zh, basis_en, superseded_at) VALUES (?, 'XX', ?, 1, 'P1Y', 'P1Y', 'employment_end', 'x', 'x', now())",
								uuid.New(), uuid.NewString()).Error
							if err != nil {
								return err
							}
						}
						if !with {
							return nil
						}
						e := entry
						e.Subject, e.Reason = &employment.EmployeeID, ""
						_, err := ledger.Append(tx, e)
						return err
					})
					if err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}

// BenchmarkSequencer sequences and signs what was appended before.
func BenchmarkSequencer(b *testing.B) {
	env := databasetest.New(b)
	s := env.NewSequencer(b)
	must(b, s.Drain(b.Context()))
	const chunk = 1000
	for written := 0; written < b.N; written += chunk {
		must(b, database.Run(b.Context(), env.Facts, func(tx *database.Tx) error {
			for range min(chunk, b.N-written) {
				if _, err := ledger.Append(tx, entry); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	b.ResetTimer()
	must(b, s.Drain(b.Context()))
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}
