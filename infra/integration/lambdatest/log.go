package lambdatest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
)

// A Log holds the lines that a program wrote to its standard output and error. Its
// zero value is empty. It is safe for concurrent use.
type Log struct {
	mu      sync.Mutex
	lines   []string
	partial []byte
	grown   chan struct{} // closed with the next line; nil if nobody waits
}

// Write takes what the process writes.
func (l *Log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.partial = append(l.partial, b...)
	for {
		line, rest, whole := bytes.Cut(l.partial, []byte("\n"))
		if !whole {
			break
		}
		l.lines = append(l.lines, string(line))
		l.partial = rest
	}
	if l.grown != nil {
		close(l.grown)
		l.grown = nil
	}
	return len(b), nil
}

// Lines are the lines so far.
func (l *Log) Lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.lines)
}

func (l *Log) String() string { return strings.Join(l.Lines(), "\n") }

// Records are the lines that are JSON objects, so far.
func (l *Log) Records() []map[string]any { return records(l.Lines()) }

func records(lines []string) []map[string]any {
	var all []map[string]any
	for _, line := range lines {
		var record map[string]any
		if json.Unmarshal([]byte(line), &record) == nil {
			all = append(all, record)
		}
	}
	return all
}

// Wait returns the first record that is wanted, once it is there.
func (l *Log) Wait(ctx context.Context, wanted func(record map[string]any) bool) (map[string]any, error) {
	for seen := 0; ; {
		lines, grown := l.more()
		for _, record := range records(lines[seen:]) {
			if wanted(record) {
				return record, nil
			}
		}
		seen = len(lines)
		select {
		case <-grown:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// look fails the test if a line holds a secret or a name, or what stands after the
// last line: a program may have been killed while it wrote.
func (l *Log) look(t testing.TB) {
	t.Helper()
	l.mu.Lock()
	lines := append(slices.Clone(l.lines), string(l.partial))
	l.mu.Unlock()
	for _, line := range lines {
		_, _ = leaktest.Writer(t, io.Discard).Write([]byte(line))
	}
}

// more returns the lines so far and what is closed when there are more.
func (l *Log) more() ([]string, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.grown == nil {
		l.grown = make(chan struct{})
	}
	return slices.Clone(l.lines), l.grown
}
