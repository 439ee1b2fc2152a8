package imports

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/vault"
	"lethe/models"
)

// What a column of a file of departures can be, beside the employee number, the name and [ColumnKind].
const (
	ColumnLastDay   = "last_working_day"
	ColumnEndDate   = "employment_end_date"
	ColumnNotice    = "notice_received_on"
	ColumnImmediate = "immediate"
	ColumnReason    = "reason_code"
	ColumnNote      = "note"
	// columnOutcome is what a report writes beside each row; it is not read again.
	columnOutcome = "outcome"
)

// LeaveColumns are those that are read, in the order of the template.
var LeaveColumns = []string{archive.FieldEmployeeNo, archive.FieldName, ColumnKind, ColumnLastDay, ColumnEndDate, ColumnNotice, ColumnImmediate, ColumnReason, ColumnNote}

// leaveWords are what headers of departures say, besides the template's.
var leaveWords = map[string][]string{
	archive.FieldEmployeeNo: words[archive.FieldEmployeeNo],
	archive.FieldName:       words[archive.FieldName],
	ColumnKind:              words[ColumnKind],
	ColumnLastDay:           {"最后工作日", "最后工作日期", "离职日期", "离职时间", "离职日", "last day", "last day of work", "leaving date", "termination date", "left on"},
	ColumnEndDate:           {"劳动关系结束日", "劳动关系终止日期", "劳动关系解除日期", "合同解除日期", "end date", "employment end", "end of employment"},
	ColumnNotice:            {"收到通知日期", "通知日期", "提出离职日期", "离职申请日期", "notice date", "notice received", "notice"},
	ColumnImmediate:         {"立即离职", "立即生效", "当天离职", "at once", "with immediate effect"},
	ColumnReason:            {"离职原因代码", "原因代码", "reason"},
	ColumnNote:              {"备注", "说明", "remark", "remarks", "comment"},
	columnOutcome:           {"结果", "办理结果", "result"},
}

// Leave is a row of departures as it was understood.
type Leave struct {
	EmployeeID uuid.UUID
	Kind       models.DepartureKind
	LastDay    *clock.Date
	EndDate    *clock.Date
	NoticeOn   *clock.Date
	Immediate  bool
	ReasonCode string
	Note       string
}

// Outlook is what a departure would come to.
type Outlook struct {
	// Wrong is why there can be none, At the column; empty: nothing is wrong.
	Wrong Problem
	At    string
	// Same: the person has a departure that says the same.
	Same bool
	// LastDay, Cutoff and End are its dates; AtOnce: access ends when it begins.
	LastDay     clock.Date
	Cutoff, End time.Time
	AtOnce      bool
	// Protected: the person heads a department or administers; Sudden: and it would take effect within a day, for which two
	// people are needed; Past: the last working day is over.
	Protected, Sudden, Past bool
	// Begin begins it, in the transaction that judged it. agreed: two people agreed to what is sudden.
	Begin func(tx *database.Tx, seal vault.Sealer, batch models.Batch, agreed bool) (uuid.UUID, error)
}

func (o Outlook) counted() models.BatchLeaving {
	l := models.BatchLeaving{People: 1, First: o.LastDay, Last: o.LastDay}
	for _, c := range []struct {
		is    bool
		count *int
	}{{o.AtOnce, &l.AtOnce}, {o.Protected, &l.Protected}, {o.Sudden, &l.Sudden}, {o.Past, &l.Past}} {
		if c.is {
			*c.count = 1
		}
	}
	return l
}

// scientific is what a spreadsheet program makes of a long number.
var scientific = regexp.MustCompile(`^[0-9]([.,][0-9]+)?[eE]\+?[0-9]+$`)

