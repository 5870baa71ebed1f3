package main

import (
	"bufio"
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
	// printed is what each unit has printed that is not over yet.
	printed map[unit]*strings.Builder
	leaked  map[unit]bool
}

// watch reads events until there are no more. It shows the results of packages, what
// failed tests have printed, and leaks, and returns how many tests have any.
func watch(in io.Reader, out io.Writer) (found int, err error) {
	w := watcher{out: out, printed: make(map[unit]*strings.Builder), leaked: make(map[unit]bool)}
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			w.tell(line)
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
	if json.Unmarshal(line, &e) != nil {
		_, _ = w.out.Write(line) // of the go command itself
		return
	}
	u := unit{e.Package, e.Test}
	switch e.Action {
	case "output":
		w.keep(u, e.Output)
	case "build-output":
		_, _ = io.WriteString(w.out, e.Output)
	case "pass", "skip":
		if u.test == "" {
			_, _ = io.WriteString(w.out, summary(w.text(u)))
		}
		delete(w.printed, u)
	case "fail":
		_, _ = io.WriteString(w.out, w.text(u))
		delete(w.printed, u)
	}
}

// keep keeps what was printed, and looks at it. A test that prints a secret in
// several pieces would not be found; none prints by the byte.
func (w *watcher) keep(u unit, text string) {
	if w.printed[u] == nil {
		w.printed[u] = new(strings.Builder)
	}
	w.printed[u].WriteString(text)
	if isName(text) || w.leaked[u] {
		return
	}
	if leaked, ok := leak.Find([]byte(text)); ok {
		w.leaked[u] = true
		_, _ = fmt.Fprintf(w.out, "LEAK: %s %s prints %s, %q:\n\t%s\n", u.pkg, u.test, leaked.Kind, leaked.Text, strings.TrimRight(text, "\n"))
	}
}

// isName tells whether a line only names a test, perhaps after what it is about.
func isName(line string) bool {
	line = strings.TrimLeft(line, " ")
	return strings.HasPrefix(line, "=== ") || strings.HasPrefix(line, "--- ")
}

func (w *watcher) text(u unit) string {
	if text := w.printed[u]; text != nil {
		return text.String()
	}
	return ""
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
