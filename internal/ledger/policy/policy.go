// Package policy is what whoever checks a ledger has been told beforehand, on a way of its own: the
// ledger's name, the public keys that sign for it and in which range, and the witnesses of whom a
// quorum must have cosigned a checkpoint. It is a file that changes by approval only; each change is
// an entry of the ledger itself.
package policy

import (
	"bytes"
	"cmp"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"

	"golang.org/x/mod/sumdb/note"

	"lethe/internal/ledger"
	"lethe/internal/ledger/strict"
	"lethe/internal/ledger/witness"
)

const format = "lethe-ledger-policy/1"

// ErrPolicy says that a file is no policy, or one that nothing could satisfy.
var ErrPolicy = errors.New("not a ledger policy")

// Policy is the file.
type Policy struct {
	Format      string    `json:"format"`
	Origin      string    `json:"origin"`
	LogKeys     []Key     `json:"log_keys"`
	ReceiptKeys []Key     `json:"receipt_keys"`
	Witnesses   []Witness `json:"witnesses"`
	// Quorum is how many of the witnesses must have cosigned.
	Quorum int `json:"quorum"`

	members   []witness.Verifier // of Witnesses, in their order
	cosigners []strict.Key       // the same, for those who check
}

// Key is an Ed25519 public key and the checkpoints for which it counts. A rotation has two keys
// whose ranges overlap; a key that became known to others ends where the last good checkpoint was.
type Key struct {
	PublicKey []byte `json:"public_key"` // 32 bytes, in base64
	Range
}

// Witness is a witness's verifier key (c2sp.org/signed-note, type 0x04) and its submission prefix,
// which only the ledger's own processes need.
type Witness struct {
	VerifierKey string `json:"verifier_key"`
	URL         string `json:"url,omitempty"`
	Range
}

// Range is from a checkpoint up to, and without, another one; a missing end is open.
type Range struct {
	From  *Position `json:"from,omitempty"`
	Until *Position `json:"until,omitempty"`
}

// Position is a checkpoint by its epoch and its number of entries.
type Position struct {
	Epoch int   `json:"epoch"`
	Size  int64 `json:"size"`
}

func compare(a, b Position) int {
	return cmp.Or(cmp.Compare(a.Epoch, b.Epoch), cmp.Compare(a.Size, b.Size))
}

func (r Range) holds(at Position) bool {
	return (r.From == nil || compare(*r.From, at) <= 0) && (r.Until == nil || compare(at, *r.Until) < 0)
}

// Load reads a policy file.
func Load(path string) (*Policy, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the ledger's policy: %w", err)
	}
	return Parse(content)
}

// largest is how many bytes a policy may have.
const largest = 16 << 20

// Parse reads a policy as docs/ledger-format.md has it. Unknown names are refused, and so are missing
// ones: a check that is misspelled or left out is a check that is missing.
func Parse(content []byte) (*Policy, error) {
	v, ok := strict.JSON(content)
	if !ok || len(content) > largest {
		return nil, fmt.Errorf("%w: it is not the JSON expected", ErrPolicy)
	}
	f := &strict.Form{}
	f.Object(v, "its members", []string{"format", "origin", "log_keys", "receipt_keys", "witnesses", "quorum"})
	p := &Policy{
		Format: f.Text(v.Member("format"), "format"), Origin: f.Text(v.Member("origin"), "origin"),
		LogKeys: keysOf(f, v, "log_keys"), ReceiptKeys: keysOf(f, v, "receipt_keys"),
		Quorum: int(f.Integer(v.Member("quorum"), "quorum", 0, strict.LargestEpoch)),
	}
	if list := v.Member("witnesses"); list.Kind != strict.Null {
		for _, w := range f.Array(list, "witnesses") {
			p.Witnesses = append(p.Witnesses, witnessOf(f, w))
		}
	}
	if f.Wrong != "" {
		return nil, fmt.Errorf("%w: %s is not what the page of the format says", ErrPolicy, f.Wrong)
	}
	if err := p.complete(); err != nil {
		return nil, err
	}
	return p, nil
}

func keysOf(f *strict.Form, v strict.Value, name string) (keys []Key) {
	for _, k := range f.Array(v.Member(name), name) {
		f.Object(k, name, []string{"public_key"}, "from", "until")
		keys = append(keys, Key{PublicKey: f.Bytes(k.Member("public_key"), name, ed25519.PublicKeySize), Range: rangeOf(f, k, name)})
	}
	return keys
}

