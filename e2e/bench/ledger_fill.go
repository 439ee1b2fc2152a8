package main

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/models"
)

const (
	fillMonths  = 24
	fillWorkers = 2
	fillChunk   = 5000
)

// fill copies entries into the ledger as many writers would have written them over two years, with
// real commitments and MACs: what follows checks them.
func (w *ledgerWorld) fill(ctx context.Context, entries int) error {
	fmt.Printf("\nfilling the ledger with %d entries over %d months\n", entries, fillMonths)
	began := time.Now()
	if err := w.pastMonths(ctx); err != nil {
		return err
	}
	definitions, err := w.dropIndexes(ctx)
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	failed := make(chan error, fillWorkers)
	for worker := range fillWorkers {
		wg.Go(func() { failed <- w.copyEntries(ctx, entries, worker) })
	}
	wg.Wait()
	for range fillWorkers {
		if err := <-failed; err != nil {
			return err
		}
	}
	copied := time.Since(began)
	if err := w.index(ctx, definitions); err != nil {
		return err
	}
	var bytes int64
	if err := w.db.Read(ctx).Raw("SELECT pg_database_size(current_database())").Scan(&bytes).Error; err != nil {
		return fmt.Errorf("measuring the ledger: %w", database.Hide(err))
	}
	fmt.Printf("copied in %.0f s, indexed in %.0f s, %.1f GB\n", copied.Seconds(), (time.Since(began) - copied).Seconds(), float64(bytes)/1e9)
	return nil
}

// index makes the indexes, two at a time, and then the statistics. Those of the words' index are for a
// sample of a month's entries computed anew: a large one would take longer than the index.
func (w *ledgerWorld) index(ctx context.Context, definitions []string) error {
	waiting := make(chan string, len(definitions))
	for _, sql := range definitions {
		waiting <- sql
	}
	close(waiting)
	failed := make(chan error, fillWorkers)
	for range fillWorkers {
		go func() {
			for sql := range waiting {
				if err := w.db.Read(ctx).Exec(sql).Error; err != nil {
					failed <- fmt.Errorf("indexing the ledger: %w", database.Hide(err))
					return
				}
			}
			failed <- nil
		}()
	}
	var all error
	for range fillWorkers {
		all = errors.Join(all, <-failed)
	}
	if all != nil {
		return all
	}
	err := w.db.Read(ctx).Exec("SET default_statistics_target = 10; ANALYZE ledger_content, ledger_entries, ledger_pending, employees; RESET default_statistics_target").Error
	if err != nil {
		return fmt.Errorf("measuring the ledger's columns: %w", database.Hide(err))
	}
	return nil
}

// pastMonths makes the partitions that the sequencer would have made in time.
func (w *ledgerWorld) pastMonths(ctx context.Context) error {
	err := w.db.Read(ctx).Exec(`DO $$
		DECLARE start timestamp; part text; parent text;
		BEGIN
			FOR month IN 1 .. 25 LOOP
				start := date_trunc('month', lethe_now() AT TIME ZONE 'UTC') - make_interval(months => month);
				FOREACH parent IN ARRAY ARRAY['ledger_entries', 'ledger_content'] LOOP
					part := format('%s_%s', parent, to_char(start, 'YYYY_MM'));
					EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)', part, parent,
						start AT TIME ZONE 'UTC', (start + interval '1 month') AT TIME ZONE 'UTC');
					PERFORM ledger_guard(part::regclass);
				END LOOP;
			END LOOP;
		END $$`).Error
	if err != nil {
		return fmt.Errorf("making partitions: %w", database.Hide(err))
	}
	return nil
}

// dropIndexes removes the search's indexes for the time of the copying, and gives their definitions.
func (w *ledgerWorld) dropIndexes(ctx context.Context) ([]string, error) {
	var found []struct{ Name, Definition string }
	err := w.db.Read(ctx).Raw(`SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS definition
		FROM pg_index i WHERE i.indrelid = 'ledger_content'::regclass AND NOT i.indisprimary`).Scan(&found).Error
	if err != nil {
		return nil, fmt.Errorf("listing indexes: %w", database.Hide(err))
	}
	definitions := []string{}
	for _, f := range found {
		// On the parent alone it would not reach the partitions.
		definitions = append(definitions, strings.Replace(f.Definition, " ON ONLY ", " ON ", 1))
		if err := w.db.Read(ctx).Exec("DROP INDEX " + f.Name).Error; err != nil {
			return nil, fmt.Errorf("dropping an index: %w", database.Hide(err))
		}
	}
	return definitions, nil
}

// copyEntries copies every fillWorkers-th chunk.
func (w *ledgerWorld) copyEntries(ctx context.Context, entries, worker int) error {
	conn, err := pgx.Connect(ctx, w.url)
	if err != nil {
		return fmt.Errorf("connecting: %w", database.Hide(err))
	}
	defer func() { _ = conn.Close(ctx) }()
	end := time.Now().Add(-time.Minute)
	begin := end.AddDate(0, -fillMonths, 0)
	random := mathrand.New(mathrand.NewPCG(uint64(worker), 1)) // test data
	for first := worker * fillChunk; first < entries; first += fillWorkers * fillChunk {
		var made [fillChunk]filled
		count := min(fillChunk, entries-first)
		for i := range count {
			at := begin.Add(time.Duration(float64(end.Sub(begin)) * (float64(first+i) / float64(entries))))
			made[i] = w.entry(random, at)
		}
		for _, table := range []struct {
			name    string
			columns []string
			row     func(f *filled) []any
		}{
			{"ledger_entries", []string{"id", "at", "kind", "format", "epoch", "leaf", "mac", "mac_generation"}, (*filled).entryRow},
			{"ledger_content", []string{
				"entry_id", "at", "kind", "action", "actor_id", "actor_role", "authenticated", "user_id", "subject_id", "object",
				"requested_by", "purpose", "reason", "result", "rule", "request_id", "details", "salts",
			}, (*filled).contentRow},
			{"ledger_pending", []string{"entry_id", "at"}, (*filled).pendingRow},
		} {
			rows := pgx.CopyFromSlice(count, func(i int) ([]any, error) { return table.row(&made[i]), nil })
			if _, err := conn.CopyFrom(ctx, pgx.Identifier{table.name}, table.columns, rows); err != nil {
				return fmt.Errorf("copying entries: %w", database.Hide(err))
			}
		}
	}
	return nil
}

