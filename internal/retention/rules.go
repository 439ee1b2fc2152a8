package retention

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/models"
)

// One file for each jurisdiction: the periods and the law that they rest on.
//
//go:embed rules
var ruleFiles embed.FS

// The packs that come with the program. DEMO is installed in development alone.
var packs = []string{"CN", "DE", "JP"}

type pack struct {
	Jurisdiction string       `json:"jurisdiction"`
	Rules        []packedRule `json:"rules"`
}

type packedRule struct {
	Category       models.Category `json:"category"`
	Period         string          `json:"period"`
	Floor          string          `json:"floor"`
	Ceiling        string          `json:"ceiling,omitempty"`
	Anchor         string          `json:"anchor"`
	ReviewRequired bool            `json:"review_required"`
	BasisZh        string          `json:"basis_zh"`
	BasisEn        string          `json:"basis_en"`
}

// loadPack reads and checks one jurisdiction's file.
func loadPack(jurisdiction string) (pack, error) {
	name := "rules/" + string(bytes.ToLower([]byte(jurisdiction))) + ".json"
	content, err := ruleFiles.ReadFile(name)
	if err != nil {
		return pack{}, fmt.Errorf("reading the rules of %s: %w", jurisdiction, err)
	}
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	var p pack
	if err := decoder.Decode(&p); err != nil {
		return pack{}, fmt.Errorf("reading %s: %w", name, err)
	}
	if err := p.check(jurisdiction); err != nil {
		return pack{}, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}

func (p pack) check(jurisdiction string) error {
	if p.Jurisdiction != jurisdiction {
		return errors.New("the file is another jurisdiction's")
	}
	seen := map[models.Category]bool{}
	for _, r := range p.Rules {
		if !slices.Contains(models.Categories, r.Category) || seen[r.Category] {
			return fmt.Errorf("category %q is unknown or listed twice", r.Category)
		}
		seen[r.Category] = true
		if _, err := parseRule(r.row(jurisdiction)); err != nil {
			return fmt.Errorf("category %s: %w", r.Category, err)
		}
		if r.BasisZh == "" || r.BasisEn == "" {
			return fmt.Errorf("category %s names no law", r.Category)
		}
	}
	if len(seen) != len(models.Categories) {
		return errors.New("a category has no rule")
	}
	return nil
}

func (r packedRule) row(jurisdiction string) models.RetentionRule {
	return models.RetentionRule{
		Jurisdiction: jurisdiction, Category: r.Category, Period: r.Period, Floor: r.Floor, Ceiling: r.Ceiling, Anchor: r.Anchor,
		ReviewRequired: r.ReviewRequired, BasisZh: r.BasisZh, BasisEn: r.BasisEn,
	}
}

// parsedRule is a rule with its periods read.
type parsedRule struct {
	period, floor clock.Period
	ceiling       *clock.Period // nil: none
	anchor        string
}

func parseRule(r models.RetentionRule) (parsedRule, error) {
	period, err := clock.ParsePeriod(r.Period)
	if err != nil {
		return parsedRule{}, fmt.Errorf("period: %w", err)
	}
	floor, err := clock.ParsePeriod(r.Floor)
	if err != nil {
		return parsedRule{}, fmt.Errorf("floor: %w", err)
	}
	if order, ok := period.Compare(floor); !ok || order < 0 {
		return parsedRule{}, errors.New("the period is shorter than the statutory floor, or cannot be compared with it")
	}
	if r.Anchor != models.AnchorEmploymentEnd && r.Anchor != models.AnchorEndOfCalendarYear {
		return parsedRule{}, errors.New("unknown anchor")
	}
	parsed := parsedRule{period: period, floor: floor, anchor: r.Anchor}
	if r.Ceiling == "" {
		return parsed, nil
	}
	ceiling, err := clock.ParsePeriod(r.Ceiling)
	if err != nil {
		return parsedRule{}, fmt.Errorf("ceiling: %w", err)
	}
	if order, ok := ceiling.Compare(period); !ok || order < 0 {
		return parsedRule{}, errors.New("the ceiling is shorter than the period, or cannot be compared with it")
	}
	parsed.ceiling = &ceiling
	return parsed, nil
}

// InstallRules brings the rules that come with the program into the database: CN, DE and JP, and
// DEMO in a development database. A rule that changed since becomes a new version, which
// supersedes the one in force and is followed by the deadlines that run; if that would bring one
// forward it is ErrApprovalRequired. Calling it again changes nothing.
func InstallRules(tx *database.Tx, dev bool) error {
	jurisdictions := packs
	if dev {
		jurisdictions = append(slices.Clone(packs), models.DemoJurisdiction)
	}
	if err := tx.DB().Exec("LOCK TABLE retention_rules IN SHARE ROW EXCLUSIVE MODE").Error; err != nil {
		return database.Wrap("locking the retention rules", err)
	}
	for _, jurisdiction := range jurisdictions {
		p, err := loadPack(jurisdiction)
		if err != nil {
			return err
		}
		inForce, err := rulesInForce(tx, jurisdiction)
		if err != nil {
			return err
		}
		var next []models.RetentionRule
		for _, r := range p.Rules {
			next = append(next, r.row(jurisdiction))
		}
		if err := putInForce(tx, jurisdiction, inForce, next); err != nil {
			return err
		}
	}
	return nil
}

// putInForce puts the rules of a jurisdiction that say something new into force instead of those
// that are, and records them together.
func putInForce(tx *database.Tx, jurisdiction string, inForce map[models.Category]models.RetentionRule, rules []models.RetentionRule) error {
	all := maps.Clone(inForce)
	var changed []models.RetentionRule
	for _, next := range rules {
		old := inForce[next.Category]
		if same(old, next) {
			continue
		}
		next.Version = old.Version + 1
		all[next.Category] = next
		changed = append(changed, next)
	}
	if len(changed) == 0 {
		return nil
	}
	entry, err := recordRules(tx, jurisdiction, all, changed)
	if err != nil {
		return err
	}
	for _, next := range changed {
		next.LedgerEntryID = entry
		if err := supersede(tx, inForce[next.Category], next); err != nil {
			return fmt.Errorf("installing the rule %s of %s: %w", next.Category, jurisdiction, err)
		}
	}
	return nil
}

// same says whether two versions of a rule say the same.
func same(old, next models.RetentionRule) bool {
	old.ID, old.Version, old.CreatedAt, old.SupersededAt = next.ID, next.Version, next.CreatedAt, next.SupersededAt
	old.LedgerEntryID = next.LedgerEntryID
	return old == next
}

// supersede puts next, the version after old, into force.
func supersede(tx *database.Tx, old, next models.RetentionRule) error {
	now, err := tx.Now()
	if err != nil {
		return err
	}
	if old.Version > 0 {
		err := database.UpdateOne(tx.DB().Model(&models.RetentionRule{}).
			Where("id = ? AND superseded_at IS NULL", old.ID).Update("superseded_at", now))
		if err != nil {
			return fmt.Errorf("superseding a rule: %w", err)
		}
	}
	next.ID = models.NewID()
	if err := tx.DB().Create(&next).Error; err != nil {
		return database.Wrap("creating a rule", err)
	}
	if old.Version == 0 {
		return nil
	}
	return Rederive(tx, next.Jurisdiction, next.Category)
}

// rulesInForce reads a jurisdiction's rules by category.
func rulesInForce(tx *database.Tx, jurisdiction string) (map[models.Category]models.RetentionRule, error) {
	var rows []models.RetentionRule
	if err := tx.DB().Where("jurisdiction = ? AND superseded_at IS NULL", jurisdiction).Find(&rows).Error; err != nil {
		return nil, database.Wrap("reading the retention rules", err)
	}
	rules := make(map[models.Category]models.RetentionRule, len(rows))
	for _, row := range rows {
		rules[row.Category] = row
	}
	return rules, nil
}

// Rules are a jurisdiction's rules in force, one for every category; else *MissingRulesError.
func Rules(tx *database.Tx, jurisdiction string) ([]models.RetentionRule, error) {
	inForce, err := rulesInForce(tx, jurisdiction)
	if err != nil {
		return nil, err
	}
	var rules []models.RetentionRule
	var missing []models.Category
	for _, category := range models.Categories {
		if rule, ok := inForce[category]; ok {
			rules = append(rules, rule)
		} else {
			missing = append(missing, category)
		}
	}
	if missing != nil {
		return nil, &MissingRulesError{jurisdiction, missing}
	}
	return rules, nil
}

// HasRules says whether a jurisdiction has a rule for every category, so that people employed
// under it can depart.
func HasRules(tx *database.Tx, jurisdiction string) (bool, error) {
	_, err := Rules(tx, jurisdiction)
	var missing *MissingRulesError
	if errors.As(err, &missing) {
		return false, nil
	}
	return err == nil, err
}
