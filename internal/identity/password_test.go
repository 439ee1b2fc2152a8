package identity

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"
	"pgregory.net/rapid"
)

func TestPasswordRoundTrip(t *testing.T) {
	h := newHasher(Argon{Memory: 64, Passes: 1, Lanes: 1})
	rapid.Check(t, func(t *rapid.T) {
		password := rapid.String().Draw(t, "password")
		stored, err := h.hash(t.Context(), password)
		if err != nil {
			t.Fatal(err)
		}
		if right, weaker, err := h.verify(t.Context(), &stored, password); err != nil || !right || weaker {
			t.Fatalf("the right one: %v %v %v", right, weaker, err)
		}
		if right, _, _ := h.verify(t.Context(), &stored, password+"x"); right {
			t.Fatal("another one is right")
		}
	})
}

// TestPHC reads a string that another program wrote, and refuses what could exhaust the machine.
func TestPHC(t *testing.T) {
	// From the reference implementation's tests: argon2id, m=65536, t=2, p=1, "password", "somesalt".
	const reference = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	h := newHasher(Argon{Memory: 64, Passes: 1, Lanes: 1})
	stored := reference
	if right, _, err := h.verify(t.Context(), &stored, "password"); err != nil || !right {
		t.Errorf("the reference: %v, %v", right, err)
	}
	for name, bad := range map[string]string{
		"empty": "", "bcrypt": "$2a$10$abc", "argon2i": strings.Replace(reference, "argon2id", "argon2i", 1),
		"version":    strings.Replace(reference, "v=19", "v=16", 1),
		"memory":     strings.Replace(reference, "m=65536", "m=4294967295", 1),
		"passes":     strings.Replace(reference, "t=2", "t=0", 1),
		"cut":        reference[:len(reference)-4],
		"parameters": strings.Replace(reference, "t=2", "x=2", 1),
	} {
		if right, _, err := h.verify(t.Context(), &bad, "password"); right || err == nil {
			t.Errorf("%s: %v, %v", name, right, err)
		}
	}
	if argon2.Version != 19 {
		t.Error("the library speaks another version")
	}
}

func TestPasswordRules(t *testing.T) {
	about := []string{"wang.fang", "王芳", "CN-0001"}
	for password, want := range map[string]error{
		"ein Satz über Wolken":           nil,
		"x7#Qp2-vL9!mZ":                  nil,
		"明月几时有把酒问青天不知":                   nil,
		"short":                          ErrPasswordLength,
		strings.Repeat("ab1!", 33):       ErrPasswordLength,
		strings.Repeat("a", 12):          ErrPasswordCommon,
		"123456789012":                   ErrPasswordCommon,
		"Password1234!":                  ErrPasswordCommon,
		"P@ssw0rd2026!!":                 ErrPasswordCommon,
		"qwertyuiop123":                  ErrPasswordCommon,
		"passwordpassword":               ErrPasswordCommon,
		"iloveyou5201314":                ErrPasswordCommon,
		"woaini1314520":                  ErrPasswordCommon,
		"2026-11-22-2026":                nil,
		"abcabcabcabc":                   ErrPasswordCommon,
		"Welcome12345!":                  ErrPasswordCommon,
		"ｐａｓｓｗｏｒｄ１２３４":                   ErrPasswordCommon, // wide letters are narrow ones
		"wangfang2026":                   nil,
		"wang.fang2026":                  ErrPasswordContext,
		"王芳王芳王芳123456":                   ErrPasswordContext,
		"CN-0001-2026":                   ErrPasswordContext,
		"correct horse battery staple 7": ErrPasswordCommon,
	} {
		if got := checkPassword(password, about...); !errors.Is(got, want) || want == nil && got != nil {
			t.Errorf("%s: %v, want %v", password, got, want)
		}
	}
	if len(common) < 300 {
		t.Errorf("the list has %d entries", len(common))
	}
}

// TestHashingIsBounded: however many come at once, only so many take memory.
func TestHashingIsBounded(t *testing.T) {
	h := newHasher(Argon{Memory: 8 * 1024, Passes: 1, Lanes: 1})
	var most int
	var mu sync.Mutex
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-done:
				return
			default:
				mu.Lock()
				most = max(most, len(h.slots))
				mu.Unlock()
			}
		}
	}()
	var all sync.WaitGroup
	for range 24 {
		all.Go(func() { _, _ = h.hash(t.Context(), "x") })
	}
	all.Wait()
	close(done)
	mu.Lock()
	defer mu.Unlock()
	if most > cap(h.slots) || cap(h.slots) > 64 {
		t.Errorf("%d hashed at once, %d slots", most, cap(h.slots))
	}
}

func TestWeakHashIsRaisedAtLogin(t *testing.T) {
	w := newWorld(t, Options{})
	before := w.reload()
	w.s.hasher = newHasher(Argon{Memory: 128, Passes: 2, Lanes: 1})
	w.next()
	_, err := w.login(from("192.0.2.1"), rightPassword)
	w.must(err)
	after := w.reload()
	if *before.PasswordHash == *after.PasswordHash || !strings.Contains(*after.PasswordHash, "m=128,t=2,p=1") {
		t.Errorf("the hash is %.40s…", *after.PasswordHash)
	}
	w.next()
	if _, err = w.login(from("192.0.2.1"), rightPassword); err != nil {
		t.Errorf("with the raised hash: %v", err)
	}
	if again := w.reload(); *again.PasswordHash != *after.PasswordHash {
		t.Error("a hash that is strong enough was made anew")
	}
}

// TestUnknownLoginAndWrongPasswordTakeAsLong compares the medians of interleaved tries: whoever
// measures learns nothing about who has an account.
func TestUnknownLoginAndWrongPasswordTakeAsLong(t *testing.T) {
	w := newWorld(t, Options{Argon: Argon{Memory: 4 * 1024, Passes: 2, Lanes: 1}})
	const tries = 40
	took := map[string][]time.Duration{}
	for i := range tries {
		logins := []string{w.user.Login, "nobody-at-all"}
		if i%2 == 1 {
			slices.Reverse(logins) // whoever comes second finds the caches warm
		}
		for _, login := range logins {
			w.must(w.Facts.Read(t.Context()).Exec("DELETE FROM login_lanes").Error)
			w.s.flood = newFlood()
			start := time.Now()
			_, err := w.s.Login(t.Context(), LoginOrder{Login: login, Password: "wrong password", TOTP: "000000", Client: from("192.0.2.1")})
			if i >= 5 { // after warming up
				took[login] = append(took[login], time.Since(start))
			}
			if !errors.Is(err, ErrLoginFailed) {
				t.Fatal(err)
			}
		}
	}
	median := func(d []time.Duration) time.Duration { slices.Sort(d); return d[len(d)/2] }
	known, unknown := median(took[w.user.Login]), median(took["nobody-at-all"])
	ratio := float64(unknown) / float64(known)
	t.Logf("known %v, unknown %v, ratio %.2f", known, unknown, ratio)
	if ratio < 0.75 || ratio > 1.33 {
		t.Errorf("an unknown login takes %.2f of a wrong password's time", ratio)
	}
}
