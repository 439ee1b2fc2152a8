package retention

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/models"
)

// What the ledger says of deadlines, holds and purges.
const (
	actionScheduled = "retention.scheduled"
	actionRederived = "retention.rederived"
	actionRecounted = "retention.recounted"
	actionCancelled = "retention.cancelled"
	actionErasure   = "retention.erasure_granted"

	actionHoldPlaced   = "hold.placed"
	actionHoldReleased = "hold.released"

	actionPurgeOrdered        = "purge.ordered"
	actionPurgeReviewAsked    = "purge.review_asked"
	actionPurgeDecided        = "purge.decided"
	actionPurgeOverruled      = "purge.overruled"
	actionPurgeExtended       = "purge.extended"
	actionPurgeEscalated      = "purge.escalated"
	actionPurgeCategoriesLeft = "purge.categories_left"
	actionPurgeCancelled      = "purge.cancelled"
	actionPurgeIntended       = "purge.intended"
	actionPurgeTombstoned     = "purge.tombstoned"
	actionPurgeKeysDestroyed  = "purge.keys_destroyed"
	actionPurgeCleared        = "purge.cleared"
	actionPurgeProbed         = "purge.probed"
	actionPurgeCertified      = "purge.certified"

	actionRulesInstalled = "configuration.rules_installed"
)

// appendEntry records something about a departure's retention and, in the same round trip, inserts the row
// that names the entry, if there is one.
func appendEntry(tx *database.Tx, kind ledger.Kind, action, object string, subject uuid.UUID, by models.Actor, details map[string]string, insert string, args ...any) (*uuid.UUID, error) {
	entry, err := ledger.AppendWith(tx, ledger.Entry{
		Kind: kind, Action: action, Subject: &subject, Object: object, Details: details,
	}.As(tx.Context(), by), insert, args...)
	return &entry, err
}

// recordHold appends a hold with whom it is about; the matter may describe a case and stays in the
// hold's row.
func recordHold(tx *database.Tx, action string, hold models.Hold, by models.Actor) (*uuid.UUID, error) {
	details := map[string]string{"categories": strings.Join(hold.Categories, ","), "scope": "query"}
	if len(hold.Categories) == 0 {
		details["categories"] = "all"
	}
	switch {
	case hold.EmployeeID != nil:
		details["scope"] = "person"
	case hold.Everybody:
		details["scope"] = "everybody"
	}
	for name, id := range map[string]*uuid.UUID{"legal_entity": hold.LegalEntityID, "department": hold.DepartmentID} {
		if id != nil {
			details[name] = id.String()
		}
	}
	for name, day := range map[string]*clock.Date{"left_from": hold.LeftFrom, "left_to": hold.LeftTo} {
		if day != nil {
			details[name] = day.String()
		}
	}
	entry, err := ledger.Append(tx, ledger.Entry{
		Kind: ledger.KindRetention, Action: action, Subject: hold.EmployeeID, Object: "hold/" + hold.ID.String(), Details: details,
	}.As(tx.Context(), by))
	return &entry, err
}

// recordPurge appends a step of a purge.
func recordPurge(tx *database.Tx, action string, purge uuid.UUID, dep models.Departure, by models.Actor, details map[string]string) (*uuid.UUID, error) {
	if details == nil {
		details = map[string]string{}
	}
	details["departure"] = dep.ID.String()
	return appendEntry(tx, ledger.KindPurge, action, "purge/"+purge.String(), dep.EmployeeID, by, details, "")
}

// recordDeadlines appends which deadlines a departure has got, and under which rules, and begins the
// retention.
func recordDeadlines(tx *database.Tx, dep models.Departure, jurisdiction string, rows []models.RetentionDeadline, rules []models.RetentionRule) (*uuid.UUID, error) {
	return appendEntry(tx, ledger.KindRetention, actionScheduled, "retention/"+dep.ID.String(), dep.EmployeeID, models.System, scheduled(dep, jurisdiction, rows, rules),
		"INSERT INTO retentions (id, employment_id, ledger_entry_id) SELECT ?::uuid, ?::uuid, entry_id FROM pending", dep.ID, dep.EmploymentID)
}

// scheduled says which deadlines a departure has got, and by which rules.
func scheduled(dep models.Departure, jurisdiction string, rows []models.RetentionDeadline, rules []models.RetentionRule) map[string]string {
	details := map[string]string{"jurisdiction": jurisdiction, "event_at": instant(dep.EventAt())}
	for _, row := range rows {
		rule, _ := ruleFor(rules, row.Category)
		details[string(row.Category)] = fmt.Sprintf("%s by version %d", instant(row.Deadline), rule.Version)
	}
	return details
}

// recordRederived appends that a rule moved deadlines; the digest covers each of them.
func recordRederived(tx *database.Tx, rule models.RetentionRule, rows []running) (*uuid.UUID, error) {
	h := sha256.New()
	for _, row := range rows {
		_, _ = fmt.Fprintf(h, "%s %s %s\n", row.ID, instant(row.Deadline), instant(row.FloorAt))
	}
	entry, err := ledger.Append(tx, ledger.Entry{
		Kind: ledger.KindRetention, Action: actionRederived, Object: "retention_rule/" + rule.ID.String(), Rule: ruleName(rule),
		Details: map[string]string{
			"deadlines": fmt.Sprint(len(rows)), "first": rows[0].ID.String(), "last": rows[len(rows)-1].ID.String(),
			"deadlines_sha256": hex.EncodeToString(h.Sum(nil)),
		},
	})
	return &entry, err
}

// recordRules appends which rules of a jurisdiction come into force, with the digest of all of them.
func recordRules(tx *database.Tx, jurisdiction string, all map[models.Category]models.RetentionRule, changed []models.RetentionRule) (*uuid.UUID, error) {
	names := make([]string, len(changed))
	for i, rule := range changed {
		names[i] = ruleName(rule)
	}
	entry, err := ledger.Append(tx, ledger.Entry{
		Kind: ledger.KindConfiguration, Action: actionRulesInstalled, Object: "retention_rules/" + jurisdiction,
		Details: map[string]string{"rules": strings.Join(names, ","), "rules_sha256": rulesDigest(all)},
	})
	return &entry, err
}

func ruleName(r models.RetentionRule) string {
	return fmt.Sprintf("%s/%s/%d", r.Jurisdiction, r.Category, r.Version)
}

// rulesDigest is the SHA-256, in hex, over a jurisdiction's rules in force, by category.
func rulesDigest(rules map[models.Category]models.RetentionRule) string {
	h := sha256.New()
	for _, category := range models.Categories {
		r, ok := rules[category]
		if !ok {
			continue
		}
		_, _ = fmt.Fprintf(h, "%s %q %q %q %t %q %q\n", ruleName(r), r.Period, r.Floor, r.Anchor, r.ReviewRequired, r.BasisZh, r.BasisEn)
		if r.Ceiling != "" {
			_, _ = fmt.Fprintf(h, "%s ceiling %q\n", ruleName(r), r.Ceiling)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// categoryList names categories in a fixed order.
func categoryList(categories []models.Category) string {
	list := make([]string, len(categories))
	for i, c := range categories {
		list[i] = string(c)
	}
	slices.Sort(list)
	return strings.Join(list, ",")
}

func instant(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

func instantOrNone(t *time.Time) string {
	if t == nil {
		return "none"
	}
	return instant(*t)
}
