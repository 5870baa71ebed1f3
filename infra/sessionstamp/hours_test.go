package main

import (
	"testing"
	"time"
)

func TestWindow(t *testing.T) {
	t.Parallel()
	clock := func(text string) time.Time {
		at, err := time.ParseInLocation("2006-01-02 15:04", "2026-11-"+text, tokyo)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	for _, c := range []struct{ hours, now, from, to, end string }{ // end: of nine hours' work
		{"22:00-05:00", "10 12:00", "10 22:00", "11 05:00", "12 00:00"},
		{"22:00-05:00", "10 23:00", "10 22:00", "11 05:00", "12 01:00"},
		{"22:00-05:00", "11 04:59", "10 22:00", "11 05:00", "12 23:59"},
		{"22:00-05:00", "11 05:00", "11 22:00", "12 05:00", "13 00:00"},
		{"12:30-13:00", "11 05:00", "11 12:30", "11 13:00", "28 13:00"},
		{"00:00-23:59", "11 05:00", "11 00:00", "11 23:59", "11 14:00"},
	} {
		var h hours
		if err := h.Set(c.hours); err != nil {
			t.Fatal(err)
		}
		from, to := h.window(clock(c.now))
		if end := h.end(clock(c.now), 9*time.Hour); !from.Equal(clock(c.from)) || !to.Equal(clock(c.to)) || !end.Equal(clock(c.end)) {
			t.Errorf("%s at %s: got %s to %s, end %s", c.hours, c.now, from, to, end)
		}
	}
	for _, text := range []string{"", "22:00", "22:00-22:00", "24:00-05:00", "22-5", "-", "22:00-05:00-06:00"} {
		if new(hours).Set(text) == nil {
			t.Errorf("%q was taken", text)
		}
	}
}
