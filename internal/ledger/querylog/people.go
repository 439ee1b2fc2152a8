package querylog

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/google/uuid"

	"lethe/internal/database"
)

// Person is somebody in the log as the views show them.
type Person struct {
	ID uuid.UUID
	// Name and EmployeeNo are empty once the person's data is purged.
	Name, EmployeeNo string
	Purged           bool
}

// Pseudonym tells one purged person from another, and nothing else.
func (p Person) Pseudonym() string {
	sum := sha256.Sum256(append([]byte("lethe/query-log/pseudonym\n"), p.ID[:]...))
	return strings.ToUpper(hex.EncodeToString(sum[:4]))
}

// PeopleOf reads the actors and subjects of rows. Somebody who is not an employee is left out.
func PeopleOf(ctx context.Context, db reader, rows []Row) (map[uuid.UUID]Person, error) {
	wanted := map[uuid.UUID]bool{}
	for _, r := range rows {
		if r.Content == nil {
			continue
		}
		for _, id := range []*uuid.UUID{r.Content.ActorID, r.Content.SubjectID} {
			if id != nil {
				wanted[*id] = true
			}
		}
	}
	ids := make([]string, 0, len(wanted))
	for id := range wanted {
		ids = append(ids, id.String())
	}
	people := map[uuid.UUID]Person{}
	return people, Name(ctx, db, ids, people)
}

// Name adds the people with these ids.
func Name(ctx context.Context, db reader, ids []string, people map[uuid.UUID]Person) error {
	if len(ids) == 0 {
		return nil
	}
	rows, err := db.QueryContext(ctx, `SELECT id, name, employee_no, status = 'purged' FROM employees WHERE id = ANY ($1::text[]::uuid[])`, ids)
	if err != nil {
		return database.Wrap("reading names", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var p Person
		if err := rows.Scan(&p.ID, &p.Name, &p.EmployeeNo, &p.Purged); err != nil {
			return database.Wrap("reading names", err)
		}
		if p.Purged {
			p.Name, p.EmployeeNo = "", ""
		}
		people[p.ID] = p
	}
	return database.Wrap("reading names", rows.Err())
}
