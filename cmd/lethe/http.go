package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

const (
	readHeaderTimeout = 5 * time.Second
	// readTimeout is for a whole request, writeTimeout for its answer as well: handlers have 30 s.
	// Streams and downloads set their own limits with every piece.
	readTimeout     = 20 * time.Second
	writeTimeout    = time.Minute
	idleTimeout     = 2 * time.Minute
	shutdownTimeout = 10 * time.Second
	maxHeaderBytes  = 64 << 10
)

// portBounds are what bounds the connections of a port.
type portBounds struct {
	perAddress int            // from one address
	proxies    []netip.Prefix // whose addresses are not counted
	read       time.Duration  // for a whole request; 0 for readTimeout
}

var refusedConnections = promauto.NewCounter(prometheus.CounterOpts{
	Name: "lethe_http_connections_refused_total",
	Help: "Connections that were closed at once because too many were open.",
})

// listen opens a listener and names the setting to change if the port is taken.
func listen(setting, address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is taken: choose another address with %s", address, setting)
	}
	if err != nil {
		return nil, fmt.Errorf("listening on %s (%s): %w", address, setting, err)
	}
	return l, nil
}

// serveHTTP serves until ctx ends, then lets requests finish. Event streams end with ctx.
func serveHTTP(ctx context.Context, l net.Listener, c portBounds, h http.Handler, log *slog.Logger) {
	server := &http.Server{
		Handler:           closeUnread(h),
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       cmp.Or(c.read, readTimeout),
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		<-ctx.Done()
		// The requests' own contexts are ended already; this waits for their handlers.
		limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
		defer cancel()
		if err := server.Shutdown(limit); err != nil {
			_ = server.Close()
		}
	}()
	if err := server.Serve(bound(l, c.perAddress, c.proxies)); !errors.Is(err, http.ErrServerClosed) {
		log.Error("serving ended", "address", l.Addr().String(), "error", err)
		return
	}
	<-done
}
