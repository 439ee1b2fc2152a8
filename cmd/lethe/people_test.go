package main

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/api/departures"
	"lethe/internal/account"
	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/i18n"
	"lethe/models"
)

// TestDepartShowsWhomWhenAndWhatAndAsks at a terminal: only a yes begins it.
func TestDepartShowsWhomWhenAndWhatAndAsks(t *testing.T) {
	o := newOffice(t)
	leaver := o.hired("E1", "张伟")
	day := o.day(30)
	for _, answer := range []string{"n\n", "\n", "", "whatever\n", "y\n"} {
		client := o.at(models.RoleHRAdmin, i18n.Chinese, strings.NewReader(answer))
		var err error
		text := printed(t, func() {
			err = DepartCmd{EmployeeNo: "e1", Kind: "resignation", wishes: wishes{LastWorkingDay: day}}.run(t.Context(), client)
		})
		for _, want := range []string{"E1 张伟", "研发部", "辞职", day, day + " 18:00 Asia/Shanghai", day + "，当日结束，Asia/Shanghai", "邮箱", "是否发起离职"} {
			if !strings.Contains(text, want) {
				t.Errorf("%q is not shown:\n%s", want, text)
			}
		}
		if yes := answer == "y\n"; (err == nil) != yes || len(o.departures(leaver)) != map[bool]int{false: 0, true: 1}[yes] {
			t.Errorf("after %q: %v, %d departures", answer, err, len(o.departures(leaver)))
		}
	}
}

// TestADryRunShowsAllAndAsksNothing, without --yes and without a terminal.
func TestADryRunShowsAllAndAsksNothing(t *testing.T) {
	o := newOffice(t)
	leaver := o.hired("E1", "张伟")
	day := o.day(30)
	code, text := o.runs(models.RoleHRAdmin, "depart", "E1", "--dry-run", "--last-working-day="+day, "--lang=zh")
	for _, want := range []string{"E1 张伟", day + " 18:00 Asia/Shanghai", "邮箱", "保存至", "试运行：没有发起离职"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not shown:\n%s", want, text)
		}
	}
	if code != 0 || len(o.departures(leaver)) != 0 {
		t.Errorf("exit %d, %d departures", code, len(o.departures(leaver)))
	}
	sessions, on := 2, true
	looked := o.at(models.RoleHRAdmin, i18n.Chinese, nil).looked(departures.SystemLook{Text: "说明", Accounts: []departures.AccountLook{{
		ExternalID: "a-1", Active: &on, StateText: "启用", EmployeeNo: "E9", Sessions: &sessions, MoreGroups: 3,
		Groups: []departures.GroupLook{{Name: "报销审批"}}, Remarks: []departures.RemarkView{{RemarkText: "带有另一个工号"}},
	}}})
	if want := "说明\na-1，启用，其中的工号 E9，在线会话 2，所在组：报销审批、另有 3 个\n  带有另一个工号"; looked != want {
		t.Errorf("a system is shown as\n%s", looked)
	}
	if code, text := o.runs(models.RoleHRAdmin, "depart", "E1", "--dry-run", "--follow", "--lang=en"); code != 2 {
		t.Errorf("with --follow: exit %d\n%s", code, text)
	}
}

// TestCtrlCAtTheQuestionChangesNothing although nobody has answered yet.
func TestCtrlCAtTheQuestionChangesNothing(t *testing.T) {
	o := newOffice(t)
	leaver := o.hired("E1", "张伟")
	never, _ := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	var err error
	printed(t, func() {
		time.AfterFunc(2*time.Second, cancel)
		err = DepartCmd{EmployeeNo: "E1", Kind: "resignation", wishes: wishes{LastWorkingDay: o.day(30)}}.run(ctx, o.at(models.RoleHRAdmin, i18n.English, never))
	})
	if err == nil || len(o.departures(leaver)) != 0 {
		t.Errorf("%v, %d departures", err, len(o.departures(leaver)))
	}
}

