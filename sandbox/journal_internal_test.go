package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// The journal is folded while calls go on, and whatever moment the files are
// copied at, they hold everything that was answered before.
func TestJournalFoldsUnderLoad(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "mail.json")
	s := &System{opts: Options{Name: "mail", Clock: time.Now}, st: newState(), counter: make(faultCounter), calls: newCallLog()}
	j, err := openJournal(path, false, s.st.decode, s.st.replay)
	if err != nil {
		t.Fatal(err)
	}
	s.journal, j.foldAt, j.minFold = j, 20_000, 20_000
	j.start(func() ([]byte, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.st.encode()
	})
	const writers, each = 4, 500
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				a := &account{ID: fmt.Sprint("a", w), UserName: fmt.Sprint(i), Sessions: i + 1}
				if err := s.locked(func(time.Time) { s.commit(record{Account: a}) }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	info, err := os.Stat(path + ".journal")
	if err != nil {
		t.Fatal(err)
	}
	if all := int64(writers * each * 100); info.Size() > all/2 {
		t.Errorf("the journal has %d bytes; it was never folded", info.Size())
	}
	// As a kill would leave them: no Close.
	copied := filepath.Join(dir, "copy.json")
	for _, suffix := range []string{"", ".journal"} {
		raw, err := os.ReadFile(path + suffix)
		if err == nil {
			err = os.WriteFile(copied+suffix, raw, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	again := newState()
	k, err := openJournal(copied, false, again.decode, again.replay)
	if err != nil {
		t.Fatal(err)
	}
	for w := range writers {
		if a := again.accounts[fmt.Sprint("a", w)]; a == nil || a.Sessions != each {
			t.Errorf("account %d came back as %+v", w, a)
		}
	}
	k.start(func() ([]byte, error) { return again.encode() })
	if err := k.close(); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
