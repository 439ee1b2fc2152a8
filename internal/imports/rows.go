package imports

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"

	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/models"
)

// reading is what the rows of a file are read by.
type reading struct {
	batch                        models.Batch
	rules                        *archive.Rules
	columns                      map[string]int // of each field
	departments, entities, sites called
	// reach is whom those who import would reach by it, or who is moved.
	reach   *archive.Reach
	choices map[string]map[string]string // by field: what people write, folded, and the code
	kinds   map[string]models.DepartureKind
	// twice are the numbers, in lower case, that several rows have.
	twice map[string]bool
	// last: this is the last time that a part is tried.
	last bool
}

func newReading(batch models.Batch, rules *archive.Rules) *reading {
	r := &reading{
		batch: batch, rules: rules, columns: map[string]int{}, departments: called{}, entities: called{}, sites: called{},
		reach: &archive.Reach{}, choices: map[string]map[string]string{}, kinds: kinds(),
	}
	for i, field := range batch.Mapping {
		if field != "" {
			r.columns[field] = i
		}
	}
	for _, e := range rules.Entities {
		r.entities.add(e.ID, e.ID, e.Code, e.NameZh, e.NameEn)
	}
	for _, d := range rules.Departments {
		r.departments.add(d.ID, d.LegalEntityID, d.Code, d.NameZh, d.NameEn)
	}
	for _, s := range rules.Sites {
		r.sites.add(s.ID, uuid.Nil, s.Code, s.NameZh, s.NameEn)
	}
	for key, d := range rules.Definitions {
		if d.Type != models.FieldChoice {
			continue
		}
		written := map[string]string{}
		for _, o := range d.Choices {
			for _, text := range []string{o.Code, o.Zh, o.En} {
				written[folded(text)] = o.Code
			}
		}
		for text, code := range alsoChosen {
			if slices.ContainsFunc(d.Choices, func(o models.FieldOption) bool { return o.Code == code }) {
				written[text] = code
			}
		}
		r.choices[key] = written
	}
	return r
}

// behind are those who stand behind the import, as far as they are known.
func (r *reading) behind() []uuid.UUID {
	if r.batch.ApproverID == nil {
		return []uuid.UUID{r.batch.ActorID}
	}
	return []uuid.UUID{r.batch.ActorID, *r.batch.ApproverID}
}

// alsoChosen is what people write for a choice beside its texts.
var alsoChosen = map[string]string{
	"身份证": "resident_identity_card", "二代身份证": "resident_identity_card", "中国护照": "passport",
	"是": "yes", "否": "no", "y": "yes", "n": "no", "固定期限": "fixed_term", "无固定期限": "open_ended", "非全日制": "part_time",
	"丈夫": "spouse", "妻子": "spouse", "父亲": "parent", "母亲": "parent", "父子": "parent", "母女": "parent", "儿子": "child", "女儿": "child",
	"兄弟": "sibling", "姐妹": "sibling", "husband": "spouse", "wife": "spouse", "father": "parent", "mother": "parent", "son": "child",
	"daughter": "child", "brother": "sibling", "sister": "sibling",
}

// row is one row of a file as it was understood.
type row struct {
	number   int
	person   archive.NewEmployee
	left     bool // the row says that somebody left
	end      End
	leave    *Leave // of a file of departures
	problems []models.BatchProblem
}

// faulty says whether something is wrong with the row.
func (w *row) faulty() bool { return len(w.problems) > 0 }

func (r *reading) wrong(w *row, field string, code Problem) {
	column := 0
	if at, ok := r.columns[field]; ok {
		column = at + 1
	}
	p := models.BatchProblem{Row: w.number, Column: column, Code: string(code)}
	if !slices.Contains(w.problems, p) {
		w.problems = append(w.problems, p)
	}
}

// wrongIn says whether something is wrong with a column already: what follows from it is not told as well.
func (w *row) wrongIn(columns map[string]int, field string) bool {
	at, ok := columns[field]
	return ok && slices.ContainsFunc(w.problems, func(p models.BatchProblem) bool { return p.Column == at+1 })
}

