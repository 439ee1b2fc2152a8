package vault

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/models"
)

// What is wrong with the keys of an installation.
var (
	// ErrKeysLost says that the keys database is older than the facts.
	ErrKeysLost = errors.New("the keys database lacks keys that the facts use, so it is older than they are: " +
		"restore a newer backup of it, or have two people give up what lost its key, by `lethe restore accept` (docs/operations.md)")
	// ErrOtherKEK says that the keys cannot be unwrapped.
	ErrOtherKEK = errors.New("LETHE_KEK_FILE does not hold the key-encryption key with which the keys database was wrapped")
)

const actionLostAccepted = "restore.accepted"

// Lost is a row of the facts whose key the keys database does not have.
type Lost struct {
	KeyID uuid.UUID
	Table string
	RowID uuid.UUID // of employment_categories: the category; else the row that holds the sealed value
}

// lostBatch bounds one query in each database.
const lostBatch = 5000

// FindLost compares every key that the facts refer to with the keys database, except those that two
// people gave up before. A key is committed before what it seals, so that one that is missing was
// there. Data keys are compared by category, loose ones by the sealed value; it reads each once.
func FindLost(ctx context.Context, facts, keys *database.DB) (lost []Lost, err error) {
	places, err := loosePlaces(ctx, facts)
	if err != nil {
		return nil, err
	}
	places = append(places, keyPlace{
		table: "employment_categories", keys: "data_keys", key: "data_key_id", where: "data_key_id IS NOT NULL AND state <> 'purged'",
	})
	for _, p := range places {
		found, err := p.lost(ctx, facts, keys)
		if err != nil {
			return nil, fmt.Errorf("comparing the keys of %s: %w", p.table, err)
		}
		lost = append(lost, found...)
	}
	return lost, nil
}

// keyPlace is where the facts refer to keys.
type keyPlace struct{ table, keys, key, where string }

// loosePlaces are the sealed columns of tables that belong to no employment.
func loosePlaces(ctx context.Context, facts *database.DB) (places []keyPlace, err error) {
	var columns []struct{ TableName, ColumnName string }
	err = facts.Read(ctx).Raw(`SELECT c.table_name, c.column_name FROM information_schema.columns c
		WHERE c.table_schema = 'public' AND c.domain_name = 'sealed' AND NOT EXISTS (
			SELECT FROM information_schema.columns e WHERE e.table_schema = 'public' AND e.table_name = c.table_name
				AND e.column_name IN ('employment_id', 'category_id'))
		ORDER BY 1, 2`).Scan(&columns).Error
	if err != nil {
		return nil, database.Wrap("listing the sealed columns", err)
	}
	for _, c := range columns {
		places = append(places, keyPlace{
			table: c.TableName, keys: "loose_keys", key: "encode(substring(" + c.ColumnName + "::bytea FROM 5 FOR 16), 'hex')::uuid",
			where: c.ColumnName + " IS NOT NULL",
		})
	}
	return places, nil
}

func (p keyPlace) lost(ctx context.Context, facts, keys *database.DB) (lost []Lost, err error) {
	var after uuid.UUID
	for {
		var used []Lost
		err := facts.Read(ctx).Raw("SELECT id AS row_id, "+p.key+" AS key_id FROM "+p.table+" WHERE "+p.where+
			" AND id > ? ORDER BY id LIMIT ?", after, lostBatch).Scan(&used).Error
		if err != nil {
			return nil, database.Hide(err)
		}
		if len(used) == 0 {
			return lost, nil
		}
		after = used[len(used)-1].RowID
		ids := make(models.IDs, len(used))
		for i, u := range used {
			ids[i] = u.KeyID
		}
		var there, given []uuid.UUID
		err = errors.Join(
			keys.Read(ctx).Raw("SELECT id FROM "+p.keys+" WHERE id = ANY (?)", ids).Scan(&there).Error,
			facts.Read(ctx).Raw("SELECT key_id FROM lost_keys WHERE key_id = ANY (?)", ids).Scan(&given).Error)
		if err != nil {
			return nil, database.Hide(err)
		}
		known := make(map[uuid.UUID]bool, len(there))
		for _, id := range slices.Concat(there, given) {
			known[id] = true
		}
		for _, u := range used {
			if !known[u.KeyID] {
				u.Table = p.table
				lost = append(lost, u)
			}
		}
	}
}

// CountKeys says how many keys are lost: the key of a month sealed many values.
func CountKeys(lost []Lost) int {
	ids := map[uuid.UUID]bool{}
	for _, l := range lost {
		ids[l.KeyID] = true
	}
	return len(ids)
}

