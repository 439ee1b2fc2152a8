package database

import "fmt"

// Rehearse runs fn in a savepoint and takes back whatever it did through tx, nudges included. It
// tells whether a command would be carried out now: nil, or why not. What fn does elsewhere (a data
// key, which is committed first and swept when nothing refers to it) stays.
func (tx *Tx) Rehearse(fn func(tx *Tx) error) error {
	if err := tx.exec("SAVEPOINT rehearsal"); err != nil {
		return fmt.Errorf("beginning a rehearsal: %w", err)
	}
	touched := tx.touched
	tx.touched = nil
	refused := fn(tx)
	tx.touched = touched
	if err := tx.exec("ROLLBACK TO SAVEPOINT rehearsal"); err != nil {
		return fmt.Errorf("ending a rehearsal: %w", err)
	}
	return refused
}
