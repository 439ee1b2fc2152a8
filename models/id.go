package models

import "github.com/google/uuid"

// NewID returns the id of a new row: of version 7, so that rows sort by when they were made.
// It cannot fail: where there is no randomness the process ends.
func NewID() uuid.UUID { return uuid.Must(uuid.NewV7()) }
