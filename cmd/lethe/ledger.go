package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
	VerifyFolder LedgerVerifyFolderCmd `cmd:"" help:"Check the ledger's folder offline, without a database. 离线核验账本目录，无需数据库。"`
	VerifyProof  LedgerVerifyProofCmd  `cmd:"" help:"Check the proof of one entry offline. 离线核验单个条目的证明。"`
	NewEpoch     LedgerNewEpochCmd     `cmd:"" help:"Begin a new epoch after a restore lost entries for good (two people). 备份恢复后部分条目永久丢失时，由两人共同开启新纪元。"`
	RotateKeys   LedgerRotateCmd       `cmd:"" help:"Add a generation of the ledger's keys. 为账本新增一代密钥。"`
	AdoptPolicy  LedgerAdoptCmd        `cmd:"" help:"Make a policy file the one that counts (two people). 由两人采纳新的策略文件。"`
	Policy       LedgerPolicyCmd       `cmd:"" help:"Print a policy file for the keys that there are. 按现有密钥输出策略文件。"`
}

// The exit codes of the verdicts of docs/ledger-format.md; 0 is verified. A command that could not
// work for another reason, as without a database, ends with 1.
const (
	exitUnusable = 2
	exitWrong    = 3
)

// outcomeError ends a command that did its work and found something, so that a script can tell it from
// one that could not work.
type outcomeError struct {
	text string
	code int
}

func (e *outcomeError) Error() string { return e.text }

// ExitCode is the process's.
func (e *outcomeError) ExitCode() int { return e.code }

// unusable is what ends a command that was not given what it needs to judge.
func unusable(err error) error {
	if err == nil {
		return nil
	}
	return &outcomeError{"unusable · 无法判定: " + err.Error(), exitUnusable}
}

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

// Run verifies, prints the report, and ends with the exit code of its verdict.
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
		if _, err := os.Stat(c.LedgerDir); err != nil { // what is opened is made
			return unusable(fmt.Errorf("reading the ledger's folder: %w", err))
		}
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
	File   string   `arg:"" help:"The evidence pack (.zip). 证据包（.zip）。" type:"path"`
	Report []string `help:"A file that a report was exported as: is its digest in an entry of the pack? Repeatable. 导出的报告文件，核对其摘要是否在证据包的记录中，可重复。" type:"path"`
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
		return unusable(err)
	}
	if err := v.print(report); err != nil || len(v.Report) == 0 {
		return err
	}
	return reported(v.File, v.Report)
}

// LedgerVerifyFolderCmd verifies the ledger's folder.
type LedgerVerifyFolderCmd struct {
	Folder string `arg:"" help:"The ledger's folder, with one folder for each epoch. 账本目录，每个纪元一个子目录。" type:"path"`
	outside
	Receipts string   `help:"Folder with receipts that somebody kept, one file each. 存放所持回执的目录，每个文件一份。" type:"path"`
	Pack     []string `help:"A pack with the first entry of an epoch, for how the one before ended; repeatable. 含某纪元首条记录的证据包，用于核对上一纪元的结束，可重复。" type:"path"`
}

// Run verifies without a database and without this installation's settings.
func (v LedgerVerifyFolderCmd) Run() error {
	e, err := v.evidence()
	if err != nil {
		return err
	}
	if v.Receipts != "" {
		if e.Receipts, err = heldIn(v.Receipts); err != nil {
			return err
		}
	}
	report, err := verify.Folder(v.Folder, e, v.Pack...)
	if err != nil {
		return unusable(err)
	}
	return v.print(report)
}

// LedgerVerifyProofCmd verifies the proof of one entry.
type LedgerVerifyProofCmd struct {
	File   string `arg:"" help:"The answer of the API, or its member proof by itself. 接口返回的完整内容，或其中的 proof。" type:"path"`
	Policy string `help:"The policy file: names, keys, witnesses. 策略文件（名称、密钥、见证方）。" env:"LETHE_LEDGER_POLICY_FILE" type:"path"`
	JSON   bool   `help:"Print the report as JSON. 以 JSON 输出报告。"`
	Lang   string `help:"Language of the report: en or zh. 报告语言：en 或 zh。" enum:"en,zh,both" default:"both"`
}

