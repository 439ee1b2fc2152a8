// Package identity says who a request comes from: users with their roles and credentials, their
// sessions, and the tokens that programs use in their place.
package identity

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/models"
)

// How tokens begin. Those of development exist only in databases marked dev, and production
// processes refuse them unseen.
const (
	ProductionPrefix  = "lethe_"
	DevelopmentPrefix = "lethe_dev_"
)

const (
	secretBytes  = 32
	secretDigits = 43 // digits that 32 bytes need in base 62
	shownDigits  = 6  // digits of the secret that stay readable, to tell tokens apart
	maxLabel     = 100
)

// MaxTTL is the longest life of a token.
const MaxTTL = 366 * 24 * time.Hour

// What can be wrong with an order for a token.
var (
	ErrTTL          = errors.New("a token lives longer than nothing and at most 366 days")
	ErrLabel        = errors.New("a token's label has at most 100 characters")
	ErrRole         = errors.New("there is no such role")
	ErrWrongMode    = errors.New("a development token is issued only in a development database")
	ErrNoSuchPerson = errors.New("there is no such employee")
	// ErrLeft: who has left gets no user. One who comes back is active again.
	ErrLeft = errors.New("the person has left")
	// ErrOwnerLeft: nobody enrols anew as a user of somebody who has left.
	ErrOwnerLeft = errors.New("the user's owner has left")
)

// Issue makes a token for a person and a role that the person's user holds; else it is
// ErrRoleNotGranted. The secret is returned once and never stored; the row keeps its SHA-256 and a
// short prefix for display. 256 random bits need no slow hash.
//
// Outside development the token is marked as issued on the host: its owner did not ask for it, so that
// it may not ask for what needs two people (I21, [IssuedOnHost]).
func Issue(tx *database.Tx, employeeID uuid.UUID, role models.Role, label string, ttl time.Duration, dev bool) (string, models.APIToken, error) {
	if err := checkOrder(tx, role, label, ttl, dev); err != nil {
		return "", models.APIToken{}, err
	}
	user, err := userInRole(tx, employeeID, role)
	if err != nil {
		return "", models.APIToken{}, err
	}
	now, err := tx.Now()
	if err != nil {
		return "", models.APIToken{}, err
	}
	return issue(tx, user, models.APIToken{Role: role, Label: label, ExpiresAt: now.Add(ttl), OnHost: !dev}, dev)
}

// issue completes an order for a token of a user and stores it.
func issue(tx *database.Tx, user models.User, token models.APIToken, dev bool) (string, models.APIToken, error) {
	secret, err := newSecret(dev)
	if err != nil {
		return "", models.APIToken{}, err
	}
	id := models.NewID()
	token.ID, token.Prefix, token.SecretHash = id, shown(secret), hash(secret)
	token.UserID, token.EmployeeID, token.ExpiresAt = user.ID, user.EmployeeID, token.ExpiresAt.UTC()
	entry, err := record(tx, models.CallerOf(tx.Context()).Actor, "token.issued", user, tokenDetails(token))
	if err != nil {
		return "", models.APIToken{}, err
	}
	token.LedgerEntryID = &entry
	if err := tx.DB().Create(&token).Error; err != nil {
		return "", models.APIToken{}, database.Wrap("storing a token", err)
	}
	return secret, token, nil
}

func checkOrder(tx *database.Tx, role models.Role, label string, ttl time.Duration, dev bool) error {
	if ttl <= 0 || ttl > MaxTTL {
		return ErrTTL
	}
	if len([]rune(label)) > maxLabel {
		return ErrLabel
	}
	if !validRole(role) {
		return ErrRole
	}
	if !dev {
		return nil
	}
	return inDevelopment(tx)
}

func validRole(role models.Role) bool {
	for _, r := range models.Roles {
		if r == role {
			return true
		}
	}
	return false
}

// newSecret is the prefix and 32 random bytes in base 62, padded to one length.
func newSecret(dev bool) (string, error) {
	random := make([]byte, secretBytes)
	if _, err := rand.Read(random); err != nil {
		return "", fmt.Errorf("drawing a token: %w", err)
	}
	digits := new(big.Int).SetBytes(random).Text(62)
	prefix := ProductionPrefix
	if dev {
		prefix = DevelopmentPrefix
	}
	return prefix + strings.Repeat("0", secretDigits-len(digits)) + digits, nil
}

// shown is what of a secret may be displayed.
func shown(secret string) string { return secret[:len(secret)-secretDigits+shownDigits] }

func hash(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}
