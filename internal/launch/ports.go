package launch

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"syscall"
	"time"
)

// ErrPortTaken is wrapped by the error about a port that another program holds.
var ErrPortTaken = errors.New("another program listens there")

// Free ports are looked for below Linux's range for outgoing connections
// (32768 and up): a client that tries to reach a server that is down could
// otherwise be given the server's own port and end up connected to itself.
const (
	firstFreePort = 15000
	lastFreePort  = 31999
)

// FreePorts finds different ports on 127.0.0.1 that nobody listens on. Nothing
// reserves them: start what needs them soon.
func FreePorts(count int) ([]int, error) {
	var ports []int
	var held []net.Listener
	defer func() {
		for _, listener := range held {
			_ = listener.Close()
		}
	}()
	for range 1000 {
		if len(ports) == count {
			return ports, nil
		}
		port := firstFreePort + rand.IntN(lastFreePort-firstFreePort+1)
		listener, err := net.Listen("tcp", loopback(port))
		if err != nil {
			continue
		}
		held = append(held, listener)
		ports = append(ports, port)
	}
	return nil, fmt.Errorf("no %d free ports between %d and %d on 127.0.0.1", count, firstFreePort, lastFreePort)
}

// FreePort finds one port as [FreePorts] does.
func FreePort() (int, error) {
	ports, err := FreePorts(1)
	if err != nil {
		return 0, err
	}
	return ports[0], nil
}

// takeoverGrace is how long a port or a folder may stay taken by what a killed
// run left behind.
const takeoverGrace = 2 * time.Second

// CheckPort fails with [ErrPortTaken] when someone else listens on the port of
// 127.0.0.1. The text names the setting that chooses another.
func CheckPort(ctx context.Context, port int, setting string) error {
	return CheckAddress(ctx, loopback(port), setting)
}

// CheckAddress is [CheckPort] for a host:port.
func CheckAddress(ctx context.Context, address, setting string) error {
	deadline := time.After(takeoverGrace)
	for {
		listener, err := net.Listen("tcp", address)
		if err == nil {
			return listener.Close()
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			return fmt.Errorf("listen on %s (%s): %w", address, setting, err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-deadline:
			_, port, _ := net.SplitHostPort(address)
			return fmt.Errorf("port %s (%s) is taken; choose another with %s: %w", port, setting, setting, ErrPortTaken)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func loopback(port int) string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}
