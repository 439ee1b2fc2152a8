package main

import (
	"archive/zip"
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"lethe/internal/leavers"
	"lethe/internal/ledger/evidence"
)

// reported says of files that reports were exported as which entry of a verified pack has their digest; one that none has
// makes the command end as of something wrong.
func reported(pack string, files []string) error {
	told := map[string]evidence.Line{}
	if err := eachLine(pack, func(l evidence.Line) {
		if l.State != evidence.StateIntact || l.Content == nil || l.Content.Action != leavers.ActionExported {
			return
		}
		for _, format := range leavers.Formats {
			if digest := l.Content.Details[leavers.DigestOf(format)]; digest != "" {
				told[digest] = l
			}
		}
	}); err != nil {
		return unusable(err)
	}
	missing := 0
	for _, path := range files {
		content, err := os.ReadFile(path)
		if err != nil {
			return unusable(fmt.Errorf("reading a report: %w", err))
		}
		sum := sha256.Sum256(content)
		l, found := told[hex.EncodeToString(sum[:])]
		if !found {
			missing++
			fmt.Printf("%s: no entry of the pack has its digest · 证据包中没有与其摘要相符的记录\n", filepath.Base(path))
			continue
		}
		fmt.Printf("%s: as exported · 与导出时一致: %s, %s, %s – %s\n", filepath.Base(path), l.ID, l.At.UTC().Format(time.RFC3339), l.Content.Details["from"], l.Content.Details["to"])
	}
	if missing > 0 {
		return &outcomeError{fmt.Sprintf("wrong; files without an entry: %d · 有误：%d 个文件无对应记录", missing, missing), exitWrong}
	}
	return nil
}

// eachLine reads the entries of a pack that was verified.
func eachLine(pack string, do func(evidence.Line)) error {
	z, err := zip.OpenReader(pack)
	if err != nil {
		return fmt.Errorf("opening the pack: %w", err)
	}
	defer func() { _ = z.Close() }()
	i := slices.IndexFunc(z.File, func(f *zip.File) bool { return f.Name == "entries.jsonl" })
	if i < 0 {
		return fmt.Errorf("opening the pack: %w", os.ErrNotExist)
	}
	from, err := z.File[i].Open()
	if err != nil {
		return fmt.Errorf("opening the pack: %w", err)
	}
	defer func() { _ = from.Close() }()
	lines := bufio.NewReader(from)
	for {
		text, err := lines.ReadBytes('\n')
		if len(text) > 0 {
			var l evidence.Line
			if err := json.Unmarshal(text, &l); err != nil {
				return fmt.Errorf("reading the pack: %w", err)
			}
			do(l)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the pack: %w", err)
		}
	}
}
