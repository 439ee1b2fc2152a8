package archive

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"lethe/internal/access"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/ledger"
	"lethe/internal/permission"
	"lethe/models"
)

// OwnCatalogue is what a company adds to the field catalogue.
type OwnCatalogue struct {
	// Version counts the changes; 0: nothing was added yet.
	Version  int          `json:"version"`
	Sections []OwnSection `json:"sections"`
	Fields   []OwnField   `json:"fields"`
	Notices  []OwnNotice  `json:"notices"`
}

// OwnSection is a part of the file. Its key is a group of the permissions, by which nobody looks until they say so.
type OwnSection struct {
	Key     string `json:"key"`
	LabelZh string `json:"label_zh"`
	LabelEn string `json:"label_en"`
}

// OwnField is a sensitive field. Its key, section, category and type stay what they are.
type OwnField struct {
	Key      string           `json:"key"`
	Section  string           `json:"section"`
	Category models.Category  `json:"category"`
	Type     models.FieldType `json:"type"`
	LabelZh  string           `json:"label_zh"`
	LabelEn  string           `json:"label_en"`
	NoticeZh string           `json:"notice_zh"`
	NoticeEn string           `json:"notice_en"`
	// BasisZh and BasisEn are the legal basis on which the company keeps it.
	BasisZh string `json:"basis_zh"`
	BasisEn string `json:"basis_en"`
	// Purposes are those for which it is opened, where the permissions grant them for the section.
	Purposes []access.Purpose     `json:"purposes"`
	Choices  []models.FieldOption `json:"choices"`
	// Retired: it takes no new values; those that there are stay until they are purged.
	Retired bool `json:"retired,omitempty"`
}

// OwnNotice is what the company says of one of the program's fields: in the place of its notice, or after it where the
// law wants that one shown.
type OwnNotice struct {
	Field string `json:"field"`
	Zh    string `json:"zh"`
	En    string `json:"en"`
}

// CatalogueVersion is an [OwnCatalogue] with when it came to be.
type CatalogueVersion struct {
	OwnCatalogue
	ChangedAt             *time.Time // nil: nothing was added yet
	ChangedBy, ApprovedBy *uuid.UUID
}

// The ways in which a change of the catalogue is refused.
var (
	ErrNoCatalogue = errors.New("there is no such version of the field catalogue")
	// ErrCatalogueChanged: the change was made from a version that is not in force any more.
	ErrCatalogueChanged = errors.New("the field catalogue was changed meanwhile")
	// ErrCatalogueSame: nothing would change.
	ErrCatalogueSame = errors.New("the field catalogue is so already")
)

// CatalogueID is what requests for a change are about.
var CatalogueID = uuid.MustParse("5d0c2f5e-6f0e-4c6b-9a52-70e1a7c0de03")

type catalogueRow struct {
	Version               int
	Document              string
	ChangedAt             time.Time
	ChangedBy, ApprovedBy uuid.UUID
}

// OwnNow is what is in force.
func OwnNow(g *gorm.DB) (CatalogueVersion, error) {
	v, err := oneVersion(g.Raw("SELECT * FROM catalogue_versions ORDER BY version DESC LIMIT 1"))
	if errors.Is(err, ErrNoCatalogue) {
		return OwnAt(g, 0)
	}
	return v, err
}

// OwnAt is a version.
func OwnAt(g *gorm.DB, version int) (CatalogueVersion, error) {
	if version == 0 {
		return CatalogueVersion{OwnCatalogue: OwnCatalogue{Sections: []OwnSection{}, Fields: []OwnField{}, Notices: []OwnNotice{}}}, nil
	}
	return oneVersion(g.Raw("SELECT * FROM catalogue_versions WHERE version = ?", version))
}

// OwnOn is what was in force right before an instant.
func OwnOn(g *gorm.DB, at time.Time) (CatalogueVersion, error) {
	var version int
	if err := g.Raw("SELECT coalesce(max(version), 0) FROM catalogue_versions WHERE changed_at < ?", at).Scan(&version).Error; err != nil {
		return CatalogueVersion{}, database.Wrap("looking for the field catalogue of a day", err)
	}
	return OwnAt(g, version)
}

