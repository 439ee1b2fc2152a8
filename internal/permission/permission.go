// Package permission keeps the matrix of who may look at which sensitive fields for which purpose. Each change of it is a
// version that two people agreed to, neither of whom gains by it; the decisions by it are package access's, and pure.
package permission

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"lethe/internal/access"
	"lethe/internal/database"
	"lethe/internal/invalid"
	"lethe/internal/ledger"
	"lethe/internal/textform"
	"lethe/models"
)

// The ways in which a change is refused.
var (
	ErrNotFound = errors.New("there is no such version of the permissions")
	// ErrChanged: the change was made from a version that is not in force any more.
	ErrChanged = errors.New("the permissions were changed meanwhile")
	// ErrNotConfigurer: who may not configure may only ask that somebody else may.
	ErrNotConfigurer = errors.New("only those who configure the permissions change them")
	// ErrGains: whoever asks for a change or agrees to it gains nothing by it.
	ErrGains = errors.New("nobody asks for or agrees to what would let them look further")
	// ErrSame: nothing would change.
	ErrSame = errors.New("the permissions are so already")
)

// ID is what requests for a change are about.
var ID = uuid.MustParse("5d0c2f5e-6f0e-4c6b-9a52-70e1a7c0de01")

// Version is a matrix with when it came to be.
type Version struct {
	*access.Matrix
	ChangedAt             *time.Time // nil: the program's own
	ChangedBy, ApprovedBy *uuid.UUID
}

type row struct {
	Version       int
	Document      string
	ChangedAt     time.Time
	ChangedBy     uuid.UUID
	ApprovedBy    uuid.UUID
	LedgerEntryID uuid.UUID
}

// parsed are the matrices of versions by their entries, which are nobody else's.
var parsed sync.Map

// Current is the matrix in force. It is shared, and never changed.
func Current(g *gorm.DB) (*access.Matrix, error) {
	var head Head
	if err := g.Raw("SELECT " + HeadColumns).Scan(&head).Error; err != nil {
		return nil, database.Wrap("reading the permissions", err)
	}
	return head.Matrix(g)
}

// Head names the permissions that are in force; of the program's own it is empty.
type Head struct {
	PermissionVersion *int
	PermissionEntry   *uuid.UUID
}

// HeadColumns are the columns of a [Head], for who reads something else besides.
const HeadColumns = `(SELECT version FROM permission_versions ORDER BY version DESC LIMIT 1) AS permission_version,
	(SELECT ledger_entry_id FROM permission_versions ORDER BY version DESC LIMIT 1) AS permission_entry`

// Matrix is the one that the head names.
func (h Head) Matrix(g *gorm.DB) (*access.Matrix, error) {
	if h.PermissionVersion == nil || h.PermissionEntry == nil {
		return access.Builtin(), nil
	}
	if m, ok := parsed.Load(*h.PermissionEntry); ok {
		return m.(*access.Matrix), nil
	}
	v, err := Read(g, *h.PermissionVersion)
	if err == nil {
		parsed.Store(*h.PermissionEntry, v.Matrix)
	}
	return v.Matrix, err
}

// Read is a version; 0 is the program's own.
func Read(g *gorm.DB, version int) (Version, error) {
	if version == 0 {
		return Version{Matrix: access.Builtin()}, nil
	}
	var rows []row
	if err := g.Raw("SELECT * FROM permission_versions WHERE version = ?", version).Scan(&rows).Error; err != nil {
		return Version{}, database.Wrap("reading a version of the permissions", err)
	}
	if len(rows) == 0 {
		return Version{}, ErrNotFound
	}
	r, m := rows[0], &access.Matrix{}
	if err := json.Unmarshal([]byte(r.Document), m); err != nil {
		return Version{}, fmt.Errorf("reading the permissions of version %d: %w", version, err)
	}
	return Version{m, &r.ChangedAt, &r.ChangedBy, &r.ApprovedBy}, nil
}

// ReadAt is the version that was in force right before an instant.
func ReadAt(g *gorm.DB, at time.Time) (Version, error) {
	var version int
	err := g.Raw("SELECT coalesce(max(version), 0) FROM permission_versions WHERE changed_at < ?", at).Scan(&version).Error
	if err != nil {
		return Version{}, database.Wrap("looking for the permissions of a day", err)
	}
	return Read(g, version)
}

