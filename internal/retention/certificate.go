package retention

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/models"
)

// statementFormat names the shape of a certificate's statement.
const statementFormat = "lethe-destruction-certificate/1"

// destroyedCategory is what a certificate says about one category.
type destroyedCategory struct {
	Category         models.Category
	CategoryID       uuid.UUID
	DataKeyID        *uuid.UUID
	Deadline         time.Time
	PurgingAt        time.Time
	RuleVersion      int
	Jurisdiction     string
	Period           string
	BasisZh          string
	BasisEn          string
	FieldValues      int
	Attachments      int
	AccountSnapshots int
}

// Certified is told, in the transaction that issues it, of a certificate and what it is about.
type Certified func(tx *database.Tx, certificate models.DestructionCertificate, categories []models.Category) error

// Certify turns categories, deadlines and the purge purged and issues the one certificate of this
// purge, all in one transaction, in which purged tells the departure. A second call returns the
// first certificate (I3).
func (p *Purger) Certify(ctx context.Context, id uuid.UUID, purged Certified) (models.DestructionCertificate, error) {
	unrecoverable, err := p.shredder.UnrecoverableAfter(ctx)
	if err != nil {
		return models.DestructionCertificate{}, fmt.Errorf("asking until when backups may hold keys: %w", err)
	}
	b, err := p.begun(ctx, id)
	if err != nil {
		return models.DestructionCertificate{}, err
	}
	var certificate models.DestructionCertificate
	err = database.Run(ctx, p.db, func(tx *database.Tx) error {
		// Once more: a request that was under way when the fields were cleared has committed since.
		if err := forgetRequests(tx, b.DepartureID); err != nil {
			return err
		}
		c, err := lockPurge(tx, id)
		if err != nil {
			return err
		}
		certificate, err = database.First[models.DestructionCertificate](tx.DB().Where("purge_id = ?", id))
		if err == nil || !errors.Is(err, database.ErrNotFound) {
			return err
		}
		if c.purge.ProbedAt == nil {
			return ErrOutOfOrder
		}
		if err := c.complete(tx); err != nil {
			return err
		}
		if certificate, err = c.certify(tx, unrecoverable); err != nil {
			return err
		}
		if err := purged(tx, certificate, c.categories()); err != nil {
			return fmt.Errorf("telling the departure: %w", err)
		}
		if err := tx.Seen(models.DrivenPurge, id, nil); err != nil {
			return err
		}
		return tx.Touch(models.DrivenRetention, c.departure.ID)
	})
	return certificate, err
}

// complete moves everything that the purge holds to purged.
func (c *claimed) complete(tx *database.Tx) error {
	if _, err := database.Find[models.EmploymentCategory](tx.DB().Clauses(database.ForUpdate), "categories", "id IN ?", c.categoryIDs()); err != nil {
		return err
	}
	moved, err := setDeadlines(tx, c.departure.ID, c.categories(), []models.DeadlineState{models.DeadlinePurging}, models.DeadlinePurged)
	if err != nil {
		return err
	}
	r := tx.DB().Exec(`UPDATE employment_categories SET state = ?, purged_at = lethe_now() WHERE id IN ? AND state = ?`,
		models.CategoryPurged, c.categoryIDs(), models.CategoryPurging)
	if r.Error != nil {
		return database.Wrap("turning categories purged", r.Error)
	}
	if int(moved) != len(c.deadlines) || int(r.RowsAffected) != len(c.deadlines) {
		return fmt.Errorf("turning categories purged: %w", database.ErrChanged)
	}
	err = tx.DB().Model(&models.PurgeClaim{}).Where("purge_id = ? AND state = ?", c.purge.ID, models.ClaimOpen).
		Update("state", models.ClaimPurged).Error
	if err != nil {
		return database.Wrap("closing the claims", err)
	}
	err = database.UpdateOne(tx.DB().Exec(`UPDATE purges SET state = ?, ended_at = lethe_now() WHERE id = ? AND state = ?`,
		models.PurgePurged, c.purge.ID, models.PurgePurging))
	return database.Wrap("turning a purge purged", err)
}

