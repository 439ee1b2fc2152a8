package dev

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"lethe/sandbox/inbox"
)

// letters is the sandbox's inbox: it takes whatever mail the API and the worker send, and shows it.
type letters struct {
	stop context.CancelFunc
	done sync.WaitGroup
}

// startInbox takes mail, within this process.
func (d *development) startInbox(context.Context) error {
	done := d.show.step("模拟收件箱 · sandbox inbox")
	smtp, err := net.Listen("tcp", local(d.settings.SMTPPort))
	if err != nil {
		return fmt.Errorf("listening for mail (LETHE_SANDBOX_SMTP_PORT): %w", err)
	}
	shown, err := net.Listen("tcp", local(d.settings.InboxPort))
	if err != nil {
		return errors.Join(fmt.Errorf("listening for who reads the inbox (LETHE_SANDBOX_INBOX_PORT): %w", err), smtp.Close())
	}
	ctx, stop := context.WithCancel(context.Background()) // it outlives who sends
	d.letters.stop = stop
	kept := &inbox.Inbox{}
	server := &http.Server{Handler: kept, ReadHeaderTimeout: 10 * time.Second}
	d.letters.done.Go(func() { _ = kept.Serve(ctx, smtp, nil) })
	d.letters.done.Go(func() { _ = server.Serve(shown) })
	context.AfterFunc(ctx, func() { _ = server.Close() })
	done(d.inboxAddress())
	return nil
}

func (d *development) inboxAddress() string {
	return "http://" + local(d.settings.InboxPort) + "/mails"
}

func (l *letters) close() {
	if l.stop != nil {
		l.stop()
		l.done.Wait()
	}
}
