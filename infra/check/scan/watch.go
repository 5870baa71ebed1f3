package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// event is one line of go test -json: see [test2json].
//
// [test2json]: https://pkg.go.dev/cmd/test2json
type event struct{ Action, Package, Test, Output string }

// unit is a test, or a package as a whole where test is "".
type unit struct{ pkg, test string }

// watcher sees everything that tests print.
type watcher struct {
	out     io.Writer
	verbose bool
	printed map[unit]string   // by units that are not over yet
	loud    map[string]string // what tests that passed printed by themselves, by package
	leaked  map[unit]bool
}

func newWatcher(out io.Writer, verbose bool) *watcher {
	return &watcher{
		out: out, verbose: verbose,
		printed: make(map[unit]string), loud: make(map[string]string), leaked: make(map[unit]bool),
	}
}

// watch reads events until there are no more.
func (w *watcher) watch(in io.Reader) error {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadString('\n')
		var e event
		if json.Unmarshal([]byte(line), &e) == nil {
			w.tell(e)
		} else {
			w.show(line) // of the go command itself
			w.look(unit{}, line)
		}
		if err == nil {
			continue
		}
		for u := range w.printed { // of a run that broke off
			w.end(u)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		return err
	}
}

func (w *watcher) tell(e event) {
	u := unit{e.Package, e.Test}
	switch e.Action {
	case "output":
		w.printed[u] += e.Output
		if w.verbose {
			w.show(e.Output)
		}
	case "build-output":
		w.show(e.Output)
	case "pass", "skip", "bench":
		text := w.end(u)
		if u.test == "" && !w.verbose {
			w.show(only(text, func(line string) bool { return strings.HasPrefix(line, "ok ") || strings.HasPrefix(line, "? ") }))
		}
		if u.test != "" { // the race detector's report goes to whichever test runs
			w.loud[u.pkg] += only(text, speaks)
		}
	case "fail":
		text := w.end(u)
		if u.test == "" {
			text = w.loud[u.pkg] + text
		}
		if !w.verbose {
			w.show(text)
		}
	}
}

func (w *watcher) show(text string) { _, _ = io.WriteString(w.out, text) }

// end looks at all that a unit has printed, line by line, and returns it. A secret that
// is spread over lines is not found.
func (w *watcher) end(u unit) string {
	text := w.printed[u]
	delete(w.printed, u)
	for line := range strings.Lines(text) {
		w.look(u, line)
	}
	return text
}

// look tells of a leak in a line, once for each unit.
func (w *watcher) look(u unit, line string) {
	if kind, text := find(line); kind != "" && !w.leaked[u] {
		w.leaked[u] = true
		w.show(fmt.Sprintf("LEAK: %s %s prints %s, %q:\n\t%s\n", u.pkg, u.test, kind, text, line))
	}
}

// speaks tells whether a line is not of package testing: such lines name a test, or are
// logged by it and indented.
func speaks(line string) bool {
	return !strings.HasPrefix(line, "=== ") && !strings.HasPrefix(line, "--- ") && !strings.HasPrefix(line, " ")
}

// only returns the lines of a text that are wanted.
func only(text string, wanted func(line string) bool) string {
	var kept strings.Builder
	for line := range strings.Lines(text) {
		if wanted(line) {
			kept.WriteString(line)
		}
	}
	return kept.String()
}