// readLeave understands a row of departures by itself.
func (r *reading) readLeave(number int, cells []string, lost []int) *row {
	l := &Leave{}
	w := &row{number: number, leave: l}
	cell := func(field string) string {
		at, ok := r.columns[field]
		if !ok || at >= len(cells) {
			return ""
		}
		text := strings.TrimSpace(cells[at])
		if strings.HasPrefix(text, "=") {
			r.wrong(w, field, Formula)
			return ""
		}
		return text
	}
	w.person.EmployeeNo, w.person.Name = cell(archive.FieldEmployeeNo), cell(archive.FieldName)
	l.ReasonCode, l.Note = cell(ColumnReason), cell(ColumnNote)
	for field, day := range map[string]**clock.Date{ColumnLastDay: &l.LastDay, ColumnEndDate: &l.EndDate, ColumnNotice: &l.NoticeOn} {
		*day = r.leaveDay(w, field, cell(field))
	}
	r.leaveKind(w, cell(ColumnKind))
	if text := cell(ColumnImmediate); text != "" {
		yes, known := immediately[folded(text)]
		if l.Immediate = yes; !known {
			r.wrong(w, ColumnImmediate, NotAllowed)
		}
	}
	for _, at := range lost {
		if at < len(r.batch.Mapping) && r.batch.Mapping[at] != "" {
			r.wrong(w, r.batch.Mapping[at], DigitsLost)
		}
	}
	no := w.person.EmployeeNo
	switch {
	case scientific.MatchString(no):
		r.wrong(w, archive.FieldEmployeeNo, DigitsLost)
	case no == "" && !w.wrongIn(r.columns, archive.FieldEmployeeNo):
		r.wrong(w, archive.FieldEmployeeNo, Required)
	case r.twice[strings.ToLower(no)]:
		r.wrong(w, archive.FieldEmployeeNo, Twice)
	}
	return w
}

// immediately is what people write for whether a departure is immediate.
var immediately = map[string]bool{
	"是": true, "立即": true, "yes": true, "y": true, "true": true, "1": true, "x": true, "否": false, "no": false, "n": false, "false": false, "0": false,
}

func (r *reading) leaveDay(w *row, field, text string) *clock.Date {
	if text == "" {
		return nil
	}
	day, err := clock.ParseDate(written(text))
	if err != nil {
		r.wrong(w, field, NotADate)
		return nil
	}
	return &day
}

func (r *reading) leaveKind(w *row, text string) {
	switch known, ok := r.kinds[folded(text)]; {
	case text == "" && !w.wrongIn(r.columns, ColumnKind):
		r.wrong(w, ColumnKind, NoKind)
	case text == "":
	case !ok || known == models.KindGroupTransfer:
		r.wrong(w, ColumnKind, NotAllowed)
	default:
		w.leave.Kind = known
	}
}

