package ledger

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/models"
)

// appendAllSQL is appendSQL for many entries, which come as columns: each row is one of them. The time that has to be
// right is that of the first and the last.
const appendAllSQL = `WITH truth AS MATERIALIZED (
		SELECT now, epoch, epoch = $1 AND now - $2::timestamptz BETWEEN '-1 s' AND '1 s' AND now - $3::timestamptz BETWEEN '-1 s' AND '1 s' AS fits
		FROM (SELECT lethe_now() AS now, (SELECT epoch FROM ledger_head) AS epoch) AS reading
	), given AS MATERIALIZED (
		SELECT g.* FROM truth, unnest($7::uuid[], $8::timestamptz[], $9::text[], $10::bytea[], $11::bytea[], $12::text[], $13::uuid[], $14::text[], $15::text[],
			$16::uuid[], $17::uuid[], $18::text[], $19::text[], $20::text[], $21::bytea[])
			AS g (id, at, kind, leaf, mac, action, actor_id, actor_role, authenticated, user_id, subject_id, object, request_id, details, salts)
		WHERE truth.fits
	), entry AS (
		INSERT INTO ledger_entries (id, at, kind, format, epoch, leaf, mac, mac_generation)
		SELECT id, at, kind, $4, $5, leaf, mac, $6 FROM given RETURNING id, at
	), content AS (
		INSERT INTO ledger_content (entry_id, at, kind, action, actor_id, actor_role, authenticated, user_id, subject_id, object,
			requested_by, purpose, reason, result, rule, request_id, details, salts)
		SELECT id, at, kind, action, actor_id, actor_role, authenticated, user_id, subject_id, object, '', '', '', 'done', '', request_id, details::jsonb, salts FROM given
	), pending AS (
		INSERT INTO ledger_pending (entry_id, at) SELECT id, at FROM entry
	) SELECT now, epoch, fits FROM truth`

// AppendAll is [Append] for many entries, in one round trip; the ids are in their order. The entries say what was done
// to what: requested_by, purpose, reason, result and rule are those of single steps.
func AppendAll(tx *database.Tx, entries []Entry) ([]uuid.UUID, error) {
	if len(entries) == 0 {
		return nil, nil
	}
	w, err := writerOf(tx)
	if err != nil {
		return nil, err
	}
	contents := make([]Content, len(entries))
	for i, e := range entries {
		if contents[i], err = contentOf(models.CallerOf(tx.Context()), e); err != nil {
			return nil, err
		}
		if c := contents[i]; c.RequestedBy != "" || c.Purpose != "" || c.Reason != "" || c.Rule != "" || c.Result != string(Done) {
			return nil, fmt.Errorf("recording %s: not one of many", e.Action)
		}
	}
	for range maxAppends {
		ids, fits, err := w.appendAll(tx, entries, contents)
		if err != nil || fits {
			return ids, err
		}
	}
	return nil, fmt.Errorf("recording %s: %w", entries[0].Action, errClock)
}

func (w *Writer) appendAll(tx *database.Tx, entries []Entry, contents []Content) (ids []uuid.UUID, fits bool, err error) {
	n := len(entries)
	var columns struct {
		at                                                          []time.Time
		kind, action, role, authenticated, object, request, details []string
		leaf, mac, salts                                            [][]byte
		actor, user, subject                                        []*uuid.UUID
	}
	ids = make([]uuid.UUID, n)
	sent := time.Now()
	var epoch int
	for i, c := range contents {
		leaf, salts := w.leaf(sent, entries[i].Kind, c.values())
		data := leaf.Marshal()
		details, err := json.Marshal(c.Details)
		if err != nil {
			return nil, false, fmt.Errorf("writing the details of an entry: %w", err)
		}
		ids[i], epoch = leaf.ID, leaf.Epoch
		columns.at, columns.kind = append(columns.at, leaf.At()), append(columns.kind, string(entries[i].Kind))
		columns.leaf, columns.mac, columns.salts = append(columns.leaf, data), append(columns.mac, macOf(w.key.mac, data)), append(columns.salts, salts)
		columns.action, columns.role = append(columns.action, c.Action), append(columns.role, c.ActorRole)
		columns.authenticated, columns.object = append(columns.authenticated, c.Authenticated), append(columns.object, c.Object)
		columns.request, columns.details = append(columns.request, c.RequestID), append(columns.details, string(details))
		columns.actor, columns.user, columns.subject = append(columns.actor, c.ActorID), append(columns.user, c.UserID), append(columns.subject, c.SubjectID)
	}
	var now time.Time
	var current int64
	err = tx.DB().Statement.ConnPool.QueryRowContext(tx.Context(), appendAllSQL,
		epoch, columns.at[0], columns.at[n-1], Format, epoch, w.key.generation,
		ids, columns.at, columns.kind, columns.leaf, columns.mac, columns.action, columns.actor, columns.role, columns.authenticated,
		columns.user, columns.subject, columns.object, columns.request, columns.details, columns.salts).Scan(&now, &current, &fits)
	if err != nil {
		return nil, false, database.Wrap("recording "+entries[0].Action, err)
	}
	w.learn(sent, time.Now(), now, current)
	return ids, fits, nil
}
