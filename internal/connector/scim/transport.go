package scim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strconv"
	"time"

	"lethe/internal/connector"
	"lethe/internal/scim"
)

const (
	// maxBody bounds an answer: a page of groups with thousands of members stays below.
	maxBody = 16 << 20
	// maxRetryAfter bounds what a remote system can make us wait on its word.
	maxRetryAfter = 24 * time.Hour
)

func newHTTPClient(timeout time.Duration) *http.Client {
	return &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: timeout, KeepAlive: 30 * time.Second}).DialContext,
			TLSHandshakeTimeout:   timeout,
			ResponseHeaderTimeout: timeout,
			MaxIdleConnsPerHost:   64,
			IdleConnTimeout:       30 * time.Second, // below the usual limit of servers and proxies
			ForceAttemptHTTP2:     true,
		},
		// A redirect would carry the token and the order to somebody else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// reply is an answer that was read whole.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// get makes a reading call. A success that is no JSON comes from somebody in between, a
// page to sign in for one, who may be gone in a moment.
func (c *Client) get(ctx context.Context, path string) (reply, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		return reply{}, fmt.Errorf("building a SCIM request: %w", err)
	}
	r, err := c.do(req)
	if err == nil && r.status == http.StatusOK && !json.Valid(r.body) {
		return reply{}, &connector.Error{Code: connector.CodeBadAnswer, Temporary: true}
	}
	return r, err
}

// mutate makes one mutating call, right after asking the fence.
func (c *Client) mutate(ctx context.Context, method, path string, payload any) (reply, error) {
	raw, err := json.Marshal(payload)
	if err != nil {
		return reply{}, fmt.Errorf("encoding a SCIM request: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(raw))
	if err != nil {
		return reply{}, fmt.Errorf("building a SCIM request: %w", err)
	}
	// net/http repeats a request by itself when a kept connection turns out to be
	// cut and the request carries an idempotency key. The repetition would pass no
	// fence and relies on keys being honoured, so it is made impossible.
	req.GetBody = nil
	req.Header.Set("Content-Type", scim.MediaType)
	if key := connector.IdempotencyKey(ctx); key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	if err := connector.CheckFence(ctx); err != nil {
		return reply{}, err
	}
	return c.do(req)
}

func (c *Client) do(req *http.Request) (reply, error) {
	req.Header.Set("Authorization", "Bearer "+c.opts.Token)
	req.Header.Set("Accept", scim.MediaType+", application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return reply{}, transportError(req.Context(), err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		return reply{}, transportError(req.Context(), err)
	}
	if len(body) > maxBody {
		return reply{}, &connector.Error{Code: connector.CodeBadAnswer}
	}
	return reply{status: resp.StatusCode, header: resp.Header, body: body}, nil
}

// transportError tells a timeout, a system that cannot be reached and a cut
// connection apart. The text of err names hosts and paths and is dropped; only
// the caller's own cancellation is passed on, so that it is known as such.
func transportError(ctx context.Context, err error) error {
	if cause := ctx.Err(); errors.Is(cause, context.Canceled) {
		return fmt.Errorf("calling a SCIM system: %w", cause)
	}
	var timeout net.Error
	var dial *net.OpError
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return &connector.Error{Code: connector.CodeTimeout, Temporary: true}
	case errors.As(err, &dial) && dial.Op == "dial":
		return &connector.Error{Code: connector.CodeUnavailable, Temporary: true}
	default:
		return &connector.Error{Code: connector.CodeConnectionCut, Temporary: true}
	}
}

// problem reads the body of a refusal. What does not fit its form is as if it was not there.
func (r reply) problem() (e scim.Error) {
	_ = json.Unmarshal(r.body, &e)
	return e
}

func (r reply) ok() bool { return r.status >= 200 && r.status <= 299 && !r.page() }

// page tells a page for people, which somebody in between gives: to sign in, for one.
func (r reply) page() bool {
	media, _, _ := mime.ParseMediaType(r.header.Get("Content-Type"))
	return len(r.body) > 0 && (media == "text/html" || bytes.HasPrefix(bytes.TrimSpace(r.body), []byte("<")))
}

// notFound tells the protocol's own not-found (RFC 7644 section 3.12) from the 404 of a
// proxy in front, of a wrong address or of another service.
func (r reply) notFound() bool {
	if r.status != http.StatusNotFound {
		return false
	}
	media, _, err := mime.ParseMediaType(r.header.Get("Content-Type"))
	return err == nil && (media == scim.MediaType || media == "application/json") && r.problem().Says(http.StatusNotFound)
}

// failure turns a status that is not a success into an error.
func (c *Client) failure(r reply) error {
	e := &connector.Error{Code: connector.CodeBadAnswer, RetryAfter: c.retryAfter(r.header), Status: r.status}
	switch {
	case r.status == http.StatusUnauthorized, r.status == http.StatusForbidden:
		e.Code = connector.CodeUnauthorized
	case r.notFound():
		e.Code = connector.CodeNotFound
	case r.status == http.StatusNotFound, r.status < 300 && r.page():
		e.Temporary = true // somebody in between, who may be gone in a moment
	case r.status == http.StatusRequestTimeout, r.status == http.StatusGatewayTimeout:
		e.Code, e.Temporary = connector.CodeTimeout, true
	case r.status == http.StatusConflict, r.status == http.StatusPreconditionFailed:
		e.Code, e.Temporary = connector.CodeConflict, true
	case r.status == http.StatusTooManyRequests:
		e.Code, e.Temporary = connector.CodeRateLimited, true
	case r.status == http.StatusBadRequest && r.problem().ScimType == "tooMany":
		e.Code = connector.CodeIncompleteList
	case r.status == http.StatusNotImplemented:
		// stays a bad answer: asking again will not help
	case r.status >= 500:
		e.Code, e.Temporary = connector.CodeUnavailable, true
	}
	return e
}

// retryAfter reads Retry-After in both its forms (RFC 9110 section 10.2.3): a
// number of seconds, or a date, which is compared with the Date of the same answer
// so that a remote clock that is wrong does no harm.
func (c *Client) retryAfter(h http.Header) time.Duration {
	text := h.Get("Retry-After")
	if text == "" {
		return 0
	}
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, maxRetryAfter)
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		now = c.opts.Now()
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}
