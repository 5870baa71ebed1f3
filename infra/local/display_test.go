package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// most is more progress than there can be.
var most = progress{
	act: 3, now: tellReached, elapsed: 999 * time.Second, expected: 999 * time.Second,
	users: 99_999, created: 99_999, due: 99_999, stamped: 99_999, confirmed: 99_999,
	waiting: 99_999, late: 99_999, forged: 99_999, throttled: 99_999, died: 99_999,
	times: histogram{99_999, 99_999, 99_999, 99_999, 99_999, 99_999},
}

var escapes = regexp.MustCompile(`\x1b\[[0-9]*[A-Za-z]`)

// checkFits checks that a terminal of 80 columns and so many rows shows all of text.
func checkFits(t *testing.T, text string, rows int) {
	t.Helper()
	text = escapes.ReplaceAllString(text, "")
	if n := strings.Count(text, "\n"); n >= rows {
		t.Errorf("%d lines:\n%s", n, text)
	}
	for line := range strings.Lines(text) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n >= 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

func TestPictureFits(t *testing.T) {
	t.Parallel()
	for _, text := range []string{tellArrival, tellOutage, tellRepaired, tellImport, tellReached, tellReleased} {
		p := most
		p.now = text
		checkFits(t, strings.Join(picture(p), "\n"), 24)
	}
	checkFits(t, strings.Join(picture(progress{}), "\n"), 24)
}

func TestTableFits(t *testing.T) {
	t.Parallel()
	const n = 99_999
	r := result{
		Existing: n, Created: n, InScope: n, Stamped: n, ReadBack: n, Unnotified: n, RecoveredBySweep: n,
		BrakeLimit: n, BrakeHeld: n, Notifications: n, ForgedDropped: n, GraphRequests: n, GraphThrottled: n, WorkersDied: n,
		Histogram: most.times, LatencyMS: latencies{n, n, n, n}, PeakRSSMB: n,
	}
	for _, r := range []result{r, {}} {
		var got bytes.Buffer
		if err := r.writeTable(&got); err != nil {
			t.Fatal(err)
		}
		checkFits(t, got.String(), 24)
	}
}

// TestScreen: each picture is drawn over the one before, and the last one leaves nothing
// behind.
func TestScreen(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	s := &screen{w: &out}
	s.show(most)
	s.show(most)
	if n := strings.Count(out.String(), "\x1b[2J"); n != 1 {
		t.Errorf("the screen was cleared %d times, want once", n)
	}
	if n := strings.Count(out.String(), "\x1b[H"); n != 2 {
		t.Errorf("drawing began at the top %d times, want twice", n)
	}
	s.end()
	if !strings.HasSuffix(out.String(), "\x1b[2J\x1b[H") {
		t.Error("the picture stays on the screen")
	}
}
