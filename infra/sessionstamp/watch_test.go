package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/demo"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/goldentest"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/job"
	"github.com/sessionstamp/sessionstamp/shared/bolt"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

// A machine is one on which watch runs as a service does, in virtual time, against an
// emulated tenant. What it does is judged there.
type machine struct {
	t      *testing.T
	tenant *demo.Tenant
	env    []string
	down   atomic.Bool
}

// lag is how long Graph takes for a batch.
const lag = 300 * time.Millisecond

func onMachine(t *testing.T, test func(t *testing.T, m *machine)) {
	t.Helper()
	home := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		m := &machine{t: t, tenant: demo.New(1, time.Now), env: []string{
			"HOME=" + home, tenantVariable + "=" + demo.TenantID, clientVariable + "=" + demo.ClientID, secretVariable + "=" + demo.Secret,
		}}
		test(t, m)
		m.tenant.Close()
	})
}

func (m *machine) transport(r *http.Request) (*http.Response, error) {
	if m.down.Load() {
		return nil, errors.New("no route to host")
	}
	answer, err := m.tenant.Transport().RoundTrip(r)
	if !strings.HasSuffix(r.URL.Path, "/$batch") {
		return answer, err // a mutex is held, where virtual time stands still
	}
	select { // what is cancelled on the way has had its effect
	case <-time.After(lag):
		return answer, err
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

func (m *machine) play(ctx context.Context, args ...string) (status int, stdout, stderr string) {
	return play(ctx, func(p *program) {
		p.Env, p.Transport, p.Now = environment(m.env), roundTripper(m.transport), time.Now
	}, append(args, "-o", "json")...)
}

// watchFor watches for a while, and is stopped as systemd would.
func (m *machine) watchFor(d time.Duration, args ...string) (events []event) {
	m.t.Helper()
	ctx, stop := context.WithCancel(m.t.Context())
	defer time.AfterFunc(d, stop).Stop()
	status, stdout, stderr := m.play(ctx, append([]string{"watch"}, args...)...)
	if status != fine || !strings.Contains(stderr, "Nothing is half done") {
		m.t.Errorf("exit status %d: %s", status, stderr)
	}
	return decode(m.t, stdout)
}

func decode(t *testing.T, lines string) (events []event) {
	t.Helper()
	for line := range strings.Lines(lines) {
		var e event
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.At == "" || e.Tenant != demo.TenantID {
			t.Fatalf("%q: %v", line, err)
		}
		events = append(events, e)
	}
	return events
}

// count counts events. Nobody may be stamped twice.
func count(t *testing.T, events []event) map[string]int {
	t.Helper()
	n, stamped := make(map[string]int), make(map[string]bool)
	for _, e := range events {
		n[e.Event]++
		if e.Event == eventStamped && stamped[e.User] {
			t.Errorf("user %s was stamped twice", e.User)
		}
		stamped[e.User] = stamped[e.User] || e.Event == eventStamped
	}
	return n
}

func (m *machine) newcomers(n int) {
	for range n {
		m.tenant.Newcomer(0)
	}
}

// first is how many of the demonstration's own users are new.
func (m *machine) first() int {
	m.t.Helper()
	_, stdout, _ := m.play(m.t.Context(), "watch", "--once", "--dry-run")
	return count(m.t, decode(m.t, stdout))[eventDry]
}

// TestWatchStopsAnywhere: whenever it is told to end, it knows of every call whether it
// worked. Else a stamp would be found later of which it has not told.
func TestWatchStopsAnywhere(t *testing.T) {
	t.Parallel()
	onMachine(t, func(t *testing.T, m *machine) {
		n := m.first() + 120
		var events []event
		for i := range 12 {
			m.newcomers(10)
			events = append(events, m.watchFor(time.Duration(i+1)*lag/3)...)
		}
		events = append(events, m.watchFor(20*time.Minute)...)
		got, want := count(t, events), map[string]int{eventFull: 1, eventStamped: n, eventConfirmed: n}
		if !maps.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		for _, e := range events {
			if e.Event == eventStamped && (e.User == "" || e.Seconds == nil) {
				t.Errorf("an event says too little: %+v", e)
			}
		}
	})
}

func TestWatchAtTheBrake(t *testing.T) {
	t.Parallel()
	onMachine(t, func(t *testing.T, m *machine) {
		m.newcomers(205)
		for range 2 { // cron is told each time
			status, stdout, _ := m.play(t.Context(), "watch", "--once")
			if events := count(t, decode(t, stdout)); status != wrong || events[eventBrake] != 1 {
				t.Errorf("exit status %d, events %v", status, events)
			}
		}
		ctx, stop := context.WithCancel(t.Context())
		time.AfterFunc(time.Hour, func() {
			if status, _, stderr := m.play(t.Context(), "watch", "--release"); status != wrong || !strings.Contains(stderr, "stop it") {
				t.Errorf("release meanwhile: exit status %d, %s", status, stderr)
			}
			if status, _, stderr := m.play(t.Context(), "watch", "--once"); status != wrong || !strings.Contains(stderr, "Another sessionstamp") {
				t.Errorf("twice at once: exit status %d, %s", status, stderr)
			}
			stop()
		})
		_, stdout, stderr := m.play(ctx, "watch")
		if events := count(t, decode(t, stdout)); events[eventBrake] != 1 || events[eventStamped] != 0 || !strings.Contains(stderr, "watch --release") {
			t.Errorf("events %v, %s", events, stderr)
		}
		for _, want := range []string{`"released": true`, `"released": false`} {
			if status, stdout, _ := m.play(t.Context(), "watch", "--release"); status != fine || !strings.Contains(stdout, want) {
				t.Errorf("release: exit status %d, %s", status, stdout)
			}
		}
	})
}

// TestWatchOnce: cron calls it twice. What a dry run has seen is stamped all the same.
func TestWatchOnce(t *testing.T) {
	t.Parallel()
	onMachine(t, func(t *testing.T, m *machine) {
		m.newcomers(3)
		n := m.first()
		if files, _ := filepath.Glob(filepath.Join(strings.TrimPrefix(m.env[0], "HOME="), "*", "*", "*", "*")); len(files) > 0 || n < 3 {
			t.Errorf("the dry run has left %q, and found %d users", files, n)
		}
		for _, want := range []map[string]int{{eventFull: 1, eventStamped: n}, {eventConfirmed: n}, {}} {
			status, stdout, stderr := m.play(t.Context(), "watch", "--once")
			if got := count(t, decode(t, stdout)); status != fine || stderr != "" || !maps.Equal(got, want) {
				t.Errorf("exit status %d, %q, events %v, want %v", status, stderr, got, want)
			}
			time.Sleep(6 * time.Minute)
		}
		m.down.Store(true)
		status, stdout, stderr := m.play(t.Context(), "watch", "--once")
		if got := count(t, decode(t, stdout)); status != wrong || stderr != "" || got[eventSilence] != 1 {
			t.Errorf("without Graph: exit status %d, %q, events %v", status, stderr, got)
		}
	})
}

func TestWatchSurvivesGraph(t *testing.T) {
	t.Parallel()
	onMachine(t, func(t *testing.T, m *machine) {
		time.AfterFunc(10*time.Minute, func() { m.down.Store(true); m.newcomers(1) })
		time.AfterFunc(3*time.Hour, func() { m.down.Store(false) })
		events := m.watchFor(4*time.Hour, "--every", "5m", "--exclude", "svc-*@example.co.jp")
		got := count(t, events)
		if got[eventSilence] != 1 || got[eventBack] != 1 || got[eventStamped] == 0 || got[eventExclusion] == 0 {
			t.Errorf("events %v", got)
		}
	})
}

// TestWatchLines: what a person sees, and what a program reads. On a terminal no line is
// too wide.
func TestWatchLines(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"watch-once": {"--once"}, "watch-dry": {"--once", "--dry-run", "--exclude", "svc-*@example.co.jp"}, "watch-release": {"--release"},
	} {
		for _, l := range languages() {
			var both bytes.Buffer
			status, _, _ := play(t.Context(), func(p *program) {
				p.Out.Live, p.Err.Live, p.Stdout, p.Stderr = true, true, &both, &both
			}, append([]string{"watch", "--demo", "--lang", string(l)}, args...)...)
			if want := map[bool]int{true: wrong}[name == "watch-dry"]; status != want { // its exclusion protects nobody
				t.Errorf("%s: exit status %d, want %d", name, status, want)
			}
			goldentest.Compare(t, name+"."+string(l)+".txt", both.String())
			checkScreen(t, both.String())
			goOn(t, both.String())
		}
	}
	_, stdout, _ := play(t.Context(), nil, "watch", "--demo", "--once", "-o", "json")
	goldentest.Compare(t, "watch-once.json", stdout)
}

// TestWatchOfDemo shows users who come, until a person has seen enough.
func TestWatchOfDemo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		ctx, stop := context.WithCancel(ctx)
		time.AfterFunc(time.Minute/2, stop)
		status, stdout, stderr := play(ctx, func(p *program) { p.Now = time.Now }, "watch", "--demo")
		if lines := strings.Count(stdout, "  stamped, "); status != fine || lines < 4 {
			t.Errorf("exit status %d, %d users in half a minute: %s%s", status, lines, stdout, stderr)
		}
		checkScreen(t, stderr)
	})
}

