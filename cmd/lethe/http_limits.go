package main

import (
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// connectionsInAll bounds the connections of one port; the files that a process may open are often
// limited to a thousand or to a million, and the databases need some.
const connectionsInAll = 4096

// witnessConnections are enough for the processes of the few logs that a witness serves.
const witnessConnections = 64

// boundedListener closes connections beyond a number from one address, or in all, as soon as they are
// accepted: each costs memory and a file for as long as its owner likes.
type boundedListener struct {
	net.Listener
	perAddress int
	exempt     []netip.Prefix // proxies: all the world comes from their address

	mu   sync.Mutex
	open int
	by   map[netip.Prefix]int
}

func bound(l net.Listener, perAddress int, exempt []netip.Prefix) *boundedListener {
	return &boundedListener{Listener: l, perAddress: perAddress, exempt: exempt, by: map[netip.Prefix]int{}}
}

// Accept returns the next connection that is within the bounds.
func (l *boundedListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from, counted := l.origin(c.RemoteAddr())
		if !l.enter(from, counted) {
			refusedConnections.Inc()
			_ = c.Close()
			continue
		}
		return &boundedConn{Conn: c, leave: sync.OnceFunc(func() { l.leave(from, counted) })}, nil
	}
}

// origin is what connections are counted by: an address, or the network of an IPv6 address, of which
// everybody has 2^64. What comes from a proxy is not counted by address.
func (l *boundedListener) origin(remote net.Addr) (from netip.Prefix, counted bool) {
	tcp, isTCP := remote.(*net.TCPAddr)
	if !isTCP {
		return from, false
	}
	address := tcp.AddrPort().Addr().Unmap().WithZone("")
	for _, proxies := range l.exempt {
		if proxies.Contains(address) {
			return from, false
		}
	}
	bits := 32
	if address.Is6() {
		bits = 64
	}
	from, err := address.Prefix(bits)
	return from, err == nil
}

func (l *boundedListener) enter(from netip.Prefix, counted bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open >= connectionsInAll || counted && l.by[from] >= l.perAddress {
		return false
	}
	l.open++
	if counted {
		l.by[from]++
	}
	return true
}

func (l *boundedListener) leave(from netip.Prefix, counted bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open--
	if !counted {
		return
	}
	if l.by[from]--; l.by[from] == 0 {
		delete(l.by, from)
	}
}

type boundedConn struct {
	net.Conn
	leave func()
}

func (c *boundedConn) Close() error {
	c.leave()
	return c.Conn.Close()
}

// closeUnread ends the connection of a request that was answered although its body was not read to
// the end. net/http would wait for the rest of it, which may never come, before it lets the connection
// go: who announces a body and sends none holds it as long as the limit for reading allows.
func closeUnread(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength == 0 || r.Body == nil || r.Body == http.NoBody {
			h.ServeHTTP(w, r)
			return
		}
		body := &watchedBody{ReadCloser: r.Body}
		r.Body = body
		h.ServeHTTP(&unreadCloser{ResponseWriter: w, body: body}, r)
		if !body.read {
			_ = http.NewResponseController(w).SetReadDeadline(time.Now())
		}
	})
}

type watchedBody struct {
	io.ReadCloser
	read bool // to the end
}

func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.read = b.read || err == io.EOF
	return n, err
}

// unreadCloser says with the header that the connection ends if the body was not read by then.
type unreadCloser struct {
	http.ResponseWriter
	body  *watchedBody
	wrote bool
}

func (w *unreadCloser) WriteHeader(status int) {
	if !w.wrote && status >= http.StatusOK {
		w.wrote = true
		if !w.body.read {
			w.Header().Set("Connection", "close")
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *unreadCloser) Write(p []byte) (int, error) {
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(p)
}

// Flush is what gin asks a writer for; everything else is found through Unwrap.
func (w *unreadCloser) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() }

// Unwrap lets http.ResponseController find the connection.
func (w *unreadCloser) Unwrap() http.ResponseWriter { return w.ResponseWriter }
