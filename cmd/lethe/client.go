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

// errRefused is wrapped by the API's problems; their text is in the caller's language.
var errRefused = errors.New("refused")

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
		return nil, errors.New("no token: set LETHE_TOKEN, or start `lethe dev` in this folder")
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
		return nil, errors.New("LETHE_API is not the address of an API")
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
		return fmt.Errorf("reaching the API at %s: %w", c.base, err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode >= http.StatusBadRequest {
		return refused(response)
	}
	if err := json.NewDecoder(response.Body).Decode(answer); err != nil {
		return fmt.Errorf("reading the API's answer: %w", err)
	}
	return nil
}

// refused turns a problem into an error that people can read.
func refused(response *http.Response) error {
	var p api.Problem
	if err := json.NewDecoder(io.LimitReader(response.Body, 1<<16)).Decode(&p); err != nil || p.Title == "" {
		return fmt.Errorf("the API answered %d: %w", response.StatusCode, errRefused)
	}
	text := p.Title + ". " + p.Detail + " " + p.Hint + " [" + p.Code + "]"
	for _, e := range p.Errors {
		text += "\n  " + e.Location + ": " + e.Message
	}
	if p.Location != "" {
		text += "\n  " + p.Location
	}
	return fmt.Errorf("%s (%w)", text, errRefused)
}
