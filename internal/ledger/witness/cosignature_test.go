package witness

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"pgregory.net/rapid"
)

// The vectors were made with OpenSSL and a few lines of another language from the text of
// c2sp.org/tlog-cosignature and c2sp.org/signed-note; the keys are those of RFC 8032, section 7.1,
// tests 1 and 2. Ed25519 is deterministic, so the signatures must be the same to the bit.
const (
	logSeed     = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
	witnessSeed = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"
	origin      = "lethe.example/ledger"
	logVKey     = "lethe.example/ledger+6aa1cae4+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea"
	witnessName = "witness.example/w1"
	witnessVKey = "witness.example/w1+04d2d833+BD1AF8PoQ4lakrcKp00bfrycmCzPLsSWjMDNVfEq9GYM"
	vectorTime  = 1679315147

	text1 = "lethe.example/ledger\n1\nAippeebat6pa5MPl5F9+l3ESp+Y1k4INvsHsc4ok+Tw=\n"
	log1  = "— lethe.example/ledger aqHK5FoMgZ/FJG5z0PllFQJZvxWVGIPv9ShTOe2qXBwasmIu7KHAsHGgzc+wc4HJLmzxnaAnc2ES2N6fk5gq2xFNpA8=\n"
	cosig = "— witness.example/w1 BNLYMwAAAABkGFDLiejoMyPuKKhEWcA3c/7P/y2hN3/Ui7R9mU6mkrHGFJTuSMtA8JjE9pFKwjozxb0yR/UleY8cJoW8w6xqWensAg==\n"

	text3  = "lethe.example/ledger\n3\nNmQuc8JUCrEh46a/lUWwokmCzYMOsT080Z3jzmwCHsE=\n"
	log3   = "— lethe.example/ledger aqHK5AIWZClFtK22nMHtlh7qlMAMkeWHL7qMkepzQeCdwJqath23HobH8tOCCQv8HTgqauiR6W+EyOmb6llgN2urMAQ=\n"
	cosig3 = "— witness.example/w1 BNLYMwAAAABkGFDLtNhddVXlLptCpwaodrtye/q7ruRru+hH/YqCKSyXJHQfL7WDBcOvjSvSoG2BUXX7y87epRltKOBkYHKlmoOhBg==\n"
	proof1 = "V+s1YV1H807HFMrN9f10YIpejhAnJOgLJLKHwMJ7ajE=\nWX/LMSgtNGVMIA00GPylcFxkjr8ybsc9jd7xGEH4dtg=\n"
)

func seed(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func vectorSigner(t testing.TB) *Signer {
	t.Helper()
	s, err := NewSigner(witnessName, seed(t, witnessSeed), func() time.Time { return time.Unix(vectorTime, 999) })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestI19_CosignatureVectors(t *testing.T) {
	s := vectorSigner(t)
	if s.String() != witnessVKey {
		t.Errorf("the verifier key is %s", s)
	}
	v, err := ParseVerifier(witnessVKey)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{text1: cosig, text3: cosig3} {
		signed, err := note.Sign(&note.Note{Text: text}, s)
		if err != nil {
			t.Fatal(err)
		}
		if string(signed) != text+"\n"+want {
			t.Errorf("signed:\n%s\nwant:\n%s", signed, want)
		}
		opened, err := note.Open([]byte(text+"\n"+want), note.VerifierList(v))
		if err != nil || len(opened.Sigs) != 1 {
			t.Errorf("the vector does not verify: %v", err)
		}
	}
}

func TestI19_CosignatureOfAnythingElseIsNone(t *testing.T) {
	v, err := ParseVerifier(witnessVKey)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := vectorSigner(t).Sign([]byte(text1))
	if err != nil {
		t.Fatal(err)
	}
	if at, ok := Timestamp(signature); !ok || at.Unix() != vectorTime {
		t.Errorf("timestamp %v %v", at, ok)
	}
	rapid.Check(t, func(r *rapid.T) {
		s, text := []byte(string(signature)), []byte(text1)
		if rapid.Bool().Draw(r, "text") {
			text[rapid.IntRange(0, len(text)-1).Draw(r, "at")] ^= byte(rapid.IntRange(1, 255).Draw(r, "by"))
		} else {
			s[rapid.IntRange(0, len(s)-1).Draw(r, "at")] ^= byte(rapid.IntRange(1, 255).Draw(r, "by"))
		}
		if v.Verify(text, s) {
			r.Fatalf("%q is signed by %x", text, s)
		}
	})
	if v.Verify([]byte(text1), signature[:len(signature)-1]) || v.Verify([]byte(text1), nil) {
		t.Error("a signature cut short is valid")
	}
	if _, err := (&Signer{Verifier: v, now: func() time.Time { return time.Time{} }}).Sign([]byte(text1)); err == nil {
		t.Error("a clock before 1970 signs")
	}
}

func TestVerifierKeysOfOtherKindsAreRefused(t *testing.T) {
	for _, vkey := range []string{
		"", "a", "a+b", logVKey, strings.Replace(witnessVKey, "04d2d833", "04d2d834", 1),
		strings.Replace(witnessVKey, "w1", "w2", 1), witnessVKey + "A", strings.Replace(witnessVKey, "w1", "w 1", 1),
	} {
		if _, err := ParseVerifier(vkey); !errors.Is(err, ErrKey) {
			t.Errorf("%q: %v", vkey, err)
		}
	}
}
