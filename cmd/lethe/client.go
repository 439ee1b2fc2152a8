package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/google/uuid"
	"github.com/mattn/go-isatty"

	"lethe/api/httpkit"
	"lethe/cmd/lethe/dev"
	"lethe/internal/config"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/models"
)

// apiClient talks to the API for the command line.
type apiClient struct {
	base     string
	token    string
	language i18n.Language
	http     *http.Client
	asked    io.Reader // where a person answers questions; nil: nobody is there
	no       string    // of the person whom the command is about, once found
}

// spoken is what every command for people takes.
type spoken struct {
	Lang string `enum:"zh,en," default:"" placeholder:"zh|en" help:"The language, zh or en; else the terminal's. 显示语言：zh 或 en。"`
}

// errRefused is what the API's problems are; their text is in the caller's language.
var errRefused = errors.New("refused")

// errUnknown is a problem with what does not exist.
var errUnknown = errors.Join(errRefused, errors.New("unknown"))

// errMistaken is a problem with what was written: the command ends as if it had noticed by itself.
var errMistaken = errors.Join(errRefused, &outcomeError{"mistaken", exitUsage})

var (
	// errUnreached says that no API answers.
	errUnreached = errors.New("no API answers")
	// errBroken says that the answer to something was lost.
	errBroken = errors.New("the connection broke")
	// errStopped says that whoever asked has stopped it.
	errStopped = errors.New("stopped")
)

// told is an error in the caller's language: only its text is shown, only its kind is compared.
type told struct {
	text string
	kind error
}

// Error is the text.
func (t told) Error() string { return t.text }

// Unwrap is the kind.
func (t told) Unwrap() error { return t.kind }

// newClient takes address and token from the environment or else from a running `lethe dev`, which has one
// for each role.
func newClient(s spoken, role models.Role) (*apiClient, error) {
	settings, err := config.LoadClient(os.Environ())
	if err != nil {
		return nil, err
	}
	c := &apiClient{base: settings.API, token: settings.Token, language: languageOf(s.Lang), http: &http.Client{}}
	if isatty.IsTerminal(os.Stdin.Fd()) {
		c.asked = os.Stdin
	}
	running, found := dev.ReadReport()
	if c.token == "" {
		c.token = running.Tokens[string(role)]
	}
	if os.Getenv(config.Prefix+"API") == "" && found && running.API != "" {
		c.base = running.API
	}
	if c.token == "" {
		return nil, errors.New(c.say("no token: set LETHE_TOKEN, or start `lethe dev` in this folder", "没有令牌：请设置 LETHE_TOKEN，或在此目录启动 `lethe dev`"))
	}
	c.base = strings.TrimRight(c.base, "/")
	return c, nil
}

// languageOf is the language that was asked for, or else the terminal's.
func languageOf(wanted string) i18n.Language {
	if wanted != "" {
		return i18n.Negotiate(wanted)
	}
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if value := os.Getenv(name); value != "" {
			language, _, _ := strings.Cut(value, "_")
			return i18n.Negotiate(language)
		}
	}
	return i18n.English
}

// development says whether the token belongs to a development installation.
func (c *apiClient) development() bool {
	return strings.HasPrefix(c.token, identity.DevelopmentPrefix)
}

func (c *apiClient) request(ctx context.Context, method, path string, body any) (*http.Request, error) {
	var content io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("encoding a request: %w", err)
		}
		content = bytes.NewReader(encoded)
	}
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, content)
	if err != nil {
		return nil, errors.New(c.say("LETHE_API is not the address of an API", "LETHE_API 不是 API 的地址"))
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("Accept-Language", string(c.language))
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	return r, nil
}

// tries is how often something is sent of which a repetition is known.
const tries = 3

// create is a POST that carries a key. Where the connection breaks before the answer, it is sent again: twice is
// once (I26).
func (c *apiClient) create(ctx context.Context, path string, body, answer any) (err error) {
	key := uuid.NewString()
	var broken error
	for range tries {
		err = c.call(ctx, http.MethodPost, path, body, answer, "Idempotency-Key", key)
		if errors.Is(err, errBroken) {
			broken = err
		} else if broken == nil || !errors.Is(err, errUnreached) {
			return err
		}
		select {
		case <-ctx.Done():
			return broken
		case <-time.After(reconnectPause):
		}
	}
	return broken // also if it cannot be reached any more: the first try may have been carried out
}

