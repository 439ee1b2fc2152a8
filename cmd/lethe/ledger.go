package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"lethe/internal/config"
	"lethe/internal/ledger"
	"lethe/internal/ledger/policy"
	"lethe/internal/ledger/verify"
)

// LedgerCmd is what auditors and administrators do with the ledger.
type LedgerCmd struct {
	Verify       LedgerVerifyCmd       `cmd:"" help:"Check the whole ledger in the database against checkpoints, receipts and the folder. 核验数据库中的完整账本。"`
	VerifyExport LedgerVerifyExportCmd `cmd:"" help:"Check an evidence pack offline, without a database. 离线核验证据包，无需数据库。"`
	NewEpoch     LedgerNewEpochCmd     `cmd:"" help:"Begin a new epoch after a restore lost entries for good (two people). 备份恢复后部分条目永久丢失时，由两人共同开启新纪元。"`
	RotateKeys   LedgerRotateCmd       `cmd:"" help:"Add a generation of the ledger's keys. 为账本新增一代密钥。"`
	AdoptPolicy  LedgerAdoptCmd        `cmd:"" help:"Make a policy file the one that counts (two people). 由两人采纳新的策略文件。"`
	Policy       LedgerPolicyCmd       `cmd:"" help:"Print a policy file for the keys that there are. 按现有密钥输出策略文件。"`
}

// outcomeError ends a command that did its work and found something: its exit code is 3, so that a
// script can tell it from a command that could not work (1) or was called wrongly (2).
type outcomeError struct{ text string }

func (e *outcomeError) Error() string { return e.text }

// ExitCode is the process's.
func (e *outcomeError) ExitCode() int { return 3 }

// outside is what both ways of verifying are given from outside.
type outside struct {
	Policy     string   `help:"The policy file: names, keys, witnesses. 策略文件（名称、密钥、见证方）。" env:"LETHE_LEDGER_POLICY_FILE" type:"path"`
	Checkpoint []string `help:"A checkpoint kept by a witness or from a pack; repeatable. 见证方或证据包中保存的检查点文件，可重复。" type:"path"`
	JSON       bool     `help:"Print the report as JSON. 以 JSON 输出报告。"`
	Lang       string   `help:"Language of the report: en or zh. 报告语言：en 或 zh。" enum:"en,zh,both" default:"both"`
}

// LedgerVerifyCmd verifies online. It only reads.
type LedgerVerifyCmd struct {
	outside
	Receipts string `help:"Folder with receipts that somebody kept, one file each. 存放所持回执的目录，每个文件一份。" type:"path"`
}

// Run verifies, prints the report, and ends with exit code 3 if anything is wrong.
func (v LedgerVerifyCmd) Run(ctx context.Context) error {
	c, err := config.Load("ledger", os.Environ())
	if err != nil {
		return err
	}
	e, err := v.evidence()
	if err != nil {
		return err
	}
	if v.Receipts != "" {
		if e.Receipts, err = heldIn(v.Receipts); err != nil {
			return err
		}
	}
	if c.LedgerKeyFile != "" {
		if e.Keys, err = ledger.LoadKeys(c.LedgerKeyFile); err != nil {
			return err
		}
	}
	if c.LedgerDir != "" {
		storage, err := ledger.OpenStorage(c.LedgerDir)
		if err != nil {
			return err
		}
		if err := e.Folder(ctx, storage); err != nil {
			return err
		}
	}
	report, err := verify.Open(ctx, c.DatabaseURL, e)
	if err != nil {
		return err
	}
	return v.print(report)
}

// LedgerVerifyExportCmd verifies an evidence pack.
type LedgerVerifyExportCmd struct {
	File string `arg:"" help:"The evidence pack (.zip). 证据包（.zip）。" type:"path"`
	outside
}

// Run verifies without a database and without this installation's settings.
func (v LedgerVerifyExportCmd) Run() error {
	e, err := v.evidence()
	if err != nil {
		return err
	}
	report, err := verify.Pack(v.File, e)
	if err != nil {
		return err
	}
	return v.print(report)
}

var errNoPolicy = errors.New("a ledger is verified against a policy file: --policy (docs/ledger-format.md)")

// evidence reads what was given from outside.
func (o outside) evidence() (e verify.Evidence, err error) {
	if o.Policy == "" {
		return e, errNoPolicy
	}
	if e.Policy, err = policy.Load(o.Policy); err != nil {
		return e, err
	}
	for _, path := range o.Checkpoint {
		content, err := os.ReadFile(path)
		if err != nil {
			return e, fmt.Errorf("reading a checkpoint: %w", err)
		}
		e.Checkpoints = append(e.Checkpoints, verify.Held{File: path, Content: content})
	}
	return e, nil
}

// heldIn reads the files of a folder.
func heldIn(dir string) ([]verify.Held, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("reading the receipts: %w", err)
	}
	var held []verify.Held
	for _, f := range files {
		if f.IsDir() {
			continue
		}
		content, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			return nil, fmt.Errorf("reading the receipts: %w", err)
		}
		held = append(held, verify.Held{File: f.Name(), Content: content})
	}
	return held, nil
}

func (o outside) print(r *verify.Report) error {
	if o.JSON {
		out := json.NewEncoder(os.Stdout)
		out.SetIndent("", "  ")
		if err := out.Encode(r); err != nil {
			return fmt.Errorf("printing the report: %w", err)
		}
	} else {
		languages := []string{"zh", "en"}
		if o.Lang != "both" {
			languages = []string{o.Lang}
		}
		for _, language := range languages {
			fmt.Println(r.Text(language))
		}
	}
	if !r.OK() {
		return &outcomeError{fmt.Sprintf("%d problems found · 发现 %d 处问题", r.Count, r.Count)}
	}
	return nil
}