// TestScriptsSayYes: without a terminal and without --yes nothing is asked, and nothing is done.
func TestScriptsSayYes(t *testing.T) {
	o := newOffice(t)
	leaver := o.hired("E1", "张伟")
	commands := [][]string{
		{"depart", "E1", "--last-working-day=" + o.day(30)}, {"dates", "E1", "--last-working-day=" + o.day(40)},
		{"withdraw", "E1", "--reason=mistake", "--company-consent"},
	}
	for _, args := range append(commands, []string{"cases", "waive", uuid.NewString()}, []string{"cases", "resolved", uuid.NewString()}) {
		for _, lang := range []string{"en", "zh"} {
			code, text := o.runs(models.RoleHRAdmin, append(args, "--lang="+lang)...)
			if code != 2 || !strings.Contains(text, "--yes") {
				t.Errorf("lethe %v: exit %d\n%s", args, code, text)
			}
		}
	}
	if len(o.departures(leaver)) != 0 {
		t.Fatal("it began")
	}
	for i, want := range []string{o.day(30), o.day(40), "已撤回"} {
		code, text := o.runs(models.RoleHRAdmin, append(commands[i], "--yes", "--lang=zh")...)
		if code != 0 || !strings.Contains(text, "E1 张伟") || !strings.Contains(text, want) || strings.Contains(text, leaver.String()) {
			t.Errorf("lethe %v: exit %d\n%s", commands[i], code, text)
		}
	}
}

// TestDatesChangeWhatIsNamed and nothing else.
func TestDatesChangeWhatIsNamed(t *testing.T) {
	o := newOffice(t)
	leaver := o.hired("E1", "张伟")
	last := o.day(30)
	o.runs(models.RoleHRAdmin, "depart", "E1", "--last-working-day="+last, "--cutoff="+last+" 09:30", "--yes")
	at := func(day, wall string) string { return day + " " + wall + " Asia/Shanghai" }
	for _, c := range []struct {
		args             []string
		last, end, ended string
	}{
		{nil, last, last, at(last, "09:30")},
		{[]string{"--end=" + o.day(45)}, last, o.day(45), at(last, "09:30")},
		{[]string{"--cutoff=" + last + " 12:00"}, last, o.day(45), at(last, "12:00")},
		{[]string{"--last-working-day=" + o.day(50)}, o.day(50), o.day(50), at(o.day(50), "18:00")},
	} {
		if c.args != nil {
			if code, text := o.runs(models.RoleHRAdmin, append([]string{"dates", "E1", "--yes", "--lang=en"}, c.args...)...); code != 0 {
				t.Fatalf("dates %v: exit %d\n%s", c.args, code, text)
			}
		}
		d := o.departures(leaver)[0]
		if d.LastWorkingDay.String() != c.last || d.EmploymentEndDate.String() != c.end || inZone(d.AccessCutoffAt, d.TimeZone) != c.ended {
			t.Errorf("after %v: %v, %v, %s", c.args, d.LastWorkingDay, d.EmploymentEndDate, inZone(d.AccessCutoffAt, d.TimeZone))
		}
	}
	for _, wrong := range []string{"tomorrow", last, last + " 25:00"} {
		if code, text := o.runs(models.RoleHRAdmin, "dates", "E1", "--yes", "--cutoff="+wrong); code != 2 {
			t.Errorf("--cutoff=%s: exit %d\n%s", wrong, code, text)
		}
	}
	if code, _ := o.runs(models.RoleHRAdmin, "dates", "E1", "--yes"); code != 2 {
		t.Errorf("no dates: exit %d", code)
	}
}

// TestWhatASecondPersonDecidesIsSaidSo: an earlier end is a request, with who decides; nothing is done yet.
func TestWhatASecondPersonDecidesIsSaidSo(t *testing.T) {
	o := newOffice(t)
	leaver := o.hired("E1", "张伟")
	last := o.day(30)
	o.runs(models.RoleHRAdmin, "depart", "E1", "--last-working-day="+last, "--yes")
	code, text := o.runs(models.RoleHRAdmin, "dates", "E1", "--last-working-day="+o.day(20), "--yes", "--lang=zh")
	if code != 3 || !strings.Contains(text, "尚未执行") || !strings.Contains(text, "审核人") || !strings.Contains(text, "Asia/Shanghai") || strings.Contains(text, "reviewer") {
		t.Errorf("exit %d\n%s", code, text)
	}
	if d := o.departures(leaver)[0]; d.LastWorkingDay.String() != last {
		t.Errorf("the last day is %s already", d.LastWorkingDay)
	}
	code, text = o.runs(models.RoleHRAdmin, "depart", "R-it_ops", "--immediate", "--yes", "--lang=en")
	if code != 3 || !strings.Contains(text, "not done yet") {
		t.Errorf("of an administrator at once: exit %d\n%s", code, text)
	}
}

