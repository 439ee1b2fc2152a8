package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"testing"
	"time"
)

// served runs a handler behind the limits of a port and returns its address.
func served(t *testing.T, c portBounds, h http.Handler) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		serveHTTP(ctx, l, c, h, slog.New(slog.DiscardHandler))
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	return l.Addr().String()
}

// dial opens a connection and sends the text.
func dial(t *testing.T, address, text string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	return c
}

// endsWithin reads the connection to its end and returns how long that took. Whoever still writes to a
// connection that was closed may read that it was reset: that is an end, too.
func endsWithin(t *testing.T, c net.Conn, limit time.Duration) time.Duration {
	t.Helper()
	began := time.Now()
	_ = c.SetReadDeadline(began.Add(limit))
	if _, err := io.Copy(io.Discard, c); err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the connection is still open after %s: %v", limit, err)
	}
	return time.Since(began)
}

const announced = "POST /x HTTP/1.1\r\nHost: lethe\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"

// A request whose body never comes was held for ever, whatever the route.
func TestABodyThatNeverComesHoldsNoConnection(t *testing.T) {
	refusing := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
	reading := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err != nil {
			w.WriteHeader(http.StatusBadRequest)
		}
	})
	t.Run("refused without reading", func(t *testing.T) {
		c := dial(t, served(t, portBounds{perAddress: 10, read: time.Minute}, refusing), announced)
		if took := endsWithin(t, c, 5*time.Second); took > 3*time.Second {
			t.Errorf("it took %s", took)
		}
	})
	t.Run("read by the handler", func(t *testing.T) {
		c := dial(t, served(t, portBounds{perAddress: 10, read: 500 * time.Millisecond}, reading), announced)
		endsWithin(t, c, 5*time.Second)
	})
	t.Run("drop by drop", func(t *testing.T) {
		c := dial(t, served(t, portBounds{perAddress: 10, read: 500 * time.Millisecond}, reading), announced)
		go func() {
			for {
				if _, err := io.WriteString(c, "x"); err != nil {
					return
				}
				time.Sleep(50 * time.Millisecond)
			}
		}()
		endsWithin(t, c, 5*time.Second)
	})
}

// A whole request may be followed by another on the same connection, read or refused.
func TestAConnectionGoesOnAfterWholeRequests(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "ok")
	})
	c := dial(t, served(t, portBounds{perAddress: 10}, h), "")
	answers := bufio.NewReader(c)
	for i := range 3 {
		if _, err := fmt.Fprintf(c, "POST /%d HTTP/1.1\r\nHost: lethe\r\nContent-Length: 4\r\n\r\nbody", i); err != nil {
			t.Fatal(err)
		}
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
		resp, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.Close {
			t.Errorf("request %d: closed %v, %v", i, resp.Close, err)
		}
	}
}

// TestWhatConnectionsAreCountedBy: an address, and of IPv6 the network, of which everybody has all addresses.
func TestWhatConnectionsAreCountedBy(t *testing.T) {
	l := bound(nil, 5, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8:9::/48")})
	for remote, want := range map[string]string{
		"203.0.113.7:1":            "203.0.113.7/32",
		"203.0.113.8:1":            "203.0.113.8/32",
		"[::ffff:203.0.113.7]:1":   "203.0.113.7/32",
		"[2001:db8:1:2::7]:1":      "2001:db8:1:2::/64",
		"[2001:db8:1:2:ffff::7]:1": "2001:db8:1:2::/64",
		"[2001:db8:1:3::7]:1":      "2001:db8:1:3::/64",
		"[fe80::1%eth0]:1":         "fe80::/64",
		"10.1.2.3:1":               "",
		"[2001:db8:9:1::7]:1":      "",
		"[2001:db8:a:1::7]:1":      "2001:db8:a:1::/64",
	} {
		from, counted := l.origin(net.TCPAddrFromAddrPort(netip.MustParseAddrPort(remote)))
		if counted != (want != "") || counted && from.String() != want {
			t.Errorf("%s is counted %v by %s, want %q", remote, counted, from, want)
		}
	}
}

// One address has a bounded number of connections; proxies, from whose address all come, have not.
func TestConnectionsOfAnAddressAreBounded(t *testing.T) {
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	for _, k := range []struct {
		name    string
		proxies []netip.Prefix
		opened  int
	}{
		{"a stranger", nil, 5},
		{"another proxy", []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, 5},
		{"a proxy", []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, 12},
	} {
		t.Run(k.name, func(t *testing.T) {
			address := served(t, portBounds{perAddress: 5, proxies: k.proxies}, ok)
			var open []net.Conn
			for range 12 {
				c := dial(t, address, "")
				if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: lethe\r\n\r\n"); err != nil {
					continue
				}
				_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
				if _, err := http.ReadResponse(bufio.NewReader(c), nil); err == nil {
					open = append(open, c)
				}
			}
			if len(open) != k.opened {
				t.Fatalf("%d connections were served, not %d", len(open), k.opened)
			}
			// One that ends makes room for another.
			_ = open[0].Close()
			deadline := time.Now().Add(5 * time.Second)
			for {
				c := dial(t, address, "GET / HTTP/1.1\r\nHost: lethe\r\n\r\n")
				_ = c.SetReadDeadline(time.Now().Add(time.Second))
				if _, err := http.ReadResponse(bufio.NewReader(c), nil); err == nil {
					break
				}
				if time.Now().After(deadline) {
					t.Fatal("nobody is let in after one has left")
				}
				time.Sleep(20 * time.Millisecond)
			}
		})
	}
}