// Prepare judges a change on behalf of who asks for it: it is made from the version in force, by somebody who configures
// (or only lets somebody else configure), and lets who asks look no further. The groups are the company's own, beside the
// program's.
func Prepare(tx *database.Tx, by models.Actor, m access.Matrix, groups []access.Group) (before *access.Matrix, err error) {
	if err := lock(tx); err != nil {
		return nil, err
	}
	if before, err = Current(tx.DB()); err != nil {
		return nil, err
	}
	if err := check(tx, &m, append(slices.Clone(access.Groups), groups...)); err != nil {
		return before, err
	}
	onlyConfigurers := m
	onlyConfigurers.Configurers = before.Configurers
	switch {
	case m.Version != before.Version:
		return before, ErrChanged
	case same(before, &m):
		return before, ErrSame
	case !slices.Contains(before.Configurers, by.EmployeeID) && !same(before, &onlyConfigurers):
		return before, ErrNotConfigurer
	}
	return before, gainsNothing(tx, before, &m, by.EmployeeID)
}

// Set puts a matrix into force that two people agreed to.
func Set(tx *database.Tx, requester, approver models.Actor, m access.Matrix, groups []access.Group) error {
	before, err := Prepare(tx, requester, m, groups)
	if err != nil {
		return err
	}
	if err := gainsNothing(tx, before, &m, approver.EmployeeID); err != nil {
		return err
	}
	m.Version++
	document, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("writing the permissions: %w", err)
	}
	digest := sha256.Sum256(document)
	entry, err := ledger.Append(tx, ledger.Entry{
		Kind: ledger.KindConfiguration, Action: "permissions.changed", Object: "permissions/" + strconv.Itoa(m.Version),
		Details: map[string]string{"version": strconv.Itoa(m.Version), "sha256": hex.EncodeToString(digest[:])},
	}.As(tx.Context(), requester))
	if err != nil {
		return err
	}
	err = tx.DB().Exec("INSERT INTO permission_versions (version, document, changed_by, approved_by, ledger_entry_id) VALUES (?, CAST(? AS jsonb), ?, ?, ?)",
		m.Version, string(document), requester.EmployeeID, approver.EmployeeID, entry).Error
	return database.Wrap("keeping the permissions", err)
}

// lock lets changes take turns.
func lock(tx *database.Tx) error {
	return database.Wrap("locking the permissions", tx.DB().Exec("SELECT pg_advisory_xact_lock(hashtextextended('lethe permissions', 0))").Error)
}

func same(a, b *access.Matrix) bool {
	left, _ := json.Marshal(a)
	right, _ := json.Marshal(b)
	return bytes.Equal(left, right)
}

// Opened is what a field is opened for from now on, though it was there before.
type Opened struct {
	Group   access.Group
	Purpose access.Purpose
}

// GainsNothing refuses with [ErrGains] what opens fields for purposes for which somebody may look at their groups already.
func GainsNothing(tx *database.Tx, opened []Opened, person uuid.UUID) error {
	if len(opened) == 0 {
		return nil
	}
	if err := lock(tx); err != nil {
		return err
	}
	after, err := Current(tx.DB())
	if err != nil {
		return err
	}
	before := *after
	before.Grants = slices.DeleteFunc(slices.Clone(after.Grants), func(g access.Grant) bool {
		return slices.Contains(opened, Opened{g.Group, g.Purpose})
	})
	return gainsNothing(tx, &before, after, person)
}

// gainsNothing refuses what would let somebody look further in any role that the person's users hold.
func gainsNothing(tx *database.Tx, before, after *access.Matrix, person uuid.UUID) error {
	var roles []models.Role
	err := tx.DB().Raw(`SELECT DISTINCT r.role FROM user_roles r JOIN users u ON u.id = r.user_id
		WHERE u.employee_id = ? AND r.revoked_at IS NULL`, person).Scan(&roles).Error
	if err != nil {
		return database.Wrap("reading somebody's roles", err)
	}
	if before.Gains(after, person, roles) {
		return ErrGains
	}
	return nil
}