func (c *claimed) certify(tx *database.Tx, unrecoverable clock.Date) (models.DestructionCertificate, error) {
	var rows []destroyedCategory
	err := tx.DB().Raw(`
		SELECT c.category, c.id AS category_id, c.data_key_id, c.purging_at, l.deadline, r.version AS rule_version,
			r.jurisdiction, r.period, r.basis_zh, r.basis_en,
			(SELECT count(*) FROM field_values f WHERE f.category_id = c.id) AS field_values,
			(SELECT count(*) FROM attachments a WHERE a.category_id = c.id) AS attachments,
			(SELECT count(*) FROM account_snapshots s WHERE s.category_id = c.id) AS account_snapshots
		FROM retention_deadlines l JOIN employment_categories c ON c.id = l.category_id JOIN retention_rules r ON r.id = l.rule_id
		WHERE l.departure_id = ? AND l.category IN ? ORDER BY c.category`, c.departure.ID, c.categories()).Scan(&rows).Error
	if err != nil {
		return models.DestructionCertificate{}, database.Wrap("reading what was destroyed", err)
	}
	now, err := tx.Now()
	if err != nil {
		return models.DestructionCertificate{}, err
	}
	id := models.NewID()
	statement, err := canonical(c.statement(id, rows, now, unrecoverable))
	if err != nil {
		return models.DestructionCertificate{}, err
	}
	sum := sha256.Sum256(statement)
	details := map[string]string{
		"certificate": id.String(), "certificate_sha256": hex.EncodeToString(sum[:]),
		"categories": categoryList(c.categories()), "departure": c.departure.ID.String(),
	}
	_, err = appendEntry(tx, ledger.KindPurge, actionPurgeCertified, "purge/"+c.purge.ID.String(), c.departure.EmployeeID, models.System, details,
		`INSERT INTO destruction_certificates (id, purge_id, departure_id, statement, statement_sha256, unrecoverable_after, issued_at, ledger_entry_id)
		SELECT ?::uuid, ?::uuid, ?::uuid, ?::jsonb, ?::bytea, ?::date, ?::timestamptz, entry_id FROM pending`,
		id, c.purge.ID, c.departure.ID, string(statement), sum[:], unrecoverable, now)
	if err != nil {
		return models.DestructionCertificate{}, fmt.Errorf("issuing a certificate: %w", err)
	}
	return database.First[models.DestructionCertificate](tx.DB().Where("id = ?", id))
}

// statement says what was destroyed, when, under which rule and law: identifiers, never content.
func (c *claimed) statement(id uuid.UUID, rows []destroyedCategory, now time.Time, unrecoverable clock.Date) map[string]any {
	instant := func(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
	categories := make([]map[string]any, len(rows))
	for i, r := range rows {
		var key any
		if r.DataKeyID != nil {
			key = r.DataKeyID.String()
		}
		categories[i] = map[string]any{
			"category": r.Category, "category_id": r.CategoryID.String(), "data_key_id": key,
			"deadline": instant(r.Deadline), "purging_at": instant(r.PurgingAt),
			"rule": map[string]any{
				"jurisdiction": r.Jurisdiction, "version": r.RuleVersion, "period": r.Period,
				"basis_zh": r.BasisZh, "basis_en": r.BasisEn,
			},
			"destroyed": map[string]any{"field_values": r.FieldValues, "attachments": r.Attachments, "account_snapshots": r.AccountSnapshots},
		}
	}
	return map[string]any{
		"format": statementFormat, "certificate_id": id.String(), "purge_id": c.purge.ID.String(),
		"departure_id": c.departure.ID.String(), "employment_id": c.departure.EmploymentID.String(),
		"tombstoned_at": instant(*c.purge.TombstonedAt), "keys_destroyed_at": instant(*c.purge.KeysDestroyedAt),
		"fields_cleared_at": instant(*c.purge.FieldsClearedAt), "probed_at": instant(*c.purge.ProbedAt),
		"issued_at": instant(now), "unrecoverable_from_backups_after": unrecoverable.String(), "categories": categories,
	}
}

// canonical writes JSON as RFC 8785 does for what a statement holds: keys sorted, no white space, no
// escapes beyond the necessary ones. Postgres stores jsonb in an order of its own, so this form is
// made again to check a hash.
func canonical(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, fmt.Errorf("writing a statement: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Intact says whether a certificate's statement is the one that its hash covers.
func Intact(c models.DestructionCertificate) (bool, error) {
	decoder := json.NewDecoder(bytes.NewReader([]byte(c.Statement)))
	decoder.UseNumber()
	var statement map[string]any
	if err := decoder.Decode(&statement); err != nil {
		return false, fmt.Errorf("reading a statement: %w", err)
	}
	again, err := canonical(statement)
	if err != nil {
		return false, err
	}
	sum := sha256.Sum256(again)
	return bytes.Equal(sum[:], c.StatementSha256), nil
}
