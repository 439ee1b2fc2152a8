package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"time"
)

// Serve answers on addr until ctx ends, then lets running requests finish for up
// to three seconds. It does not close the system. A taken port is named in the
// error.
func Serve(ctx context.Context, addr string, sys *System) error {
	listener, err := Listen(addr, sys)
	if err != nil {
		return err
	}
	return ServeListener(ctx, listener, sys)
}

// Listen opens the address of a system, so that a caller knows it before serving.
func Listen(addr string, sys *System) (net.Listener, error) {
	listener, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("sandbox %s: address %s is taken by another program; choose another port: %w", sys.Name(), addr, err)
	}
	if err != nil {
		return nil, fmt.Errorf("sandbox %s: listening on %s: %w", sys.Name(), addr, err)
	}
	return listener, nil
}

// ServeListener is Serve on a listener that is open already.
func ServeListener(ctx context.Context, listener net.Listener, sys *System) error {
	server := &http.Server{
		Handler:           sys.Handler(),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("sandbox %s: serving: %w", sys.Name(), err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		_ = server.Close()
	}
	<-ended
	return nil
}