const (
	maxTiers = 30
	maxName  = 60
)

// check puts a matrix into the form in which it is kept, and refuses one that does not hold together.
func check(tx *database.Tx, m *access.Matrix, groups []access.Group) error {
	var found []invalid.Value
	add := func(code, location string, args ...any) {
		found = append(found, invalid.Value{Location: fmt.Sprintf(location, args...), Code: code})
	}
	keys, defaults := map[string]bool{}, map[models.Role]bool{}
	if len(m.Tiers) > maxTiers {
		add(invalid.TooLong, "tiers")
	}
	for i := range m.Tiers {
		t := &m.Tiers[i]
		for name, text := range map[string]*string{"key": &t.Key, "name_zh": &t.NameZh, "name_en": &t.NameEn} {
			stored, fault := textform.Line(*text, maxName)
			if *text = stored; fault != "" {
				add(invalid.Text(fault), "tiers[%d].%s", i, name)
			}
		}
		if keys[t.Key] {
			add(invalid.Repeated, "tiers[%d].key", i)
		}
		if t.Default && defaults[t.Role] {
			add(invalid.Repeated, "tiers[%d].default", i)
		}
		keys[t.Key], defaults[t.Role] = true, defaults[t.Role] || t.Default
		if !slices.Contains(access.LookRoles, t.Role) {
			add(invalid.Unknown, "tiers[%d].role", i)
		}
		if !slices.Contains(access.Scopes, t.Scope) {
			add(invalid.Unknown, "tiers[%d].scope", i)
		}
		if t.Default && len(t.Members) > 0 {
			add(invalid.Repeated, "tiers[%d].members", i)
		}
		t.Members = sorted(t.Members)
	}
	for _, role := range access.LookRoles {
		if !defaults[role] {
			add(invalid.Required, "tiers")
		}
	}
	cells := map[string]bool{}
	for i, g := range m.Grants {
		cell := g.Tier + "/" + string(g.Group) + "/" + string(g.Purpose)
		switch {
		case !keys[g.Tier]:
			add(invalid.Unknown, "grants[%d].tier", i)
		case !slices.Contains(groups, g.Group):
			add(invalid.Unknown, "grants[%d].group", i)
		case !slices.Contains(access.Purposes, g.Purpose):
			add(invalid.Unknown, "grants[%d].purpose", i)
		case !slices.Contains(access.Levels, g.Level):
			add(invalid.Unknown, "grants[%d].level", i)
		case !slices.Contains(access.Levels, g.Protected):
			add(invalid.Unknown, "grants[%d].protected", i)
		case cells[cell]:
			add(invalid.Repeated, "grants[%d]", i)
		}
		cells[cell] = true
	}
	if l := m.Limits; l != nil {
		if l.PeoplePerDay < 1 || l.PeoplePerDay > access.MaxLimits.PeoplePerDay {
			add(invalid.TooMany, "limits.people_per_day")
		}
		if l.LooksPerWeek < 1 || l.LooksPerWeek > access.MaxLimits.LooksPerWeek {
			add(invalid.TooMany, "limits.looks_per_week")
		}
		if *l == access.DefaultLimits {
			m.Limits = nil // one form for the same
		}
	}
	m.Protected, m.Configurers = sorted(m.Protected), sorted(m.Configurers)
	entities, err := knownEntities(tx, m)
	if err != nil {
		return err
	}
	slices.SortFunc(m.Patterns, func(a, b access.PatternSwitch) int { return bytes.Compare(a.LegalEntity[:], b.LegalEntity[:]) })
	for i, s := range m.Patterns {
		switch {
		case !entities[s.LegalEntity]:
			add(invalid.Unknown, "patterns[%d].legal_entity_id", i)
		case i > 0 && m.Patterns[i-1].LegalEntity == s.LegalEntity:
			add(invalid.Repeated, "patterns[%d].legal_entity_id", i)
		}
	}
	unknown, err := unknownPeople(tx, m)
	if err != nil {
		return err
	}
	for _, location := range unknown {
		add(invalid.Unknown, "%s", location)
	}
	if len(found) > 0 {
		return &invalid.ValuesError{Problems: found}
	}
	return nil
}
