// Command oidc is an OpenID provider for tests: the protocol is zitadel/oidc's, the people and the
// misbehaviour are what a test puts into it (control.go). It serves plain HTTP and is for loopback
// only.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/zitadel/oidc/v3/pkg/op"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address to listen on")
	client := flag.String("client", "lethe", "id of the one client")
	flag.Parse()
	if err := run(*listen, *client, os.Getenv("OIDC_CLIENT_SECRET")); err != nil {
		fmt.Fprintln(os.Stderr, "oidc:", err)
		os.Exit(1)
	}
}

// run serves until it is told to stop. The one line on standard output is the issuer: it is ready.
func run(listen, clientID, secret string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if secret == "" {
		return errors.New("OIDC_CLIENT_SECRET is not set")
	}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	issuer := "http://" + listener.Addr().String()
	handler, err := newHandler(issuer, clientID, secret)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	fmt.Println(issuer)
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func newHandler(issuer, clientID, secret string) (http.Handler, error) {
	store, err := newStorage(clientID, secret)
	if err != nil {
		return nil, err
	}
	config := &op.Config{CodeMethodS256: true, AuthMethodPost: true}
	if _, err := rand.Read(config.CryptoKey[:]); err != nil {
		return nil, err
	}
	provider, err := op.NewOpenIDProvider(issuer, config, store, op.WithAllowInsecure(),
		op.WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil))))
	if err != nil {
		return nil, err
	}
	page := &loginPage{store: store, finish: op.AuthCallbackURL(provider)}
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /control", store.control)
	withIssuer := op.NewIssuerInterceptor(provider.IssuerFromRequest)
	mux.Handle("GET /login", withIssuer.HandlerFunc(page.show))
	mux.Handle("POST /login", withIssuer.HandlerFunc(page.submit))
	mux.Handle("/", provider)
	return mux, nil
}