// call sends a request and decodes the answer; a problem is an error.
func (c *apiClient) call(ctx context.Context, method, path string, body, answer any, headers ...string) error {
	limited, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	r, err := c.request(limited, method, path, body)
	if err != nil {
		return err
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	reads := method == http.MethodGet || strings.HasSuffix(path, previewPath)
	response, err := c.http.Do(r)
	if err != nil {
		return c.unanswered(ctx, reads, err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode >= http.StatusBadRequest {
		return c.refused(response)
	}
	if err := json.NewDecoder(response.Body).Decode(answer); err != nil {
		return c.unanswered(ctx, reads, err)
	}
	return nil
}

// say picks a text in the caller's language.
func (c *apiClient) say(english, chinese string) string {
	if c.language == i18n.Chinese {
		return chinese
	}
	return english
}

// unreached tells what to do about an API that does not answer.
func (c *apiClient) unreached(err error) error {
	text := c.say("no API answers at %s: %s. Set LETHE_API to its address, or ask whoever runs it.",
		"%s 处没有 API 应答：%s。请将 LETHE_API 设为正确的地址，或联系系统管理员。")
	return told{fmt.Sprintf(text, c.base, c.cause(err)), errUnreached}
}

// cause is in words why nothing was reached.
func (c *apiClient) cause(err error) string {
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &name):
		return c.say("the name of the host is not known", "找不到该主机名")
	case errors.As(err, &certificate):
		return c.say("its certificate is not trusted", "其证书不受信任")
	case errors.Is(err, http.ErrSchemeMismatch):
		return c.say("it does not speak HTTPS", "该处不支持 HTTPS")
	case errors.Is(err, syscall.ECONNREFUSED):
		return c.say("nothing listens there", "该处没有服务在监听")
	}
	return c.say("it cannot be connected to", "无法建立连接")
}

// unanswered tells what became of a request that has no answer: nothing, if it never left or only reads.
func (c *apiClient) unanswered(ctx context.Context, reads bool, err error) error {
	var dialled *net.OpError
	var certificate *tls.CertificateVerificationError
	never := errors.As(err, &dialled) && dialled.Op == "dial" || errors.As(err, &certificate) || errors.Is(err, http.ErrSchemeMismatch)
	look := c.say("Whether it was carried out is not known: look with `lethe list` or `lethe cases` before you repeat it.",
		"是否已执行尚不清楚，重复之前请先用 `lethe list` 或 `lethe cases` 查看。")
	if never || reads {
		look = c.say("Nothing was changed.", "未做任何更改。")
	}
	switch {
	case ctx.Err() != nil:
		return told{c.say("stopped. ", "已中止。") + look, errStopped}
	case never:
		return c.unreached(err)
	}
	return told{c.say("the connection broke before the answer came. ", "收到答复之前连接已中断。") + look, errBroken}
}

// refused turns a problem into an error that people can read.
func (c *apiClient) refused(response *http.Response) error {
	var p httpkit.Problem
	if err := json.NewDecoder(io.LimitReader(response.Body, 1<<16)).Decode(&p); err != nil || p.Title == "" {
		return told{c.say("refused: the API does not say why", "未被受理：API 未说明原因"), errRefused}
	}
	text := c.say("refused: ", "未被受理：") + p.Title + c.say(". ", "。") + p.Detail
	follow := ""
	if id, ok := strings.CutPrefix(p.Location, "/api/v1/departures/"); ok {
		follow = "lethe watch " + cmp.Or(c.no, id)
	}
	if p.Code == "departure_exists" && follow != "" {
		text, follow = text+c.say(" Follow it: ", "查看进度：")+follow, ""
	} else {
		text += c.say(" ", "") + c.hint(p.Code, p.Hint)
	}
	for _, e := range p.Errors {
		if flag := c.flag(e.Location); flag != "" || e.Message != p.Title {
			text += "\n  " + flag + e.Message
		}
	}
	if follow != "" {
		text += "\n  " + follow
	}
	if response.StatusCode == http.StatusUnprocessableEntity && len(p.Errors) > 0 {
		return told{text, errMistaken}
	}
	if response.StatusCode == http.StatusNotFound {
		return told{text, errUnknown}
	}
	return told{text, errRefused}
}

// rowOf is the row of a file that a problem is about.
var rowOf = regexp.MustCompile(`^body\[(\d+)\]$`)

// hint is what to do about a problem: where that is an option of a command, the option.
func (c *apiClient) hint(code, otherwise string) string {
	switch code {
	case "last_working_day_in_past":
		return c.say("If the day is right, add --confirm-past.", "如日期无误，请加上 --confirm-past。")
	case "company_consent_required":
		return c.say("If the company agrees, add --company-consent.", "如公司同意，请加上 --company-consent。")
	}
	return otherwise
}

// inFields are the places of a file with fields of the company's own.
var inFields = regexp.MustCompile(`^(sections|fields|notices)(\[|$)`)

// flag is what a person wrote, in front of what is wrong with it; the place in the body means nothing to them.
func (c *apiClient) flag(location string) string {
	name, written := map[string]string{
		"body.last_working_day": "--last-working-day", "body.employment_end_date": "--end", "body.access_cutoff_at": "--cutoff",
		"body.notice_received_on": "--notice-received", "body.immediate": "--immediate", "body.kind": "--kind", "body.reason": "--reason",
		"body.approval_reason": "--reason", "query.q": c.say("what you search", "检索内容"), "query.limit": "--limit",
		"query.last_working_day_from": "--from", "query.last_working_day_to": "--to",
	}[location]
	if place, ok := strings.CutPrefix(location, "body."); ok && !written && inFields.MatchString(place) {
		name, written = place, true
	}
	if row := rowOf.FindStringSubmatch(location); row != nil {
		name, written = c.say("row "+row[1], "第 "+row[1]+" 行"), true
	}
	if !written {
		return ""
	}
	return name + c.say(": ", "：")
}