// TestWatchTells: what went wrong, in both languages. What lasts is told once.
func TestWatchTells(t *testing.T) {
	t.Parallel()
	for _, l := range languages() {
		file, err := bolt.Open(t.Context(), t.TempDir(), demo.TenantID)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		c := &call{program: program{Stdout: &out, Stderr: &out, Out: terminal, Err: terminal, Env: environment(nil), Now: func() time.Time { return at }}, lang: l, signInBy: byBrowser}
		c.introduceWatch(tenant{as: "taro@example.co.jp"}, watching{})
		excluded := watching{exclusions: exclusions{users: []string{"taro@example.co.jp", "Svc-*@example.co.jp"}}}
		w := c.newWatcher(job.New(job.Config{File: file, StampsPerDay: 1, Log: slog.New(slog.DiscardHandler), Now: time.Now}), demo.TenantID, excluded)
		bury(t, file)
		if _, err := w.engine.Brake().Take(t.Context(), demo.TenantID, 2, at); err != nil {
			t.Fatal(err)
		}
		for _, reason := range []stamp.Reason{stamp.ReasonExcluded, stamp.ReasonForbidden, stamp.ReasonBrake, stamp.ReasonBrake} {
			w.observe(t.Context(), stamp.Outcome{Request: stamp.Request{User: demo.ClientID}, Reason: reason})
		}
		for range 2 { // it is received again
			w.observe(t.Context(), stamp.Outcome{Request: stamp.Request{User: "taro@example.co.jp"}, Verdict: stamp.Failed, Reason: stamp.ReasonInvalid})
		}
		for _, waits := range []time.Duration{time.Minute, 16 * time.Minute, time.Hour} { // a minute may pass by itself
			gone := &directory.Error{Operation: "checkMemberGroups", StatusCode: 404, Code: "Request_ResourceNotFound"}
			w.observe(t.Context(), stamp.Outcome{
				Request: stamp.Request{User: demo.ClientID, Seen: at.Add(-waits)}, Verdict: stamp.Later, Reason: stamp.ReasonExclusionsUnavailable, Err: gone,
			})
		}
		for _, err := range []error{
			&directory.Error{Operation: directory.Token, StatusCode: 401, Code: "AADSTS7000222"},
			&directory.Error{Operation: directory.Token, StatusCode: 401, Code: "AADSTS7000222"}, nil,
		} {
			w.swept(t.Context(), sweep.Report{Kind: sweep.KindFull, Finished: err == nil, UnmatchedExclusions: []string{"svc-*@example.co.jp"}}, err)
		}
		w.farewell(t.Context())
		goldentest.Compare(t, "watch-events."+string(l)+".txt", out.String())
		if strings.Contains(out.String(), "taro") {
			t.Error("a name goes into a log")
		}
		if err := errors.Join(file.Close(), w.once(t.Context())); err == nil {
			t.Error("the look fails, and nobody hears of the file")
		}
	}
}

// bury leaves a request in the file that is not delivered any more.
func bury(t *testing.T, file *bolt.File) {
	t.Helper()
	q := bolt.NewQueue(file, bolt.QueueOptions{MaxReceives: 1, Now: time.Now})
	if err := q.Postpone(t.Context(), []stamp.Delayed{{Request: stamp.Request{User: demo.ClientID}}}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer stop()
	for ctx.Err() == nil {
		_, _ = q.Receive(ctx, 1) // the last one waits in vain
	}
}

// TestWatchWithoutReader: whoever reads its lines may end before it does.
func TestWatchWithoutReader(t *testing.T) {
	const child = "SESSIONSTAMP_TEST_WITHOUT_READER"
	if os.Getenv(child) != "" { //nolint:forbidigo // this process is the program
		os.Args = []string{"sessionstamp", "watch", "--demo", "--once"}
		main()
	}
	t.Parallel()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	_ = reader.Close()
	defer func() { _ = writer.Close() }()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestWatchWithoutReader$") //nolint:gosec // this test
	cmd.Env, cmd.Stdout = append(os.Environ(), child+"=1"), writer
	if err := cmd.Run(); err != nil {
		t.Errorf("watch ends with its reader: %v", err)
	}
}
