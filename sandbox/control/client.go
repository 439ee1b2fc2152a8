package control

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Client makes the control calls of one sandbox system.
type Client struct {
	base  string
	token string
	http  *http.Client
}

// NewClient returns a client for the system at base (such as
// "http://127.0.0.1:8091"), with its control token.
func NewClient(base, token string) *Client {
	transport := &http.Transport{MaxIdleConnsPerHost: 4, IdleConnTimeout: 30 * time.Second}
	return &Client{
		base:  strings.TrimRight(base, "/"),
		token: token,
		http:  &http.Client{Timeout: 30 * time.Second, Transport: transport},
	}
}

// Close drops idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

type list[T any] struct {
	Items []T `json:"items"`
}

// Plant puts accounts into the system and returns them as they are there, in the
// same order. All or none are planted.
func (c *Client) Plant(ctx context.Context, accounts ...Plant) ([]Account, error) {
	var out list[Account]
	err := c.do(ctx, http.MethodPost, "/control/accounts", list[Plant]{Items: accounts}, &out)
	return out.Items, err
}

// Accounts returns all accounts as they really are, in the order of planting;
// with an employee number only the accounts that carry it.
func (c *Client) Accounts(ctx context.Context, employeeNo string) ([]Account, error) {
	var out list[Account]
	err := c.do(ctx, http.MethodGet, "/control/accounts"+query("employee_no", employeeNo), nil, &out)
	return out.Items, err
}

// Account returns one account as it really is.
func (c *Client) Account(ctx context.Context, id string) (Account, error) {
	var out Account
	err := c.do(ctx, http.MethodGet, "/control/accounts/"+url.PathEscape(id), nil, &out)
	return out, err
}

// Reenable makes an account active again, as an administrator would by hand.
func (c *Client) Reenable(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodPost, "/control/accounts/"+url.PathEscape(id)+"/reenable", nil, nil)
}

// Remove takes an account out of the system, as an administrator would by hand.
// It does not count as a DELETE.
func (c *Client) Remove(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodDelete, "/control/accounts/"+url.PathEscape(id), nil, nil)
}

// Effects returns what was done to an account, or to all with an empty id,
// oldest first.
func (c *Client) Effects(ctx context.Context, accountID string) ([]Effect, error) {
	var out list[Effect]
	err := c.do(ctx, http.MethodGet, "/control/effects"+query("account_id", accountID), nil, &out)
	return out.Items, err
}

// Calls returns the last requests, oldest first.
func (c *Client) Calls(ctx context.Context) ([]Call, error) {
	var out list[Call]
	err := c.do(ctx, http.MethodGet, "/control/calls", nil, &out)
	return out.Items, err
}

// Stats returns the counters.
func (c *Client) Stats(ctx context.Context) (Stats, error) {
	var out Stats
	err := c.do(ctx, http.MethodGet, "/control/stats", nil, &out)
	return out, err
}

// SetFaults replaces all faults.
func (c *Client) SetFaults(ctx context.Context, f Faults) error {
	return c.do(ctx, http.MethodPut, "/control/faults", f, nil)
}

// Faults returns the faults that are set, with the hits that are left.
func (c *Client) Faults(ctx context.Context) (Faults, error) {
	var out Faults
	err := c.do(ctx, http.MethodGet, "/control/faults", nil, &out)
	return out, err
}

// ClearFaults removes all faults. What was accepted for later is still done.
func (c *Client) ClearFaults(ctx context.Context) error {
	return c.do(ctx, http.MethodDelete, "/control/faults", nil, nil)
}

// Reset empties the system: accounts, groups, effects, faults and counters.
func (c *Client) Reset(ctx context.Context) error {
	return c.do(ctx, http.MethodPost, "/control/reset", nil, nil)
}

func query(key, value string) string {
	if value == "" {
		return ""
	}
	return "?" + url.Values{key: {value}}.Encode()
}

func (c *Client) do(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("encoding %s %s: %w", method, path, err)
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return fmt.Errorf("control call %s %s: %w", method, path, err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("control call: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
		return fmt.Errorf("control call %s %s: %s: %s", method, path, resp.Status, bytes.TrimSpace(text))
	}
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return fmt.Errorf("reading the answer to %s %s: %w", method, path, err)
	}
	return nil
}
