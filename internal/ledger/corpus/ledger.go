// Package corpus makes the corpus of docs/ledger-corpus: packs, folders and proofs, good and broken, each
// with the verdict that docs/ledger-format.md gives it. The verdict is said where a case is made, by the
// page; no verifier is asked. Everything is computed from texts, so that the corpus comes out the same
// each time, and nothing of it is made by the code that writes or checks a real ledger.
package corpus

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"time"
)

const origin = "ledger.example/corpus"

var fieldNames = []string{
	"action", "actor_id", "actor_role", "authenticated", "user_id", "subject_id", "object", "requested_by",
	"purpose", "reason", "result", "rule", "request_id", "details",
}

func b64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

func digest(parts ...[]byte) []byte {
	h := sha256.Sum256(slices.Concat(parts...))
	return h[:]
}

func named(text string) []byte { return digest([]byte("lethe corpus " + text)) }

// key is one that signs, made of its name.
type key struct{ private ed25519.PrivateKey }

func newKey(name string) key { return key{ed25519.NewKeyFromSeed(named("key " + name))} }

func (k key) public() []byte { return k.private.Public().(ed25519.PublicKey) }

// keyID is that of a signed note.
func keyID(name string, kind byte, public []byte) []byte {
	return digest([]byte(name+"\n"), []byte{kind}, public)[:4]
}

// line is a signature line over a text.
func (k key) line(name, text string) string {
	return fmt.Sprintf("— %s %s\n", name, b64(slices.Concat(keyID(name, 1, k.public()), ed25519.Sign(k.private, []byte(text)))))
}

// cosign is a witness's signature line.
func (k key) cosign(name, text string, at uint64) string {
	signature := ed25519.Sign(k.private, fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", at, text))
	return fmt.Sprintf("— %s %s\n", name, b64(slices.Concat(keyID(name, 4, k.public()), binary.BigEndian.AppendUint64(nil, at), signature)))
}

// verifierKey is a witness's key in text.
func (k key) verifierKey(name string) string {
	return name + "+" + hex.EncodeToString(keyID(name, 4, k.public())) + "+" + b64(append([]byte{4}, k.public()...))
}

// entry is one of the ledger.
type entry struct {
	id      []byte
	at      time.Time
	kind    string
	epoch   int // in its leaf
	dropped bool
	texts   map[string]string // by field; ids too; no details
	details map[string]string
	salts   []byte
}

// newEntry is entry n of an epoch, with its time.
func newEntry(epoch, n int, at time.Time, kind string, texts, details map[string]string) *entry {
	seed := named(fmt.Sprintf("entry %d %d", epoch, n))
	id := binary.BigEndian.AppendUint64(nil, uint64(at.UnixMilli())<<16)
	id = append(id[:6], seed[:10]...)
	id[6], id[8] = 0x70|id[6]&0x0f, 0x80|id[8]&0x3f
	e := &entry{id: id, at: at, kind: kind, epoch: epoch, texts: texts, details: details}
	for i := range fieldNames {
		e.salts = append(e.salts, named(fmt.Sprintf("salt %d %d %d", epoch, n, i))[:16]...)
	}
	return e
}

func uuidOf(id []byte) string {
	h := hex.EncodeToString(id)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

func (e *entry) commitments() []byte {
	var out []byte
	for i, name := range fieldNames {
		value := []byte(e.texts[name])
		if name == "details" {
			value = nil
			for _, k := range sortedKeys(e.details) {
				for _, s := range []string{k, e.details[k]} {
					value = append(binary.BigEndian.AppendUint32(value, uint32(len(s))), s...)
				}
			}
		}
		h := hmac.New(sha256.New, e.salts[16*i:16*i+16])
		h.Write(slices.Concat([]byte("lethe/ledger/field\n"), []byte{byte(i)}, value))
		out = h.Sum(out)
	}
	return out
}

func sortedKeys(m map[string]string) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (e *entry) leaf() []byte { return leafOf(origin, e.epoch, e.id, e.kind, e.commitments()) }

func leafOf(origin string, epoch int, id []byte, kind string, commitments []byte) []byte {
	return slices.Concat([]byte("lethe/ledger/leaf\n\x01"), []byte{byte(len(origin))}, []byte(origin),
		binary.BigEndian.AppendUint32(nil, uint32(epoch)), id, []byte{byte(len(kind))}, []byte(kind), []byte{14}, commitments)
}

// tree is the leaves of an epoch.
type tree struct {
	epoch   int
	entries []*entry
	leaves  [][]byte
	hashes  [][]byte
}

func (t *tree) add(e *entry) {
	leaf := e.leaf()
	t.entries, t.leaves, t.hashes = append(t.entries, e), append(t.leaves, leaf), append(t.hashes, digest([]byte{0}, leaf))
}

// root is that of the leaves from a up to b.
func (t *tree) root(a, b int) []byte {
	switch {
	case a == b:
		return digest()
	case b-a == 1:
		return t.hashes[a]
	}
	k := split(b - a)
	return digest([]byte{1}, t.root(a, a+k), t.root(a+k, b))
}

func split(n int) int {
	k := 1
	for 2*k < n {
		k *= 2
	}
	return k
}

// proof is what is missing to compute the root of the first size leaves from some of them.
func (t *tree) proof(size int, indexes []int) (hashes [][]byte) {
	var walk func(a, b int)
	walk = func(a, b int) {
		switch {
		case !slices.ContainsFunc(indexes, func(i int) bool { return a <= i && i < b }):
			hashes = append(hashes, t.root(a, b))
		case b-a > 1:
			k := split(b - a)
			walk(a, a+k)
			walk(a+k, b)
		}
	}
	walk(0, size)
	return hashes
}

// path is the proof of one leaf, from it to the root.
func (t *tree) path(index, a, b int) [][]byte {
	if b-a <= 1 {
		return nil
	}
	k := split(b - a)
	if index < a+k {
		return append(t.path(index, a, a+k), t.root(a+k, b))
	}
	return append(t.path(index, a+k, b), t.root(a, a+k))
}

// files are those of the tree of the first size leaves.
func (t *tree) files(size int) map[string][]byte {
	out := map[string][]byte{}
	put := func(level string, n, width int, content []byte) {
		name := fmt.Sprintf("tile/%s/%03d", level, n)
		if width < 256 {
			name += fmt.Sprintf(".p/%d", width)
		}
		out[name] = content
	}
	for level, span := 0, 1; size/span > 0; level, span = level+1, span*256 {
		for n := 0; n*256 < size/span; n++ {
			width := min(256, size/span-n*256)
			var hashes []byte
			for i := range width {
				hashes = append(hashes, t.root((n*256+i)*span, (n*256+i+1)*span)...)
			}
			put(fmt.Sprint(level), n, width, hashes)
		}
	}
	for n := 0; n*256 < size; n++ {
		width := min(256, size-n*256)
		put("entries", n, width, bundle(t.leaves[n*256:n*256+width]))
	}
	return out
}

func bundle(leaves [][]byte) []byte {
	var b bytes.Buffer
	for _, leaf := range leaves {
		b.Write(binary.BigEndian.AppendUint16(nil, uint16(len(leaf))))
		b.Write(leaf)
	}
	return b.Bytes()
}
