package main

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/uuid"

	"lethe/internal/leavers"
	"lethe/internal/ledger/evidence"
)

// TestAReportIsWhatAnEntryOfThePackSays: the exported file is found, a changed one is not, nor by an entry that somebody
// changed or that is about something else.
func TestAReportIsWhatAnEntryOfThePackSays(t *testing.T) {
	folder := t.TempDir()
	file := func(name, content string) (path, digest string) {
		path = filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256([]byte(content))
		return path, hex.EncodeToString(sum[:])
	}
	exported, digest := file("leavers.csv", "exported")
	tampered, ofTampered := file("tampered.csv", "tampered")
	other, ofOther := file("other.csv", "other")
	changed, _ := file("changed.csv", "exported, then changed")
	pack := filepath.Join(folder, "pack.zip")
	to, err := os.Create(pack)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(to)
	lines, err := z.Create("entries.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range []struct{ state, action, digest string }{
		{evidence.StateIntact, leavers.ActionExported, digest}, {evidence.StateTampered, leavers.ActionExported, ofTampered}, {evidence.StateIntact, "query_log.export_made", ofOther},
	} {
		content := &evidence.LineContent{Action: l.action, Details: map[string]string{leavers.DigestOf(leavers.CSV): l.digest}}
		if err := json.NewEncoder(lines).Encode(evidence.Line{ID: uuid.New(), State: l.state, Content: content}); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(z.Close(), to.Close()); err != nil {
		t.Fatal(err)
	}
	if err := reported(pack, []string{exported}); err != nil {
		t.Errorf("the exported file: %v", err)
	}
	for _, path := range []string{tampered, other, changed} {
		var wrong *outcomeError
		if err := reported(pack, []string{exported, path}); !errors.As(err, &wrong) || wrong.code != exitWrong {
			t.Errorf("%s: %v", path, err)
		}
	}
}
