// Connections attacks a running API as anybody on the network could, and as somebody with one token:
// it announces bodies that it never sends, on any route, holds as many connections open as it can from
// one address, and opens a thousand event streams with one token. Nobody else may notice.
//
//	go run ./e2e/attacks/connections .data/dev.json    (while lethe dev runs)
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"sync"
	"time"
)

func main() {
	path := ".data/dev.json"
	if len(os.Args) > 1 {
		path = os.Args[1]
	}
	content, err := os.ReadFile(path)
	var report struct {
		API    string            `json:"api"`
		Tokens map[string]string `json:"tokens"`
	}
	if err == nil {
		err = json.Unmarshal(content, &report)
	}
	var failed []string
	if err == nil {
		a := attack{api: report.API, attacker: report.Tokens["employee"], other: report.Tokens["hr_admin"], say: func(s string) { fmt.Println(s) }}
		failed, err = a.run(context.Background())
	}
	for _, f := range failed {
		fmt.Println("LET THROUGH:", f)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	if err != nil || len(failed) > 0 {
		os.Exit(1)
	}
}

// attack is against one API. departure is one that the attacker may follow; left out, the attacker's own
// or the first that the other one sees.
type attack struct {
	api, attacker, other string
	departure            string
	say                  func(string)
	failed               []string
}

func (a *attack) run(ctx context.Context) ([]string, error) {
	for _, step := range []func(context.Context) error{a.bodiesThatNeverCome, a.trickled, a.manyConnections, a.manyStreams} {
		if err := step(ctx); err != nil {
			return a.failed, err
		}
	}
	return a.failed, nil
}

func (a *attack) fail(format string, args ...any) {
	a.failed = append(a.failed, fmt.Sprintf(format, args...))
}

func (a *attack) address() (string, error) {
	u, err := url.Parse(a.api)
	if err != nil {
		return "", errors.New("the API's address is not a URL")
	}
	return u.Host, nil
}

// heldAtMost is how long a connection may be held whose request nobody reads.
const heldAtMost = 5 * time.Second

// bodiesThatNeverCome announces a body on routes that want one and on those that do not.
func (a *attack) bodiesThatNeverCome(ctx context.Context) error {
	address, err := a.address()
	if err != nil {
		return err
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	longest := time.Duration(0)
	for _, route := range []string{"GET /healthz", "GET /", "GET /openapi.json", "GET /api/v1/me", "POST /api/v1/departures", "POST /nothing"} {
		for range 5 {
			all.Go(func() {
				took, err := hold(ctx, address, route)
				mu.Lock()
				defer mu.Unlock()
				longest = max(longest, took)
				if err != nil {
					a.fail("%s holds its connection for more than %s", route, heldAtMost)
				}
			})
		}
	}
	all.Wait()
	a.say(fmt.Sprintf("bodies that never come: the longest connection lasted %s", longest.Round(time.Millisecond)))
	return nil
}

func hold(ctx context.Context, address, route string) (time.Duration, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return 0, err
	}
	defer func() { _ = c.Close() }()
	began := time.Now()
	_ = c.SetDeadline(began.Add(heldAtMost))
	if _, err := fmt.Fprintf(c, "%s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n", route, address); err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, c)
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return time.Since(began), err
	}
	return time.Since(began), nil // closed or reset, both are an end
}

// slowest is the longest that one who sends as slowly as possible holds a connection: headers and body
// have five seconds each, and the rest is for a busy machine.
const slowest = 14 * time.Second

