package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/internal/goldentest"
	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
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
		"nobody":          {[]string{"-users", "0"}, 2, []string{"from 1 to 100000, not 0", "-help"}},
		"too many":        {[]string{"-users", "100001"}, 2, []string{"from 1 to 100000, not 100001"}},
		"a negative seed": {[]string{"-seed", "-1"}, 2, []string{`"-1"`}},
		"an argument":     {[]string{"-users", "0", "hello"}, 2, []string{"no arguments but flags", `"hello"`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			if status := run(t.Context(), test.args, &stdout, leaktest.Writer(t, &stderr)); status != test.status {
				t.Errorf("exit status %d, want %d", status, test.status)
			}
			if stdout.Len() > 0 {
				t.Errorf("standard output is for results, not for %q", stdout.String())
			}
			checkWidth(t, stderr.String())
			if rows := strings.Count(stderr.String(), "\n"); rows > 20 && name != "help" {
				t.Errorf("%d lines: what is wrong scrolls away in %q", rows, stderr.String())
			}
			for _, text := range test.says {
				if !strings.Contains(stderr.String(), text) {
					t.Errorf("%q is not in %q", text, stderr.String())
				}
			}
		})
	}
}

// TestRunVerbose: all logs are shown, neither they nor the results name anybody, and
// the story is told in its order, in lines that a terminal shows whole.
func TestRunVerbose(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	if status := run(t.Context(), []string{"-v", "-users", "10"}, leaktest.Writer(t, &stdout), leaktest.Writer(t, &stderr)); status != 0 {
		t.Fatalf("exit status %d: %s%s", status, stdout.Bytes(), stderr.Bytes())
	}
	if !strings.Contains(stderr.String(), `"msg":"user handled"`) {
		t.Errorf("no record of a user in\n%s", stderr.Bytes())
	}
	checkWidth(t, stdout.String())
	rest := stdout.String()
	for _, next := range []string{
		"First act: 10 users appear, on a bad day.\n", "all stamped and read back.\n", "Second act: ", deliversAgain, repaired,
		"The sweep found ", "stamped.\n", "Third act: ", endThird, "deaths", "\n\n", "users were there before", "Every promise was kept",
	} {
		_, after, told := strings.Cut(rest, next)
		if !told {
			t.Fatalf("%q is not told, or out of its turn, in\n%s", next, stdout.String())
		}
		rest = after
	}
	if before, _, _ := strings.Cut(stdout.String(), "First act"); strings.Contains(before, "created") {
		t.Errorf("something is counted before anything happens: %s", before)
	}
}

// TestRunInterrupted: whoever interrupts the first act sees no other begin, and one
// line that says so.
func TestRunInterrupted(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	var stdout, stderr bytes.Buffer
	reader := &impatient{w: &stdout, text: "First act", leave: interrupt}
	if status := run(ctx, []string{"-users", "10"}, leaktest.Writer(t, reader), leaktest.Writer(t, &stderr)); status != 1 {
		t.Errorf("exit status %d, want 1", status)
	}
	if got, want := stderr.String(), "local: interrupted\n"; got != want {
		t.Errorf("standard error %q, want %q", got, want)
	}
	if !strings.Contains(stdout.String(), reader.text) {
		t.Errorf("there was no %q to interrupt:\n%s", reader.text, stdout.String())
	}
	for _, text := range []string{"Second act", "Third act", "there before"} {
		if strings.Contains(stdout.String(), text) {
			t.Errorf("%q after the interrupt, in\n%s", text, stdout.String())
		}
	}
}

// TestRunInterruptedJSON: where a program reads the result, there is none.
func TestRunInterruptedJSON(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	var stdout, stderr bytes.Buffer
	if status := run(ctx, []string{"-users", "10", "-json"}, &stdout, leaktest.Writer(t, &stderr)); status != 1 || stdout.Len() > 0 {
		t.Errorf("exit status %d, want 1; standard output %q", status, stdout.String())
	}
	if got, want := stderr.String(), "local: interrupted\n"; got != want {
		t.Errorf("standard error %q, want %q", got, want)
	}
}

// impatient leaves when it has seen a text.
type impatient struct {
	w     io.Writer
	text  string
	leave func()
}

func (r *impatient) Write(text []byte) (int, error) {
	if bytes.Contains(text, []byte(r.text)) {
		r.leave()
	}
	return r.w.Write(text)
}