func oneVersion(q *gorm.DB) (v CatalogueVersion, err error) {
	var rows []catalogueRow
	if err := q.Scan(&rows).Error; err != nil {
		return v, database.Wrap("reading a version of the field catalogue", err)
	}
	if len(rows) == 0 {
		return v, ErrNoCatalogue
	}
	r := rows[0]
	if err := json.Unmarshal([]byte(r.Document), &v.OwnCatalogue); err != nil {
		return v, fmt.Errorf("reading version %d of the field catalogue: %w", r.Version, err)
	}
	v.Version, v.ChangedAt, v.ChangedBy, v.ApprovedBy = r.Version, &r.ChangedAt, &r.ChangedBy, &r.ApprovedBy
	return v, nil
}

// Field finds a field by its key.
func (c *OwnCatalogue) Field(key string) (OwnField, bool) {
	i := slices.IndexFunc(c.Fields, func(f OwnField) bool { return f.Key == key })
	if i < 0 {
		return OwnField{}, false
	}
	return c.Fields[i], true
}

// Groups are the groups of the permissions that the sections are.
func (c *OwnCatalogue) Groups() []access.Group {
	groups := make([]access.Group, len(c.Sections))
	for i, s := range c.Sections {
		groups[i] = access.Group(s.Key)
	}
	return groups
}

// GroupLabel is what one of them is called.
func (c *OwnCatalogue) GroupLabel(g access.Group) (label func(i18n.Language) string, ok bool) {
	for _, s := range c.Sections {
		if s.Key == string(g) {
			return text{s.LabelZh, s.LabelEn}.in, true
		}
	}
	return nil, false
}

// PrepareOwn judges a change on behalf of who asks for it, and completes it: it is made from the version in force, what is
// there stays, and who asks does not look further by it. It locks, so that two changes take turns.
func PrepareOwn(tx *database.Tx, by models.Actor, draft OwnCatalogue) (before, after OwnCatalogue, err error) {
	if before, after, err = draft.Follow(tx); err != nil {
		return before, after, err
	}
	if before.digest() == after.digest() {
		return before, after, ErrCatalogueSame
	}
	return before, after, permission.GainsNothing(tx, opened(before, after), by.EmployeeID)
}

// Follow judges a change by what it says, and completes it.
func (c OwnCatalogue) Follow(tx *database.Tx) (before, after OwnCatalogue, err error) {
	if err := tx.DB().Exec("SELECT pg_advisory_xact_lock(hashtextextended('lethe field catalogue', 0))").Error; err != nil {
		return before, after, database.Wrap("locking the field catalogue", err)
	}
	current, err := OwnNow(tx.DB())
	if err != nil {
		return before, after, err
	}
	if c.Version != current.Version {
		return current.OwnCatalogue, after, ErrCatalogueChanged
	}
	after, err = complete(current.OwnCatalogue, c)
	return current.OwnCatalogue, after, err
}

// opened are the purposes for which fields that are there already are opened from then on.
func opened(before, after OwnCatalogue) (all []permission.Opened) {
	for _, f := range after.Fields {
		was, existed := before.Field(f.Key)
		for _, p := range f.Purposes {
			if existed && !slices.Contains(was.Purposes, p) {
				all = append(all, permission.Opened{Group: access.Group(f.Section), Purpose: p})
			}
		}
	}
	return all
}

// SetOwn puts a change into force that two people agreed to. The fields follow in the database.
func SetOwn(tx *database.Tx, requester, approver models.Actor, draft OwnCatalogue) error {
	before, after, err := PrepareOwn(tx, requester, draft)
	if err != nil {
		return err
	}
	if err := permission.GainsNothing(tx, opened(before, after), approver.EmployeeID); err != nil {
		return err
	}
	after.Version = before.Version + 1
	document, err := json.Marshal(after)
	if err != nil {
		return fmt.Errorf("writing the field catalogue: %w", err)
	}
	version := strconv.Itoa(after.Version)
	entry, err := ledger.Append(tx, ledger.Entry{
		Kind: ledger.KindConfiguration, Action: "field_catalogue.changed", Object: "field_catalogue/" + version,
		Details: map[string]string{"version": version, "sha256": after.digest()},
	}.As(tx.Context(), requester))
	if err != nil {
		return err
	}
	err = tx.DB().Exec("INSERT INTO catalogue_versions (version, document, changed_by, approved_by, ledger_entry_id) VALUES (?, CAST(? AS jsonb), ?, ?, ?)",
		after.Version, string(document), requester.EmployeeID, approver.EmployeeID, entry).Error
	return database.Wrap("keeping the field catalogue", err)
}

// digest is the SHA-256 over what the catalogue says, in hex.
func (c OwnCatalogue) digest() string {
	document, _ := json.Marshal(c) // texts, numbers and lists
	sum := sha256.Sum256(document)
	return hex.EncodeToString(sum[:])
}
