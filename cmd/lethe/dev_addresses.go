package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"

	"lethe/cmd/lethe/demo"
	"lethe/internal/launch"
)

// chooseAddresses replaces port 0, for which the children could not be told apart, by a free one.
func (d *development) chooseAddresses() error {
	for _, address := range []*string{&d.config.Listen, &d.config.OpsListen} {
		host, port, err := net.SplitHostPort(*address)
		if err != nil {
			return fmt.Errorf("reading %s: %w", *address, err)
		}
		if port != "0" {
			continue
		}
		free, err := launch.FreePort()
		if err != nil {
			return err
		}
		*address = net.JoinHostPort(host, strconv.Itoa(free))
	}
	return nil
}

// checkPorts finds every taken port at once. Postgres and Temporal check their own: a killed run's
// Postgres may still hold its port and is ended first.
func (d *development) checkPorts(ctx context.Context) error {
	wanted := []struct{ setting, address string }{
		{"LETHE_LISTEN", d.config.Listen},
		{"LETHE_OPS_LISTEN", d.config.OpsListen},
		{"LETHE_WORKER_OPS_PORT", local(d.settings.WorkerOpsPort)},
		{"LETHE_SANDBOX_MAIL_PORT", local(d.settings.MailPort)},
		{"LETHE_SANDBOX_FINANCE_PORT", local(d.settings.FinancePort)},
		{"LETHE_SANDBOX_ATTENDANCE_PORT", local(d.settings.AttendancePort)},
	}
	failures := make([]error, len(wanted))
	var all sync.WaitGroup
	for i, w := range wanted {
		all.Go(func() { failures[i] = launch.CheckAddress(ctx, w.address, w.setting) })
	}
	all.Wait()
	return errors.Join(failures...)
}

// systemAddresses are the web addresses of the sandbox systems.
func (d *development) systemAddresses() map[string]string {
	addresses := map[string]string{}
	for _, system := range demo.Systems {
		addresses[system] = "http://" + local(d.systemPort(system))
	}
	return addresses
}

func (d *development) systemPort(system string) int {
	switch system {
	case "mail":
		return d.settings.MailPort
	case "finance":
		return d.settings.FinancePort
	}
	return d.settings.AttendancePort
}

func local(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// reachable is where this machine reaches a listener: one on all addresses is reached on loopback.
func reachable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip := net.ParseIP(host); host == "" || (ip != nil && ip.IsUnspecified()) {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}
