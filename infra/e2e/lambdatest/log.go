package lambdatest

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
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

// String is all that was written, with what stands after the last line: a program may
// have been killed while it wrote.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n") + "\n" + string(l.partial)
}

// records are the lines that are JSON objects.
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

// more returns the lines so far and what is closed when there are more.
func (l *Log) more() ([]string, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.grown == nil {
		l.grown = make(chan struct{})
	}
	return slices.Clone(l.lines), l.grown
}
