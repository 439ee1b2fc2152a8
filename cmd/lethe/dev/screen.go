package dev

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"lethe/cmd/lethe/demo"
	"lethe/internal/launch"
	"lethe/models"
)

// screen is what `lethe dev` shows, in Chinese and English.
type screen struct {
	mu    sync.Mutex
	out   io.Writer
	began time.Time
}

func newScreen(out io.Writer) *screen { return &screen{out: out, began: time.Now()} }

func (s *screen) line(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = fmt.Fprintf(s.out, format+"\n", args...) // a closed terminal must not end the children
}

// Write takes the launchers' progress lines.
func (s *screen) Write(text []byte) (int, error) {
	for _, line := range strings.Split(strings.TrimRight(string(text), "\n"), "\n") {
		s.line("    %s", line)
	}
	return len(text), nil
}

func (s *screen) heading() {
	s.line("启动 Lethe 开发环境，Ctrl-C 停止 · Starting Lethe for development, Ctrl-C stops it")
}

// step returns what is called when a part is up.
func (s *screen) step(what string) (done func(detail string)) {
	began := time.Now()
	return func(detail string) {
		if detail != "" {
			detail = "  " + detail
		}
		s.line("  ✓ %s%s（%.1f s）", what, detail, time.Since(began).Seconds())
	}
}

// people shows how far the demo data is.
func (s *screen) people(done, of int) {
	if done%50 == 0 && done < of {
		s.line("    演示数据 · demo data %d/%d", done, of)
	}
}

func (s *screen) stamp() string { return time.Now().Format(time.TimeOnly) }

func (s *screen) died(name string, err error) {
	status, log := "", ""
	var exit *launch.ExitError
	if errors.As(err, &exit) {
		status, log = exit.Status, exit.LogFile
	}
	s.line("%s  %s 意外退出，正在重启 · ended unexpectedly (%s), starting it again; %s", s.stamp(), name, status, log)
}

func (s *screen) back(name string) {
	s.line("%s  %s 已恢复 · is back", s.stamp(), name)
}

func (s *screen) notBack(name string, err error) {
	reason, _, _ := strings.Cut(err.Error(), "\n")
	s.line("%s  %s 重启失败，将再试 · did not start, trying again: %s", s.stamp(), name, reason)
}

func (s *screen) stopping() { s.line("\n正在停止 · stopping") }

func (s *screen) stopped(err error) {
	switch {
	case err == nil:
		s.line("全部已停止，数据保留 · everything is stopped, the data is kept")
	case errors.Is(err, errAskedTwice):
		s.line("再次按下 Ctrl-C，已强制结束；数据保留，下次启动自动恢复 · killed because of the second Ctrl-C; the data is kept, the next start recovers")
	}
}

// roleNames are the roles as HR says them.
var roleNames = map[models.Role]string{
	models.RoleHRAdmin: "人事 HR", models.RoleDepartmentHead: "部门负责人 head", models.RoleEmployee: "员工 employee",
	models.RoleReviewer: "审核人 reviewer", models.RoleAuditor: "审计 auditor", models.RoleITOps: "IT 运维 IT operations",
}

// announce prints the addresses, the tokens, and what to try.
func (s *screen) announce(d *development, r Report, h demoHints) {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	say("\n全部就绪 · Everything is ready (%.1f s)\n", time.Since(s.began).Seconds())
	say("  操作界面 console  %s/console/      登录 · log in: bin/lethe demo-login hr_admin", r.API)
	say("  API          %s        文档 · docs: %s/docs", r.API, r.API)
	if r.TemporalUI != "" {
		say("  Temporal UI  %s", r.TemporalUI)
	} else {
		say("  Temporal     %s", r.TemporalAddress)
	}
	for _, system := range demo.Systems {
		say("  %-12s %s", system, r.Sandbox[system])
	}
	say("  日志 logs    %s", d.files.path("logs"))
	say("  脚本 scripts %s\n", d.files.reportFile())
	say("演示令牌 · Demo tokens")
	for _, role := range models.Roles {
		holder, held := d.holders[string(role)]
		if !held {
			say("  %-16s 无人可担任 · nobody is left to hold it (%s)", role, roleNames[role])
			continue
		}
		say("  %-16s %s  (%s, %s %s)", role, r.Tokens[string(role)], roleNames[role], holder.EmployeeNo, holder.Name)
	}
	say("  登录账号、密码与验证器密钥见 dev.json 的 users · logins, passwords and authenticator secrets: users in dev.json")
	say("\n试一试 · Try")
	say("%s", d.commands(r, h))
	s.line("%s", b.String())
}

// commands are three to try, ready to be copied.
func (d *development) commands(r Report, h demoHints) string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	self := d.commandPrefix()
	if len(h.free) == 0 {
		say("  演示员工均已离职；`make clean-data` 可重新开始 · every demo employee has left; `make clean-data` starts afresh")
		return b.String()
	}
	first, second := h.free[0], h.free[min(1, len(h.free)-1)]
	say("  1. 让 %s 立即离职 · let %s leave at once", first.EmployeeNo, first.EmployeeNo)
	say("     curl -sS %s/api/v1/departures -H 'Authorization: Bearer %s' -H 'Content-Type: application/json' -d '{\"employee_id\":\"%s\",\"kind\":\"resignation\",\"immediate\":true}'",
		r.API, r.Tokens[string(models.RoleHRAdmin)], first.ID)
	say("  2. 让 %s 离职并跟踪到删除 · let %s leave, and follow until all is purged", second.EmployeeNo, second.EmployeeNo)
	say("     %s depart %s --follow", self, second.EmployeeNo)
	say("  3. 跟踪一条离职记录 · watch a departure")
	say("     %s watch %s", self, h.watch)
	say("  尚未离职、可供试用的演示员工 · demo employees still free to try (%d): %s", len(h.free), spans(h.free))
	return b.String()
}

// spans lists employee numbers, runs of neighbours as "first–last". The numbers are in order.
func spans(free []freeEmployee) string {
	var parts []string
	for i := 0; i < len(free); {
		last := i
		for last+1 < len(free) && neighbours(free[last].EmployeeNo, free[last+1].EmployeeNo) {
			last++
		}
		switch last - i {
		case 0:
			parts = append(parts, free[i].EmployeeNo)
		case 1:
			parts = append(parts, free[i].EmployeeNo, free[last].EmployeeNo)
		default:
			parts = append(parts, free[i].EmployeeNo+"–"+free[last].EmployeeNo)
		}
		i = last + 1
	}
	return strings.Join(parts, ", ")
}

// neighbours says whether nobody can be numbered between the two, such as DEMO-0009 and DEMO-0010.
func neighbours(one, next string) bool {
	prefix1, number1, found1 := strings.Cut(one, "-")
	prefix2, number2, found2 := strings.Cut(next, "-")
	n1, err1 := strconv.Atoi(number1)
	n2, err2 := strconv.Atoi(number2)
	return found1 && found2 && prefix1 == prefix2 && err1 == nil && err2 == nil && n2 == n1+1
}