// filled is one entry that was made here.
type filled struct {
	leaf    ledger.Leaf
	bytes   []byte
	mac     []byte
	salts   []byte
	content ledger.Content
	details []byte
}

func (f *filled) entryRow() []any {
	return []any{f.leaf.ID, f.leaf.At(), string(f.leaf.Kind), int16(ledger.Format), 1, f.bytes, f.mac, 1}
}

func (f *filled) contentRow() []any {
	c := &f.content
	return []any{
		f.leaf.ID, f.leaf.At(), string(f.leaf.Kind), c.Action, c.ActorID, c.ActorRole, c.Authenticated, c.UserID, c.SubjectID, c.Object,
		c.RequestedBy, c.Purpose, c.Reason, c.Result, c.Rule, c.RequestID, f.details, f.salts,
	}
}

func (f *filled) pendingRow() []any { return []any{f.leaf.ID, f.leaf.At()} }

// What the entries are about: some are common, some rare, as in life.
var (
	fillKinds = []struct {
		kind   ledger.Kind
		action string
		reason bool
	}{
		{ledger.KindDisclosure, "disclosure.opened", true}, {ledger.KindDisclosure, "disclosure.refused", true},
		{ledger.KindSession, "session.opened", false}, {ledger.KindDeparture, "departure.started", false},
		{ledger.KindAccount, "account.disabled", false}, {ledger.KindQuery, "query_log.searched", false},
		{ledger.KindApproval, "approval.requested", true}, {ledger.KindExport, "query_log.export_requested", true},
	}
	fillWho  = []string{"员工本人", "部门主管", "财务部", "审计组", "劳动仲裁委员会", "人民法院", "the employee", "the works council", "the tax office"}
	fillDoes = []string{"要求核对", "申请查阅", "需要更正", "asks to verify", "wants to correct", "申请复印"}
	fillWhat = []string{"离职手续", "工资条", "社保记录", "紧急联系人", "劳动合同", "bank account", "payroll record", "emergency contact", "contract"}
)

func (w *ledgerWorld) entry(random *mathrand.Rand, at time.Time) filled {
	k := fillKinds[min(random.IntN(12), len(fillKinds)-1)]
	actor, subject, user := w.people[random.IntN(200)], w.people[random.IntN(len(w.people))], uuid.New()
	c := ledger.Content{
		Action: k.action, ActorID: &actor, ActorRole: string(models.RoleHRAdmin), Authenticated: string(models.ByTOTP), UserID: &user, SubjectID: &subject,
		Object: "departure/" + uuid.NewString(), Result: "done", RequestID: uuid.NewString(), Details: map[string]string{"system": "mail"},
	}
	if k.action == "disclosure.refused" {
		c.Result, c.Rule = "refused", "purpose.private"
	}
	if k.reason {
		c.Purpose = "handover"
		c.Reason = fillWho[random.IntN(len(fillWho))] + fillDoes[random.IntN(len(fillDoes))] + fillWhat[random.IntN(len(fillWhat))]
		if random.IntN(20_000) == 0 {
			c.Reason += "，涉及跨境调取 subpoena"
		}
	}
	f := filled{content: c, leaf: ledger.Leaf{Origin: w.origin, Epoch: 1, Kind: k.kind}}
	f.details, _ = json.Marshal(c.Details)
	f.salts = make([]byte, len(ledger.FieldNames)*ledger.SaltSize+16)
	_, _ = rand.Read(f.salts)
	copy(f.leaf.ID[:], f.salts[:16])
	f.salts = f.salts[16:]
	binary.BigEndian.PutUint64(f.leaf.ID[:8], uint64(at.UnixMilli())<<16|uint64(binary.BigEndian.Uint16(f.leaf.ID[6:8]))) // a time
	f.leaf.ID[6], f.leaf.ID[8] = 0x70|f.leaf.ID[6]&0x0f, 0x80|f.leaf.ID[8]&0x3f
	for i, value := range canonical(c) {
		h := hmac.New(sha256.New, f.salts[i*ledger.SaltSize:(i+1)*ledger.SaltSize])
		h.Write(append([]byte("lethe/ledger/field\n"), byte(i)))
		h.Write([]byte(value))
		h.Sum(f.leaf.Commitments[i][:0])
	}
	f.bytes = f.leaf.Marshal()
	mac := hmac.New(sha256.New, w.mac)
	mac.Write([]byte("lethe/ledger/mac\n"))
	mac.Write(f.bytes)
	f.mac = mac.Sum(nil)
	return f
}

// canonical are the values of the fields as docs/ledger-format.md describes them.
func canonical(c ledger.Content) []string {
	details := ""
	for key, value := range c.Details { // there is one
		for _, s := range []string{key, value} {
			details += string(binary.BigEndian.AppendUint32(nil, uint32(len(s)))) + s // a length
		}
	}
	return []string{
		c.Action, c.ActorID.String(), c.ActorRole, c.Authenticated, c.UserID.String(), c.SubjectID.String(), c.Object, c.RequestedBy,
		c.Purpose, c.Reason, c.Result, c.Rule, c.RequestID, details,
	}
}
