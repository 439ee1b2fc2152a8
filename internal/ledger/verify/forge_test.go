package verify

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"lethe/internal/ledger"
)

// Forging: what somebody does who knows the format and, as an insider, the keys.

// reseal makes an entry's leaf say what its content says; with the writer's key its MAC as well.
func (m *mutant) reseal(e *entryRow, c *contentRow) {
	l := ledger.Leaf{Origin: m.w.policy.Origin, Epoch: e.epoch, ID: e.id, Kind: ledger.Kind(e.kind)}
	var h hmac256
	for i := range l.Commitments {
		l.Commitments[i] = h.sum(c.salts[i*ledger.SaltSize:(i+1)*ledger.SaltSize], fieldDomain, numbers[i], c.values[i])
	}
	e.leaf = l.Marshal()
	if m.insider {
		e.mac = macWith(m.w.secrets.writer, e.leaf)
	}
}

func macWith(key, leaf []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(macDomain))
	h.Write(leaf)
	return h.Sum(nil)
}

// rebuild makes places and head agree with the entries, as the places order them.
func (m *mutant) rebuild() {
	leaves := map[string]tlog.Hash{}
	for _, e := range m.s.entryRows {
		leaves[e.id.String()] = tlog.RecordHash(e.leaf)
	}
	t := &tree{}
	for i := range m.s.placeRows {
		p := &m.s.placeRows[i]
		hash := leaves[p.entry.String()]
		p.index, p.leaf = int64(i), hash[:]
		t.add(hash)
	}
	root := t.root()
	m.s.rest.heads = []headRow{{epoch: 1, size: t.size, root: root[:], frontier: t.joined()}}
	if m.insider {
		m.forged = m.sign(t)
	}
}

// sign signs a checkpoint with the log's stolen key.
func (m *mutant) sign(t *tree) []byte {
	name := ledger.TreeName(m.w.policy.Origin, 1)
	signed, err := note.Sign(&note.Note{Text: ledger.Head{Origin: name, Size: t.size, Root: t.root()}.Text()}, signerOf(m.t, name, m.w.secrets.log))
	must(m.t, err)
	return signed
}

func signerOf(t testing.TB, name string, seed []byte) note.Signer {
	t.Helper()
	public := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	id := sha256.Sum256(append([]byte(name+"\n\x01"), public...))
	s, err := note.NewSigner(fmt.Sprintf("PRIVATE+KEY+%s+%x+%s", name, id[:4], base64.StdEncoding.EncodeToString(append([]byte{1}, seed...))))
	must(t, err)
	return s
}
