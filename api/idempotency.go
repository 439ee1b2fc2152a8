package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/models"
)

// keyLife is how long a repeated request is recognised.
const keyLife = 48 * time.Hour

const maxKey = 200

// Idempotent is the header field of every POST that creates.
type Idempotent struct {
	Key string `header:"Idempotency-Key" doc:"Any text that is new for each new request, best a UUID. A request repeated with the same key has one effect, the same status and the same Location."`
}

// creation is what a creating command came to. Bodies are rendered afresh, never stored.
type creation struct {
	ID       uuid.UUID
	Status   int
	Location string
}

// create runs effect in a transaction, once for each key of a person (I26). The row of the key is
// the first lock taken: a second request with the same key waits there until the first has
// committed, and is then answered with what that one came to, or has failed, and is tried itself.
func (s *server) create(ctx context.Context, key, route string, command any, effect func(tx *database.Tx) (creation, error)) (creation, error) {
	if !usableKey(key) {
		return creation{}, unusableKeyProblem()
	}
	var made creation
	err := database.Run(ctx, s.DB, func(tx *database.Tx) error {
		made = creation{}
		if key == "" {
			var err error
			made, err = effect(tx)
			return err
		}
		row, err := keyRow(actorOf(ctx), key, route, command)
		if err != nil {
			return err
		}
		first, err := claimKey(tx, row)
		if err != nil {
			return err
		}
		if !first {
			made, err = repeat(tx, row)
			return err
		}
		if made, err = effect(tx); err != nil {
			return err
		}
		return keepAnswer(tx, row, made)
	})
	return made, err
}

// usableKey accepts no key, and visible ASCII.
func usableKey(key string) bool {
	return len(key) <= maxKey && strings.IndexFunc(key, func(r rune) bool { return r < ' ' || r > '~' }) < 0
}

// keyRow hashes what is compared: the key itself could be anything, and the body is personal.
func keyRow(by models.Actor, key, route string, command any) (models.IdempotencyKey, error) {
	body, err := json.Marshal(command)
	if err != nil {
		return models.IdempotencyKey{}, fmt.Errorf("hashing a command: %w", err)
	}
	keyHash := sha256.Sum256([]byte(key))
	requestHash := sha256.Sum256(append([]byte(route+"\n"), body...))
	return models.IdempotencyKey{EmployeeID: by.EmployeeID, KeyHash: keyHash[:], Route: route, RequestHash: requestHash[:]}, nil
}

// claimKey inserts the key's row, or takes over one that has expired. It waits for whoever inserted
// the same key and has not committed.
func claimKey(tx *database.Tx, row models.IdempotencyKey) (bool, error) {
	now, err := tx.Now()
	if err != nil {
		return false, err
	}
	r := tx.DB().Exec(`INSERT INTO idempotency_keys AS k (employee_id, key_hash, route, request_hash, status, expires_at)
		VALUES (?, ?, ?, ?, 0, ?)
		ON CONFLICT (employee_id, key_hash) DO UPDATE
		SET route = excluded.route, request_hash = excluded.request_hash, status = 0, location = '', expires_at = excluded.expires_at
		WHERE k.expires_at <= ?`,
		row.EmployeeID, row.KeyHash, row.Route, row.RequestHash, now.Add(keyLife), now)
	if r.Error != nil {
		return false, fmt.Errorf("claiming an idempotency key: %w", database.Hide(r.Error))
	}
	return r.RowsAffected == 1, nil
}

// repeat answers a request that was made before.
func repeat(tx *database.Tx, row models.IdempotencyKey) (creation, error) {
	stored, err := database.First[models.IdempotencyKey](tx.DB().
		Where("employee_id = ? AND key_hash = ?", row.EmployeeID, row.KeyHash))
	if err != nil {
		return creation{}, fmt.Errorf("reading an idempotency key: %w", err)
	}
	if stored.Route != row.Route || !bytes.Equal(stored.RequestHash, row.RequestHash) {
		return creation{}, problem(codeIdempotencyReuse)
	}
	id, err := uuid.Parse(stored.Location[strings.LastIndexByte(stored.Location, '/')+1:])
	if err != nil {
		return creation{}, fmt.Errorf("reading the location of an idempotency key: %w", err)
	}
	return creation{ID: id, Status: stored.Status, Location: stored.Location}, nil
}

func keepAnswer(tx *database.Tx, row models.IdempotencyKey, made creation) error {
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
	if err != nil {
		return fmt.Errorf("sweeping idempotency keys: %w", database.Hide(err))
	}
	return nil
}

// accepted and created are the two answers of creating calls; the last segment of the location is
// the new row's id.
func accepted(id uuid.UUID, location string) creation {
	return creation{ID: id, Status: http.StatusAccepted, Location: location}
}

func created(id uuid.UUID, location string) creation {
	return creation{ID: id, Status: http.StatusCreated, Location: location}
}
