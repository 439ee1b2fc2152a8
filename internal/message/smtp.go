package message

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
)

// How a connection to the mail server is encrypted.
const (
	STARTTLS = "starttls"
	TLS      = "tls"
	Plain    = "none"
)

// SMTP is a mail server that is reached by SMTP (RFC 5321).
type SMTP struct {
	Host           string
	Port           int
	Encryption     string // STARTTLS, TLS or Plain
	User, Password string // no user: nobody logs in
	From           string
	Timeout        time.Duration
	// Roots, if given, are who is believed about the server's certificate.
	Roots *tls.Config
}

// errReach hides what a server answers: it may quote.
var errReach = errors.New("the mail server did not let us in")

// Connect dials, encrypts and logs in. Without STARTTLS at the server nothing is said in clear.
func (s SMTP) Connect(ctx context.Context) (Connection, error) {
	options := []mail.Option{mail.WithPort(s.Port), mail.WithTimeout(s.Timeout), mail.WithTLSPolicy(mail.TLSMandatory)}
	if s.Encryption == TLS {
		options = append(options, mail.WithSSL())
	}
	if s.Encryption == Plain {
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	}
	if s.Roots != nil {
		roots := s.Roots.Clone()
		roots.ServerName = s.Host
		options = append(options, mail.WithTLSConfig(roots))
	}
	if s.User != "" {
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(s.User), mail.WithPassword(s.Password))
	}
	client, err := mail.NewClient(s.Host, options...)
	if err != nil {
		return nil, errReach
	}
	if err := client.DialWithContext(ctx); err != nil {
		return nil, errReach
	}
	return &smtpConnection{client, s}, nil
}

type smtpConnection struct {
	client *mail.Client
	server SMTP
}

func (c *smtpConnection) Close() { _ = c.client.Close() }

// Send hands a mail over. Its Message-ID and date are the same at each try.
func (c *smtpConnection) Send(_ context.Context, m Mail) Outcome {
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := errors.Join(msg.From(c.server.From), msg.To(m.To)); err != nil {
		return Refused // no mail goes to what is no address
	}
	_, domain, _ := strings.Cut(strings.Trim(c.server.From, "<> "), "@")
	msg.SetMessageIDWithValue(fmt.Sprintf("%s@%s", m.ID, strings.TrimRight(domain, ">")))
	msg.SetDateWithValue(m.At)
	msg.Subject(m.Subject)
	msg.SetBodyString(mail.TypeTextPlain, m.Text)
	return outcomeOf(c.client.Send(msg))
}

// outcomeOf says what an error means. After the mail's last line was written, a connection that ends without an answer
// leaves open whether the server took it (RFC 5321, 6.1).
func outcomeOf(err error) Outcome {
	var failed *mail.SendError
	switch {
	case err == nil:
		return Taken
	case !errors.As(err, &failed):
		return Later
	case failed.Reason == mail.ErrSMTPReset:
		return Taken
	case failed.Reason == mail.ErrSMTPDataClose && failed.ErrorCode() == 0:
		return Unknown
	case failed.ErrorCode() >= 500 && (failed.Reason == mail.ErrSMTPRcptTo || failed.Reason == mail.ErrSMTPDataClose):
		return Refused
	}
	return Later
}
