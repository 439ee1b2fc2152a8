package imports

import (
	"bytes"
	"maps"
	"slices"

	"github.com/google/uuid"

	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/keyed"
	"lethe/models"
)

// outcome is what becomes of a row.
type outcome int

const (
	faulty outcome = iota
	creates
	changes
	stays
	// departed are those of creates who had left before; it is the outcome of no row.
	departed
	outcomes
)

// judgement is a row with what would become of it.
type judgement struct {
	*row
	outcome outcome
	file    archive.File // of whom there is already
	patch   archive.Patch
	digests [][]byte // of the sealed values, by each key that lives
	due     []models.Category
	leaves  Outlook // of a departure
}

// purged says whether data of whom the row is about was deleted, or is being deleted. Whoever works here may have had some
// of it erased, and can still leave.
func (j judgement) purged() bool {
	return j.file.Purged() && (j.leave == nil || j.file.Employment.EndedAt != nil)
}

// imported is what was imported last for an employment.
type imported struct {
	EmploymentID uuid.UUID
	BatchID      uuid.UUID
	ActorID      uuid.UUID
	Revision     int64
	Digest       []byte
}

// judge says of the rows of a part what would become of each. to change what it finds, it locks it.
func (w *Worker) judge(tx *database.Tx, r *reading, rows []*row, toChange bool) ([]judgement, error) {
	if r.batch.Kind == models.BatchDepartures {
		return w.judgeLeaves(tx, r, rows)
	}
	var numbers []string
	for _, row := range rows {
		if row.person.EmployeeNo != "" {
			numbers = append(numbers, row.person.EmployeeNo)
		}
	}
	files, err := archive.Files(tx, numbers, toChange)
	if err != nil {
		return nil, err
	}
	before, err := importedOf(tx, files)
	if err != nil {
		return nil, err
	}
	known, err := w.Leavers.Known(tx, employmentsOf(rows, files))
	if err != nil {
		return nil, err
	}
	removed, err := removedContacts(tx, files)
	if err != nil {
		return nil, err
	}
	calendar := w.Leavers.Calendar(tx)
	set, err := keyed.Living(tx.Context(), tx, keyed.Imports)
	if err != nil {
		return nil, err
	}
	all := make([]judgement, len(rows))
	for i, row := range rows {
		all[i] = judgement{row: row}
		file, there := files[row.person.EmployeeNo]
		if there {
			all[i].file = file
			if err = r.judgeChange(&all[i]); err == nil {
				r.judgeEnd(&all[i], known)
				all[i].digests = digestsOf(set, file.Employment.ID, all[i].patch.Fields)
				if all[i].outcome = r.changes(all[i], before[file.Employment.ID], toChange); all[i].outcome == changes {
					r.judgeContacts(&all[i], removed)
				}
			}
		} else if err = r.judged(row, r.rules.Judge(&row.person)); err == nil {
			all[i].outcome = creates
			all[i].due, err = r.ended(row, calendar)
		}
		if err != nil {
			return nil, err
		}
		if row.faulty() {
			all[i].outcome = faulty
		}
	}
	return all, nil
}

// removedContacts says of whom of a part an emergency contact asked to be removed.
func removedContacts(tx *database.Tx, files map[string]archive.File) (map[uuid.UUID]bool, error) {
	people := make([]uuid.UUID, 0, len(files))
	for _, f := range files {
		people = append(people, f.Employee.ID)
	}
	return archive.RemovedContacts(tx, people)
}

// judgeContacts lets no file bring the contacts of somebody of whom one asked to be removed.
func (r *reading) judgeContacts(j *judgement, removed map[uuid.UUID]bool) {
	if !removed[j.file.Employee.ID] {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(j.patch.Fields)) {
		if archive.IsContact(key) {
			r.wrong(j.row, key, ContactRemoved)
		}
	}
}

// employmentsOf are those of people who left as a file says, and who are there already.
func employmentsOf(rows []*row, files map[string]archive.File) (ids []uuid.UUID) {
	for _, row := range rows {
		if file, there := files[row.person.EmployeeNo]; there && row.left {
			ids = append(ids, file.Employment.ID)
		}
	}
	return ids
}

// judgeChange makes the patch of somebody who is there already: what is left empty stays as it is.
func (r *reading) judgeChange(j *judgement) error {
	n, p, e, m := &j.person, &j.patch, j.file.Employee, j.file.Employment
	if slices.Contains(r.behind(), e.ID) {
		return r.judged(j.row, archive.ErrOwnFile)
	}
	if n.Name != "" {
		p.Name = &n.Name
	}
	if n.Post != "" {
		p.Post = &n.Post
	}
	if n.DepartmentID != uuid.Nil && n.DepartmentID != m.DepartmentID {
		p.DepartmentID = &n.DepartmentID
	}
	if n.SiteID != nil && (e.SiteID == nil || *n.SiteID != *e.SiteID) {
		p.SiteID = n.SiteID
		if r.reach.BySite(e, n.SiteID) {
			r.wrong(j.row, ColumnSite, TwoPeople)
		}
	}
	p.Fields = make(map[string]*string, len(n.Fields))
	for key, value := range n.Fields {
		p.Fields[key] = &value
	}
	if !n.HiredOn.IsZero() && n.HiredOn != m.HiredOn {
		r.wrong(j.row, archive.FieldHiredOn, TwoPeople)
	}
	if n.TimeZone != "" && n.TimeZone != m.TimeZone {
		r.wrong(j.row, ColumnTimeZone, TwoPeople)
	}
	err := r.rules.JudgeChange(j.file, *p)
	if err == nil && p.Name != nil && *p.Name != e.Name {
		r.wrong(j.row, archive.FieldName, OtherName)
	}
	p.Name = nil
	if p.Post != nil && *p.Post == m.Post {
		p.Post = nil
	}
	return r.judged(j.row, err)
}

// changes says whether there is something to write. Sealed values are not opened to be compared: the dry run knows that
// they are the same only if this person imported them, so that a file tells nobody what another one said. The run leaves
// alone what was imported last, whoever did.
func (r *reading) changes(j judgement, before imported, toChange bool) outcome {
	p := j.patch
	if p.Post != nil || p.DepartmentID != nil || p.SiteID != nil {
		return changes
	}
	if len(p.Fields) == 0 {
		return stays
	}
	same := before.Revision == j.file.Employee.Revision && slices.ContainsFunc(j.digests, func(d []byte) bool { return bytes.Equal(d, before.Digest) })
	if same && before.ActorID == r.batch.ActorID {
		return stays
	}
	return changes
}

func digestsOf(set keyed.Set, employment uuid.UUID, fields map[string]*string) [][]byte {
	parts := []string{"row", employment.String()}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		parts = append(parts, key, *fields[key])
	}
	return set.All(parts...)
}

func importedOf(tx *database.Tx, files map[string]archive.File) (map[uuid.UUID]imported, error) {
	ids := make(models.IDs, 0, len(files))
	for _, f := range files {
		ids = append(ids, f.Employment.ID)
	}
	var rows []imported
	err := tx.DB().Raw(`SELECT r.*, b.actor_id FROM imported_rows r JOIN batches b ON b.id = r.batch_id WHERE r.employment_id = ANY (?)`, ids).Scan(&rows).Error
	if err != nil {
		return nil, database.Wrap("reading what was imported before", err)
	}
	all := make(map[uuid.UUID]imported, len(rows))
	for _, row := range rows {
		all[row.EmploymentID] = row
	}
	return all, nil
}
