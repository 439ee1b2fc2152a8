package connector

import (
	"context"
	"fmt"
)

type idempotencyKey struct{}
type fenceKey struct{}

// WithIdempotencyKey returns a context whose mutating calls carry key, made of
// operation, system and step and of nothing that names a person. Implementations
// send it as the header Idempotency-Key.
func WithIdempotencyKey(ctx context.Context, key string) context.Context {
	return context.WithValue(ctx, idempotencyKey{}, key)
}

// IdempotencyKey returns the context's key, or "".
func IdempotencyKey(ctx context.Context) string {
	key, _ := ctx.Value(idempotencyKey{}).(string)
	return key
}

// WithFence returns a context whose mutating calls first ask fence whether the
// caller is still the one that may act. Implementations ask right before each
// single mutating call on the wire; if fence returns an error the call is not
// made and that error is returned, wrapped.
func WithFence(ctx context.Context, fence func(context.Context) error) context.Context {
	return context.WithValue(ctx, fenceKey{}, fence)
}

// CheckFence asks the context's fence; without one it allows the call. It is for
// implementations.
func CheckFence(ctx context.Context) error {
	fence, _ := ctx.Value(fenceKey{}).(func(context.Context) error)
	if fence == nil {
		return nil
	}
	if err := fence(ctx); err != nil {
		return fmt.Errorf("fence before a remote effect: %w", err)
	}
	return nil
}
