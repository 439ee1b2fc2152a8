package imports

import (
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/models"
)

// Leavers is what departures, which stand behind this package, do for people of a file who left before it came.
type Leavers interface {
	// Calendar reads the retention rules.
	Calendar(tx *database.Tx) Calendar
	// Known is how employments ended, or will, of those that have an open departure.
	Known(tx *database.Tx, employments []uuid.UUID) (map[uuid.UUID]End, error)
	// Enter writes the departures of people whom the same transaction enters as departed.
	Enter(tx *database.Tx, batch models.Batch, left []Left) error
	// Judge says what the departure of somebody would come to, by what judges one alone. It locks the employment.
	Judge(tx *database.Tx, by models.Actor, l Leave) (Outlook, error)
}

// Calendar says what is due.
type Calendar interface {
	// Ruled says whether deadlines of a jurisdiction can be computed at all.
	Ruled(jurisdiction string) (bool, error)
	// Due are the categories of an employment that ended at an instant whose deadlines are over by another one.
	Due(jurisdiction, zone string, endedAt, by time.Time) ([]models.Category, error)
}

// End is how an employment ended.
type End struct {
	Kind models.DepartureKind
	Day  clock.Date
}

// Left is somebody who left, with the employment that was entered.
type Left struct {
	Employment models.Employment
	End
}

// kindWords is what people write for a kind beside its texts.
var kindWords = map[models.DepartureKind][]string{
	models.KindResignation:     {"主动离职", "个人辞职", "自愿离职", "员工辞职", "本人辞职", "劳动者解除", "resigned", "voluntary", "quit"},
	models.KindMutualAgreement: {"协商一致", "协商一致解除", "协商离职", "双方协商", "mutual", "mutual consent", "termination by agreement"},
	models.KindDismissal:       {"辞退", "公司辞退", "公司单方解除", "单方解除", "开除", "解雇", "被动离职", "裁员", "dismissed", "terminated", "involuntary", "layoff", "redundancy"},
	models.KindContractEnd:     {"合同到期", "合同期满", "到期终止", "不续签", "终止", "contract expired", "end of fixed term", "expired"},
	models.KindRetirement:      {"退休离职", "retired"},
	models.KindDeath:           {"身故", "去世", "亡故", "deceased", "died"},
	models.KindGroupTransfer:   {"调动", "内部调动", "transfer", "group transfer"},
	models.KindAssignmentEnd:   {"实习结束", "派遣结束", "外包结束", "实习期满", "internship ended"},
}

// kinds are what people write for the kinds, folded.
func kinds() map[string]models.DepartureKind {
	written := map[string]models.DepartureKind{}
	for _, kind := range models.DepartureKinds {
		for _, text := range append([]string{closed.Text(i18n.Chinese, kind), closed.Text(i18n.English, kind), string(kind)}, kindWords[kind]...) {
			written[folded(text)] = kind
		}
	}
	return written
}

// end understands how somebody left, from the day and the kind; the zero value, that nobody did. now is when the row is
// judged.
func (r *reading) end(w *row, day, kind string) {
	if day == "" && kind == "" {
		return
	}
	w.left = true
	switch known, ok := r.kinds[folded(kind)]; {
	case kind == "":
		r.wrong(w, ColumnKind, NoKind)
	case !ok:
		r.wrong(w, ColumnKind, NotAllowed)
	case known == models.KindGroupTransfer: // it goes on in another employment, which no file tells of
		r.wrong(w, ColumnKind, NotAllowed)
	default:
		w.end.Kind = known
	}
	if day == "" {
		r.wrong(w, ColumnLeft, NoEnd)
		return
	}
	parsed, err := clock.ParseDate(written(day))
	if err != nil {
		r.wrong(w, ColumnLeft, NotADate)
		return
	}
	w.end.Day = parsed
	if first := w.person.HiredOn; !first.IsZero() && parsed.Before(first) {
		r.wrong(w, ColumnLeft, BeforeHire)
	}
}

// ended completes the end of somebody new whom the archive has judged: it is over, and it can be said what is due.
func (r *reading) ended(w *row, calendar Calendar) (due []models.Category, err error) {
	if !w.left || w.faulty() {
		return nil, nil
	}
	zone, err := clock.LoadZone(w.person.TimeZone)
	if err != nil {
		r.wrong(w, ColumnTimeZone, Unknown)
		return nil, nil
	}
	at := clock.EndOfDay(w.end.Day, zone).UTC()
	if at.After(r.rules.Now()) {
		r.wrong(w, ColumnLeft, LeavesYet)
		return nil, nil
	}
	jurisdiction := r.rules.Entities[w.person.LegalEntityID].Jurisdiction
	ruled, err := calendar.Ruled(jurisdiction)
	if err != nil {
		return nil, err
	}
	if !ruled {
		r.wrong(w, archive.FieldDepartment, NoRules)
		return nil, nil
	}
	w.person.EndedAt = &at
	return calendar.Due(jurisdiction, w.person.TimeZone, at, r.rules.Now())
}

// judgeEnd is of somebody who is there already: a file may repeat how the employment ended, and changes nothing about it.
func (r *reading) judgeEnd(j *judgement, known map[uuid.UUID]End) {
	if !j.left || j.faulty() {
		return
	}
	switch end, ok := known[j.file.Employment.ID]; {
	case !ok:
		r.wrong(j.row, ColumnLeft, StillEmployed)
	case end.Day != j.end.Day:
		r.wrong(j.row, ColumnLeft, EndsElse)
	case end.Kind != j.end.Kind:
		r.wrong(j.row, ColumnKind, EndsElse)
	}
}

// leaving counts the people of a part who left.
func leaving(all []judgement) *models.BatchLeaving {
	var l models.BatchLeaving
	for _, j := range all {
		if j.outcome == creates && j.leave != nil {
			l.Add(j.leaves.counted())
		}
		if j.outcome != creates || !j.left {
			continue
		}
		one := models.BatchLeaving{People: 1, First: j.end.Day, Last: j.end.Day, Due: map[models.Category]int{}}
		for _, category := range j.due {
			one.Due[category] = 1
		}
		if len(j.due) > 0 {
			one.DuePeople = 1
		}
		l.Add(one)
	}
	if l.People == 0 {
		return nil
	}
	return &l
}

// Leaving is about all people of a file who left, as the dry run said; without any the zero value.
func Leaving(g *gorm.DB, id uuid.UUID) (all models.BatchLeaving, err error) {
	var parts []models.BatchPart
	if err := g.Select("id", "leaving").Where("batch_id = ? AND leaving IS NOT NULL", id).Find(&parts).Error; err != nil {
		return all, database.Wrap("reading who of a file left", err)
	}
	for _, p := range parts {
		all.Add(*p.Leaving)
	}
	return all, nil
}

// enterLeft writes the departures of those who were entered as departed.
func (w *Worker) enterLeft(tx *database.Tx, batch models.Batch, hired []judgement, employments []models.Employment) error {
	var left []Left
	for i, m := range employments {
		if m.EndedAt != nil {
			left = append(left, Left{Employment: m, End: hired[i].end})
		}
	}
	return w.Leavers.Enter(tx, batch, left)
}
