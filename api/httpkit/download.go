package httpkit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"lethe/internal/identity"
)

// pieceWriteLimit is for the slowest client that is worth waiting for.
const pieceWriteLimit = time.Minute

var errCut = errors.New("the answer was cut: whoever asked for it may not ask any more")

// LongAnswer is an answer that may take as long as the client likes: each piece has a limit of its own
// in place of the server's for all of it. It is cut as soon as whoever asked for it may not ask any
// more (I23).
type LongAnswer struct {
	to      io.Writer
	control *http.ResponseController

	mu  sync.Mutex
	cut bool
}

// Write sends one piece.
func (a *LongAnswer) Write(p []byte) (int, error) {
	a.mu.Lock()
	cut := a.cut
	if !cut {
		_ = a.control.SetWriteDeadline(time.Now().Add(pieceWriteLimit))
	}
	a.mu.Unlock()
	if cut {
		return 0, errCut
	}
	n, err := a.to.Write(p)
	if err != nil {
		err = fmt.Errorf("writing a piece of an answer: %w", err)
	}
	return n, err
}

// Cut breaks the answer off: it must not look whole.
func (a *LongAnswer) Cut() { a.end() }

func (a *LongAnswer) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.cut = true
	_ = a.control.SetWriteDeadline(time.Unix(1, 0)) // a write that waits for the client fails too
}

// AnswerAtLength begins a long answer. It looks at the bearer as often as an event stream does; the
// stop that it returns is called when everything was written.
// over says, as an error, that what is sent has ended meanwhile.
func (s *API) AnswerAtLength(hctx huma.Context, bearer identity.Bearer, over func(context.Context) error) (a *LongAnswer, stop func()) {
	a = &LongAnswer{to: hctx.BodyWriter(), control: http.NewResponseController(humagin.Unwrap(hctx).Writer)}
	ctx, cancel := context.WithCancel(hctx.Context())
	ended := make(chan struct{})
	every := NormalRhythm.Recheck
	go func() {
		defer close(ended)
		for pause(ctx, every) {
			look, done := context.WithTimeout(ctx, every)
			_, err := identity.Recheck(look, s.DB, bearer)
			if err == nil {
				err = over(look)
			}
			done()
			if err != nil && ctx.Err() == nil {
				a.end()
				return
			}
		}
	}()
	return a, func() {
		cancel()
		<-ended
	}
}
