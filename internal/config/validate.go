package config

import (
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// problems are the contradictions among values that parsed.
func (c Config) problems() []string {
	var p problemList
	p.database("LETHE_DATABASE_URL", c.DatabaseURL)
	p.database("LETHE_KEYS_DATABASE_URL", c.KeysDatabaseURL)
	if c.DatabaseURL != "" && c.DatabaseURL == c.KeysDatabaseURL {
		p.add("LETHE_KEYS_DATABASE_URL is the same as LETHE_DATABASE_URL; keys must live in a database of their own")
	}
	p.database("LETHE_SEQUENCER_DATABASE_URL", c.SequencerDatabaseURL)
	if c.SequencerDatabaseURL != "" && c.SequencerDatabaseURL == c.DatabaseURL {
		p.add("LETHE_SEQUENCER_DATABASE_URL is the same as LETHE_DATABASE_URL; the ledger is ordered with a login of its own")
	}
	p.address("LETHE_TEMPORAL_ADDRESS", c.TemporalAddress)
	p.address("LETHE_LISTEN", c.Listen)
	p.address("LETHE_OPS_LISTEN", c.OpsListen)
	p.website("LETHE_PUBLIC_URL", c.PublicURL)
	p.website("LETHE_TEMPORAL_UI_URL", c.TemporalUIURL)
	p.provider(c)
	p.sessions(c)
	p.mail(c)
	p.oneOf("LETHE_LOG_LEVEL", c.LogLevel, "debug", "info", "warn", "error")
	p.oneOf("LETHE_LOG_FORMAT", c.LogFormat, "json", "text")

	p.atLeast("LETHE_RELAY_POLL", c.RelayPoll, time.Millisecond)
	p.atLeast("LETHE_RELAY_BACKOFF", c.RelayBackoff, time.Millisecond)
	p.atLeast("LETHE_RELAY_OVERDUE", c.RelayOverdue, time.Millisecond)
	p.count("LETHE_RELAY_BATCH", c.RelayBatch, 10_000)

	p.activityLimits(c)
	p.atLeast("LETHE_ACCEPTED_CHECK", c.AcceptedCheck, time.Millisecond)
	p.atLeast("LETHE_CONTINUE_AS_NEW_AFTER", c.ContinueAsNewAfter, time.Second)
	if c.ContinueAsNewAfter > longestRun {
		p.add("LETHE_CONTINUE_AS_NEW_AFTER is above 720h; a waiting workflow starts a fresh run after 30 days at most")
	}
	if c.PurgeJitter < 0 {
		p.add("LETHE_PURGE_JITTER is negative; purges never run before their deadline")
	}
	p.count("LETHE_UNLINK_TRIES", c.UnlinkTries, 1000)
	p.count("LETHE_IMPORT_LOOKUPS", c.ImportLookUps, 1000)
	p.count("LETHE_BATCH_RATE", c.BatchRate, 10_000)
	p.count("LETHE_BATCH_LIMIT", c.BatchLimit, 100_000)
	p.count("LETHE_BATCH_COMPANY_SHARE", c.BatchCompanyShare, 100)
	p.count("LETHE_BATCH_DEPARTMENT_SHARE", c.BatchDepartmentShare, 100)
	p.reconciliation(c)
	p.count("LETHE_EXPORT_LIMIT", c.ExportLimit, 1_000_000)
	p.atLeast("LETHE_EXPORT_KEEP", c.ExportKeep, time.Hour)
	p.count("LETHE_WORKFLOW_POLLERS", c.WorkflowPollers, 1000)
	p.count("LETHE_ACTIVITY_POLLERS", c.ActivityPollers, 1000)
	p.count("LETHE_MAX_CONCURRENT_ACTIVITIES", c.MaxConcurrentActivities, 100_000)
	p.count("LETHE_STICKY_CACHE", c.StickyCache, 1_000_000)
	p.count("LETHE_CONNECTIONS_PER_ADDRESS", c.ConnectionsPerAddress, 100_000)
	return p
}

// reconciliation checks when systems are compared with the facts, and what is believed.
func (p *problemList) reconciliation(c Config) {
	if c.ReconcileEvery != 0 {
		p.atLeast("LETHE_RECONCILE_EVERY", c.ReconcileEvery, time.Second)
	}
	if c.ReconcileOffset < 0 {
		p.add("LETHE_RECONCILE_OFFSET is negative; it counts from midnight UTC")
	}
	if c.ReconcileShrink < 1 || c.ReconcileShrink > 99 {
		p.add("LETHE_RECONCILE_SHRINK is not from 1 to 99; it is a percentage")
	}
	if c.ReconcileNoSignIn < 0 || c.ReconcileNoSignIn > 3650 {
		p.add("LETHE_RECONCILE_NO_SIGN_IN_DAYS is not from 0 to 3650")
	}
}

// sessions checks how long people stay logged in, and whom to believe about where they come from.
func (p *problemList) sessions(c Config) {
	p.atLeast("LETHE_SESSION_IDLE", c.SessionIdle, time.Minute)
	p.atLeast("LETHE_SESSION_ABSOLUTE", c.SessionAbsolute, c.SessionIdle)
	for _, proxy := range c.TrustedProxies {
		if _, _, err := net.ParseCIDR(proxy); err != nil && net.ParseIP(proxy) == nil {
			p.add("LETHE_TRUSTED_PROXIES has %q, which is neither an address nor a network", proxy)
		}
	}
}

// mail checks how messages are sent: in clear to this machine alone.
func (p *problemList) mail(c Config) {
	if (c.SMTPHost == "") != (c.SMTPFrom == "") {
		p.add("LETHE_SMTP_HOST and LETHE_SMTP_FROM go together; set both or neither")
	}
	if _, err := mail.ParseAddress(c.SMTPFrom); c.SMTPFrom != "" && err != nil {
		p.add("LETHE_SMTP_FROM is no mail address; write it as hr@example.com")
	}
	p.count("LETHE_SMTP_PORT", c.SMTPPort, 65535)
	p.oneOf("LETHE_EMERGENCY_CONTACTS_TOLD", c.ContactsTold, "on_request", ContactsAlways)
	p.oneOf("LETHE_SMTP_ENCRYPTION", c.SMTPEncryption, "starttls", "tls", "none")
	if ip := net.ParseIP(c.SMTPHost); c.SMTPEncryption == "none" && c.SMTPHost != "" && c.SMTPHost != "localhost" && (ip == nil || !ip.IsLoopback()) {
		p.add("LETHE_SMTP_ENCRYPTION is none, and LETHE_SMTP_HOST is not this machine; mail leaves it encrypted only")
	}
	if c.SMTPPassword != "" && c.SMTPUser == "" {
		p.add("LETHE_SMTP_PASSWORD is set without LETHE_SMTP_USER")
	}
}

// ProxyNetworks are the trusted proxies of a configuration that was checked.
func (c Config) ProxyNetworks() []netip.Prefix {
	var networks []netip.Prefix
	for _, proxy := range c.TrustedProxies {
		if network, err := netip.ParsePrefix(proxy); err == nil {
			networks = append(networks, network)
		} else if address, err := netip.ParseAddr(proxy); err == nil {
			networks = append(networks, netip.PrefixFrom(address, address.BitLen()))
		}
	}
	return networks
}

// longestRun bounds the history of one run and lets new code reach sleepers.
const longestRun = 30 * 24 * time.Hour

// activityLimits checks what keeps a late attempt from acting after its
// successor: one call ends before its try, one try before all tries.
func (p *problemList) activityLimits(c Config) {
	p.atLeast("LETHE_HTTP_TIMEOUT", c.HTTPTimeout, time.Millisecond)
	p.atLeast("LETHE_ACTIVITY_HEARTBEAT", c.Heartbeat, time.Millisecond)
	p.atLeast("LETHE_ACTIVITY_RETRY_INITIAL", c.RetryInitial, time.Millisecond)
	if c.HTTPTimeout >= c.StartToClose {
		p.add("LETHE_HTTP_TIMEOUT must be below LETHE_ACTIVITY_START_TO_CLOSE, so that a call ends before its step is given up")
	}
	if c.Heartbeat >= c.StartToClose {
		p.add("LETHE_ACTIVITY_HEARTBEAT must be below LETHE_ACTIVITY_START_TO_CLOSE")
	}
	if c.StartToClose > c.ScheduleToClose {
		p.add("LETHE_ACTIVITY_START_TO_CLOSE must not be above LETHE_ACTIVITY_SCHEDULE_TO_CLOSE")
	}
	if c.RetryInitial > c.RetryMax {
		p.add("LETHE_ACTIVITY_RETRY_INITIAL must not be above LETHE_ACTIVITY_RETRY_MAX")
	}
}

// problems are the contradictions among values that parsed.
func (d Development) problems() []string {
	var p problemList
	p.database("DATABASE_URL", d.DatabaseURL)
	p.database("KEYS_DATABASE_URL", d.KeysDatabaseURL)
	if d.DatabaseURL != "" && d.DatabaseURL == d.KeysDatabaseURL {
		p.add("KEYS_DATABASE_URL is the same as DATABASE_URL; keys must live in a database of their own")
	}
	if d.KeysDatabaseURL != "" && d.DatabaseURL == "" {
		p.add("KEYS_DATABASE_URL is set without DATABASE_URL; set both or neither")
	}
	p.address("TEMPORAL_ADDRESS", d.TemporalAddress)
	ports := map[int]string{}
	for _, one := range []struct {
		name string
		port int
	}{
		{"LETHE_POSTGRES_PORT", d.PostgresPort},
		{"LETHE_TEMPORAL_PORT", d.TemporalPort},
		{"LETHE_TEMPORAL_UI_PORT", d.TemporalUIPort},
		{"LETHE_SANDBOX_MAIL_PORT", d.MailPort},
		{"LETHE_SANDBOX_FINANCE_PORT", d.FinancePort},
		{"LETHE_SANDBOX_ATTENDANCE_PORT", d.AttendancePort},
		{"LETHE_SANDBOX_INBOX_PORT", d.InboxPort},
		{"LETHE_SANDBOX_SMTP_PORT", d.SMTPPort},
		{"LETHE_WORKER_OPS_PORT", d.WorkerOpsPort},
	} {
		p.count(one.name, one.port, 65535)
		if other, taken := ports[one.port]; taken {
			p.add("%s and %s are both %d; choose different ports", other, one.name, one.port)
		}
		ports[one.port] = one.name
	}
	return p
}

type problemList []string

func (p *problemList) add(format string, args ...any) { *p = append(*p, fmt.Sprintf(format, args...)) }

// database accepts an empty value: whether it is required is decided elsewhere.
// The value is a secret and stays out of the message.
func (p *problemList) database(name, value string) {
	if value == "" {
		return
	}
	u, err := url.Parse(value)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") || len(u.Path) < 2 {
		p.add("%s is not a Postgres address; write it as postgres://user:password@host:5432/database", name)
	}
}

func (p *problemList) address(name, value string) {
	if value == "" {
		return
	}
	_, port, err := net.SplitHostPort(value)
	number, errPort := strconv.Atoi(port)
	if err != nil || errPort != nil || number < 0 || number > 65535 {
		p.add("%s is not host:port; write it as 127.0.0.1:8080", name)
	}
}

func (p *problemList) website(name, value string) {
	if value == "" {
		return
	}
	u, err := url.Parse(value)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		p.add("%s is not a web address; write it as https://lethe.example.com", name)
	}
}

func (p *problemList) oneOf(name, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		p.add("%s must be one of %v", name, allowed)
	}
}

func (p *problemList) atLeast(name string, value, least time.Duration) {
	if value < least {
		p.add("%s must be at least %s", name, least)
	}
}

func (p *problemList) count(name string, value, most int) {
	if value < 1 || value > most {
		p.add("%s must be between 1 and %d", name, most)
	}
}
