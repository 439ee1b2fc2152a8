// Package inbox is a mail server that keeps what it gets, for development and tests: real SMTP, with STARTTLS, and faults
// on request. What came in is read over HTTP, or from the program that runs it.
package inbox

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// Mail is one that came in, as it came.
type Mail struct {
	From string    `json:"from"`
	To   []string  `json:"to"`
	Text string    `json:"text"` // headers and body
	At   time.Time `json:"at"`
}

// Faults are how the server misbehaves.
type Faults struct {
	// Recipient and Content, if given, are answered to RCPT and at the end of DATA: 450, 550.
	Recipient, Content int
	// CutAfterContent ends the connection where the answer to DATA is due; the mail is kept.
	CutAfterContent bool
}

// Inbox keeps mails.
type Inbox struct {
	mu     sync.Mutex
	mails  []Mail
	faults Faults
}

// most mails are kept; the oldest go.
const most = 1000

// Set makes it misbehave from now on.
func (b *Inbox) Set(f Faults) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faults = f
}

// Mails are what came in, oldest first.
func (b *Inbox) Mails() []Mail {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]Mail{}, b.mails...)
}

func (b *Inbox) now() Faults {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.faults
}

// Serve takes mail until ctx ends. Without a TLS configuration it knows no STARTTLS.
func (b *Inbox) Serve(ctx context.Context, l net.Listener, secure *tls.Config) error {
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &session{inbox: b, conn: c}, nil }))
	server.Domain, server.TLSConfig, server.MaxMessageBytes, server.MaxRecipients = "inbox.example", secure, 1<<20, 10
	server.ReadTimeout, server.WriteTimeout = time.Minute, time.Minute
	server.ErrorLog = quiet{}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(l); err != nil && !errors.Is(err, smtp.ErrServerClosed) && ctx.Err() == nil {
		return fmt.Errorf("taking mail: %w", err)
	}
	return nil
}

// quiet keeps cut connections, which are asked for, out of the log.
type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

// ServeHTTP lists what came in.
func (b *Inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet || r.URL.Path != "/mails" {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(map[string]any{"items": b.Mails()})
}

type session struct {
	inbox *Inbox
	conn  *smtp.Conn
	mail  Mail
}

func (s *session) Reset()        { s.mail = Mail{} }
func (s *session) Logout() error { return nil }

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.mail.From = from
	return nil
}

func answer(code int) error {
	if code == 0 {
		return nil
	}
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 0, 0}, Message: "as asked for"}
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mail.To = append(s.mail.To, to)
	return answer(s.inbox.now().Recipient)
}

func (s *session) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	f := s.inbox.now()
	if f.Content != 0 {
		return answer(f.Content)
	}
	s.mail.Text, s.mail.At = string(text), time.Now().UTC()
	s.inbox.mu.Lock()
	s.inbox.mails = append(s.inbox.mails, s.mail)
	s.inbox.mails = s.inbox.mails[max(0, len(s.inbox.mails)-most):]
	s.inbox.mu.Unlock()
	if f.CutAfterContent {
		_ = s.conn.Conn().Close()
	}
	return nil
}