// Run verifies without a database and without this installation's settings.
func (v LedgerVerifyProofCmd) Run() error {
	o := outside{Policy: v.Policy, JSON: v.JSON, Lang: v.Lang}
	e, err := o.evidence()
	if err != nil {
		return err
	}
	content, err := readFile(v.File)
	if err != nil {
		return unusable(fmt.Errorf("reading a proof: %w", err))
	}
	var answer struct {
		State string `json:"state"`
		Proof string `json:"proof"`
		verify.Claim
	}
	switch err := json.Unmarshal(content, &answer); {
	case err != nil: // a proof is no JSON
	case answer.Proof != "":
		content = []byte(answer.Proof)
	case answer.State == "waiting":
		return unusable(errNoProofYet)
	}
	if !verify.IsProof(content) {
		return unusable(errNoProof)
	}
	return o.print(verify.Proof(content, answer.Claim, e.Policy))
}

// largestFile is how much of one file is read, in bytes: no proof, checkpoint or receipt comes near it.
const largestFile = 16 << 20

var (
	errTooLarge = fmt.Errorf("the file is larger than %d MiB", largestFile>>20)
	errNoProof  = errors.New("the file is no proof: it is neither the API's answer about an entry nor the proof that the answer has")
)

// readFile reads a file that somebody else made.
func readFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	content, err := io.ReadAll(io.LimitReader(file, largestFile+1))
	if err == nil && len(content) > largestFile {
		err = errTooLarge
	}
	return content, err
}

var errNoProofYet = errors.New("no signed checkpoint covered the entry yet when this was answered: ask again")

var errNoPolicy = errors.New("a ledger is verified against a policy file: --policy (docs/ledger-format.md)")

// evidence reads what was given from outside.
func (o outside) evidence() (e verify.Evidence, err error) {
	if o.Policy == "" {
		return e, unusable(errNoPolicy)
	}
	if e.Policy, err = policy.Load(o.Policy); err != nil {
		return e, unusable(err)
	}
	for _, path := range o.Checkpoint {
		content, err := readFile(path)
		if err != nil {
			return e, unusable(fmt.Errorf("reading a checkpoint: %w", err))
		}
		e.Checkpoints = append(e.Checkpoints, verify.Held{File: path, Content: content})
	}
	return e, nil
}

// heldIn reads the files of a folder.
func heldIn(dir string) ([]verify.Held, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, unusable(fmt.Errorf("reading the receipts: %w", err))
	}
	var held []verify.Held
	for _, f := range files {
		if f.IsDir() {
			continue
		}
		content, err := readFile(filepath.Join(dir, f.Name()))
		if err != nil {
			return nil, unusable(fmt.Errorf("reading the receipts: %w", err))
		}
		held = append(held, verify.Held{File: f.Name(), Content: content})
	}
	return held, nil
}

func (o outside) print(r *verify.Report) error {
	if o.JSON {
		out := json.NewEncoder(os.Stdout)
		out.SetIndent("", "  ")
		if err := out.Encode(verdictOf{r.Verdict(), r}); err != nil {
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
	switch r.Verdict() {
	case verify.Verified:
		return nil
	case verify.Unusable:
		return &outcomeError{fmt.Sprintf("unusable; checkpoints not compared: %d · 无法判定：%d 个检查点未能比对", r.Count, r.Count), exitUnusable}
	}
	return &outcomeError{fmt.Sprintf("wrong; problems: %d · 有误：%d 处问题", r.Count, r.Count), exitWrong}
}

// verdictOf is a report as JSON.
type verdictOf struct {
	Verdict verify.Verdict `json:"verdict"`
	*verify.Report
}
