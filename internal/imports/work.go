package imports

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
	"gorm.io/gorm/clause"

	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/failpoint"
	"lethe/internal/identity"
	"lethe/internal/keyed"
	"lethe/internal/vault"
	"lethe/models"
)

// Worker walks the parts of imports.
type Worker struct {
	DB      *database.DB
	Vault   Vault
	Leavers Leavers
	// Rate is how many departures of a file are begun within a second at most; 0: as many as there is time for.
	Rate int
	Log  *slog.Logger
}

// underWay is how many parts of a file are under way at once: while the database writes one, another is judged.
const underWay = 2

// Walk takes one part after another, each in a transaction of its own, until nothing is left for now or the time is over,
// and says how many it took. Any number may walk at once: a part is taken once.
func (w *Worker) Walk(ctx context.Context, id uuid.UUID, until time.Time) (parts int, err error) {
	batch, err := database.First[models.Batch](w.DB.Read(ctx).Where("id = ?", id))
	if err != nil {
		return 0, fmt.Errorf("reading an import: %w", err)
	}
	take := func(ctx context.Context) (bool, error) {
		return tries(ctx, func(last bool) (bool, error) { return w.runPart(ctx, id, last) })
	}
	if batch.State == models.BatchChecking {
		twice, err := w.twice(ctx, batch)
		if err != nil {
			return 0, err
		}
		take = func(ctx context.Context) (bool, error) {
			return tries(ctx, func(last bool) (bool, error) { return w.checkPart(ctx, batch, twice, last) })
		}
	}
	ctx = models.WithCaller(ctx, models.Caller{
		Actor: batch.Actor(), UserID: batch.UserID, Authenticated: batch.Authenticated, ApprovalID: given(batch.ApprovalID),
		RequestID: models.Ref{Kind: batch.Kind.Ref(), ID: id}.String(),
	})
	var group errgroup.Group
	var taken atomic.Int64
	wait := w.between(batch)
	for range underWay {
		group.Go(func() error {
			for {
				begun := time.Now()
				more, err := take(ctx)
				if err != nil || !more {
					return err
				}
				if taken.Add(1); !time.Now().Before(until) || !rests(ctx, wait-time.Since(begun)) {
					return nil
				}
			}
		})
	}
	if err = group.Wait(); err != nil {
		return int(taken.Load()), err
	}
	state := batch.State
	if batch, err = database.First[models.Batch](w.DB.Read(ctx).Where("id = ?", id)); err == nil && batch.State != state {
		reached.WithLabelValues(string(batch.State)).Inc()
	}
	return int(taken.Load()), database.Wrap("reading an import", err)
}

// between is how long a part of a run takes at least, since no more than [Worker.Rate] departures begin within a second.
func (w *Worker) between(batch models.Batch) time.Duration {
	if batch.Kind != models.BatchDepartures || batch.State != models.BatchRunning || w.Rate <= 0 {
		return 0
	}
	return underWay * time.Duration(rowsOfPart(batch.Kind)) * time.Second / time.Duration(w.Rate)
}

// rests waits, and says false if ctx ended meanwhile.
func rests(ctx context.Context, wait time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(wait):
		return ctx.Err() == nil
	}
}

func given(id *uuid.UUID) uuid.UUID {
	if id == nil {
		return uuid.Nil
	}
	return *id
}

// twice are the numbers that several rows have. The whole file is read for them: a mapping that changes makes them others.
func (w *Worker) twice(ctx context.Context, batch models.Batch) (map[string]bool, error) {
	at := slices.Index(batch.Mapping, archive.FieldEmployeeNo)
	seen, twice := map[string]bool{}, map[string]bool{}
	var parts []models.BatchPart
	if err := w.DB.Read(ctx).Select("id", "position").Where("batch_id = ?", batch.ID).Order("position").Find(&parts).Error; err != nil {
		return nil, database.Wrap("reading the parts of a file", err)
	}
	for _, p := range parts {
		part, err := database.First[models.BatchPart](w.DB.Read(ctx).Where("id = ?", p.ID))
		if err != nil {
			return nil, fmt.Errorf("reading a part of a file: %w", err)
		}
		c, err := w.open(ctx, part)
		if err != nil {
			return nil, err
		}
		for _, cells := range c.Cells {
			if at < 0 || at >= len(cells) || cells[at] == "" {
				continue
			}
			no := strings.ToLower(cells[at])
			if seen[no] {
				twice[no] = true
			}
			seen[no] = true
		}
	}
	return twice, nil
}

// open opens a part; one that is gone has no rows.
func (w *Worker) open(ctx context.Context, part models.BatchPart) (c content, err error) {
	if part.RowsSealed.IsNull() {
		return c, nil
	}
	err = openJSON(ctx, w.Vault, partCell(part.ID), part.RowsSealed, &c)
	if errors.Is(err, vault.ErrPurged) {
		return content{}, nil
	}
	return c, err
}

