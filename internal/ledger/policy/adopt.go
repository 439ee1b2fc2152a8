package policy

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"lethe/internal/database"
	"lethe/internal/ledger"
)

// configuration is the name under which the ledger's policy is recorded.
const configuration = "ledger_policy"

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
	for _, public := range keys.LogPublicKeys() {
		if !slices.ContainsFunc(p.LogKeys, func(k Key) bool { return bytes.Equal(k.PublicKey, public) }) {
			return ErrNoOverlap
		}
	}
	before, err := ledger.RecordedConfiguration(tx, configuration)
	if err != nil {
		return err
	}
	digest := p.Digest()
	e.Kind, e.Action, e.Object = ledger.KindLedger, ledger.ActionPolicyChanged, "configuration/"+configuration
	e.Details = map[string]string{
		ledger.DetailPolicy: digest, "log_keys": strconv.Itoa(len(p.LogKeys)), "witnesses": strconv.Itoa(len(p.Witnesses)), "quorum": strconv.Itoa(p.Quorum),
	}
	if before != "" {
		e.Details["policy_sha256_before"] = before
	}
	if err := ledger.SetConfiguration(tx, configuration, digest, e); err != nil {
		return fmt.Errorf("adopting a policy: %w", err)
	}
	return nil
}

// RequireAdopted lets only the policy that was adopted last pass. The first one that a process
// starts with is adopted by that.
func (p *Policy) RequireAdopted(tx *database.Tx, keys *ledger.Keys) error {
	recorded, err := ledger.RecordedConfiguration(tx, configuration)
	switch {
	case err != nil:
		return err
	case recorded == "":
		return p.Adopt(tx, keys, ledger.Entry{})
	case recorded != p.Digest():
		return ErrNotAdopted
	}
	return nil
}
