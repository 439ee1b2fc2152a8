package main

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"lethe/internal/holders"
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

// TestAReportIsShownWithAllThatItsEntriesSay: what narrows it, each entry with its digest, and a name that is another's.
func TestAReportIsShownWithAllThatItsEntriesSay(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "leavers-2026-01-01-2026-12-31.csv")
	if err := os.WriteFile(path, []byte("rows"), 0o600); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte("rows"))
	digest := hex.EncodeToString(sum[:])
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
	who, whole, part, seen := uuid.New(), uuid.New(), uuid.New(), uuid.New()
	for id, details := range map[uuid.UUID]map[string]string{
		whole: {"from": "2026-01-01", "to": "2026-12-31", "basis": "end", "time_zone": "Asia/Shanghai", "rows": "7", "csv_sha256": digest},
		seen:  {"on": "2026-03-01", "version": "4", "rows": "9", "csv_sha256": digest},
		part:  {"from": "1999-01-01", "to": "1999-12-31", "department_id": "of-a-department", "outcomes": "open,late", "rows": "0", "csv_sha256": digest},
	} {
		action := leavers.ActionExported
		if id == seen {
			action = holders.ActionExported
		}
		content := &evidence.LineContent{Action: action, ActorID: &who, ActorRole: "auditor", Details: details}
		if err := json.NewEncoder(lines).Encode(evidence.Line{ID: id, State: evidence.StateIntact, Content: content}); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(z.Close(), to.Close()); err != nil {
		t.Fatal(err)
	}
	was := os.Stdout
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	os.Stdout = write
	failed := reported(pack, []string{path})
	os.Stdout = was
	_ = write.Close()
	said, err := io.ReadAll(read)
	if err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	for text, times := range map[string]int{
		whole.String(): 1, part.String(): 1, who.String(): 3, seen.String(): 1, "who could see what": 1, "2026-03-01\n": 1, "access-2026-03-01.csv": 1, "A PART ONLY": 1, "    everybody of the period ·": 1, "of-a-department": 1, "open,late": 1, "Asia/Shanghai": 1,
		"1999-12-31\n": 1, "another name · 导出时文件名不同: leavers-part-1999-01-01-1999-12-31.csv": 1, "another name": 2,
	} {
		if n := strings.Count(string(said), text); n != times {
			t.Errorf("%q is there %d times: %s", text, n, said)
		}
	}
}
