package main

import (
	"lethe/internal/ledger"
	"lethe/internal/payload"
	"lethe/internal/vault"
)

// KeysCmd makes and rotates the key files that serve and worker read.
type KeysCmd struct {
	Create KeysCreateCmd `cmd:"" help:"Create a key file (mode 0600). 生成密钥文件（权限 0600）。"`
	Part   KeysPartCmd   `cmd:"" help:"Write the part of the ledger's key file that one process needs; repeat after a rotation. 导出某个进程所需的账本密钥部分；轮换后须重新导出。"`
	Rotate KeysRotateCmd `cmd:"" help:"Add a new codec key that encrypts from now on. 新增工作流数据密钥并从此启用。"`
}

// KeysCreateCmd creates one key file.
type KeysCreateCmd struct {
	Kind string `arg:"" enum:"kek,codec,ledger" help:"kek (data keys), codec (workflow payloads) or ledger (entries, checkpoints, receipts). kek（数据密钥的主密钥）、codec（工作流数据）或 ledger（账本条目、检查点与回执）。"`
	Path string `arg:"" help:"The file to write. 要写入的文件。"`
}

// Run creates it; an existing file is left alone and is an error.
func (k KeysCreateCmd) Run() error {
	switch k.Kind {
	case "kek":
		return vault.CreateKEKFile(k.Path)
	case "ledger":
		return ledger.CreateKeyFile(k.Path)
	}
	return payload.CreateKeyFile(k.Path)
}

// KeysPartCmd gives a process the keys of the ledger that it needs, and no others.
type KeysPartCmd struct {
	For  string `arg:"" enum:"serve,worker,host" help:"serve (signs receipts), worker (signs checkpoints) or host (migrate, admin, token: signs nothing). serve（签发回执）、worker（签署检查点）或 host（migrate、admin、token，不签名）。"`
	From string `arg:"" help:"The whole key file, which no process needs. 完整的账本密钥文件（各进程均不直接使用）。"`
	To   string `arg:"" help:"The file to write or replace. 要写入或替换的文件。"`
}

// Run writes it.
func (k KeysPartCmd) Run() error { return ledger.PartKeyFile(k.From, k.To, ledger.Part(k.For)) }

// KeysRotateCmd rotates the codec's key file.
type KeysRotateCmd struct {
	Path string `arg:"" help:"The codec key file. codec 密钥文件。"`
}

// Run adds a key; processes use it from their next start.
func (k KeysRotateCmd) Run() error { return payload.RotateKeyFile(k.Path) }
