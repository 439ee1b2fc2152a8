package imports

import (
	"context"
	"io"
	"slices"

	"github.com/google/uuid"

	"lethe/internal/archive"
	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/sheet"
	"lethe/models"
)

// Get reads a batch of a kind.
func Get(ctx context.Context, db *database.DB, kind models.BatchKind, id uuid.UUID) (models.Batch, error) {
	batch, err := database.First[models.Batch](db.Read(ctx).Where("id = ? AND kind = ?", id, kind))
	return batch, database.Wrap("reading an import", err)
}

// List is one page of imports, the newest first, and whether there are more. before is the last one of the page before.
func List(ctx context.Context, db *database.DB, kind models.BatchKind, before uuid.UUID, limit int) (rows []models.Batch, more bool, err error) {
	q := db.Read(ctx).Where("kind = ?", kind)
	if before != uuid.Nil {
		q = q.Where("id < ?", before)
	}
	if err := q.Order(database.Newest).Limit(limit + 1).Find(&rows).Error; err != nil {
		return nil, false, database.Wrap("listing imports", err)
	}
	if len(rows) > limit {
		rows, more = rows[:limit], true
	}
	return rows, more, nil
}

// Headers are the first row of a file, for whoever sent it: nobody else, since it may be no header. A file that is gone
// has none.
func Headers(ctx context.Context, v Vault, batch models.Batch, reader uuid.UUID) ([]string, error) {
	if reader != batch.ActorID || batch.HeadersSealed.IsNull() {
		return nil, nil
	}
	return headersOf(ctx, v, batch)
}

// ColumnLabel is what a field of a column is called.
func ColumnLabel(l i18n.Language, labels archive.Labels, field string) string {
	if label, ok := labels.Of(l, field); ok {
		return label
	}
	if field == "" {
		return ""
	}
	return i18n.Text(l, "import_column."+field)
}

// Found lists problems by row, those behind a row, up to a limit, and whether there are more.
func Found(ctx context.Context, db *database.DB, id uuid.UUID, after, limit int) (found []models.BatchProblem, more bool, err error) {
	err = db.Read(ctx).Raw(`SELECT (p ->> 'r')::int AS row, (p ->> 'c')::int AS "column", p ->> 'p' AS code
		FROM batch_parts b, jsonb_array_elements(b.problems) p
		WHERE b.batch_id = ? AND (p ->> 'r')::int > ? ORDER BY 1, 2, 3 LIMIT ?`, id, after, limit+1).Scan(&found).Error
	if err != nil {
		return nil, false, database.Wrap("listing problems", err)
	}
	if more = len(found) > limit; more {
		found = wholeRows(found, limit)
	}
	return found, more, nil
}

// wholeRows cuts a page where a row ends: the next one begins behind a row.
func wholeRows(found []models.BatchProblem, limit int) []models.BatchProblem {
	last := found[limit].Row
	if cut := slices.IndexFunc(found, func(p models.BatchProblem) bool { return p.Row == last }); cut > 0 {
		return found[:cut]
	}
	return found[:limit]
}

// Person is who a row is about.
type Person struct {
	Row        int
	EmployeeNo string
	Name       string
	// Known: the number is that of somebody who is there already.
	Known bool
	// Left is how somebody new left; the zero value: they did not.
	Left End
}

// People are whom the rows of a part are about, of those that nothing is wrong with: what a second person agrees to.
// Nothing else of a row is told to anybody but who sent it. A file that is gone has nobody.
func (w *Worker) People(ctx context.Context, id uuid.UUID, position int) (people []Person, more bool, err error) {
	err = database.Run(ctx, w.DB, func(tx *database.Tx) error {
		people = nil
		batch, err := lock(tx, id)
		if err != nil {
			return err
		}
		var parts []models.BatchPart
		err = tx.DB().Where("batch_id = ? AND position >= ?", id, position).Order("position").Limit(2).Find(&parts).Error
		if err != nil || len(parts) == 0 {
			return database.Wrap("reading a part of a file", err)
		}
		more = len(parts) > 1
		c, err := w.open(ctx, parts[0])
		if err != nil {
			return err
		}
		rules, err := archive.RulesNow(tx)
		if err != nil {
			return err
		}
		rows := newReading(batch, rules).readAll(c, parts[0].Problems)
		numbers := make([]string, len(rows))
		for i, row := range rows {
			numbers[i] = row.person.EmployeeNo
		}
		files, err := archive.Files(tx, numbers, false)
		for _, row := range rows {
			_, known := files[row.person.EmployeeNo]
			people = append(people, Person{Row: row.number, EmployeeNo: row.person.EmployeeNo, Name: row.person.Name, Known: known, Left: row.end})
		}
		return err
	})
	return people, more, err
}

