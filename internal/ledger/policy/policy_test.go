package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/note"

	"lethe/internal/ledger"
	"lethe/internal/ledger/strict"
	"lethe/internal/ledger/witness"
)

const origin = "lethe.example/ledger"

func public(n byte) []byte { return key(n).Public().(ed25519.PublicKey) }

func key(n byte) ed25519.PrivateKey { return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, 32)) }

func logSigner(t *testing.T, n byte, name string) note.Signer {
	t.Helper()
	id := sha256.Sum256(append([]byte(name+"\n\x01"), public(n)...))
	s, err := note.NewSigner(fmt.Sprintf("PRIVATE+KEY+%s+%x+%s", name, id[:4], base64.StdEncoding.EncodeToString(append([]byte{1}, key(n).Seed()...))))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func cosigner(t *testing.T, n byte, name string) *witness.Signer {
	t.Helper()
	s, err := witness.NewSigner(name, key(n).Seed(), func() time.Time { return time.Unix(1_800_000_000, 0) })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// rotated has log key 1 up to entry 100 of epoch 2, and key 2 from entry 90 on.
func rotated(t *testing.T, quorum int) *Policy {
	t.Helper()
	p := &Policy{
		Format: format, Origin: origin, Quorum: quorum, ReceiptKeys: []Key{{PublicKey: public(3)}},
		LogKeys: []Key{
			{PublicKey: public(1), Range: Range{Until: &Position{2, 100}}},
			{PublicKey: public(2), Range: Range{From: &Position{2, 90}}},
		},
		Witnesses: []Witness{
			{VerifierKey: cosigner(t, 4, "w.example/1").String(), URL: "https://w.example/"},
			{VerifierKey: cosigner(t, 5, "w.example/2").String(), Range: Range{Until: &Position{2, 50}}},
		},
	}
	p, err := Parse(p.Marshal())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func signed(t *testing.T, tree string, size int64, signers ...note.Signer) []byte {
	t.Helper()
	out, err := note.Sign(&note.Note{Text: strict.Checkpoint{Origin: tree, Size: size}.Text()}, signers...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestI19_KeysCountInTheirRangeOnly(t *testing.T) {
	p := rotated(t, 0)
	for _, c := range []struct {
		epoch  int
		size   int64
		signer byte
		want   error
	}{
		{1, 5, 1, nil}, {2, 89, 1, nil}, {2, 99, 1, nil}, {2, 100, 1, ErrNotSigned}, {3, 0, 1, ErrNotSigned},
		{2, 89, 2, ErrNotSigned}, {2, 90, 2, nil}, {7, 0, 2, nil}, {1, 500, 2, ErrNotSigned}, {2, 95, 9, ErrNotSigned},
	} {
		tree := ledger.TreeName(origin, c.epoch)
		got, err := p.Signed(signed(t, tree, c.size, logSigner(t, c.signer, tree)))
		if !errors.Is(err, c.want) || err == nil && (got.Epoch != c.epoch || got.Size != c.size) {
			t.Errorf("%+v: %+v %v", c, got, err)
		}
		keys, known := p.Logs()(tree, c.size)
		if !known || (c.want == nil) != hasKey(keys, c.signer, tree) {
			t.Errorf("%+v: a witness knows %d keys", c, len(keys))
		}
	}
	// Both sign during the overlap.
	tree := ledger.TreeName(origin, 2)
	if _, err := p.Signed(signed(t, tree, 95, logSigner(t, 1, tree), logSigner(t, 2, tree))); err != nil {
		t.Error(err)
	}
}

func hasKey(keys []note.Verifier, n byte, tree string) bool {
	want, err := note.NewVerifier(ledger.VerifierKey(tree, public(n)))
	if err != nil {
		return false
	}
	for _, k := range keys {
		if k.KeyHash() == want.KeyHash() {
			return true
		}
	}
	return false
}

func TestI19_CheckpointsOfOthersAndWithoutWitnesses(t *testing.T) {
	p := rotated(t, 1)
	tree := ledger.TreeName(origin, 1)
	log, w1, w2 := logSigner(t, 1, tree), cosigner(t, 4, "w.example/1"), cosigner(t, 5, "w.example/2")
	good := signed(t, tree, 7, log, w1, w2)
	c, err := p.Witnessed(good)
	if err != nil || len(c.Cosigned) != 2 || c.Cosigned["w.example/1"].Unix() != 1_800_000_000 {
		t.Errorf("%+v %v", c, err)
	}
	other := "other.example/ledger/1"
	tree2 := ledger.TreeName(origin, 2)
	for what, x := range map[string]struct {
		note []byte
		want error
	}{
		"another log":                  {signed(t, other, 7, logSigner(t, 1, other), w1), ErrOtherLog},
		"another log under our key":    {signed(t, other, 7, log, w1), ErrOtherLog},
		"an epoch with a leading zero": {signed(t, origin+"/01", 7, log, w1), ErrOtherLog},
		"epoch zero":                   {signed(t, origin+"/0", 7, log, w1), ErrOtherLog},
		"no witness":                   {signed(t, tree, 7, log), ErrNotWitnessed},
		"an unknown witness":           {signed(t, tree, 7, log, cosigner(t, 6, "w.example/3")), ErrNotWitnessed},
		"our witness's name":           {signed(t, tree, 7, log, cosigner(t, 6, "w.example/1")), ErrNotWitnessed},
		"a witness that is gone":       {signed(t, tree2, 95, logSigner(t, 1, tree2), w2), ErrNotWitnessed},
		"the witness alone":            {signed(t, tree, 7, w1), ErrNotSigned},
		"cut":                          {good[:len(good)-9], ErrNotSigned},
		"another size":                 {bytes.Replace(good, []byte("\n7\n"), []byte("\n8\n"), 1), ErrNotSigned},
		"nothing":                      {nil, ErrCheckpoint},
		"text":                         {[]byte("hello\n\n"), ErrCheckpoint},
	} {
		if _, err := p.Witnessed(x.note); !errors.Is(err, x.want) {
			t.Errorf("%s: %v, want %v", what, err, x.want)
		}
	}
}

func TestI19_AManifestIsOfItsExportAndDigest(t *testing.T) {
	p := rotated(t, 0)
	mine, other := uuid.MustParse("019a0000-0000-7000-8000-000000000001"), uuid.MustParse("019a0000-0000-7000-8000-000000000002")
	digest, changed := sha256.Sum256([]byte("a manifest")), sha256.Sum256([]byte("another"))
	text := fmt.Sprintf("%s/export\n%s\n%s\n", origin, mine, base64.StdEncoding.EncodeToString(digest[:]))
	sign := func(n byte) []byte {
		out, err := note.Sign(&note.Note{Text: text}, logSigner(t, n, ledger.ReceiptName(origin)))
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for what, c := range map[string]struct {
		signer byte
		export uuid.UUID
		digest [sha256.Size]byte
		want   bool
	}{
		"as signed":       {3, mine, digest, true},
		"another export":  {3, other, digest, false},
		"another content": {3, mine, changed, false},
		"another key":     {1, mine, digest, false},
	} {
		if got := p.Manifest(sign(c.signer), Position{1, 7}, c.export, c.digest); got != c.want {
			t.Errorf("%s: %t", what, got)
		}
	}
}

func TestPoliciesThatNothingCouldSatisfyAreRefused(t *testing.T) {
	good := rotated(t, 1)
	if len(good.Members(time.Second)) != 1 {
		t.Error("the witness that is gone is asked")
	}
	for what, change := range map[string]func(p *Policy){
		"another format": func(p *Policy) { p.Format = "x" },
		"no origin":      func(p *Policy) { p.Origin = "" },
		"a plus":         func(p *Policy) { p.Origin = "a+b" },
		"no log key":     func(p *Policy) { p.LogKeys = nil },
		"no receipt key": func(p *Policy) { p.ReceiptKeys = nil },
		"a short key":    func(p *Policy) { p.LogKeys[0].PublicKey = public(1)[:31] },
		"a key twice":    func(p *Policy) { p.LogKeys[1].PublicKey = public(1) },
		"a quorum of 3":  func(p *Policy) { p.Quorum = 3 },
		"less than none": func(p *Policy) { p.Quorum = -1 },
		"no witness key": func(p *Policy) { p.Witnesses[0].VerifierKey = "" },
		"a witness's key twice": func(p *Policy) {
			p.Witnesses[1].VerifierKey = cosigner(t, 4, "w.example/other").String()
		},
	} {
		p := rotated(t, 1)
		change(p)
		content, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(content); !errors.Is(err, ErrPolicy) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, text := range []string{"", "{", string(good.Marshal()) + "{}", strings.Replace(string(good.Marshal()), "quorum", "qourum", 1)} {
		if _, err := Parse([]byte(text)); !errors.Is(err, ErrPolicy) {
			t.Errorf("%.20q: %v", text, err)
		}
	}
}