// read understands a row by itself.
func (r *reading) read(number int, cells []string, lost []int) *row {
	w := &row{number: number, person: archive.NewEmployee{Fields: map[string]string{}}}
	cell := func(field string) string {
		if at, ok := r.columns[field]; ok && at < len(cells) {
			return cells[at]
		}
		return ""
	}
	n := &w.person
	n.EmployeeNo, n.Name, n.Post, n.TimeZone = cell(archive.FieldEmployeeNo), cell(archive.FieldName), cell(archive.FieldPost), cell(ColumnTimeZone)
	if text := cell(archive.FieldHiredOn); text != "" {
		day, err := clock.ParseDate(written(text))
		if n.HiredOn = day; err != nil {
			r.wrong(w, archive.FieldHiredOn, NotADate)
		}
	}
	r.department(w, cell(archive.FieldDepartment), cell(ColumnLegalEntity))
	if text := cell(ColumnSite); text != "" {
		if found := r.sites.meant(text, uuid.Nil); len(found) == 1 {
			n.SiteID = &found[0]
		} else {
			r.wrong(w, ColumnSite, Unknown) // or of several
		}
	}
	for field, at := range r.columns {
		d, known := r.rules.Definitions[field]
		if !known || d.Category == "" || at >= len(cells) || cells[at] == "" {
			continue
		}
		n.Fields[field] = r.value(d, cells[at])
	}
	for _, at := range lost {
		if at < len(r.batch.Mapping) && r.batch.Mapping[at] != "" {
			r.wrong(w, r.batch.Mapping[at], DigitsLost)
		}
	}
	r.end(w, cell(ColumnLeft), cell(ColumnKind))
	if r.twice[strings.ToLower(n.EmployeeNo)] {
		r.wrong(w, archive.FieldEmployeeNo, Twice)
	}
	return w
}

func (r *reading) department(w *row, name, entity string) {
	if name == "" {
		return
	}
	within := uuid.Nil
	if entity != "" {
		switch found := r.entities.meant(entity, uuid.Nil); len(found) {
		case 1:
			within = found[0]
		default: // or several
			r.wrong(w, ColumnLegalEntity, Unknown)
			return
		}
	}
	switch found := r.departments.meant(name, within); len(found) {
	case 0:
		r.wrong(w, archive.FieldDepartment, Unknown)
	case 1:
		w.person.DepartmentID = found[0]
	default:
		r.wrong(w, archive.FieldDepartment, AmbiguousDepartment)
	}
}

// value brings what people write into the form that the archive judges: days, and choices by their texts.
func (r *reading) value(d models.FieldDefinition, text string) string {
	switch d.Type {
	case models.FieldDate:
		return written(text)
	case models.FieldChoice:
		if code, ok := r.choices[d.Key][folded(text)]; ok {
			return code
		}
	}
	return text
}

var days = regexp.MustCompile(`^(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})日?(?:[ T]0?0:00(?::00)?)?$|^(\d{4})(\d{2})(\d{2})$`)

// written is a day as YYYY-MM-DD, if it is written year first; else it stays as it is.
func written(text string) string {
	m := days.FindStringSubmatch(norm.NFKC.String(text))
	if m == nil {
		return text
	}
	var n [3]int
	for i := range n {
		n[i], _ = strconv.Atoi(m[i+1] + m[i+4])
	}
	return fmt.Sprintf("%04d-%02d-%02d", n[0], n[1], n[2])
}

// judged notes why the archive refuses a row.
func (r *reading) judged(w *row, err error) error {
	var refused *archive.InvalidError
	switch {
	case err == nil:
	case errors.As(err, &refused):
		for _, p := range refused.Problems {
			if field := r.fieldOf(p.Location); !w.wrongIn(r.columns, field) {
				r.wrong(w, field, Problem(p.Code))
			}
		}
	case errors.Is(err, archive.ErrPurged):
		r.wrong(w, "", Purged)
	case errors.Is(err, archive.ErrHeld):
		r.wrong(w, "", Held)
	case errors.Is(err, archive.ErrApprovalRequired):
		r.wrong(w, archive.FieldDepartment, TwoPeople)
	case errors.Is(err, archive.ErrOwnFile):
		r.wrong(w, "", OwnFile)
	default:
		return err
	}
	return nil
}

// fieldOf is the field that a place of a command is about.
func (r *reading) fieldOf(location string) string {
	switch location {
	case "department_id", "legal_entity_id":
		return archive.FieldDepartment
	}
	return strings.TrimPrefix(location, "fields.")
}