// probePlace is where the value lies by which both databases and the KEK know each other.
const probePlace = "installation.probe"

// CheckBinding lets a process start only with the keys of its facts: nothing is lost, and the KEK opens
// the value that was sealed when they were bound to each other. An installation that is not bound yet, of
// an earlier version among them, is bound here, after its newest keys were opened.
func (v *Vault) CheckBinding(ctx context.Context, facts *database.DB) error {
	lost, err := FindLost(ctx, facts, v.keys)
	if err != nil {
		return err
	}
	if len(lost) > 0 {
		return fmt.Errorf("%d keys: %w", CountKeys(lost), ErrKeysLost)
	}
	var probes [][]byte
	if err := facts.Read(ctx).Raw("SELECT probe FROM installation WHERE probe IS NOT NULL").Scan(&probes).Error; err != nil {
		return database.Wrap("reading the probe", err)
	}
	if len(probes) == 0 {
		return v.bind(ctx, facts)
	}
	_, err = v.OpenLoose(ctx, probePlace, models.NewSealed(probes[0]))
	if errors.Is(err, errNoKey) {
		return ErrKeysLost
	}
	return otherKEK(err)
}

// otherKEK says of a failed unwrapping or opening which of the settings is wrong.
func otherKEK(err error) error {
	if errors.Is(err, ErrDamaged) || errors.Is(err, ErrUnknownKEK) {
		return ErrOtherKEK
	}
	return err
}

func (v *Vault) bind(ctx context.Context, facts *database.DB) error {
	if err := v.openNewest(ctx); err != nil {
		return err
	}
	probe, err := v.SealLoose(ctx, probePlace, []byte(v.installation.String()))
	if err != nil {
		return err
	}
	// Of several processes that start at once one wins; the others' keys refer to nothing.
	return database.Wrap("binding the databases", facts.Read(ctx).Exec("UPDATE installation SET probe = ? WHERE probe IS NULL", probe.Box()).Error)
}

// openNewest unwraps the newest live key of each kind with the KEK.
func (v *Vault) openNewest(ctx context.Context) error {
	var data []storedKey
	var loose []looseKey
	newest := func(rows any) error {
		return database.Hide(v.keys.Read(ctx).Where("wrapped IS NOT NULL").
			Order(database.Newest).Limit(1).Find(rows).Error)
	}
	if err := errors.Join(newest(&data), newest(&loose)); err != nil {
		return fmt.Errorf("reading the newest keys: %w", err)
	}
	for _, row := range data {
		key, err := v.unwrap(row, models.EmploymentCategory{ID: row.CategoryID, EmploymentID: row.EmploymentID, Category: row.Category})
		if err != nil {
			return otherKEK(err)
		}
		key.clear()
	}
	for _, row := range loose {
		key, err := v.unwrapLoose(row)
		if err != nil {
			return otherKEK(err)
		}
		key.clear()
	}
	return nil
}

// AcceptLost gives up what lost its key, in the ledger: later values of those categories get a new key,
// users whose second factor is lost are enrolled anew by a reset, and the databases are bound to each
// other again at the next start. It is for the owner of the facts.
func AcceptLost(tx *database.Tx, lost []Lost, e ledger.Entry) (uuid.UUID, error) {
	sum := sha256.New()
	for _, l := range lost {
		_, _ = fmt.Fprintf(sum, "%s %s %s\n", l.Table, l.RowID, l.KeyID)
	}
	e.Kind, e.Action = ledger.KindConfiguration, actionLostAccepted
	e.Details = map[string]string{"keys": strconv.Itoa(CountKeys(lost)), "sha256": hex.EncodeToString(sum.Sum(nil))}
	entry, err := ledger.Append(tx, e)
	if err != nil {
		return entry, err
	}
	for _, l := range lost {
		err := tx.DB().Exec("INSERT INTO lost_keys (key_id, place, row_id, ledger_entry_id) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
			l.KeyID, l.Table, l.RowID, entry).Error
		if err == nil && l.Table == "employment_categories" {
			err = tx.DB().Exec("UPDATE employment_categories SET data_key_id = NULL WHERE id = ? AND data_key_id = ?", l.RowID, l.KeyID).Error
		}
		if err != nil {
			return entry, database.Wrap("giving up a key", err)
		}
	}
	err = tx.DB().Exec("UPDATE installation SET probe = NULL").Error
	return entry, database.Wrap("unbinding the databases", err)
}
