// Package reasons keeps what people write for the record: why somebody asked for a second person's
// agreement and what that person said to it, why the log was exported and what was searched for, which
// matter a hold is for. It is a category of its own, which belongs to no employment and ends with the log:
// ten years after the month in which it was written, when the log's content of that month may be dropped.
//
// A text is sealed by a key of its month, which the vault keeps outside the facts and destroys at the
// month's end.
package reasons

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/models"
)

// Text is a sealed text and the place for which it was sealed.
type Text struct {
	Cell   string
	Sealed models.Sealed
}

// Keeper seals and opens.
type Keeper interface {
	// SealReason encrypts a text for a place with the key of the month (UTC) in which it is written.
	// A month whose key was destroyed is vault.ErrPurged.
	SealReason(ctx context.Context, at time.Time, place, text string) (models.Sealed, error)
	// OpenReasons decrypts texts. One whose key is not there any more is empty.
	OpenReasons(ctx context.Context, texts []Text) ([]string, error)
}

// ErrNoKeeper says that the database of a transaction has nothing attached that seals.
var ErrNoKeeper = errors.New("nothing that seals reasons is attached to the database")

// Carrier is a database or a transaction on it.
type Carrier interface{ Attached(key any) any }

type attachment struct{}

// Attach gives the transactions on db what seals. It is called once at start-up.
func Attach(db *database.DB, k Keeper) { db.Attach(attachment{}, k) }

// Cell is the cell of a row's column.
func Cell(column string, row uuid.UUID) string { return column + "/" + row.String() }

// Seal seals what is written now. Nothing written is NULL.
func Seal(tx *database.Tx, place, text string) (models.Sealed, error) {
	now, err := tx.Now()
	if err != nil {
		return models.Sealed{}, err
	}
	return SealAt(tx.Context(), tx, now, place, text)
}

// SealAt seals what was written at another time.
func SealAt(ctx context.Context, c Carrier, at time.Time, place, text string) (models.Sealed, error) {
	if text == "" {
		return models.Sealed{}, nil
	}
	keeper, ok := c.Attached(attachment{}).(Keeper)
	if !ok {
		return models.Sealed{}, ErrNoKeeper
	}
	sealed, err := keeper.SealReason(ctx, at, place, text)
	if err != nil {
		return sealed, fmt.Errorf("sealing what somebody wrote: %w", err)
	}
	return sealed, nil
}

// Open opens texts, in their order. NULL, and one that ended with the log, is empty.
func Open(ctx context.Context, c Carrier, texts ...Text) ([]string, error) {
	opened := make([]string, len(texts))
	var there []Text
	var at []int
	for i, t := range texts {
		if !t.Sealed.IsNull() {
			there, at = append(there, t), append(at, i)
		}
	}
	if len(there) == 0 {
		return opened, nil
	}
	keeper, ok := c.Attached(attachment{}).(Keeper)
	if !ok {
		return nil, ErrNoKeeper
	}
	plain, err := keeper.OpenReasons(ctx, there)
	if err != nil {
		return nil, fmt.Errorf("opening what somebody wrote: %w", err)
	}
	for i, text := range plain {
		opened[at[i]] = text
	}
	return opened, nil
}
