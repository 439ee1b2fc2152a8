package main

import (
	"archive/zip"
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"lethe/internal/holders"
	"lethe/internal/i18n"
	"lethe/internal/leavers"
	"lethe/internal/ledger/evidence"
)

// reported says of files that reports were exported as which entries of a verified pack have their digest, and what they
// say; one that none has makes the command end as of something wrong.
func reported(pack string, files []string) error {
	told := map[string][]exported{}
	if err := eachLine(pack, func(l evidence.Line) {
		if l.State != evidence.StateIntact || l.Content == nil || l.Content.Action != leavers.ActionExported && l.Content.Action != holders.ActionExported {
			return
		}
		for _, format := range leavers.Formats {
			if digest := l.Content.Details[leavers.DigestOf(format)]; digest != "" {
				told[digest] = append(told[digest], exported{l, format})
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
		entries := told[hex.EncodeToString(sum[:])]
		if len(entries) == 0 {
			missing++
			fmt.Printf("%s: no entry of the pack has its digest · 证据包中没有与其摘要相符的记录\n", filepath.Base(path))
			continue
		}
		fmt.Printf("%s: as exported · 与导出时一致\n", filepath.Base(path))
		if len(entries) > 1 {
			fmt.Printf("  %d entries have this digest · 有 %d 条记录与此摘要相符\n", len(entries), len(entries))
		}
		for _, e := range entries {
			e.print(filepath.Base(path))
		}
	}
	if missing > 0 {
		return &outcomeError{fmt.Sprintf("wrong; files without an entry: %d · 有误：%d 个文件无对应记录", missing, missing), exitWrong}
	}
	return nil
}

// exported is the entry of an export, and which of its files has the digest.
type exported struct {
	evidence.Line
	format leavers.Format
}

// narrowing are the details by which a report does not have everybody of its period.
var narrowing = []string{"legal_entity_id", "department_id", "site_id", "outcomes"}

// print prints all that the entry says of the file.
func (e exported) print(name string) {
	fmt.Printf("  %s, %s\n", e.ID, e.At.UTC().Format(time.RFC3339))
	if e.Content.ActorID != nil {
		fmt.Printf("    by · 导出人: %s (%s)\n", e.Content.ActorID, e.Content.ActorRole)
	}
	details := e.Content.Details
	part := slices.ContainsFunc(narrowing, func(k string) bool { return details[k] != "" })
	was := leavers.FileName(details["from"], details["to"], part)
	switch {
	case e.Content.Action == holders.ActionExported:
		was = holders.FileName(details["on"])
		fmt.Println("    who could see what at the end of that day, everybody · 当日日终谁能看到什么，全部人员")
	case part:
		fmt.Println("    A PART ONLY, not everybody of the period · 仅部分人员，不是这段时间的全部离职人员")
	default:
		fmt.Println("    everybody of the period · 这段时间的全部离职人员")
	}
	for _, key := range slices.Sorted(maps.Keys(details)) {
		if !strings.HasSuffix(key, "_sha256") {
			fmt.Printf("    %s · %s: %s\n", detailText(i18n.English, key), detailText(i18n.Chinese, key), details[key])
		}
	}
	if was += "." + string(e.format); name != was {
		fmt.Printf("    It was exported under another name · 导出时文件名不同: %s\n", was)
	}
}

func detailText(language i18n.Language, key string) string {
	if text, ok := i18n.Lookup(language, "ledger.detail."+key); ok {
		return text
	}
	return key
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
