package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/pquerna/otp/totp"

	"lethe/cmd/lethe/dev"
)

// DemoLoginCmd prints how a demo user of a running `lethe dev` logs in: its authenticator is here, not on a phone.
type DemoLoginCmd struct {
	User string `arg:"" optional:"" default:"hr_admin" help:"hr_admin, reviewer, auditor, it_ops, department_head, employee, … 演示用户。"`
	spoken
}

// Run prints login, password and the present code.
func (c DemoLoginCmd) Run() error {
	say := (&apiClient{language: languageOf(c.Lang)}).say
	running, found := dev.ReadReport()
	if !found {
		return errors.New(say("nothing runs here: start `lethe dev` (or make run) in this folder", "此目录没有运行中的演示环境：请先执行 `lethe dev`（或 make run）"))
	}
	user, ok := running.Users[c.User]
	if !ok {
		return &outcomeError{say("there is no such demo user; there are ", "没有这个演示用户，现有：") + strings.Join(slices.Sorted(maps.Keys(running.Users)), ", "), exitUsage}
	}
	code, err := totp.GenerateCode(user.TOTPSecret, time.Now())
	if err != nil {
		return fmt.Errorf("computing a code: %w", err)
	}
	_, err = fmt.Fprintf(os.Stdout, "%s/console/\n%s %s\n%s %s\n%s %s\n", running.API,
		say("login:   ", "登录名："), user.Login, say("password:", "密码：  "), user.Password,
		say("code:    ", "动态码："), code+say(" (for half a minute, once)", "（半分钟内有效，只能用一次）"))
	return err
}