// judgeLeaves says of the rows of a part of departures what would become of each. It locks whom they are about, in the
// order of all other steps.
func (w *Worker) judgeLeaves(tx *database.Tx, r *reading, rows []*row) ([]judgement, error) {
	numbers := make([]string, 0, len(rows))
	for _, row := range rows {
		if row.person.EmployeeNo != "" {
			numbers = append(numbers, row.person.EmployeeNo)
		}
	}
	files, err := archive.Files(tx, numbers, true)
	if err != nil {
		return nil, err
	}
	all := make([]judgement, len(rows))
	for i, row := range rows {
		all[i] = judgement{row: row, file: files[row.person.EmployeeNo]}
		if err := w.judgeLeave(tx, r, &all[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (w *Worker) judgeLeave(tx *database.Tx, r *reading, j *judgement) (err error) {
	switch e := j.file.Employee; {
	case e.ID == uuid.Nil:
		if !j.wrongIn(r.columns, archive.FieldEmployeeNo) {
			r.wrong(j.row, archive.FieldEmployeeNo, Unknown)
		}
	case slices.Contains(r.behind(), e.ID):
		r.wrong(j.row, archive.FieldEmployeeNo, OwnFile)
	case j.purged():
		r.wrong(j.row, archive.FieldEmployeeNo, Purged)
	case j.person.Name != "" && folded(j.person.Name) != folded(e.Name):
		r.wrong(j.row, archive.FieldName, OtherName)
	}
	j.outcome = faulty
	if j.faulty() {
		return nil
	}
	j.leave.EmployeeID = j.file.Employee.ID
	err = tx.Try(func() (err error) {
		j.leaves, err = w.Leavers.Judge(tx, r.batch.Actor(), *j.leave)
		return err
	})
	switch {
	case err != nil && w.fails(tx, r, j.number, err):
		r.wrong(j.row, "", Failed)
	case err != nil:
		return again(err)
	case j.leaves.Wrong != "":
		r.wrong(j.row, j.leaves.At, j.leaves.Wrong)
	case j.leaves.Same:
		j.outcome = stays
	default:
		j.outcome = creates
	}
	return nil
}

// plannedRows are the rows of a part of departures with what would become, or became, of each. What was said of a row
// before, and is not judged again, stays.
func plannedRows(batch models.Batch, numbers []int, before []models.BatchRow, all []judgement) []models.BatchRow {
	if batch.Kind != models.BatchDepartures {
		return nil
	}
	rows := make([]models.BatchRow, len(numbers))
	for i, number := range numbers {
		rows[i] = plannedOf(before, number)
		if at := slices.IndexFunc(all, func(j judgement) bool { return j.number == number }); at >= 0 {
			rows[i] = all[at].planned()
		}
	}
	return rows
}

// plannedOf is what was said of a row; of one that nothing was said of, that it is refused.
func plannedOf(rows []models.BatchRow, number int) models.BatchRow {
	if at := slices.IndexFunc(rows, func(p models.BatchRow) bool { return p.Row == number }); at >= 0 {
		return rows[at]
	}
	return models.BatchRow{Row: number, Outcome: models.OutcomeRefused}
}

func (j judgement) planned() models.BatchRow {
	p := models.BatchRow{Row: j.number, Outcome: models.OutcomeRefused, Employee: j.file.Employee.ID, Employment: j.file.Employment.ID}
	switch j.outcome {
	case creates:
		o := j.leaves
		p.Kind = j.leave.Kind
		p.Outcome, p.LastDay, p.Cutoff, p.End = models.OutcomeBegins, &o.LastDay, &o.Cutoff, &o.End
		p.AtOnce, p.Protected, p.Sudden, p.Past = o.AtOnce, o.Protected, o.Sudden, o.Past
	case stays:
		p.Outcome = models.OutcomeNothing
	}
	return p
}

// within says whether what a row would come to now is no more than the dry run said: what was released is a ceiling.
func within(now, before models.BatchRow) bool {
	return before.Outcome == models.OutcomeBegins && now.Employment == before.Employment &&
		(before.Protected || !now.Protected) && (before.Sudden || !now.Sudden) && (before.Past || !now.Past) &&
		!now.Cutoff.Before(*before.Cutoff) && !now.End.Before(*before.End)
}

// runLeaves begins the departures of a part, each by itself: one that fails takes nothing of the others away.
func (w *Worker) runLeaves(tx *database.Tx, r *reading, part *models.BatchPart, numbers []int, all []judgement) (counts [outcomes]int, err error) {
	after := plannedRows(r.batch, numbers, part.Planned, all)
	for _, j := range all {
		at := slices.IndexFunc(after, func(p models.BatchRow) bool { return p.Row == j.number })
		if j.outcome == creates {
			if after[at], err = w.beginLeave(tx, r, j, plannedOf(part.Planned, j.number)); err != nil {
				return counts, err
			}
		}
		part.Problems = append(part.Problems, j.problems...)
	}
	for _, p := range after {
		switch p.Outcome {
		case models.OutcomeBegun:
			counts[creates]++
		case models.OutcomeNothing:
			counts[stays]++
		}
	}
	counts[faulty] = part.Rows - counts[creates] - counts[stays]
	now := r.rules.Now()
	part.Planned, part.Ran, part.WalkedAt = after, true, &now
	return counts, database.UpdateOne(tx.DB().Select("problems", "planned", "ran", "walked_at").Where("id = ?", part.ID).Updates(part))
}

func (w *Worker) beginLeave(tx *database.Tx, r *reading, j judgement, before models.BatchRow) (models.BatchRow, error) {
	p := j.planned()
	refuse := func(outcome models.BatchOutcome, why Problem) models.BatchRow {
		p.Outcome = outcome
		r.wrong(j.row, "", why)
		return p
	}
	if !within(p, before) {
		return refuse(models.OutcomeChanged, ChangedSince), nil
	}
	err := tx.Try(func() error {
		id, err := j.leaves.Begin(tx, w.Vault, r.batch, r.batch.ApprovalID != nil)
		p.Departure = &id
		return err
	})
	switch {
	case err == nil:
		p.Outcome = models.OutcomeBegun
		return p, nil
	case errors.Is(err, vault.ErrPurged):
		p.Departure = nil
		return refuse(models.OutcomeRefused, Purged), nil
	case database.Refused(err):
		p.Departure = nil
		return refuse(models.OutcomeRefused, NotPossible), nil
	case w.fails(tx, r, j.number, err):
		p.Departure = nil
		return refuse(models.OutcomeRefused, Failed), nil
	}
	return p, again(err)
}

// fails says whether a row is given up: it failed each time, by itself, so that it holds the others no longer.
func (w *Worker) fails(tx *database.Tx, r *reading, number int, err error) bool {
	if !r.last || !rowsOwn(err) {
		return false
	}
	if w.Log != nil {
		w.Log.ErrorContext(tx.Context(), "a row of a batch failed and is left out", "batch", r.batch.ID, "row", number, "error", err)
	}
	return true
}

// again has a part tried anew whose row failed by itself.
func again(err error) error {
	if rowsOwn(err) {
		return fmt.Errorf("%w: %w", errAgain, err)
	}
	return err
}

// rowsOwn says whether it is one row that failed, not the database, or the walk that ends.
func rowsOwn(err error) bool {
	return !database.Unavailable(err) && !strings.HasPrefix(database.Code(err), "40") &&
		!errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}

// Row is a row of a file of departures, with whom it is about.
type Row struct {
	models.BatchRow
	EmployeeNo, Name string
	Problems         []models.BatchProblem
}

// Rows are the rows of a part, with what would become, or became, of each, and whether there are more parts. Nothing that
// the file says is opened: numbers and names are those of the archive.
func Rows(g *gorm.DB, id uuid.UUID, position int) (rows []Row, more bool, err error) {
	parts, err := database.Find[models.BatchPart](g.Select("id", "position", "planned", "problems").Order("position").Limit(2), "the rows of a file",
		"batch_id = ? AND position >= ?", id, position)
	if err != nil || len(parts) == 0 {
		return nil, false, err
	}
	ids := models.IDs{}
	for _, p := range parts[0].Planned {
		ids = append(ids, p.Employee)
	}
	people, err := database.Find[models.Employee](g.Select("id", "employee_no", "name"), "people", "id = ANY (?)", ids)
	if err != nil {
		return nil, false, err
	}
	for _, p := range parts[0].Planned {
		row := Row{BatchRow: p}
		if at := slices.IndexFunc(people, func(e models.Employee) bool { return e.ID == p.Employee }); at >= 0 {
			row.EmployeeNo, row.Name = people[at].EmployeeNo, people[at].Name
		}
		for _, problem := range parts[0].Problems {
			if problem.Row == p.Row {
				row.Problems = append(row.Problems, problem)
			}
		}
		rows = append(rows, row)
	}
	return rows, len(parts) > 1, nil
}

// outcomeText is what became of a row, for the report.
func outcomeText(l i18n.Language, batch models.Batch, rows []models.BatchRow, number int, problem string) string {
	text := closed.Text(l, plannedOf(rows, number).Outcome)
	if problem == "" {
		return text
	}
	return text + l.Of("：", ": ") + problem
}