func witnessOf(f *strict.Form, v strict.Value) Witness {
	const name = "witnesses"
	f.Object(v, name, []string{"verifier_key"}, "url", "from", "until")
	w := Witness{VerifierKey: f.Text(v.Member("verifier_key"), name), Range: rangeOf(f, v, name)}
	if v.Has("url") {
		w.URL = f.Text(v.Member("url"), "url")
	}
	return w
}

func rangeOf(f *strict.Form, v strict.Value, name string) (r Range) {
	for end, position := range map[string]**Position{"from": &r.From, "until": &r.Until} {
		if v.Has(end) {
			at := f.Object(v.Member(end), name, []string{"epoch", "size"})
			*position = &Position{
				Epoch: int(f.Integer(at.Member("epoch"), name, 0, strict.LargestEpoch)), Size: f.Integer(at.Member("size"), name, 0, strict.Largest),
			}
		}
	}
	return r
}

// complete checks the policy and reads its witnesses' keys.
func (p *Policy) complete() error {
	refuse := func(what string) error { return fmt.Errorf("%w: %s", ErrPolicy, what) }
	switch {
	case p.Format != format:
		return refuse("its format is another")
	case !strict.IsOrigin(p.Origin):
		return refuse("its origin cannot name a key")
	case len(p.LogKeys) == 0 || len(p.ReceiptKeys) == 0:
		return refuse("a log key and a receipt key are needed")
	case p.Quorum < 0 || p.Quorum > len(p.Witnesses):
		return refuse("the quorum is larger than the number of witnesses")
	}
	if err := p.completeKeys(); err != nil {
		return refuse(err.Error())
	}
	p.members, p.cosigners = nil, nil
	for _, w := range p.Witnesses {
		v, err := witness.ParseVerifier(w.VerifierKey)
		k, ok := strict.ParseKey(w.VerifierKey, strict.WitnessKey)
		if err != nil || !ok {
			return refuse("a witness's key is malformed")
		}
		if slices.ContainsFunc(p.cosigners, func(o strict.Key) bool { return bytes.Equal(o.Public, k.Public) }) {
			return refuse("two witnesses have one key")
		}
		p.members, p.cosigners = append(p.members, v), append(p.cosigners, k)
	}
	return nil
}

func (p *Policy) completeKeys() error {
	for _, list := range [][]Key{p.LogKeys, p.ReceiptKeys} {
		for i, k := range list {
			if len(k.PublicKey) != ed25519.PublicKeySize {
				return errors.New("a public key does not have 32 bytes")
			}
			if slices.ContainsFunc(list[:i], func(o Key) bool { return bytes.Equal(o.PublicKey, k.PublicKey) }) {
				return errors.New("a public key stands there twice")
			}
		}
	}
	return nil
}

// Marshal is the file.
func (p *Policy) Marshal() []byte {
	out, _ := json.MarshalIndent(p, "", "  ") // plain fields only
	return append(out, '\n')
}

// Of is the policy of a ledger whose keys are at hand, for development and for the first file.
func Of(origin string, keys *ledger.Keys, quorum int, witnesses ...Witness) (*Policy, error) {
	p := &Policy{Format: format, Origin: origin, Witnesses: witnesses, Quorum: quorum}
	for _, k := range keys.LogPublicKeys() {
		p.LogKeys = append(p.LogKeys, Key{PublicKey: k})
	}
	for _, vkey := range keys.ReceiptVerifiers(origin) {
		public, err := publicOf(vkey)
		if err != nil {
			return nil, err
		}
		p.ReceiptKeys = append(p.ReceiptKeys, Key{PublicKey: public})
	}
	return p, p.complete()
}

// logVerifiers are the keys that may sign the checkpoint of a size of an epoch.
func (p *Policy) logVerifiers(at Position) []note.Verifier {
	var out []note.Verifier
	for _, k := range p.LogKeys {
		if k.holds(at) {
			if v, err := note.NewVerifier(ledger.VerifierKey(ledger.TreeName(p.Origin, at.Epoch), k.PublicKey)); err == nil {
				out = append(out, v)
			}
		}
	}
	return out
}

// Logs are the trees of the ledger as a witness knows them, one for each epoch. A new epoch is a new
// tree, which a witness begins to follow by itself: what it cosigned of the old one stays with it.
func (p *Policy) Logs() witness.Logs {
	return func(origin string, size int64) ([]note.Verifier, bool) {
		epoch, ok := p.epochOf(origin)
		if !ok {
			return nil, false
		}
		return p.logVerifiers(Position{epoch, size}), true
	}
}
