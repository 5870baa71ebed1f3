// Package wait lets time pass, unless it is called off.
package wait

import (
	"context"
	"time"
)

// For returns nil after d, or before it the error of ctx.
func For(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
