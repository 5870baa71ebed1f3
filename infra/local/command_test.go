package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestRunTeaches(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args   []string
		status int
		says   []string // on standard error
	}{
		"help":            {[]string{"-help"}, 0, []string{"go run ./infra/local", "-users", "-seed", "-json", "-v", "exit status", "go build -o local"}},
		"unknown flag":    {[]string{"-nothing"}, 2, []string{"-nothing", "Flags:"}},
		"no number":       {[]string{"-users", "many"}, 2, []string{`"many"`, "Flags:"}},
		"nobody":          {[]string{"-users", "0"}, 2, []string{"from 1 to 10000, not 0", "-help"}},
		"too many":        {[]string{"-users", "10001"}, 2, []string{"from 1 to 10000, not 10001"}},
		"a negative seed": {[]string{"-seed", "-1"}, 2, []string{`"-1"`}},
		"an argument":     {[]string{"-users", "0", "hello"}, 2, []string{"no arguments but flags", `"hello"`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			if status := run(t.Context(), test.args, &stdout, &stderr); status != test.status {
				t.Errorf("exit status %d, want %d", status, test.status)
			}
			if stdout.Len() > 0 {
				t.Errorf("standard output is for results, not for %q", stdout.String())
			}
			checkFits(t, stderr.String(), 40)
			for _, text := range test.says {
				if !strings.Contains(stderr.String(), text) {
					t.Errorf("%q is not in %q", text, stderr.String())
				}
			}
		})
	}
}

// TestRunVerbose: all logs are shown, and the story is told in its order, in lines that a
// terminal shows whole.
func TestRunVerbose(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	if status := run(t.Context(), []string{"-v", "-users", "10"}, &stdout, &stderr); status != 0 {
		t.Fatalf("exit status %d: %s%s", status, stdout.Bytes(), stderr.Bytes())
	}
	if !strings.Contains(stderr.String(), `"msg":"user handled"`) {
		t.Errorf("no record of a user in\n%s", stderr.Bytes())
	}
	if strings.Contains(stderr.String(), "@"+federatedDomain) {
		t.Error("the log names somebody")
	}
	checkFits(t, stdout.String(), 100)
	rest := stdout.String()
	for _, next := range []string{
		tellArrival, tellOutage, tellRepaired, tellImport, tellReached, tellReleased, "users came", "< 1 s", "Every promise was kept",
	} {
		_, after, told := strings.Cut(rest, next)
		if !told {
			t.Fatalf("%q is not told, or out of its turn, in\n%s", next, stdout.String())
		}
		rest = after
	}
}

// TestRunInterrupted: where a program reads the result, there is none.
func TestRunInterrupted(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	var stdout, stderr bytes.Buffer
	if status := run(ctx, []string{"-users", "10", "-json"}, &stdout, &stderr); status != 1 || stdout.Len() > 0 {
		t.Errorf("exit status %d, want 1; standard output %q", status, stdout.String())
	}
	if got, want := stderr.String(), "local: interrupted\n"; got != want {
		t.Errorf("standard error %q, want %q", got, want)
	}
}

// TestRunJSON plays the demonstration in real time, as a program would have it.
func TestRunJSON(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	if status := run(t.Context(), []string{"-json", "-users", "10"}, &stdout, &stderr); status != 0 {
		t.Fatalf("exit status %d: %s%s", status, stdout.Bytes(), stderr.Bytes())
	}
	if stderr.Len() > 0 {
		t.Errorf("standard error: %s", stderr.Bytes())
	}
	var got map[string]any
	if err := json.Unmarshal(stdout.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string]float64{"users": 10, "seed": 1, "stamped_twice": 0, "out_of_scope_touched": 0, "unstamped": 0} {
		if got[field] != want {
			t.Errorf("%s is %v, want %v", field, got[field], want)
		}
	}
	for _, field := range []string{"in_scope", "recovered_by_sweep", "forged_dropped", "brake_held", "graph_requests", "peak_rss_mb"} {
		if n, ok := got[field].(float64); !ok || n <= 0 {
			t.Errorf("%s is %v, want a number above 0", field, got[field])
		}
	}
	if got["in_scope"] != got["stamped"] {
		t.Errorf("%v in scope, %v stamped", got["in_scope"], got["stamped"])
	}
}

// TestReport checks that every broken promise shows in the exit status.
func TestReport(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		result result
		status int
	}{
		"kept":         {result{Created: 3, Stamped: 3}, 0},
		"unstamped":    {result{Unstamped: 1}, 1},
		"twice":        {result{StampedTwice: 1}, 1},
		"out of scope": {result{OutOfScopeTouched: 1}, 1},
		"dead letters": {result{DeadLetters: 1}, 1},
		"violations":   {result{Violations: []string{"the beta version of Graph was called"}}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, asJSON := range []bool{true, false} {
				var stdout bytes.Buffer
				if status := conclude(test.result, options{json: asJSON}, &stdout); status != test.status {
					t.Errorf("exit status %d, want %d", status, test.status)
				}
				if v := test.result.Violations; len(v) > 0 && !strings.Contains(stdout.String(), v[0]) {
					t.Errorf("what was broken is not in %q", stdout.String())
				}
			}
		})
	}
}

// TestPage: the page has the numbers of the run, and no others.
func TestPage(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "demo.html")
	r := result{Stamped: 502, StampedTwice: 7, LatencyMS: latencies{4960, 14210, 19000, 21000}, Histogram: histogram{89, 33, 128, 149, 97, 6}, LeftAlone: map[string]int{"guest": 32, "existing": 12}}
	if err := r.writePage(file, time.Date(2026, 11, 29, 11, 0, 0, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{">502<", ">5 s<", "14.2 s", ">7<", ">149<", "&lt; 20 s", "≥ 20 s", "guests 32", "2026-11-29 11:00"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s is not in the page", want)
		}
	}
	if strings.Contains(string(text), "members of federated domains") {
		t.Error("the page counts members, whom the run has not counted")
	}
}

func TestPercentiles(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[i] = time.Duration(100-i) * ms
	}
	for name, test := range map[string]struct {
		times []time.Duration
		want  latencies
	}{
		"of nothing": {nil, latencies{}},
		"of one":     {[]time.Duration{7 * ms}, latencies{7, 7, 7, 7}},
		"of two":     {[]time.Duration{9 * ms, 3 * ms}, latencies{3, 9, 9, 9}},
		"of hundred": {hundred, latencies{50, 95, 99, 100}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := percentiles(test.times); got != test.want {
				t.Errorf("percentiles = %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestHistogram(t *testing.T) {
	t.Parallel()
	const s = time.Second
	got := newHistogram([]time.Duration{0, s - 1, s, 4 * s, 5 * s, 19 * s, 20 * s, 3600 * s})
	if want := (histogram{2, 1, 1, 1, 1, 2}); got != want {
		t.Errorf("histogram = %v, want %v", got, want)
	}
}
