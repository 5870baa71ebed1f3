package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/wait"
)

// hours are those of the day in which users may be called, by the person's clock. The zero
// value is the whole day.
type hours struct{ from, to int } // minutes since midnight

// Set reads hours such as 22:00-05:00.
func (h *hours) Set(value string) error {
	from, to, _ := strings.Cut(value, "-")
	begin, err := time.Parse("15:04", from)
	if err != nil {
		return errValue
	}
	end, err := time.Parse("15:04", to)
	if err != nil || begin.Equal(end) {
		return errValue
	}
	h.from, h.to = 60*begin.Hour()+begin.Minute(), 60*end.Hour()+end.Minute()
	return nil
}

// String is what Set takes, "" for the whole day.
func (h *hours) String() string {
	if *h == (hours{}) {
		return ""
	}
	return fmt.Sprintf("%02d:%02d-%02d:%02d", h.from/60, h.from%60, h.to/60, h.to%60)
}

// Type implements [pflag.Value].
func (*hours) Type() string { return "22:00-05:00" }

// window returns the hours in which now is, or the next ones.
func (h hours) window(now time.Time) (from, to time.Time) {
	if h == (hours{}) {
		return now, now.AddDate(1, 0, 0)
	}
	nights := 0
	if h.to < h.from {
		nights = 1
	}
	for day := -1; !to.After(now); day++ {
		y, m, d := now.Date()
		from = time.Date(y, m, d+day, 0, h.from, 0, 0, now.Location())
		to = time.Date(y, m, d+day+nights, 0, h.to, 0, 0, now.Location())
	}
	return from, to
}

// end is when so much work is done that is begun now.
func (h hours) end(now time.Time, work time.Duration) time.Time {
	for {
		from, to := h.window(now)
		if from.Before(now) {
			from = now
		}
		if within := to.Sub(from); within < work {
			now, work = to, work-within
			continue
		}
		return from.Add(work)
	}
}

// hold tells whether users may be called now.
func (h hours) hold(now time.Time) bool {
	from, _ := h.window(now)
	return !now.Before(from)
}

// await waits for the hours. It looks at the clock each minute, and again when it is time:
// the machine may sleep, and wake up when the hours are over.
func (c *call) await(ctx context.Context, h hours) error {
	for now := c.Now(); !h.hold(now); now = c.Now() {
		from, _ := h.window(now)
		if err := wait.For(ctx, min(from.Sub(now), time.Minute)); err != nil {
			return err
		}
	}
	return nil
}