// step is what is done to each part of an import, and how far it is.
type step struct {
	state models.BatchState
	// behind is the column of the parts that says which have it behind them.
	behind string
	// over is what follows the last part.
	over func(tx *database.Tx, batch models.Batch) error
}

var (
	checking = step{models.BatchChecking, "checked", checked}
	running  = step{models.BatchRunning, "ran", done}
)

// next locks the next part that nobody works on; without one, more is false, and whoever finds that none is left ends the
// step. The import itself is locked last, by what is counted: its parts do not wait for each other.
func (s step) next(tx *database.Tx, id uuid.UUID) (batch models.Batch, part models.BatchPart, more bool, err error) {
	batch, err = database.First[models.Batch](tx.DB().Where("id = ?", id))
	if err != nil || batch.State != s.state {
		return batch, part, false, database.Wrap("reading an import", err)
	}
	free := database.ForChange
	free.Options = clause.LockingOptionsSkipLocked
	part, err = database.First[models.BatchPart](tx.DB().Clauses(free).Where("batch_id = ? AND NOT "+s.behind, id).Order("position"))
	if errors.Is(err, database.ErrNotFound) {
		return batch, part, false, s.end(tx, id)
	}
	return batch, part, err == nil, database.Wrap("taking a part of a file", err)
}

// end ends the step unless others still work on parts: the last of them will.
func (s step) end(tx *database.Tx, id uuid.UUID) error {
	batch, err := lock(tx, id)
	if err != nil || batch.State != s.state {
		return err
	}
	var left int64
	if err := tx.DB().Model(&models.BatchPart{}).Where("batch_id = ? AND NOT "+s.behind, id).Count(&left).Error; err != nil {
		return database.Wrap("counting the parts of a file", err)
	}
	if left > 0 {
		return nil
	}
	return s.over(tx, batch)
}

// count adds to what an import has behind it. One that ended, or got another mapping, while a part was under way loses that
// part's work.
func (s step) count(tx *database.Tx, batch models.Batch, sums string, args ...any) error {
	err := database.UpdateOne(tx.DB().Exec("UPDATE batches SET "+sums+" WHERE id = ? AND state = ? AND mapping = ?",
		append(args, batch.ID, s.state, batch.Mapping)...))
	if errors.Is(err, database.ErrChanged) {
		return errEnded
	}
	return database.Wrap("counting what was done", err)
}

// errEnded says that the import ended while a part of it was under way.
var errEnded = errors.New("the import ended meanwhile")

// checkPart is the dry run of a part by the mapping that somebody began to walk with.
func (w *Worker) checkPart(ctx context.Context, began models.Batch, twice map[string]bool, last bool) (more bool, err error) {
	var forget models.Sealed
	var counts [outcomes]int
	start := time.Now()
	failpoint.Hit("batch.check.before")
	err = database.Run(ctx, w.DB, func(tx *database.Tx) error {
		var batch models.Batch
		var part models.BatchPart
		forget = models.Sealed{}
		if batch, part, more, err = checking.next(tx, began.ID); err != nil || !more {
			return err
		}
		if !slices.Equal(batch.Mapping, began.Mapping) {
			more = false
			return nil
		}
		if counts, err = w.check(tx, batch, &part, twice, last, &forget); err != nil {
			return err
		}
		return checking.count(tx, batch, "checked = checked + ?, to_create = to_create + ?, to_change = to_change + ?, same = same + ?, faulty = faulty + ?",
			part.Rows, counts[creates], counts[changes], counts[stays], counts[faulty])
	})
	if errors.Is(err, errEnded) {
		return false, nil
	}
	if err == nil && more {
		checking.tell(start, counts)
	}
	if err == nil && !forget.IsNull() {
		err = w.Vault.ShredLoose(ctx, forget)
	}
	return more, err
}

// checked ends the dry run.
func checked(tx *database.Tx, batch models.Batch) error {
	err := database.UpdateOne(tx.DB().Exec("UPDATE batches SET state = ? WHERE id = ?", models.BatchChecked, batch.ID))
	return database.Wrap("ending a dry run", err)
}

