package policy

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"

	"lethe/internal/database"
	"lethe/internal/ledger"
)

// object is how entries name the ledger's policy.
const object = "configuration/ledger_policy"

var (
	// ErrNotAdopted says that a policy file is not the one that was recorded last.
	ErrNotAdopted = errors.New("the policy file is not the one that two people adopted: lethe ledger adopt-policy")
	// ErrNoOverlap says that a policy does not name a key that signs.
	ErrNoOverlap = errors.New("the policy does not name every key that signs now: a rotation has an overlap")
)

// Digest is the SHA-256 of the policy in its one form, in hexadecimal.
func (p *Policy) Digest() string {
	sum := sha256.Sum256(p.Marshal())
	return hex.EncodeToString(sum[:])
}

// Adopt records p as the policy from now on, in an entry of the ledger about itself. Two people have
// approved it before. keys are those that sign: each must be named, so that checkpoints stay
// acceptable to everybody while keys change.
func (p *Policy) Adopt(tx *database.Tx, keys *ledger.Keys, e ledger.Entry) error {
	if !keys.SignCheckpoints() {
		return ErrNoOverlap // nobody can say which keys sign
	}
	for _, public := range keys.LogPublicKeys() {
		if !slices.ContainsFunc(p.LogKeys, func(k Key) bool { return bytes.Equal(k.PublicKey, public) }) {
			return ErrNoOverlap
		}
	}
	last, err := adopted(tx)
	if err != nil {
		return err
	}
	digest, before := p.Digest(), last.Digest
	e.Kind, e.Action, e.Object = ledger.KindLedger, ledger.ActionPolicyChanged, object
	e.Details = map[string]string{
		ledger.DetailPolicy: digest, "log_keys": strconv.Itoa(len(p.LogKeys)), "witnesses": strconv.Itoa(len(p.Witnesses)), "quorum": strconv.Itoa(p.Quorum),
	}
	if before != "" {
		e.Details["policy_sha256_before"] = before
	}
	const insert = `INSERT INTO ledger_policies (number, digest, ledger_entry_id) SELECT ?::int, ?::text, entry_id FROM pending`
	_, err = ledger.AppendWith(tx, e, insert, last.Number+1, digest)
	return err
}

// adoption is a row of ledger_policies.
type adoption struct {
	Number int
	Digest string
}

// adoptions is the lock on adopting, for which processes that start together queue.
const adoptions = 0x6c6574686570

// adopted is the policy that counts, number 0 if there was none. Nobody adopts another one before the
// end of the transaction.
func adopted(tx *database.Tx) (last adoption, err error) {
	if err := tx.DB().Exec("SELECT pg_advisory_xact_lock(?)", adoptions).Error; err != nil {
		return last, database.Wrap("locking the policy that counts", err)
	}
	err = tx.DB().Raw("SELECT number, digest FROM ledger_policies ORDER BY number DESC LIMIT 1").Scan(&last).Error
	return last, database.Wrap("reading the policy that counts", err)
}

// RequireAdopted lets only the policy that was adopted last pass. The first one that a process
// starts with is adopted by that.
func (p *Policy) RequireAdopted(tx *database.Tx, keys *ledger.Keys) error {
	last, err := adopted(tx)
	switch {
	case err != nil:
		return err
	case last.Number == 0:
		return p.Adopt(tx, keys, ledger.Entry{})
	case last.Digest != p.Digest():
		return ErrNotAdopted
	}
	return nil
}