// TestRunJSON plays the demonstration in real time, as a program would have it.
func TestRunJSON(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	if status := run(t.Context(), []string{"-json", "-users", "10"}, &stdout, leaktest.Writer(t, &stderr)); status != 0 {
		t.Fatalf("exit status %d: %s%s", status, stdout.Bytes(), stderr.Bytes())
	}
	if stderr.Len() > 0 {
		t.Errorf("standard error: %s", stderr.Bytes())
	}
	var got map[string]any
	decoder := json.NewDecoder(&stdout)
	if err := decoder.Decode(&got); err != nil {
		t.Fatal(err)
	}
	if decoder.More() {
		t.Error("there is more than one JSON object")
	}
	checkDocumented(t, got)
	for field, want := range map[string]float64{"users": 10, "seed": 1, "stamped_twice": 0, "out_of_scope_touched": 0, "unstamped": 0} {
		if got[field] != want {
			t.Errorf("%s is %v, want %v", field, got[field], want)
		}
	}
	if got["in_scope"] != got["stamped"] || got["recovered_by_sweep"] == 0.0 || got["forged_dropped"] == 0.0 {
		t.Errorf("not what was to be shown: %v", got)
	}
}

// checkDocumented checks that every field that programs rely on is a number.
func checkDocumented(t *testing.T, got map[string]any) {
	t.Helper()
	for _, field := range []string{
		"created", "in_scope", "stamped", "stamped_twice", "out_of_scope_touched", "forged_dropped", "graph_requests",
		"peak_rss_mb", "missed_by_webhook", "recovered_by_sweep", "backfill_held",
	} {
		if _, ok := got[field].(float64); !ok {
			t.Errorf("%s is %v, want a number", field, got[field])
		}
	}
	latency, _ := got["latency_ms"].(map[string]any)
	for _, field := range []string{"p50", "p95", "p99"} {
		if n, ok := latency[field].(float64); !ok || n <= 0 {
			t.Errorf("latency_ms.%s is %v, want a number above 0", field, latency[field])
		}
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
				if status := report(test.result, options{json: asJSON}, &stdout); status != test.status {
					t.Errorf("exit status %d, want %d", status, test.status)
				}
				if v := test.result.Violations; len(v) > 0 && !strings.Contains(stdout.String(), v[0]) {
					t.Errorf("what was broken is not in %q", stdout.String())
				}
			}
		})
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	r := result{
		Created: 520, InScope: 437, Stamped: 437, ReadBack: 449,
		Unnotified: 20, MissedByWebhook: 19, RecoveredBySweep: 17, BackfillStamped: 6, BackfillHeld: 6,
		LeftAlone:     map[string]int{"guest": 26, "excluded": 21, "stamped": 54, "a_new_reason": 1},
		Notifications: 1312, NotificationsReSent: 11, ForgedDropped: 40,
		Dropped:       map[string]int{"forged": 40, "duplicate": 311},
		GraphRequests: 1203, GraphThrottled: 12, WorkersDied: 14,
		LatencyMS: latencies{P50: 412, P95: 1950, P99: 9049, Max: 12345}, PeakRSSMB: 61.4,
		Violations: []string{"user 7 was revoked"},
	}
	var got bytes.Buffer
	if err := r.writeTable(&got); err != nil {
		t.Fatal(err)
	}
	goldentest.Compare(t, "testdata/table.golden", got.String())
}

// TestTableFits prints the table of the largest run, with every reason there is.
func TestTableFits(t *testing.T) {
	t.Parallel()
	const n = 1_234_567
	r := result{
		Existing: n, Created: n, InScope: n, Stamped: n, Unstamped: n, StampedTwice: n, OutOfScopeTouched: n, ReadBack: n,
		Unnotified: n, MissedByWebhook: n, RecoveredBySweep: n, BackfillStamped: n, BackfillHeld: n,
		LeftAlone: make(map[string]int), Dropped: map[string]int{"duplicate": n, "forged": n, "malformed": n},
		Notifications: n, NotificationsReSent: n, GraphRequests: n, GraphThrottled: n, WorkersDied: n,
		LatencyMS: latencies{P50: n, P95: n, P99: n, Max: n}, PeakRSSMB: 12345,
	}
	for reason := range leftAlone {
		r.LeftAlone[reason] = n
	}
	for _, r := range []result{r, {}} { // with the verdicts for broken and for kept promises
		var got bytes.Buffer
		if err := r.writeTable(&got); err != nil {
			t.Fatal(err)
		}
		checkWidth(t, got.String())
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