// trickled sends a login byte by byte, the headers and then the body.
func (a *attack) trickled(ctx context.Context) error {
	address, err := a.address()
	if err != nil {
		return err
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	defer func() { _ = c.Close() }()
	began := time.Now()
	text := "POST /api/v1/sessions HTTP/1.1\r\nHost: " + address + "\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n"
	pause := 4 * time.Second / time.Duration(len(text)) // the headers come just in time
	for i := 0; ; i++ {
		piece := " "
		if i < len(text) {
			piece = text[i : i+1]
		} else {
			pause = 100 * time.Millisecond
		}
		if _, err := io.WriteString(c, piece); err != nil {
			break
		}
		if time.Since(began) > slowest {
			a.fail("a login that trickles in holds its connection for more than %s", slowest)
			break
		}
		time.Sleep(pause)
	}
	a.say(fmt.Sprintf("a login that trickles in held its connection for %s", time.Since(began).Round(100*time.Millisecond)))
	return nil
}

// manyConnections opens more than the bound from one address; another one is served.
func (a *attack) manyConnections(ctx context.Context) error {
	address, err := a.address()
	if err != nil {
		return err
	}
	const tries = 600
	var held []net.Conn
	defer func() {
		for _, c := range held {
			_ = c.Close()
		}
	}()
	served := 0
	for range tries {
		var d net.Dialer
		c, err := d.DialContext(ctx, "tcp", address)
		if err != nil {
			continue
		}
		held = append(held, c)
		_ = c.SetDeadline(time.Now().Add(heldAtMost))
		if _, err := io.WriteString(c, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			continue
		}
		if response, err := http.ReadResponse(bufio.NewReader(c), nil); err == nil {
			_ = response.Body.Close()
			served++
		}
	}
	a.say(fmt.Sprintf("one address: %d of %d connections were let in", served, tries))
	if served > 300 {
		a.fail("one address holds %d connections", served)
	}
	elsewhere := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 7)}, Timeout: heldAtMost}
	client := http.Client{Timeout: heldAtMost, Transport: &http.Transport{DialContext: elsewhere.DialContext, DisableKeepAlives: true}}
	resp, err := client.Get(a.api + "/healthz")
	if err != nil {
		a.fail("another address is not served: %v", err)
		return nil
	}
	return resp.Body.Close()
}

// manyStreams opens a thousand streams with one token and compares what another person waits meanwhile.
func (a *attack) manyStreams(ctx context.Context) error {
	if a.departure == "" {
		if err := a.findDeparture(ctx); err != nil {
			return err
		}
	}
	quiet, err := a.median(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var mu sync.Mutex
	open, statuses := 0, map[int]int{}
	var all sync.WaitGroup
	places := make(chan struct{}, 50)
	elsewhere := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 8)}}
	client := http.Client{Transport: &http.Transport{DialContext: elsewhere.DialContext}}
	for range 1000 {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			resp, err := a.get(ctx, &client, "/api/v1/departures/"+a.departure+"/events", a.attacker)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				return
			}
			statuses[resp.StatusCode]++
			if resp.StatusCode == http.StatusOK {
				open++
				return // it stays open until cancel
			}
			_ = resp.Body.Close()
		})
	}
	all.Wait()
	busy, err := a.median(ctx)
	if err != nil {
		return err
	}
	a.say(fmt.Sprintf("a thousand streams: %d are open, answers %v; another person's median %s, before %s", open, statuses, busy, quiet))
	if open > 10 {
		a.fail("one token has %d streams open", open)
	}
	if open == 0 {
		a.fail("no stream is open at all: %v", statuses)
	}
	if busy > 4*quiet+5*time.Millisecond {
		a.fail("another person waits %s instead of %s", busy, quiet)
	}
	return nil
}

func (a *attack) findDeparture(ctx context.Context) error {
	resp, err := a.get(ctx, http.DefaultClient, "/api/v1/departures?limit=1", a.attacker)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	var page struct {
		Items []struct {
			ID string `json:"id"`
		} `json:"items"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&page); err != nil {
		return err
	}
	if len(page.Items) == 0 {
		a.attacker = a.other // whoever may see nothing has nothing to follow
		resp, err := a.get(ctx, http.DefaultClient, "/api/v1/departures?limit=1", a.attacker)
		if err != nil {
			return err
		}
		defer func() { _ = resp.Body.Close() }()
		if err := json.NewDecoder(resp.Body).Decode(&page); err != nil || len(page.Items) == 0 {
			return errors.New("there is no departure to follow")
		}
	}
	a.departure = page.Items[0].ID
	return nil
}

func (a *attack) get(ctx context.Context, client *http.Client, path, token string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.api+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	return client.Do(req)
}

// median is what a call of the other person takes.
func (a *attack) median(ctx context.Context) (time.Duration, error) {
	var took []time.Duration
	for range 41 {
		began := time.Now()
		resp, err := a.get(ctx, http.DefaultClient, "/api/v1/employees?limit=5", a.other)
		if err != nil {
			return 0, err
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return 0, fmt.Errorf("the other person got %s", resp.Status)
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	return took[len(took)/2], nil
}