// TestI26_AnAnswerThatIsLostIsAskedForAgain: the connection breaks after the departure began; it is one departure.
// What has not answered at all and carries a key net/http sends again by itself; what has begun to answer it does not.
func TestI26_AnAnswerThatIsLostIsAskedForAgain(t *testing.T) {
	o := newOffice(t)
	for no, arrives := range map[string]int{"E1": 0, "E2": 20} {
		leaver := o.hired(no, "张伟")
		o.broken.Store("POST /api/v1/departures", arrives)
		code, text := o.runs(models.RoleHRAdmin, "depart", no, "--last-working-day="+o.day(30), "--yes", "--lang=en")
		if _, whole := o.broken.Load("POST /api/v1/departures"); whole || code != 0 || len(o.departures(leaver)) != 1 {
			t.Errorf("after %d bytes of the answer: exit %d, %d departures\n%s", arrives, code, len(o.departures(leaver)), text)
		}
		// What has no key is not repeated by itself: it may have been carried out, and that is said.
		withdrawal := "POST /api/v1/departures/" + o.departures(leaver)[0].ID.String() + "/withdrawal"
		o.broken.Store(withdrawal, arrives)
		code, text = o.runs(models.RoleHRAdmin, "withdraw", no, "--reason=mistake", "--company-consent", "--yes", "--lang=en")
		if _, whole := o.broken.Load(withdrawal); whole || code != 1 || !strings.Contains(text, "not known") || o.departures(leaver)[0].Stage != models.StageWithdrawn {
			t.Errorf("after %d bytes of the answer: exit %d, %s\n%s", arrives, code, o.departures(leaver)[0].Stage, text)
		}
	}
}

// TestWithdrawNeedsTheCompanyBeforeItAsks whatever the kind, and names the option.
func TestWithdrawNeedsTheCompanyBeforeItAsks(t *testing.T) {
	o := newOffice(t)
	leaver := o.hired("E1", "张伟")
	o.runs(models.RoleHRAdmin, "depart", "E1", "--kind=death", "--last-working-day="+o.day(30), "--yes")
	for language, want := range map[i18n.Language]string{i18n.Chinese: "通知送达后", i18n.English: "Once the notice was received"} {
		var err error
		text := printed(t, func() {
			err = WithdrawCmd{EmployeeNo: "E1", Reason: "mistake"}.run(t.Context(), o.at(models.RoleHRAdmin, language, strings.NewReader("y\n")))
		})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "--company-consent") || strings.Contains(err.Error(), "辞职") || strings.Contains(text, "y/N") {
			t.Errorf("%v\n%s", err, text)
		}
	}
	if got := o.departures(leaver)[0].Stage; got != models.StagePendingDeparture {
		t.Errorf("it is %s", got)
	}
}

// TestWhatLiesBackIsShownBeforeItBegins: what begins at once, the days that a second person decides about, and that
// nobody withdraws it.
func TestWhatLiesBackIsShownBeforeItBegins(t *testing.T) {
	o := newOffice(t)
	o.hired("E1", "张伟")
	for _, c := range []struct {
		back       int
		past       bool
		says, lack []string
	}{
		{50, false, []string{"--confirm-past"}, nil},
		{50, true, []string{o.day(-50), "审核", o.day(0), "不能撤回", "是否发起离职"}, []string{"当日结束"}},
		{3, true, []string{o.day(-3) + "，当日结束", "不能撤回"}, []string{"审核"}},
		{-3, false, []string{o.day(3)}, []string{"不能撤回", "审核"}},
	} {
		var err error
		text := printed(t, func() {
			err = DepartCmd{EmployeeNo: "E1", Kind: "resignation", wishes: wishes{LastWorkingDay: o.day(-c.back), ConfirmPast: c.past}}.run(t.Context(), o.at(models.RoleHRAdmin, i18n.Chinese, strings.NewReader("")))
		})
		text += err.Error()
		for _, want := range c.says {
			if !strings.Contains(text, want) {
				t.Errorf("%d days back: %q is not shown:\n%s", c.back, want, text)
			}
		}
		for _, lack := range c.lack {
			if strings.Contains(text, lack) {
				t.Errorf("%d days back: %q is shown:\n%s", c.back, lack, text)
			}
		}
	}
}

