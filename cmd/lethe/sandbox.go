package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"lethe/sandbox"
)

// SandboxCmd runs one stand-in system that speaks SCIM.
type SandboxCmd struct {
	Name             string `required:"" help:"The system's name. 系统名称。"`
	Kind             string `required:"" enum:"mail,finance,attendance" help:"mail, finance or attendance. 系统类型。"`
	Listen           string `default:"127.0.0.1:8091" help:"host:port to listen on. 监听地址。"`
	State            string `type:"path" help:"File that keeps the accounts; left out, they are kept in memory. 状态文件；不填则仅存于内存。"`
	Durable          bool   `help:"Wait for the disk before each answer, so that a power cut loses nothing. 每次应答前等待写盘。"`
	TokenFile        string `required:"" type:"path" help:"File with the bearer token of SCIM. SCIM 令牌文件。"`
	ControlTokenFile string `required:"" type:"path" help:"File with the bearer token of the control calls. 控制接口令牌文件。"`
	MaxPage          int    `default:"100" help:"Most entries of a list page. 列表每页最多条数。"`
	Dialect          string `enum:",path,pathless" default:"" help:"The only form of PATCH that is understood: path or pathless; left out, both. 仅支持的 PATCH 形式。"`
}

// Run serves until it is told to stop.
func (s SandboxCmd) Run(ctx context.Context) (err error) {
	options := sandbox.Options{
		Name: s.Name, Kind: s.Kind, StatePath: s.State, Durable: s.Durable,
		MaxPage: s.MaxPage, Dialect: sandbox.Dialect(s.Dialect),
	}
	if options.Token, err = readToken(s.TokenFile); err != nil {
		return err
	}
	if options.ControlToken, err = readToken(s.ControlTokenFile); err != nil {
		return err
	}
	system, err := sandbox.New(options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, system.Close()) }()
	return sandbox.Serve(ctx, s.Listen, system)
}

func readToken(path string) (string, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("reading a token: %w", err)
	}
	token := strings.TrimSpace(string(content))
	if token == "" {
		return "", fmt.Errorf("%s holds no token", path)
	}
	return token, nil
}
