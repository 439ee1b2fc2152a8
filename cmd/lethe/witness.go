package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"lethe/internal/ledger/policy"
	"lethe/internal/ledger/witness"
)

// WitnessCmd is the small program that another administration runs.
type WitnessCmd struct {
	Run   WitnessRunCmd   `cmd:"" default:"withargs" help:"Cosign checkpoints of the ledger that the policy names. 为策略所列账本的检查点联署。"`
	Key   WitnessKeyCmd   `cmd:"" help:"Create the witness's key file, and print its public key. 生成见证方密钥文件并显示公钥。"`
	Watch WitnessWatchCmd `cmd:"" help:"Print the latest checkpoint that was cosigned. 显示最近一次联署的检查点。"`
}

// WitnessRunCmd serves. It needs no database and knows nothing of the installation but public keys.
type WitnessRunCmd struct {
	Key    string `help:"The witness's key file. 见证方密钥文件。" required:"" type:"path"`
	State  string `help:"Folder for what was cosigned; never restore it from a backup. 存放联署状态的目录；切勿从备份恢复。" required:"" type:"path"`
	Policy string `help:"The policy file of the ledger, which names its keys. 账本的策略文件（含其公钥）。" required:"" type:"path"`
	Listen string `help:"host:port; a reverse proxy in front of it does TLS. 监听地址，TLS 由前置反向代理处理。" default:"127.0.0.1:8095"`
}

// Run serves until it is told to stop.
func (w WitnessRunCmd) Run(ctx context.Context) error {
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	own, err := w.open()
	if err != nil {
		return err
	}
	l, err := listen("--listen", w.Listen)
	if err != nil {
		return err
	}
	log.Info("the witness is ready", "address", l.Addr().String(), "key", own.Verifier().String())
	serveHTTP(ctx, l, portBounds{perAddress: witnessConnections}, own.Handler(log), log)
	return nil
}

func (w WitnessRunCmd) open() (*witness.Witness, error) {
	signer, err := witness.LoadKeyFile(w.Key, time.Now)
	if err != nil {
		return nil, err
	}
	p, err := policy.Load(w.Policy)
	if err != nil {
		return nil, err
	}
	store, err := witness.OpenStore(w.State)
	if err != nil {
		return nil, err
	}
	return witness.New(signer, p.Logs(), store), nil
}

// WitnessKeyCmd creates a key.
type WitnessKeyCmd struct {
	Path string `arg:"" help:"The file to write. 要写入的文件。" type:"path"`
	Name string `arg:"" help:"Name of the witness, an address without scheme: witness.example/lethe. 见证方名称，如 witness.example/lethe。"`
}

// Run prints the verifier key for the policy file.
func (w WitnessKeyCmd) Run() error {
	v, err := witness.CreateKeyFile(w.Path, w.Name)
	if err != nil {
		return err
	}
	_, err = fmt.Println(v)
	return err
}

// WitnessWatchCmd shows what the witness remembers, for whoever compares by hand.
type WitnessWatchCmd struct {
	State  string `help:"The witness's folder. 见证方的状态目录。" required:"" type:"path"`
	Origin string `arg:"" help:"First line of the checkpoints, <origin>/<epoch>. 检查点首行，即 <origin>/<epoch>。"`
}

// Run prints the note.
func (w WitnessWatchCmd) Run() error {
	store, err := witness.OpenStore(w.State)
	if err != nil {
		return err
	}
	signed, err := store.Latest(w.Origin)
	if err != nil {
		return err
	}
	if signed == nil {
		return fmt.Errorf("nothing of %s was cosigned yet", w.Origin)
	}
	_, err = os.Stdout.Write(signed)
	return err
}