// TestDatesShowsWhatMovesBeforeItAsks: each date before and after, who decides, and that access ends at once.
func TestDatesShowsWhatMovesBeforeItAsks(t *testing.T) {
	o := newOffice(t)
	leaver := o.hired("E1", "张伟")
	o.runs(models.RoleHRAdmin, "depart", "E1", "--last-working-day="+o.day(30), "--yes")
	for _, c := range []struct {
		wish       wishes
		says, lack []string
	}{
		{wishes{LastWorkingDay: o.day(40)}, []string{o.dayInWords(30) + " → " + o.dayInWords(40), "18:00 (Asia/Shanghai", "是否变更日期"}, []string{"结束时间", "收到离职通知的日期", "另一人", "立即停用"}},
		{wishes{LastWorkingDay: o.day(20)}, []string{o.dayInWords(30) + " → " + o.dayInWords(20), "须经另一人审核，是否提交"}, []string{"立即停用"}},
		{wishes{LastWorkingDay: o.day(-1), ConfirmPast: true}, []string{o.dayInWords(30) + " → " + o.dayInWords(-1), "账号将立即停用", "须经另一人审核，是否提交"}, nil},
		{wishes{Immediate: true}, []string{"劳动关系结束时间", "须经另一人审核，是否提交"}, []string{"立即停用"}},
		{wishes{End: o.day(30)}, []string{"没有变化"}, []string{"→"}},
		{wishes{NoticeReceived: o.day(31)}, []string{"--notice-received"}, []string{"--cutoff", "y/N"}},
	} {
		var err error
		text := printed(t, func() {
			err = DatesCmd{EmployeeNo: "E1", wishes: c.wish}.run(t.Context(), o.at(models.RoleHRAdmin, i18n.Chinese, strings.NewReader("n\n")))
		})
		if err == nil {
			t.Fatalf("%+v: done", c.wish)
		}
		text += err.Error()
		for _, want := range c.says {
			if !strings.Contains(text, want) {
				t.Errorf("%+v: %q is not shown:\n%s", c.wish, want, text)
			}
		}
		for _, lack := range c.lack {
			if strings.Contains(text, lack) {
				t.Errorf("%+v: %q is shown:\n%s", c.wish, lack, text)
			}
		}
	}
	if d := o.departures(leaver)[0]; d.LastWorkingDay.String() != o.day(30) || d.Revision != 1 {
		t.Errorf("it became %+v", d)
	}
}

// TestWhoIsMeant: a number in any case, a whole name that one person has, and what is said of everything else.
func TestWhoIsMeant(t *testing.T) {
	o := newOffice(t)
	o.hired("E1", "张伟")
	o.hired("E2", "张伟")
	again := o.hired("E3", "李娜")
	o.runs(models.RoleHRAdmin, "depart", "李娜", "--last-working-day="+o.day(30), "--yes")
	o.runs(models.RoleHRAdmin, "withdraw", "李娜", "--reason=mistake", "--company-consent", "--yes")
	o.runs(models.RoleHRAdmin, "depart", "E3", "--last-working-day="+o.day(31), "--yes")
	if n := len(o.departures(again)); n != 2 {
		t.Fatalf("%d departures", n)
	}
	for _, c := range []struct {
		args []string
		code int
		says []string
	}{
		{[]string{"depart", "张伟", "--immediate", "--yes"}, 1, []string{"请按原样填写工号", "E1  张伟  研发部  工程师", "E2  张伟"}},
		{[]string{"depart", "李", "--immediate", "--yes"}, 1, []string{"没有此工号或姓名的员工", "E3  李娜  研发部", "请填写工号"}},
		{[]string{"list", "--from=明天"}, 2, []string{"--from："}},
		{[]string{"depart", "E9", "--immediate", "--yes"}, 1, []string{"没有此工号或姓名的员工"}},
		{[]string{"depart", "E3", "--immediate", "--yes"}, 1, []string{"该员工已有离职记录", "lethe watch E3"}},
		{[]string{"dates", "E1", "--last-working-day=" + o.day(9), "--yes"}, 1, []string{"E1 张伟 没有离职记录"}},
		{[]string{"dates", "E3", "--last-working-day=" + o.day(32), "--yes"}, 0, []string{o.day(32)}},
		{[]string{"withdraw", "E3", "--reason=mistake", "--yes"}, 2, []string{"须经公司同意", "--company-consent"}},
		{[]string{"withdraw", "E3", "--reason=mistake", "--company-consent", "--yes"}, 0, []string{"已撤回"}},
		{[]string{"withdraw", "E3", "--reason=mistake", "--company-consent", "--yes"}, 1, []string{"E3 李娜 没有可以撤回的离职记录", o.day(30), o.day(32), "已撤回"}},
		{[]string{"depart", "E1", "--last-working-day=2020-13-40", "--yes"}, 2, []string{"--last-working-day"}},
	} {
		code, text := o.runs(models.RoleHRAdmin, append(c.args, "--lang=zh")...)
		if code != c.code {
			t.Errorf("lethe %v: exit %d, want %d", c.args, code, c.code)
		}
		for _, want := range c.says {
			if !strings.Contains(text, want) {
				t.Errorf("lethe %v does not say %q:\n%s", c.args, want, text)
			}
		}
	}
}

