package httpkit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/keyed"
	"lethe/models"
)

// KeyLife is how long a repeated request is recognised.
const KeyLife = 48 * time.Hour

const maxKey = 200

// Idempotent is the header field of every POST that creates.
type Idempotent struct {
	Key string `header:"Idempotency-Key" doc:"Any text that is new for each new request, best a UUID. A request repeated with the same key has one effect, the same status and the same Location."`
}

// Creation is what a creating command came to. Bodies are rendered afresh, never stored.
type Creation struct {
	ID       uuid.UUID
	Status   int
	Location string
}

// Create runs effect in a transaction, once for each key of a person (I26). The row of the key is
// the first lock taken: a second request with the same key waits there until the first has
// committed, and is then answered with what that one came to, or has failed, and is tried itself.
func (s *API) Create(ctx context.Context, key, route string, command any, effect func(tx *database.Tx) (Creation, error)) (Creation, error) {
	if !usableKey(key) {
		return Creation{}, unusableKeyProblem()
	}
	var made Creation
	err := database.Run(ctx, s.DB, func(tx *database.Tx) error {
		made = Creation{}
		if key == "" {
			var err error
			made, err = effect(tx)
			return err
		}
		rows, err := keyRows(tx, ActorOf(ctx), key, route, command)
		if err != nil {
			return err
		}
		first, err := claimKey(tx, rows)
		if err != nil {
			return err
		}
		if !first {
			made, err = repeat(tx, rows)
			return err
		}
		if made, err = effect(tx); err != nil {
			return err
		}
		return keepAnswer(tx, rows[0], made)
	})
	return made, err
}

// usableKey accepts no key, and visible ASCII.
func usableKey(key string) bool {
	return len(key) <= maxKey && strings.IndexFunc(key, func(r rune) bool { return r < ' ' || r > '~' }) < 0
}

// keyRows are what a request is kept as, by each key of digests that lives; the first one is what is
// inserted. The Idempotency-Key could be anything, and the body is personal: of both only a keyed digest
// is kept, from which neither can be guessed.
func keyRows(tx *database.Tx, by models.Actor, key, route string, command any) ([]models.IdempotencyKey, error) {
	body, err := json.Marshal(command)
	if err != nil {
		return nil, fmt.Errorf("hashing a command: %w", err)
	}
	set, err := keyed.Living(tx.Context(), tx, keyed.Requests)
	if err != nil {
		return nil, err
	}
	keys, requests := set.All("key", key), set.All("body", key, route, string(body))
	rows := make([]models.IdempotencyKey, len(keys))
	for i := range keys {
		rows[i] = models.IdempotencyKey{EmployeeID: by.EmployeeID, KeyHash: keys[i], Route: route, RequestHash: requests[i]}
	}
	return rows, nil
}

// claimKey inserts the key's row, or takes over one that has expired. It waits for whoever inserted
// the same key and has not committed. While a key of digests is being followed by the next one, the
// same key may be there under the other: nothing is inserted then, and locks keep two who come at once
// from both finding none.
func claimKey(tx *database.Tx, rows []models.IdempotencyKey) (bool, error) {
	if len(rows) > 1 {
		if err := keyed.Lock(tx, hashes(rows)); err != nil {
			return false, err
		}
		if _, err := keptUnder(tx, rows[1:]); !errors.Is(err, database.ErrNotFound) {
			return false, err
		}
	}
	now, err := tx.Now()
	if err != nil {
		return false, err
	}
	row := rows[0]
	r := tx.DB().Exec(`INSERT INTO idempotency_keys AS k (employee_id, key_hash, route, request_hash, status, expires_at)
		VALUES (?, ?, ?, ?, 0, ?)
		ON CONFLICT (employee_id, key_hash) DO UPDATE
		SET route = excluded.route, request_hash = excluded.request_hash, status = 0, location = '', expires_at = excluded.expires_at
		WHERE k.expires_at <= ?`,
		row.EmployeeID, row.KeyHash, row.Route, row.RequestHash, now.Add(KeyLife), now)
	if r.Error != nil {
		return false, database.Wrap("claiming an idempotency key", r.Error)
	}
	return r.RowsAffected == 1, nil
}

func hashes(rows []models.IdempotencyKey) [][]byte {
	all := make([][]byte, len(rows))
	for i, row := range rows {
		all[i] = row.KeyHash
	}
	return all
}

// keptUnder reads the row of a key under one of its digests; without one that has not expired it is
// database.ErrNotFound.
func keptUnder(tx *database.Tx, rows []models.IdempotencyKey) (models.IdempotencyKey, error) {
	stored, err := database.First[models.IdempotencyKey](tx.DB().
		Where("employee_id = ? AND key_hash IN ? AND expires_at > lethe_now()", rows[0].EmployeeID, hashes(rows)))
	return stored, database.Wrap("reading an idempotency key", err)
}

// repeat answers a request that was made before.
func repeat(tx *database.Tx, rows []models.IdempotencyKey) (Creation, error) {
	stored, err := keptUnder(tx, rows)
	if err != nil {
		return Creation{}, err
	}
	// Once data of the person whom the request was about is destroyed, what it said is not known any more:
	// this one may be about somebody else.
	if stored.RequestHash == nil {
		return Creation{}, NewProblem(codeIdempotencyGone)
	}
	same := slices.ContainsFunc(rows, func(row models.IdempotencyKey) bool {
		return stored.Route == row.Route && bytes.Equal(stored.RequestHash, row.RequestHash)
	})
	if !same {
		return Creation{}, NewProblem(codeIdempotencyReuse)
	}
	id, err := uuid.Parse(stored.Location[strings.LastIndexByte(stored.Location, '/')+1:])
	if err != nil {
		return Creation{}, fmt.Errorf("reading the location of an idempotency key: %w", err)
	}
	return Creation{ID: id, Status: stored.Status, Location: stored.Location}, nil
}

func keepAnswer(tx *database.Tx, row models.IdempotencyKey, made Creation) error {
	err := database.UpdateOne(tx.DB().Model(&models.IdempotencyKey{}).
		Where("employee_id = ? AND key_hash = ?", row.EmployeeID, row.KeyHash).
		Updates(map[string]any{"status": made.Status, "location": made.Location}))
	if err != nil {
		return fmt.Errorf("keeping the answer for an idempotency key: %w", err)
	}
	return sweepKeys(tx)
}

// sweepKeys removes a few expired keys with each new one, so that the table stays as large as two
// days need. What others hold is left to them.
func sweepKeys(tx *database.Tx) error {
	err := tx.DB().Exec(`DELETE FROM idempotency_keys WHERE (employee_id, key_hash) IN (
		SELECT employee_id, key_hash FROM idempotency_keys WHERE expires_at <= lethe_now()
		ORDER BY expires_at LIMIT 10 FOR UPDATE SKIP LOCKED)`).Error
	return database.Wrap("sweeping idempotency keys", err)
}

// Accepted is what goes on by itself.
func Accepted(r models.Ref) Creation { return came(http.StatusAccepted, r) }

// Created is what was made.
func Created(r models.Ref) Creation { return came(http.StatusCreated, r) }

// Done is what was done to what there was.
func Done(r models.Ref) Creation { return came(http.StatusOK, r) }

// The last segment of a location is the row's id.

func came(status int, r models.Ref) Creation {
	return Creation{ID: r.ID, Status: status, Location: AddressOf(r.Kind, r.ID)}
}