func (w *Worker) check(tx *database.Tx, batch models.Batch, part *models.BatchPart, twice map[string]bool, last bool, forget *models.Sealed) (counts [outcomes]int, err error) {
	c, err := w.open(tx.Context(), *part)
	if err != nil {
		return counts, err
	}
	if len(c.Cells) == 0 {
		counts[faulty] = part.Rows
		return counts, database.UpdateOne(tx.DB().Exec("UPDATE batch_parts SET checked = true WHERE id = ?", part.ID))
	}
	rules, err := archive.RulesNow(tx)
	if err != nil {
		return counts, err
	}
	r := newReading(batch, rules)
	if r.reach, err = archive.ReachNow(tx, r.behind()...); err != nil {
		return counts, err
	}
	r.twice, r.last = twice, last
	all, err := w.judge(tx, r, r.readAll(c, nil), false)
	if err != nil {
		return counts, err
	}
	// Whoever a row was about by a mapping before stands in the part still: a purge of theirs takes it.
	part.Problems = []models.BatchProblem{}
	scrubbed := false
	for i, j := range all {
		if j.purged() { // what was destroyed does not come back by a copy
			j.problems = []models.BatchProblem{{Row: j.number, Code: string(Purged)}}
			c.Cells[i], j.outcome, scrubbed = nil, faulty, true
			delete(c.Lost, i)
		}
		if j.file.Employee.ID != uuid.Nil && !slices.Contains(part.People, j.file.Employee.ID) {
			part.People = append(part.People, j.file.Employee.ID)
		}
		part.Problems = append(part.Problems, j.problems...)
		counts[j.outcome]++
	}
	if scrubbed {
		*forget = part.RowsSealed
		if part.RowsSealed, err = sealJSON(tx.Context(), w.Vault, partCell(part.ID), c); err != nil {
			return counts, err
		}
	}
	now := rules.Now()
	part.Checked, part.Leaving, part.WalkedAt = true, leaving(all), &now
	part.Planned = plannedRows(batch, c.Numbers, nil, all)
	return counts, database.UpdateOne(tx.DB().Select("rows_sealed", "people", "problems", "checked", "leaving", "planned", "walked_at").Where("id = ?", part.ID).Updates(part))
}

// readAll understands the rows of a part, but for those that problems name already.
func (r *reading) readAll(c content, problems []models.BatchProblem) []*row {
	known := map[int]bool{}
	for _, p := range problems {
		known[p.Row] = true
	}
	rows := make([]*row, 0, len(c.Cells))
	for i, cells := range c.Cells {
		if !known[c.Numbers[i]] {
			read := r.read
			if r.batch.Kind == models.BatchDepartures {
				read = r.readLeave
			}
			rows = append(rows, read(c.Numbers[i], cells, c.Lost[i]))
		}
	}
	return rows
}

// errAgain says that somebody entered one of the people, or began to destroy data of one, at the same moment, or that a row
// failed for a reason that no rule foresees: the part is judged anew.
var errAgain = errors.New("a part is to be judged anew")

const maxTries = 5

// tries has a part walked again while it says [errAgain], with growing pauses; last is the last time.
func tries(ctx context.Context, walk func(last bool) (bool, error)) (more bool, err error) {
	for try := 1; ; try++ {
		more, err = walk(try == maxTries)
		if !errors.Is(err, errAgain) || try == maxTries || !rests(ctx, time.Duration(try)*100*time.Millisecond) {
			return more, err
		}
	}
}

// runPart enters and changes the people of a part, or begins their departures.
func (w *Worker) runPart(ctx context.Context, id uuid.UUID, last bool) (more bool, err error) {
	var forget models.Sealed
	var counts [outcomes]int
	start := time.Now()
	failpoint.Hit("batch.run.before")
	err = database.Run(ctx, w.DB, func(tx *database.Tx) error {
		var batch models.Batch
		var part models.BatchPart
		forget = models.Sealed{}
		if batch, part, more, err = running.next(tx, id); err != nil || !more {
			return err
		}
		if gone, err := endIfGone(tx, batch); err != nil || gone {
			more = false
			return err
		}
		if counts, err = w.run(tx, batch, &part, last, &forget); err != nil {
			return err
		}
		failpoint.Hit("batch.run.inside")
		return running.count(tx, batch, "ran = ran + ?, created = created + ?, changed = changed + ?, unchanged = unchanged + ?, refused = refused + ?, departed = departed + ?",
			part.Rows, counts[creates], counts[changes], counts[stays], counts[faulty], counts[departed])
	})
	failpoint.Hit("batch.run.after")
	if errors.Is(err, errEnded) {
		return false, nil
	}
	if err == nil && more {
		running.tell(start, counts)
	}
	if err == nil && !forget.IsNull() {
		err = w.Vault.ShredLoose(ctx, forget)
	}
	return more, err
}

// endIfGone cancels an import whose uploader could not ask for it any more (I32).
func endIfGone(tx *database.Tx, batch models.Batch) (gone bool, err error) {
	stands, err := identity.Stands(tx, &batch.UserID, batch.Actor(), batch.CreatedAt)
	if err != nil || stands {
		return false, err
	}
	if batch, err = lock(tx, batch.ID); err != nil || batch.State.Ended() {
		return true, err
	}
	return true, end(tx, batch, models.BatchCancelled, models.BatchEndUploaderGone)
}

