package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/mattn/go-isatty"

	"lethe/api/departures"
	"lethe/internal/i18n"
)

// printer prints what changed between two looks at a departure, a line for each change: in colour
// on a terminal, plain elsewhere.
type printer struct {
	out      io.Writer
	language i18n.Language
	colour   bool
	clock    func() time.Time
	before   map[string]string
	broken   bool
	last     departures.DepartureView // what was shown last
}

func newPrinter(out *os.File, language i18n.Language) *printer {
	colour := os.Getenv("NO_COLOR") == "" && isatty.IsTerminal(out.Fd())
	return &printer{out: out, language: language, colour: colour, clock: time.Now, before: map[string]string{}}
}

// part is one thing that has a state: a track, an account, a category, or something that waits.
type part struct {
	key, track, name, state string
	word                    string // the state in the language
}

// show prints what is new in a departure.
func (p *printer) show(d departures.DepartureView) {
	if len(p.before) == 0 {
		_, _ = fmt.Fprintln(p.out, p.paint(dim, fmt.Sprintf(i18n.Text(p.language, "watch.zone"), p.clock().Format("UTC-07:00"))))
	}
	p.broken, p.last = false, d
	now := map[string]string{}
	for _, part := range p.parts(d) {
		now[part.key] = part.state
		was, known := p.before[part.key]
		if known && was == part.state {
			continue
		}
		p.line(part)
	}
	p.before = now
}

func (p *printer) parts(d departures.DepartureView) []part {
	text := func(prefix, code string) string { return i18n.Text(p.language, prefix+"."+code) }
	parts := []part{
		{"stage", text("track", "employment"), "", string(d.Stage), text("stage", string(d.Stage))},
		{"accounts", text("track", "accounts"), "", string(d.AccountsState), text("accounts_state", string(d.AccountsState))},
	}
	for _, a := range d.Accounts {
		parts = append(parts, part{"account " + a.ID.String(), text("track", "accounts"), a.SystemText, string(a.State), text("account_state", string(a.State))})
	}
	for _, r := range d.Retention {
		parts = append(parts, part{"retention " + string(r.Category), text("track", "retention"), text("category", string(r.Category)), string(r.State), text("retention_state", string(r.State))})
	}
	for _, w := range d.Waiting {
		key := "waiting " + w.What
		if w.SupportCaseID == nil {
			key += w.System
		} else {
			key += w.SupportCaseID.String()
		}
		name := text("waiting", w.What)
		if w.System != "" {
			name += " · " + w.SystemText
		}
		parts = append(parts, part{key, "…", name, "waiting", text("role", string(w.Role))})
	}
	return parts
}

// closing is the last line: nothing more will happen, and who still has something to do, if anybody.
func (p *printer) closing() {
	text := i18n.Text(p.language, "watch.over")
	if len(p.last.Waiting) > 0 {
		text = fmt.Sprintf(i18n.Text(p.language, "watch.waits"), i18n.Text(p.language, "role."+string(p.last.Waiting[0].Role)))
	}
	_, _ = fmt.Fprintln(p.out, p.paint(dim, p.clock().Format(time.TimeOnly)+"  ")+text)
}

// lost says once that the connection broke.
func (p *printer) lost() {
	if p.broken {
		return
	}
	p.broken = true
	text := "connection lost, trying again"
	if p.language == i18n.Chinese {
		text = "连接中断，正在重试"
	}
	_, _ = fmt.Fprintln(p.out, p.paint(dim, p.clock().Format(time.TimeOnly)+"  "+text))
}

func (p *printer) line(x part) {
	name := x.track
	if x.name != "" {
		name += " · " + x.name
	}
	_, _ = fmt.Fprintf(p.out, "%s  %s: %s\n", p.paint(dim, p.clock().Format(time.TimeOnly)), name, p.paint(shade(x.state), x.word))
}

// Terminal colours.
const (
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
	blue   = "34"
)

// shade is a state's colour: red wants somebody, green is done, yellow goes on.
func shade(state string) string {
	switch state {
	case "needs_attention", "stuck", "waiting", "held", "in_review":
		return red
	case "settled", "disabled", "detached", "not_found", "waived", "relinked", "purged":
		return green
	case "unlinking", "accepted", "relinking", "purging", "pending_departure":
		return yellow
	}
	return blue
}

func (p *printer) paint(colour, text string) string {
	if !p.colour {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}
