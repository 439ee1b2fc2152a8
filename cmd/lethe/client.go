package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"lethe/api"
	"lethe/internal/config"
	"lethe/internal/i18n"
	"lethe/internal/identity"
)

// apiClient talks to the API for the command line.
type apiClient struct {
	base     string
	token    string
	language i18n.Language
	http     *http.Client
}

// errRefused is what the API's problems are; their text is in the caller's language.
var errRefused = errors.New("refused")

// errUnreached says that no API answers.
var errUnreached = errors.New("no API answers")

// told is an error in the caller's language: only its text is shown, only its kind is compared.
type told struct {
	text string
	kind error
}

// Error is the text.
func (t told) Error() string { return t.text }

// Unwrap is the kind.
func (t told) Unwrap() error { return t.kind }

// newClient takes address and token from the environment or else from a running `lethe dev`.
func newClient(language string) (*apiClient, error) {
	settings, err := config.LoadClient(os.Environ())
	if err != nil {
		return nil, err
	}
	c := &apiClient{base: settings.API, token: settings.Token, language: languageOf(language), http: &http.Client{}}
	dev, found := readDevFile()
	if c.token == "" {
		c.token = dev.Tokens["hr_admin"]
	}
	if os.Getenv(config.Prefix+"API") == "" && found && dev.API != "" {
		c.base = dev.API
	}
	if c.token == "" {
		return nil, errors.New(c.say("no token: set LETHE_TOKEN, or start `lethe dev` in this folder", "没有令牌：请设置 LETHE_TOKEN，或在此目录启动 `lethe dev`"))
	}
	c.base = strings.TrimRight(c.base, "/")
	return c, nil
}

// devFile is what `lethe dev` leaves for scripts.
type devFile struct {
	API    string            `json:"api"`
	Tokens map[string]string `json:"tokens"`
}

func readDevFile() (devFile, bool) {
	folder := os.Getenv(config.Prefix + "DATA_DIR")
	if folder == "" {
		folder = ".data"
	}
	var d devFile
	raw, err := os.ReadFile(filepath.Join(folder, "dev.json"))
	if err != nil || json.Unmarshal(raw, &d) != nil {
		return devFile{}, false
	}
	return d, true
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

// call sends a request and decodes the answer; a problem is an error.
func (c *apiClient) call(ctx context.Context, method, path string, body, answer any, headers ...string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	r, err := c.request(ctx, method, path, body)
	if err != nil {
		return err
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := c.http.Do(r)
	if err != nil {
		return c.unreached()
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode >= http.StatusBadRequest {
		return c.refused(response)
	}
	if err := json.NewDecoder(response.Body).Decode(answer); err != nil {
		return fmt.Errorf("reading the API's answer: %w", err)
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
func (c *apiClient) unreached() error {
	text := c.say("no API answers at %s: start one with `make run`, or set LETHE_API to its address",
		"%s 处没有 API 应答：请用 `make run` 启动，或将 LETHE_API 设为其地址")
	return told{fmt.Sprintf(text, c.base), errUnreached}
}

// refused turns a problem into an error that people can read.
func (c *apiClient) refused(response *http.Response) error {
	var p api.Problem
	if err := json.NewDecoder(io.LimitReader(response.Body, 1<<16)).Decode(&p); err != nil || p.Title == "" {
		return told{fmt.Sprintf(c.say("refused: the API answered %d", "未被受理：API 应答 %d"), response.StatusCode), errRefused}
	}
	place := p.Location
	if id, ok := strings.CutPrefix(p.Location, "/api/v1/departures/"); ok {
		if place = "lethe watch " + id; p.Code == "departure_exists" {
			p.Hint, place = c.say("Follow it: ", "查看进度：")+place, ""
		}
	}
	text := c.say("refused: ", "未被受理：") + p.Title + c.say(". ", "。") + p.Detail + c.say(" ", "") + p.Hint + " [" + p.Code + "]"
	for _, e := range p.Errors {
		text += "\n  " + e.Location + c.say(": ", "：") + e.Message
	}
	if place != "" {
		text += "\n  " + place
	}
	return told{text, errRefused}
}
