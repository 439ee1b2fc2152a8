// Command lethe is the whole of Lethe: the API, the worker, and everything on one machine.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"lethe/cmd/lethe/dev"
)

// version is set by the release build.
var version = "0.2.0"

type commands struct {
	Serve    ServeCmd      `cmd:"" help:"Run the API. 运行 API。"`
	Worker   WorkerCmd     `cmd:"" help:"Run the worker that carries departures through. 运行执行离职流程的 worker。"`
	Dev      dev.Cmd       `cmd:"" help:"Run everything on this machine, with demo data. 在本机运行全部服务（含演示数据）。"`
	Migrate  MigrateCmd    `cmd:"" help:"Bring both databases to this version. 将两个数据库升级到此版本。"`
	Sandbox  SandboxCmd    `cmd:"" help:"Run one stand-in system that speaks SCIM. 运行一个 SCIM 模拟系统。"`
	Admin    AdminCmd      `cmd:"" help:"First administrators and break-glass codes, on the host. 在服务器上初始化首批管理员、生成应急封存码。"`
	Token    TokenCmd      `cmd:"" help:"Issue and revoke API tokens, on the host. 在服务器上签发、吊销 API 令牌。"`
	Keys     KeysCmd       `cmd:"" help:"Create and rotate key files. 生成、轮换密钥文件。"`
	Ledger   LedgerCmd     `cmd:"" help:"Verify the ledger and its evidence packs. 核验账本与证据包。"`
	Sealed   SealedListCmd `cmd:"" name:"sealed-list" help:"Emergency contacts on paper, for when Lethe is down; on the host. 系统不可用时备用的纸质紧急联系人名单（在服务器上执行）。"`
	Restore  RestoreCmd    `cmd:"" help:"What follows a restore, on the host. 恢复备份后的处理（在服务器上执行）。"`
	Witness  WitnessCmd    `cmd:"" help:"Run a witness of the ledger, elsewhere. 在其他机构运行账本见证方。"`
	Depart   DepartCmd     `cmd:"" help:"Start a departure. 发起离职。"`
	Withdraw WithdrawCmd   `cmd:"" help:"Take a departure back. 撤回离职。"`
	Dates    DatesCmd      `cmd:"" help:"Change the dates of a departure. 变更离职日期。"`
	List     ListCmd       `cmd:"" help:"List departures. 列出离职记录。"`
	Watch    WatchCmd      `cmd:"" help:"Follow a departure. 跟踪离职进度。"`
	Cases    CasesCmd      `cmd:"" help:"List and solve support cases. 查看、处理异常工单。"`
	Import   ImportCmd     `cmd:"" help:"Import people from a file. 从文件导入人员。"`
	Fields   FieldsCmd     `cmd:"" help:"List and change the fields that files have. 查看、变更档案字段。"`
	Reasons  ReasonsCmd    `cmd:"" help:"Try the rules that screen reasons. 检验筛查理由的规则。"`
	Login    DemoLoginCmd  `cmd:"" name:"demo-login" help:"Print how a demo user logs in to the console. 显示演示用户登录操作界面的方式。"`
	Health   HealthCmd     `cmd:"" help:"Ask a running process for its health. 检查进程是否就绪。"`
	Version  VersionCmd    `cmd:"" help:"Print the version. 显示版本。"`

	Completion CompletionCmd `cmd:"" help:"Print what a shell needs to complete commands. 输出 shell 的命令补全脚本。"`
	Complete   CompleteCmd   `cmd:"" name:"__complete" hidden:"" passthrough:""`

	ShowVersion kong.VersionFlag `name:"version" help:"Print the version. 显示版本。"`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string) int {
	var c commands
	parser, err := kong.New(&c, kong.Name("lethe"),
		kong.Description("Lets people leave a company: nothing left open, nothing kept too long, everything provable."),
		kong.Vars{"version": "lethe " + version}, kong.BindTo(ctx, (*context.Context)(nil)))
	if err != nil {
		fmt.Fprintln(os.Stderr, "lethe:", err)
		return 2
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	command, err := parser.Parse(args)
	if err != nil {
		misused(os.Stderr, err)
		return exitUsage
	}
	if err := command.Run(); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "lethe:", err)
		var coded interface{ ExitCode() int }
		if errors.As(err, &coded) {
			return coded.ExitCode()
		}
		return 1
	}
	return 0
}

// VersionCmd prints the version.
type VersionCmd struct{}

// Run prints it.
func (VersionCmd) Run() error {
	_, err := fmt.Println("lethe", version)
	return err
}
