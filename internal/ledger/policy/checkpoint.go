package policy

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"lethe/internal/ledger"
	"lethe/internal/ledger/witness"
)

// Why a checkpoint is not accepted.
var (
	ErrCheckpoint   = errors.New("malformed checkpoint")
	ErrOtherLog     = errors.New("a checkpoint of another log")
	ErrNotSigned    = errors.New("the checkpoint has no valid signature by a key that the policy names for it")
	ErrNotWitnessed = errors.New("the checkpoint does not have the cosignatures that the policy asks for")
)

// Checkpoint is one that the policy accepts.
type Checkpoint struct {
	Epoch int
	Size  int64
	Root  tlog.Hash
	// Cosigned is when each witness cosigned, by its name, in UTC.
	Cosigned map[string]time.Time
}

// Signed reads a checkpoint that the log signed; cosignatures are read if they are there and valid,
// and one that is not valid is [ErrNotSigned].
func (p *Policy) Signed(signed []byte) (Checkpoint, error) {
	i := strings.LastIndex(string(signed), "\n\n")
	if i < 0 {
		return Checkpoint{}, ErrCheckpoint
	}
	text, err := witness.ParseCheckpoint(string(signed[:i+1]))
	if err != nil {
		return Checkpoint{}, ErrCheckpoint
	}
	epoch, ok := p.epochOf(text.Origin)
	if !ok {
		return Checkpoint{}, ErrOtherLog
	}
	at := Position{epoch, text.Size}
	verifiers, cosigners := p.logVerifiers(at), map[string]bool{}
	logs := len(verifiers)
	for i, w := range p.Witnesses {
		if w.holds(at) {
			verifiers = append(verifiers, p.members[i])
			cosigners[nameAndID(p.members[i].Name(), p.members[i].KeyHash())] = true
		}
	}
	opened, err := note.Open(signed, note.VerifierList(verifiers...))
	if err != nil || logs == 0 {
		return Checkpoint{}, ErrNotSigned
	}
	c := Checkpoint{Epoch: epoch, Size: text.Size, Root: text.Root, Cosigned: map[string]time.Time{}}
	logSigned := false
	for _, s := range opened.Sigs {
		if !cosigners[nameAndID(s.Name, s.Hash)] {
			logSigned = true
			continue
		}
		if raw, err := base64.StdEncoding.DecodeString(s.Base64); err == nil && len(raw) > 4 {
			c.Cosigned[s.Name], _ = witness.Timestamp(raw[4:])
		}
	}
	if !logSigned {
		return Checkpoint{}, ErrNotSigned
	}
	return c, nil
}

// Witnessed reads a checkpoint that has a quorum of cosignatures as well.
func (p *Policy) Witnessed(signed []byte) (Checkpoint, error) {
	c, err := p.Signed(signed)
	if err != nil {
		return Checkpoint{}, err
	}
	if len(c.Cosigned) < p.Quorum {
		return Checkpoint{}, ErrNotWitnessed
	}
	return c, nil
}

// Members are the witnesses of the policy for checkpoints from now on, each with the way to it.
// A witness without an address is one that no longer cosigns.
func (p *Policy) Members(timeout time.Duration) []witness.Member {
	var out []witness.Member
	for i, w := range p.Witnesses {
		if w.URL != "" && w.Until == nil {
			out = append(out, witness.Member{Verifier: p.members[i], Cosigner: witness.NewClient(w.URL, timeout)})
		}
	}
	return out
}

// epochOf reads the epoch from the origin line of a checkpoint.
func (p *Policy) epochOf(origin string) (int, bool) {
	digits, ok := strings.CutPrefix(origin, p.Origin+"/")
	epoch, err := strconv.Atoi(digits)
	if !ok || err != nil || epoch < 1 || epoch > math.MaxInt32 || ledger.TreeName(p.Origin, epoch) != origin {
		return 0, false
	}
	return epoch, true
}

func nameAndID(name string, id uint32) string { return fmt.Sprintf("%s+%08x", name, id) }

// publicOf takes the raw public key out of a verifier key.
func publicOf(vkey string) ([]byte, error) {
	i := strings.Index(vkey, "+")
	if i < 0 || len(vkey) < i+10 {
		return nil, fmt.Errorf("%w: a key is malformed", ErrPolicy)
	}
	key, err := base64.StdEncoding.DecodeString(vkey[i+10:])
	if err != nil || len(key) < 1 {
		return nil, fmt.Errorf("%w: a key is malformed", ErrPolicy)
	}
	return key[1:], nil
}
