package archive

import (
	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/models"
)

// maxContacts is how many emergency contacts a file has.
const maxContacts = 5

// ContactKey is whom to call in an emergency: the fields of one contact.
type ContactKey struct{ Name, Relation, Phone string }

// ContactKeys are the fields of all emergency contacts of a file, in the order in which they are called.
func ContactKeys() (all []ContactKey) {
	for contact := range maxContacts {
		prefix := prefixOf(contact + 1)
		all = append(all, ContactKey{prefix + "name", prefix + "relation", prefix + "phone"})
	}
	return all
}

// Employed are the people of a department who work here still.
func Employed(tx *database.Tx, department uuid.UUID) ([]models.Employee, error) {
	return database.Find[models.Employee](tx.DB(), "the people of a department", "department_id = ? AND status IN ?",
		department, []models.EmployeeStatus{models.StatusActive, models.StatusPendingDeparture})
}
