package canary

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"lethe/e2e/harness"
)

// Text that people write into a reason on purpose (of an approval, of an export) is an exception: it is
// meant to be read in the log, and the form asks for no names, numbers or illnesses. So are the words
// of an export's filter, since its manifest has to say what was chosen (docs/limits.md).

// consult searches the log for markers and has evidence packs made, as an auditor would; what was
// searched for in a view must not stay anywhere either. It returns the answers and what is inside the packs.
func (a *aviary) consult() (h haul) {
	a.Helper()
	auditor := a.stack.As(a.stack.Staff.Auditor)
	for _, query := range []string{"?q=" + a.marker(), "?q=departure", "?kind=account", "?kind=purge&limit=100"} {
		answer, err := auditor.Do(a.ctx, "GET", "/api/v1/query-log"+query, nil)
		a.must(err)
		if answer.Status != http.StatusOK {
			a.Fatalf("searching the log: %d\n%s", answer.Status, answer.Body)
		}
		h.add("the query log", answer.Body)
	}
	for _, body := range []map[string]any{
		{"filters": map[string]any{}, "reason": "an audit"},
		{"filters": map[string]any{"q": "departure"}, "reason": "an audit"},
	} {
		h = append(h, a.pack(auditor, body)...)
	}
	return h
}

// pack has an evidence pack made and opens it.
func (a *aviary) pack(auditor *harness.Client, body map[string]any) (h haul) {
	a.Helper()
	asked, err := auditor.Do(a.ctx, "POST", "/api/v1/query-log/exports", body)
	a.must(err)
	if asked.Status != http.StatusAccepted {
		a.Fatalf("asking for an evidence pack: %d\n%s", asked.Status, asked.Body)
	}
	h.add("an export's answer", asked.Body)
	err = harness.Eventually(a.ctx, 60*time.Second, func() error {
		answer, err := auditor.Do(a.ctx, "GET", asked.Location, nil)
		if err != nil {
			return err
		}
		var view struct{ State string }
		if err := json.Unmarshal(answer.Body, &view); err != nil || view.State != "done" {
			return fmt.Errorf("an evidence pack is %q, %w", view.State, err)
		}
		return nil
	})
	a.must(err)
	file, err := auditor.Do(a.ctx, "GET", asked.Location+"/file", nil)
	a.must(err)
	archive, err := zip.NewReader(bytes.NewReader(file.Body), int64(len(file.Body)))
	a.must(err)
	for _, part := range archive.File {
		r, err := part.Open()
		a.must(err)
		content, err := io.ReadAll(r)
		a.must(err)
		h.add("evidence pack, "+part.Name, content)
	}
	return h
}

// ledgerHaul is what the ledger keeps outside the databases: tiles, bundles, checkpoints, the witness's
// memory, evidence packs as they lie in their folder.
func (a *aviary) ledgerHaul() (h haul) {
	a.Helper()
	a.must(h.files(a.stack.LedgerDir()), h.files(a.stack.WitnessFolder()), h.files(filepath.Join(filepath.Dir(a.stack.LedgerDir()), "exports")))
	for _, part := range []string{"/tile/0/", "/tile/entries/", "checkpoint", ".zip"} {
		if !slices.ContainsFunc(h, func(c catch) bool { return strings.Contains(c.where, part) && len(c.content) > 0 }) {
			a.Errorf("no file of the ledger with %s in its name was searched", part)
		}
	}
	return h
}
