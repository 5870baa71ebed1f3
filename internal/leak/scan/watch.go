package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/sessionstamp/sessionstamp/internal/leak"
)

// event is one line of go test -json: see [test2json].
//
// [test2json]: https://pkg.go.dev/cmd/test2json
type event struct {
	Action, Package, Test, Output string
	ImportPath                    string // of what was built
}

// unit is a test, or a package as a whole where test is "".
type unit struct{ pkg, test string }

// watcher is told of everything that tests print.
type watcher struct {
	out io.Writer
	// verbose shows everything at once, as go test -v does.
	verbose bool
	// printed is what each unit has printed that is not over yet.
	printed map[unit]*transcript
	leaked  map[unit]bool
	// loud is what tests that passed have printed by themselves, for each package. The
	// race detector's report is told of whichever test printed its name last.
	loud map[string]string
}

// transcript is what a unit has printed. Of a long line test2json makes several events,
// so what was looked at, in bytes, ends with the last line that is whole.
type transcript struct {
	text   []byte
	looked int
}

// watch reads events until there are no more. It shows the results of packages, what
// failed tests have printed or, if it is to be verbose, what all have, and leaks, and
// returns how many tests have any.
func watch(in io.Reader, out io.Writer, verbose bool) (found int, err error) {
	w := watcher{out: out, verbose: verbose, printed: make(map[unit]*transcript), leaked: make(map[unit]bool), loud: make(map[string]string)}
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			w.tell(line)
		}
		if err != nil {
			for u := range w.printed { // of a run that broke off
				w.end(u)
			}
		}
		if errors.Is(err, io.EOF) {
			return len(w.leaked), nil
		}
		if err != nil {
			return len(w.leaked), err
		}
	}
}

func (w *watcher) tell(line []byte) {
	var e event
	if json.Unmarshal(line, &e) != nil { // of the go command itself
		_, _ = w.out.Write(line)
		w.look(unit{}, string(line))
		return
	}
	u := unit{e.Package, e.Test}
	switch e.Action {
	case "output":
		w.keep(u, e.Output)
	case "build-output":
		_, _ = io.WriteString(w.out, e.Output)
	case "pass", "skip", "bench":
		switch text := w.end(u); {
		case u.test == "" && !w.verbose:
			_, _ = io.WriteString(w.out, summary(text))
		case speaks(text):
			w.loud[u.pkg] += text
		}
	case "fail":
		text := w.end(u)
		if u.test == "" {
			text = w.loud[u.pkg] + text
		}
		if !w.verbose {
			_, _ = io.WriteString(w.out, text)
		}
	}
}

// speaks tells whether there is a line that is not of package testing: those name a
// test, or are logged by it and indented.
func speaks(text string) bool {
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "=== ") && !strings.HasPrefix(line, "--- ") && !strings.HasPrefix(line, " ") {
			return true
		}
	}
	return false
}

// keep keeps what was printed, and looks at the lines that are whole. A secret that is
// spread over lines would not be found.
func (w *watcher) keep(u unit, text string) {
	if w.verbose {
		_, _ = io.WriteString(w.out, text)
	}
	t := w.printed[u]
	if t == nil {
		t = new(transcript)
		w.printed[u] = t
	}
	t.text = append(t.text, text...)
	for {
		line, _, whole := bytes.Cut(t.text[t.looked:], []byte("\n"))
		if !whole {
			return
		}
		w.look(u, string(line))
		t.looked += len(line) + 1
	}
}

// end looks at what stands after the last line of a unit, and returns all that the
// unit has printed.
func (w *watcher) end(u unit) string {
	t := w.printed[u]
	if t == nil {
		return ""
	}
	delete(w.printed, u)
	w.look(u, string(t.text[t.looked:]))
	return string(t.text)
}

// look tells of a leak in a line, once for each unit. Lines that name a test are looked
// at like any other: whatever a test prints could begin as they do. So no test may be
// called after a secret or a user.
func (w *watcher) look(u unit, line string) {
	if w.leaked[u] {
		return
	}
	if leaked, ok := leak.Find([]byte(line)); ok {
		w.leaked[u] = true
		_, _ = fmt.Fprintf(w.out, "LEAK: %s %s prints %s, %q:\n\t%s\n", u.pkg, u.test, leaked.Kind, leaked.Text, line)
	}
}

// summary returns the lines of a package's own output that go test shows without -v.
func summary(text string) string {
	var kept strings.Builder
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "ok ") || strings.HasPrefix(line, "? ") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}
