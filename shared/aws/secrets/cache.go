package secrets

import (
	"context"
	"log/slog"
	"time"
)

// A cache keeps a value between invocations.
type cache[T any] struct {
	config *Config
	fetch  func(context.Context) (T, error)

	// held is a mutex whose waiters give up with their context: it is held while
	// Secrets Manager is asked, so that many callers make one request.
	held   chan struct{}
	value  T
	read   time.Time // when the request for value began, zero for never
	failed time.Time // when the last failed one began
}

func newCache[T any](c *Config, fetch func(context.Context) (T, error)) *cache[T] {
	return &cache[T]{config: c, fetch: fetch, held: make(chan struct{}, 1)}
}

// get returns the value, read again if it is too old or the caller wants it
// fresh: begun to be read no earlier than this call.
func (c *cache[T]) get(ctx context.Context, fresh bool) (value T, err error) {
	asked := c.now()
	select {
	case c.held <- struct{}{}:
		defer func() { <-c.held }()
	case <-ctx.Done():
		return value, ctx.Err()
	}
	now := c.now()
	if c.good(fresh, asked, now) {
		return c.value, nil
	}
	if fresh || now.Sub(c.read) >= c.config.Settings.Stale {
		return c.reload(ctx, now)
	}
	if now.Sub(c.failed) >= c.config.Settings.Pause {
		c.refresh(ctx, now)
	}
	return c.value, nil
}

func (c *cache[T]) good(fresh bool, asked, now time.Time) bool {
	if fresh {
		return !c.read.Before(asked)
	}
	return now.Sub(c.read) < c.config.Settings.Lifetime
}

// refresh tries to replace a value that can still serve.
func (c *cache[T]) refresh(ctx context.Context, now time.Time) {
	ctx, cancel := context.WithTimeout(ctx, c.config.Settings.Patience)
	defer cancel()
	if _, err := c.reload(ctx, now); err != nil {
		c.config.Log.LogAttrs(ctx, slog.LevelWarn, "a secret could not be read again, an older one serves",
			slog.Float64(logAge, now.Sub(c.read).Seconds()),
			slog.String(logError, err.Error()))
	}
}

// Log keys.
const (
	logAge   = "age_s"
	logError = "error"
)

func (c *cache[T]) reload(ctx context.Context, now time.Time) (T, error) {
	value, err := c.fetch(ctx)
	if err != nil {
		c.failed = now
		return value, err
	}
	c.value, c.read = value, now
	return value, nil
}

// now is the calendar's time: an execution environment that was frozen for an
// hour must not take its secrets for fresh.
func (c *cache[T]) now() time.Time { return c.config.Now().Round(0) }
