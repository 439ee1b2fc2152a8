package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"lethe/models"
)

// Client calls the API with one token, as a script would, or with a session's cookie, as a browser.
type Client struct {
	base, token string
	http        *http.Client
}

// As is a client with a token.
func (s *Stack) As(token string) *Client {
	return &Client{base: s.API, token: token, http: &http.Client{Timeout: 15 * time.Second}}
}

// Answer is what the API said.
type Answer struct {
	Status   int
	Location string
	Header   http.Header
	Body     []byte
}

// Problem is the RFC 9457 answer to a refused call.
type Problem struct {
	Code     string `json:"code"`
	Status   int    `json:"status"`
	Location string `json:"location"`
}

// RefusedError is an answer of another status than was wanted.
type RefusedError struct {
	Call   string
	Status int
	Problem
}

func (e *RefusedError) Error() string { return fmt.Sprintf("%s: %d %s", e.Call, e.Status, e.Code) }

// Do makes one call. body is sent as it is if it is a []byte, else as JSON; nil sends none.
// headers are pairs of name and value.
func (c *Client) Do(ctx context.Context, method, path string, body any, headers ...string) (Answer, error) {
	raw, isRaw := body.([]byte)
	if body != nil && !isRaw {
		var err error
		if raw, err = json.Marshal(body); err != nil {
			return Answer{}, fmt.Errorf("writing a body: %w", err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(raw))
	if err != nil {
		return Answer{}, fmt.Errorf("making a request: %w", err)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return Answer{}, fmt.Errorf("calling the API: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	content, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil {
		return Answer{}, fmt.Errorf("reading the API's answer: %w", err)
	}
	return Answer{Status: resp.StatusCode, Location: resp.Header.Get("Location"), Header: resp.Header, Body: content}, nil
}

// call wants a status of the 200s and decodes the body into out unless that is nil.
func (c *Client) call(ctx context.Context, method, path string, body, out any, headers ...string) (Answer, error) {
	a, err := c.Do(ctx, method, path, body, headers...)
	if err != nil {
		return a, err
	}
	if a.Status/100 != 2 {
		refused := &RefusedError{Call: method + " " + path, Status: a.Status}
		_ = json.Unmarshal(a.Body, &refused.Problem)
		return a, refused
	}
	if out == nil {
		return a, nil
	}
	if err := json.Unmarshal(a.Body, out); err != nil {
		return a, fmt.Errorf("decoding the answer to %s %s: %w", method, path, err)
	}
	return a, nil
}

// Departure is a departure as clients see it.
type Departure struct {
	ID            string `json:"id"`
	EmployeeID    string `json:"employee_id"`
	Stage         string `json:"stage"`
	AccountsState string `json:"accounts_state"`
	Accounts      []struct {
		System string `json:"system"`
		State  string `json:"state"`
	} `json:"accounts"`
	Retention []Deadline `json:"retention"`
	Waiting   []Waiting  `json:"waiting"`
	Timeline  []struct {
		At   time.Time `json:"at"`
		What string    `json:"what"`
	} `json:"timeline"`
}

// Deadline is until when one category is kept.
type Deadline struct {
	Category string    `json:"category"`
	Deadline time.Time `json:"deadline"`
	State    string    `json:"state"`
}

// Waiting says what a departure waits for, and for whom.
type Waiting struct {
	What          string `json:"what"`
	Role          string `json:"role"`
	SupportCaseID string `json:"support_case_id"`
}

// Events are the codes of the timeline, in order.
func (d Departure) Events() []string {
	var out []string
	for _, e := range d.Timeline {
		out = append(out, e.What)
	}
	return out
}

// AccountStates are the states of the accounts, by system.
func (d Departure) AccountStates() map[string]string {
	out := map[string]string{}
	for _, a := range d.Accounts {
		out[a.System] = a.State
	}
	return out
}

// Depart starts a departure and returns its id. fields are those of the POST.
func (c *Client) Depart(ctx context.Context, employee string, fields map[string]any, headers ...string) (string, error) {
	body := map[string]any{"employee_id": employee, "kind": "resignation"}
	for k, v := range fields {
		body[k] = v
	}
	a, err := c.call(ctx, http.MethodPost, "/api/v1/departures", body, nil, headers...)
	if err != nil {
		return "", err
	}
	return a.Location[strings.LastIndexByte(a.Location, '/')+1:], nil
}

// Departure reads a departure.
func (c *Client) Departure(ctx context.Context, id string) (d Departure, err error) {
	_, err = c.call(ctx, http.MethodGet, "/api/v1/departures/"+id, nil, &d)
	return d, err
}

// Withdraw takes a departure back with the company's consent. Once accounts are being unlinked the
// answer is a request that waits for a second person; [Stack.Withdraw] is both.
func (c *Client) Withdraw(ctx context.Context, id, reason string) (Answer, error) {
	return c.call(ctx, http.MethodPost, "/api/v1/departures/"+id+"/withdrawal", map[string]any{"reason": reason, "company_consent": true}, nil)
}

// AskAnnulment asks to undo a departure; ConfirmAnnulment is the second person's word.
func (c *Client) AskAnnulment(ctx context.Context, id, reason string) error {
	_, err := c.call(ctx, http.MethodPost, "/api/v1/departures/"+id+"/annulment", map[string]any{"reason": reason}, nil)
	return err
}

// ConfirmAnnulment undoes it.
func (c *Client) ConfirmAnnulment(ctx context.Context, id string) error {
	_, err := c.call(ctx, http.MethodPost, "/api/v1/departures/"+id+"/annulment/confirmation", nil, nil)
	return err
}

// SupportCase is a stuck step.
type SupportCase struct {
	ID          string `json:"id"`
	State       string `json:"state"`
	Reason      string `json:"reason"`
	System      string `json:"system"`
	DepartureID string `json:"departure_id"`
}

// SupportCases lists the cases that are not closed.
func (c *Client) SupportCases(ctx context.Context) ([]SupportCase, error) {
	var all []SupportCase
	path := "/api/v1/support-cases?limit=100"
	for {
		var page struct {
			Items      []SupportCase `json:"items"`
			NextCursor *string       `json:"next_cursor"`
		}
		if _, err := c.call(ctx, http.MethodGet, path, nil, &page); err != nil {
			return nil, err
		}
		for _, one := range page.Items {
			if one.State != "closed" {
				all = append(all, one)
			}
		}
		if page.NextCursor == nil {
			return all, nil
		}
		path = "/api/v1/support-cases?limit=100&cursor=" + *page.NextCursor
	}
}

// Resolve says what to do about a case; Confirm is the second person's word on a waiver.
func (c *Client) Resolve(ctx context.Context, id string, action models.Resolution) error {
	_, err := c.call(ctx, http.MethodPost, "/api/v1/support-cases/"+id+"/resolution", map[string]any{"action": action}, nil)
	return err
}

// Confirm confirms a waiver.
func (c *Client) Confirm(ctx context.Context, id string) error {
	_, err := c.call(ctx, http.MethodPost, "/api/v1/support-cases/"+id+"/confirmation", nil, nil)
	return err
}

// Unlink orders a stand-alone unlinking and returns its id.
func (c *Client) Unlink(ctx context.Context, employee string, allOrNothing bool) (string, error) {
	a, err := c.call(ctx, http.MethodPost, "/api/v1/account-unlinkings",
		map[string]any{"employee_id": employee, "mode": "disable", "all_or_nothing": allOrNothing}, nil)
	if err != nil {
		return "", err
	}
	return a.Location[strings.LastIndexByte(a.Location, '/')+1:], nil
}

// Certificates are the destruction certificates of a departure, as JSON.
func (c *Client) Certificates(ctx context.Context, id string) (items []json.RawMessage, err error) {
	var page struct {
		Items []json.RawMessage `json:"items"`
	}
	_, err = c.call(ctx, http.MethodGet, "/api/v1/departures/"+id+"/destruction-certificates", nil, &page)
	return page.Items, err
}
