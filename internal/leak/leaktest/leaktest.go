// Package leaktest fails a test that lets a secret or a name into a log, a metric or
// an error. Whatever a test gives to the code under test to write to goes through it,
// and so does every error that a test compares and does not print: there are tests that
// no logger is made and no error judged otherwise.
package leaktest

import (
	"io"
	"log/slog"
	"sync"
	"testing"

	"github.com/sessionstamp/sessionstamp/internal/leak"
)

// Writer passes on to w what it is given, and looks at it. What is written with one
// call is looked at as a whole, which suits handlers of package log/slog. Several may
// write at once, as they may to a file.
func Writer(t testing.TB, w io.Writer) io.Writer {
	t.Helper()
	return &writer{t: t, w: w}
}

type writer struct {
	t  testing.TB
	mu sync.Mutex
	w  io.Writer
}

// Write implements [io.Writer].
func (w *writer) Write(text []byte) (int, error) {
	w.t.Helper()
	look(w.t, text)
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.w.Write(text)
}

// Log returns a logger whose records are only looked at.
func Log(t testing.TB) *slog.Logger {
	t.Helper()
	return slog.New(slog.NewJSONHandler(Writer(t, io.Discard), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// Error looks at the text of an error, nil for none.
func Error(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		look(t, []byte(err.Error()))
	}
}

// Seen looks at the text of an error, nil for none, and returns the error. What a test
// compares goes through it, since nothing else would read the text:
//
//	if !errors.Is(leaktest.Seen(t, err), fs.ErrNotExist) {
func Seen(t testing.TB, err error) error {
	t.Helper()
	Error(t, err)
	return err
}

// Known fails the test unless a secret or a name that it uses would be found.
func Known(t testing.TB, secret string) {
	t.Helper()
	if _, ok := leak.Find([]byte(secret)); !ok {
		t.Errorf("%q would not be found where it must not stand: invent another one, with leak.Canary in it", secret)
	}
}

func look(t testing.TB, text []byte) {
	t.Helper()
	if found, ok := leak.Find(text); ok {
		t.Errorf("%s, %q, must not stand in\n%s", found.Kind, found.Text, text)
	}
}