func (w *Worker) run(tx *database.Tx, batch models.Batch, part *models.BatchPart, last bool, forget *models.Sealed) (counts [outcomes]int, err error) {
	c, err := w.open(tx.Context(), *part)
	if err != nil {
		return counts, err
	}
	rules, err := archive.RulesNow(tx)
	if err != nil {
		return counts, err
	}
	r := newReading(batch, rules)
	r.last = last
	if r.reach, err = archive.ReachNow(tx, r.behind()...); err != nil {
		return counts, err
	}
	all, err := w.judge(tx, r, r.readAll(c, part.Problems), true)
	if err != nil {
		return counts, err
	}
	if batch.Kind == models.BatchDepartures {
		return w.runLeaves(tx, r, part, c.Numbers, all)
	}
	hired, err := w.write(tx, r, all)
	if err != nil {
		return counts, err
	}
	for _, m := range hired {
		part.People = append(part.People, m.EmployeeID)
		if m.EndedAt != nil {
			counts[departed]++
		}
	}
	for _, j := range all {
		part.Problems = append(part.Problems, j.problems...)
		counts[j.outcome]++
	}
	counts[faulty] = part.Rows - counts[creates] - counts[changes] - counts[stays]
	if len(part.Problems) == 0 { // nothing of it goes back to anybody
		*forget, part.RowsSealed, part.People = part.RowsSealed, models.Sealed{}, models.IDs{}
	}
	now := rules.Now()
	part.Ran, part.WalkedAt = true, &now
	return counts, database.UpdateOne(tx.DB().Select("rows_sealed", "people", "problems", "ran", "walked_at").Where("id = ?", part.ID).Updates(part))
}

// write enters who is new and changes who is there, and notes what was imported. It returns who is new.
func (w *Worker) write(tx *database.Tx, r *reading, all []judgement) (hired []models.Employment, err error) {
	created := slices.DeleteFunc(slices.Clone(all), func(j judgement) bool { return j.outcome != creates })
	people := make([]archive.NewEmployee, len(created))
	for i, j := range created {
		people[i] = j.person
	}
	hired, err = archive.CreateAll(tx, w.Vault, r.rules, people)
	if errors.Is(err, archive.ErrEmployeeNoTaken) {
		return nil, errAgain
	}
	if err == nil {
		err = w.enterLeft(tx, r.batch, created, hired)
	}
	if err != nil {
		return nil, err
	}
	var changed []archive.Change
	for _, j := range all {
		if j.outcome == changes {
			changed = append(changed, archive.Change{File: j.file, Patch: j.patch})
		}
	}
	err = archive.ChangeAll(tx, w.Vault, r.rules, changed)
	if errors.Is(err, vault.ErrPurged) { // it has begun since the files were judged
		return nil, errAgain
	}
	if err != nil {
		return nil, err
	}
	return hired, w.note(tx, r.batch, all, hired)
}

// note keeps what was imported last for each employment, as a digest of its sealed values: of who is new, and of files
// that were changed, each to its next revision.
func (w *Worker) note(tx *database.Tx, batch models.Batch, all []judgement, hired []models.Employment) error {
	set, err := keyed.Living(tx.Context(), tx, keyed.Imports)
	if err != nil {
		return err
	}
	var employments models.IDs
	var revisions, digests []string
	created := 0
	for _, j := range all {
		employment, revision := j.file.Employment.ID, j.file.Employee.Revision+1
		switch j.outcome {
		case creates:
			employment, revision = hired[created].ID, 1
			created++
		case changes:
		default:
			continue
		}
		if len(j.person.Fields) == 0 {
			continue
		}
		fields := make(map[string]*string, len(j.person.Fields))
		for key, value := range j.person.Fields {
			fields[key] = &value
		}
		employments = append(employments, employment)
		revisions = append(revisions, strconv.FormatInt(revision, 10))
		digests = append(digests, hex.EncodeToString(digestsOf(set, employment, fields)[0]))
	}
	if len(employments) == 0 {
		return nil
	}
	err = tx.DB().Exec(`INSERT INTO imported_rows (employment_id, batch_id, revision, digest)
		SELECT e, ?, r::bigint, decode(d, 'hex') FROM unnest(?::uuid[], ?::text[], ?::text[]) AS n (e, r, d)
		ON CONFLICT (employment_id) DO UPDATE SET batch_id = excluded.batch_id, revision = excluded.revision, digest = excluded.digest`,
		batch.ID, employments, models.Names(revisions), models.Names(digests)).Error
	return database.Wrap("noting what was imported", err)
}
