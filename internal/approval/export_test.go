package approval

import (
	"lethe/internal/database"
	"lethe/models"
)

// Ask judges a command as a request for it does.
func (op Operation) Ask(tx *database.Tx, by models.Actor, command any) error {
	return op.asked(tx, by, command)
}

// CarryOut runs a command as the agreement of a second person does.
func (op Operation) CarryOut(tx *database.Tx, by By, command any) error {
	_, err := op.run(tx, by, command)
	return err
}
