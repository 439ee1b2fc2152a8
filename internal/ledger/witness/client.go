package witness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"lethe/internal/ledger/strict"
)

// ErrUnavailable says that a witness did not answer, or not as a witness does.
var ErrUnavailable = errors.New("the witness did not answer")

// Client asks a witness over HTTP.
type Client struct {
	address string
	http    *http.Client
}

// NewClient asks the witness whose submission prefix is address; each call takes at most timeout.
func NewClient(address string, timeout time.Duration) *Client {
	transport := &http.Transport{MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute, Proxy: http.ProxyFromEnvironment}
	return &Client{
		address: strings.TrimSuffix(address, "/") + "/add-checkpoint",
		http: &http.Client{Transport: transport, Timeout: timeout, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}},
	}
}

// Close lets go of idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// AddCheckpoint sends the body that [FormatRequest] makes. The witness's own words are not passed on.
func (c *Client) AddCheckpoint(ctx context.Context, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.address, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("asking the witness: %w", ErrUnavailable)
	}
	req.Header.Set("Content-Type", typePlain)
	res, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("asking the witness: %w", ErrUnavailable)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxBody))
	if err != nil {
		return nil, fmt.Errorf("reading the witness's answer: %w", ErrUnavailable)
	}
	switch res.StatusCode {
	case http.StatusOK:
		return text, nil
	case http.StatusConflict:
		size, ok := strict.Decimal(strings.TrimSuffix(string(text), "\n"))
		if !ok || res.Header.Get("Content-Type") != typeSize {
			return nil, ErrUnavailable
		}
		return nil, &RefusedError{Status: res.StatusCode, Size: size, Why: "the old size is not the latest cosigned one"}
	case http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity:
		return nil, &RefusedError{Status: res.StatusCode, Why: http.StatusText(res.StatusCode)}
	}
	return nil, fmt.Errorf("status %d: %w", res.StatusCode, ErrUnavailable)
}