// Removed is how many rows were removed with data of somebody else in their part.
func Removed(ctx context.Context, db *database.DB, id uuid.UUID) (rows int, err error) {
	err = db.Read(ctx).Raw("SELECT coalesce(sum(rows), 0) FROM batch_parts WHERE batch_id = ? AND removed", id).Scan(&rows).Error
	return rows, database.Wrap("counting what was removed", err)
}

// Download records that whoever is behind the context gets the rows with something wrong in them, and lets nobody have
// them but who sent the file. It comes before [Report].
func Download(tx *database.Tx, id uuid.UUID) (models.Batch, error) {
	batch, err := lock(tx, id)
	switch {
	case err != nil:
		return batch, err
	case models.CallerOf(tx.Context()).Actor.EmployeeID != batch.ActorID:
		return batch, ErrNotUploader
	case batch.State == models.BatchMapping || batch.State == models.BatchChecking:
		return batch, ErrState
	case batch.ContentEndedAt != nil:
		return batch, ErrContentEnded
	}
	_, err = record(tx, actionDownloaded, batch, nil)
	return batch, err
}

// Report writes the rows with something wrong in them as they came, and beside each what is wrong: mended, the file can
// be sent again.
func Report(ctx context.Context, db *database.DB, v Vault, batch models.Batch, l i18n.Language, f sheet.Format, to io.Writer) error {
	w, err := sheet.NewWriter(to, f)
	if err != nil {
		return err
	}
	headers, err := headersOf(ctx, v, batch)
	if err != nil {
		return err
	}
	labels, err := archive.LabelsNow(db.Read(ctx))
	if err != nil {
		return err
	}
	width := len(headers)
	if at := max(slices.Index(batch.Mapping, ColumnProblem), slices.Index(batch.Mapping, columnOutcome)); at >= 0 && at == width-1 {
		width-- // a report that was mended: its column is written anew
	}
	row := func(cells []string, problem string) error {
		out := make([]string, width+1)
		copy(out[:width], cells)
		out[width] = problem
		return w.Write(out)
	}
	beside := ColumnProblem
	if batch.Kind == models.BatchDepartures {
		beside = columnOutcome
	}
	if err := row(headers, i18n.Text(l, "import_column."+beside)); err != nil {
		return err
	}
	var parts []models.BatchPart
	if err := db.Read(ctx).Select("id").Where("batch_id = ? AND (problems <> '[]' OR planned IS NOT NULL) AND rows_sealed IS NOT NULL", batch.ID).Order("position").Find(&parts).Error; err != nil {
		return database.Wrap("reading the parts of a file", err)
	}
	reading := Worker{DB: db, Vault: v}
	for _, p := range parts {
		part, err := database.First[models.BatchPart](db.Read(ctx).Where("id = ?", p.ID))
		if err != nil {
			return database.Wrap("reading a part of a file", err)
		}
		c, err := reading.open(ctx, part)
		if err != nil {
			return err
		}
		for i, cells := range c.Cells {
			text := problemText(l, labels, batch, part.Problems, c.Numbers[i])
			if batch.Kind == models.BatchDepartures {
				text = outcomeText(l, batch, part.Planned, c.Numbers[i], text)
			}
			if text == "" || cells == nil {
				continue
			}
			if err := row(cells, text); err != nil {
				return err
			}
		}
	}
	return w.Close()
}

func problemText(l i18n.Language, labels archive.Labels, batch models.Batch, problems []models.BatchProblem, number int) (text string) {
	for _, p := range problems {
		if p.Row != number {
			continue
		}
		if text != "" {
			text += l.Of("；", "; ")
		}
		text += Sentence(l, labels, batch.Mapping, p)
	}
	return text
}

// Sentence says what is wrong, and where.
func Sentence(l i18n.Language, labels archive.Labels, mapping []string, p models.BatchProblem) string {
	text := closed.Text(l, Problem(p.Code))
	what := i18n.Text(l, "import_column.row")
	if p.Column >= 1 && p.Column <= len(mapping) && mapping[p.Column-1] != "" {
		what = ColumnLabel(l, labels, mapping[p.Column-1])
	}
	return what + l.Of("：", " ") + text
}

// Ended is ErrContentEnded once the file of an import is gone.
func Ended(ctx context.Context, db *database.DB, id uuid.UUID) error {
	batch, err := database.First[models.Batch](db.Read(ctx).Where("id = ?", id))
	if err == nil && batch.ContentEndedAt != nil {
		err = ErrContentEnded
	}
	return err
}