// TestCases: IT sees what is stuck and with which command it goes on.
func TestCases(t *testing.T) {
	o := newOffice(t)
	leaver := o.hired("E1", "张伟")
	if code, text := o.runs(models.RoleITOps, "cases", "--lang=zh"); code != 0 || !strings.Contains(text, "没有异常工单") {
		t.Errorf("none: exit %d\n%s", code, text)
	}
	if code, text := o.runs(models.RoleITOps, "cases", "--limit=1000", "--lang=zh"); code != 2 || !strings.Contains(text, "--limit：") {
		t.Errorf("what only the API finds wrong: exit %d\n%s", code, text)
	}
	id := o.stuck(leaver)
	code, text := o.runs(models.RoleITOps, "cases", "--lang=zh")
	for _, want := range []string{id.String(), "E1", "张伟", "邮箱"} {
		if code != 0 || !strings.Contains(text, want) {
			t.Errorf("%q is not listed: exit %d\n%s", want, code, text)
		}
	}
	for _, named := range []string{"nonsense", uuid.NewString()} {
		for _, does := range []string{"show", "retry"} {
			code, text := o.runs(models.RoleITOps, "cases", does, named, "--lang=zh")
			if code != 1 || !strings.Contains(text, "没有工单“"+named+"”") || !strings.Contains(text, "lethe cases") || strings.Contains(text, "UUID") {
				t.Errorf("cases %s %s: exit %d\n%s", does, named, code, text)
			}
		}
	}
	if code, text := o.runs(models.RoleHRAdmin, "cases", "retry", id.String(), "--lang=zh"); code != 1 {
		t.Errorf("as HR: exit %d\n%s", code, text)
	}
	code, text = o.runs(models.RoleITOps, "cases", "waive", id.String(), "--reason=gone", "--yes", "--lang=zh")
	if code != 3 || !strings.Contains(text, "审核人") {
		t.Errorf("waiving: exit %d\n%s", code, text)
	}
	code, text = o.runs(models.RoleITOps, "cases", "retry", id.String(), "--note=重启了邮件服务\r  发生时间  2020-01-01", "--lang=zh")
	if code != 0 || !strings.Contains(text, "E1 张伟") || !strings.Contains(text, "正在重试") || strings.Contains(text, "已关闭") {
		t.Errorf("trying again: exit %d\n%s", code, text)
	}
	code, text = o.runs(models.RoleITOps, "cases", "show", id.String(), "--lang=zh")
	for _, want := range []string{"E1 张伟", "已关闭", "重启了邮件服务", "处理人", "供应商"} {
		if code != 0 || !strings.Contains(text, want) {
			t.Errorf("%q is not shown of the case: exit %d\n%s", want, code, text)
		}
	}
	if strings.Contains(text, "\r") || strings.Contains(text, "\n  发生时间  2020") {
		t.Errorf("a note looks like lines of ours:\n%s", text)
	}
}

// stuck has the mail account of somebody stuck, with a case.
func (o *office) stuck(person uuid.UUID) uuid.UUID {
	o.t.Helper()
	id := uuid.New()
	o.do(func(tx *database.Tx) error {
		employment, err := archive.CurrentEmployment(tx, person)
		if err != nil {
			return err
		}
		op, _, err := account.OrderUnlink(tx, account.UnlinkOrder{
			EmploymentID: employment.ID, Mode: models.ModeDisable, Origin: models.OriginStandalone, By: models.System,
		})
		if err != nil {
			return err
		}
		for _, sql := range []string{
			"UPDATE account_steps SET state = 'stuck' WHERE operation_id = @op",
			"UPDATE linked_accounts SET state = 'stuck' WHERE operation_id = @op",
			"UPDATE account_operations SET state = 'needs_attention' WHERE id = @op",
			`INSERT INTO support_cases (id, operation_id, step_id, account_id, system, reason, ledger_entry_id)
				SELECT @id, operation_id, id, account_id, system, 'unavailable', @entry FROM account_steps WHERE operation_id = @op AND system = 'mail'`,
		} {
			if err := tx.DB().Exec(sql, map[string]any{"op": op.ID, "id": id, "entry": databasetest.Entry(o.t, tx)}).Error; err != nil {
				return err
			}
		}
		return nil
	})
	return id
}
