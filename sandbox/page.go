package sandbox

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"

	"lethe/sandbox/control"
)

//go:embed page.html
var pageSource string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"join": func(list []string) string { return strings.Join(list, ", ") },
	"dur":  func(d control.Duration) string { return time.Duration(d).String() },
}).Parse(pageSource))

// pageAccounts limits the table; the form above it finds the others by number.
const pageAccounts = 200

// words are the page's texts.
type words struct {
	Lang, Title, Note, Accounts, EmployeeNo, Account, State, Active, Disabled, Groups, Sessions, Tokens,
	Faults, NoFaults, Fault, About, Left, All, Calls, NoCalls, Time, Call, Answer, Cut, Find, Shown, Deletes string
	Kinds map[string]string
}

var pageWords = map[language.Tag]words{
	language.Chinese: {
		Lang: "zh", Title: "模拟系统", Note: "仅供开发和测试使用。", Accounts: "账号", EmployeeNo: "工号", Account: "账号编号",
		State: "状态", Active: "启用", Disabled: "已停用", Groups: "所属组", Sessions: "登录会话", Tokens: "令牌",
		Faults: "当前故障", NoFaults: "没有设置故障。", Fault: "故障", About: "对象", Left: "剩余次数", All: "全部",
		Calls: "最近的请求", NoCalls: "还没有请求。", Time: "时间", Call: "请求", Answer: "答复", Cut: "连接中断",
		Find: "按工号查找", Shown: "显示", Deletes: "删除请求",
		Kinds: map[string]string{"mail": "邮件", "finance": "财务", "attendance": "考勤"},
	},
	language.English: {
		Lang: "en", Title: "stand-in system", Note: "For development and tests only.", Accounts: "Accounts",
		EmployeeNo: "Employee no.", Account: "Account", State: "State", Active: "active", Disabled: "disabled",
		Groups: "Groups", Sessions: "Sessions", Tokens: "Tokens", Faults: "Faults", NoFaults: "No faults are set.",
		Fault: "Fault", About: "About", Left: "Hits left", All: "everything", Calls: "Last requests",
		NoCalls: "No requests yet.", Time: "Time", Call: "Request", Answer: "Answer", Cut: "connection cut",
		Find: "Find by number", Shown: "shown", Deletes: "Delete requests",
		Kinds: map[string]string{"mail": "Mail", "finance": "Finance", "attendance": "Attendance"},
	},
}

var pageLanguages = language.NewMatcher([]language.Tag{language.English, language.Chinese})

func wordsFor(acceptLanguage string) words {
	wanted, _, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil {
		return pageWords[language.English]
	}
	if _, i, _ := pageLanguages.Match(wanted...); i == 1 {
		return pageWords[language.Chinese]
	}
	return pageWords[language.English]
}

type pageData struct {
	W        words
	Name     string
	Kind     string
	Query    string
	Total    int
	Accounts []control.Account
	Faults   []control.Rule
	Calls    []control.Call
	Deletes  int
}

// page shows the system at a glance: no personal data beyond the employee number.
func (s *System) page(w http.ResponseWriter, r *http.Request) {
	d := pageData{
		W: wordsFor(r.Header.Get("Accept-Language")), Name: s.opts.Name, Query: r.URL.Query().Get("employee_no"),
	}
	d.Kind = d.W.Kinds[s.opts.Kind]
	err := s.locked(func(now time.Time) {
		found := s.st.allAccounts()
		d.Total = len(found)
		if d.Query != "" {
			found = s.st.members(s.st.byEmployeeNo[strings.ToLower(d.Query)])
		}
		for _, a := range found[:min(len(found), pageAccounts)] {
			d.Accounts = append(d.Accounts, s.real(a))
		}
		d.Faults, d.Calls, d.Deletes = s.st.faults.live(now).Rules, s.calls.last(), s.st.deletes
	})
	if err != nil {
		http.Error(w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
		return
	}
	slices.Reverse(d.Calls)
	var buf bytes.Buffer
	if err := pageTemplate.Execute(&buf, d); err != nil {
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'")
	w.Header().Set("Vary", "Accept-Language")
	_, _ = buf.WriteTo(w)
}
