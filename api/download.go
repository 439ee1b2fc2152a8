package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"lethe/internal/identity"
)

// cutWhenEnded cuts an answer that may take as long as the client likes, as soon as whoever asked for it
// may not ask any more (I23). It looks as often as an event stream does; the stop that it returns is
// called when everything was written.
func (s *server) cutWhenEnded(hctx huma.Context, bearer identity.Bearer, over func(context.Context) error) (stop func()) {
	control := http.NewResponseController(humagin.Unwrap(hctx).Writer)
	ctx, cancel := context.WithCancel(hctx.Context())
	ended := make(chan struct{})
	every := normalRhythm.recheck
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
				_ = control.SetWriteDeadline(time.Unix(1, 0)) // a write that waits for the client fails too
				return
			}
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}
