package dev

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

// port is an address that `lethe dev` will listen on, with the setting that chooses it.
type port struct{ setting, address string }

// wantedPorts are those that this run opens itself.
func (d *development) wantedPorts() []port {
	wanted := []port{
		{"LETHE_LISTEN", d.config.Listen},
		{"LETHE_OPS_LISTEN", d.config.OpsListen},
		{"LETHE_WORKER_OPS_PORT", local(d.settings.WorkerOpsPort)},
		{"LETHE_SANDBOX_INBOX_PORT", local(d.settings.InboxPort)},
		{"LETHE_SANDBOX_SMTP_PORT", local(d.settings.SMTPPort)},
		{"LETHE_SANDBOX_MAIL_PORT", local(d.settings.MailPort)},
		{"LETHE_SANDBOX_FINANCE_PORT", local(d.settings.FinancePort)},
		{"LETHE_SANDBOX_ATTENDANCE_PORT", local(d.settings.AttendancePort)},
	}
	if d.settings.DatabaseURL == "" {
		wanted = append(wanted, port{"LETHE_POSTGRES_PORT", local(d.settings.PostgresPort)})
	}
	if d.settings.TemporalAddress == "" {
		wanted = append(wanted,
			port{"LETHE_TEMPORAL_PORT", local(d.settings.TemporalPort)},
			port{"LETHE_TEMPORAL_UI_PORT", local(d.settings.TemporalUIPort)})
	}
	return wanted
}

// checkPorts finds every port that cannot be had, before anything is started: those that two
// settings name, and those that other programs hold.
func (d *development) checkPorts(ctx context.Context) error {
	wanted := d.wantedPorts()
	failures := clashes(wanted)
	taken := make([]error, len(wanted))
	var all sync.WaitGroup
	for i, w := range wanted {
		if w.setting == "LETHE_POSTGRES_PORT" && d.files.postgresLeft() {
			continue // it holds its port; the launcher ends it and checks then
		}
		all.Go(func() { taken[i] = launch.CheckAddress(ctx, w.address, w.setting) })
	}
	all.Wait()
	return errors.Join(append(failures, taken...)...)
}

// clashes names the settings that choose the same port.
func clashes(wanted []port) (failures []error) {
	for i, one := range wanted {
		for _, other := range wanted[i+1:] {
			if sameSocket(one.address, other.address) {
				_, number, _ := net.SplitHostPort(one.address)
				failures = append(failures, fmt.Errorf("port %s is given to both %s and %s; choose another for one of them",
					number, one.setting, other.setting))
			}
		}
	}
	return failures
}

// sameSocket says whether two listeners would be in each other's way: a host that stands for all
// addresses is in the way of every other. Port 0 is a free one each time.
func sameSocket(one, other string) bool {
	host1, port1, err1 := net.SplitHostPort(one)
	host2, port2, err2 := net.SplitHostPort(other)
	if err1 != nil || err2 != nil || port1 != port2 || port1 == "0" {
		return false
	}
	return allAddresses(host1) || allAddresses(host2) || reachable(one) == reachable(other)
}

// allAddresses says whether a host stands for every address of this machine.
func allAddresses(host string) bool {
	ip := net.ParseIP(host)
	return host == "" || (ip != nil && ip.IsUnspecified())
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
	if allAddresses(host) || host == "localhost" {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}
