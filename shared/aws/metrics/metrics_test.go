package metrics_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/internal/goldentest"
	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/aws/metrics"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
	"github.com/sessionstamp/sessionstamp/shared/subscription"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
	"github.com/sessionstamp/sessionstamp/shared/webhook"
)

var (
	now = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

	_ revocation.Observer   = (*metrics.Recorder)(nil)
	_ webhook.Observer      = (*metrics.Recorder)(nil)
	_ subscription.Observer = (*metrics.Recorder)(nil)
	_ sweep.Observer        = (*metrics.Recorder)(nil)
)

func recorder(t *testing.T, out io.Writer) *metrics.Recorder {
	t.Helper()
	r, err := metrics.New(metrics.Config{
		Namespace: "sessionstamp", Stack: "production", Out: leaktest.Writer(t, out), Now: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// user is an outcome of one user with a name, which no metric may hold.
func user(verdict revocation.Verdict, reason revocation.Reason) revocation.Outcome {
	return revocation.Outcome{
		Request: revocation.Request{Tenant: "tenant-id", User: "user-id", Source: revocation.SourceNotification, Seen: now},
		Verdict: verdict, Reason: reason, Err: errors.New("hunter2@contoso.com"),
	}
}

// stamped is the outcome of a user who was stamped at an age.
func stamped(age time.Duration) revocation.Outcome {
	o := user(revocation.Done, revocation.ReasonRevoked)
	o.Created, o.Called = now.Add(-age), now
	return o
}

func missed(o revocation.Outcome) revocation.Outcome { o.Request.Missed = true; return o }

func backfilled(o revocation.Outcome) revocation.Outcome { o.Request.Backfill = true; return o }

// units are what a Recorder is told in one unit of work.
var units = map[string]func(t *testing.T, r *metrics.Recorder){
	"batch": observe(
		stamped(1500*time.Millisecond), stamped(3*time.Second), missed(stamped(7*time.Hour)), backfilled(stamped(9000*time.Hour)),
		stamped(-time.Second), // by another clock
		user(revocation.Done, revocation.ReasonReadBack), user(revocation.Done, revocation.ReasonKnownStamped),
		user(revocation.Done, revocation.ReasonKnownCannotFix), user(revocation.Done, revocation.ReasonExistingUser),
		user(revocation.Done, revocation.ReasonForbidden), user(revocation.Done, revocation.ReasonForbidden), user(revocation.Done, revocation.ReasonRefused),
		user(revocation.Done, revocation.ReasonStillEmpty), user(revocation.Done, revocation.ReasonUnconfirmed), user(revocation.Done, revocation.ReasonOlderStamp),
		user(revocation.Later, revocation.ReasonThrottled), user(revocation.Failed, revocation.ReasonThrottled),
		user(revocation.Failed, revocation.ReasonInvalid),
	),
	"batch-quiet": observe(user(revocation.Done, revocation.ReasonReadBack)),
	"webhook": receipt(webhook.Receipt{Kind: webhook.Delivery, Status: http.StatusAccepted, Items: 9, Queued: 4, Dropped: map[webhook.Reason]int{
		webhook.Forged: 3, webhook.Duplicate: 2,
	}}),
	"webhook-refused":   receipt(webhook.Receipt{Kind: webhook.Delivery, Status: http.StatusServiceUnavailable, Items: 9, Err: errors.New("down")}),
	"webhook-broken":    receipt(webhook.Receipt{Kind: webhook.Delivery, Status: http.StatusServiceUnavailable, Err: errors.New("broke off")}),
	"webhook-handshake": receipt(webhook.Receipt{Kind: webhook.Handshake, Status: http.StatusOK}),
	"keeper":            kept(subscription.Report{SubscriptionID: "id", HoursLeft: 695.5}),
	"keeper-gap": kept(subscription.Report{
		SubscriptionID: "id", HoursLeft: 695.5, Done: []subscription.Action{subscription.ActionCreated, subscription.ActionSweepAsked},
	}),
	"keeper-none":       kept(subscription.Report{Err: errors.New("hunter2"), Cause: subscription.CauseNoConsent}),
	"keeper-no-record":  kept(subscription.Report{Err: errors.New("hunter2"), Cause: subscription.CauseStore}),
	"keeper-taken-down": kept(subscription.Report{Trigger: subscription.TriggerTakeDown}),
	"keeper-stays-down": kept(subscription.Report{Found: []subscription.Finding{subscription.FoundTakenDown}}),
	"keeper-busy":       kept(subscription.Report{Found: []subscription.Finding{subscription.FoundBusy}}),
	"keeper-dry":        kept(subscription.Report{DryRun: true, Done: []subscription.Action{subscription.ActionSweepAsked}}),
	"sweep": swept(sweep.Report{
		Finished: true, Candidates: 12, Unreadable: 1, Members: 1000, Unstamped: 40, BackfillStopped: revocation.ReasonCeilingHour,
	}),
	"sweep-first":     swept(sweep.Report{Stopped: sweep.StopDeadline, Candidates: 3}),
	"sweep-leased":    swept(sweep.Report{Stopped: sweep.StopLeased}),
	"expiry":          expiring(now.Add(45*24*time.Hour + 12*time.Hour)),
	"expiry-past":     expiring(now.Add(-36 * time.Hour)),
	"expiry-unknown":  expiring(time.Time{}),
	"sign-in-failed":  func(_ *testing.T, r *metrics.Recorder) { r.ObserveSignInFailure() },
	"rotation":        rotated((*metrics.Recorder).ObserveRotation, ""),
	"rotation-failed": rotated((*metrics.Recorder).ObserveRotation, "permission"),

	"client-state-rotation":        rotated((*metrics.Recorder).ObserveClientStateRotation, ""),
	"client-state-rotation-failed": rotated((*metrics.Recorder).ObserveClientStateRotation, "pending"),
}

func observe(outcomes ...revocation.Outcome) func(*testing.T, *metrics.Recorder) {
	return func(t *testing.T, r *metrics.Recorder) {
		t.Helper()
		for _, o := range outcomes {
			r.Observe(t.Context(), o)
		}
	}
}

func receipt(receipt webhook.Receipt) func(*testing.T, *metrics.Recorder) {
	return func(t *testing.T, r *metrics.Recorder) { t.Helper(); r.ObserveReceipt(t.Context(), receipt) }
}

func kept(report subscription.Report) func(*testing.T, *metrics.Recorder) {
	return func(t *testing.T, r *metrics.Recorder) { t.Helper(); r.ObserveKeeper(t.Context(), report) }
}

func swept(report sweep.Report) func(*testing.T, *metrics.Recorder) {
	return func(t *testing.T, r *metrics.Recorder) { t.Helper(); r.ObserveSweep(t.Context(), report) }
}

func expiring(expires time.Time) func(*testing.T, *metrics.Recorder) {
	return func(t *testing.T, r *metrics.Recorder) { t.Helper(); r.ObserveExpiry(expires) }
}

func rotated(observe func(r *metrics.Recorder, failed string), failed string) func(*testing.T, *metrics.Recorder) {
	return func(t *testing.T, r *metrics.Recorder) { t.Helper(); observe(r, failed) }
}

// TestLines pins every line, and holds it against the specification.
func TestLines(t *testing.T) {
	t.Parallel()
	for name, tell := range units {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			r := recorder(t, &out)
			for range 2 { // what was flushed does not come again
				tell(t, r)
				if err := r.Flush(); err != nil {
					t.Error(err)
				}
				if err := r.Flush(); err != nil {
					t.Error(err)
				}
			}
			half := out.Len() / 2
			if !bytes.Equal(out.Bytes()[:half], out.Bytes()[half:]) {
				t.Errorf("the same was told twice in different words:\n%s", out.Bytes())
			}
			check(t, out.Bytes())
			goldentest.Compare(t, "testdata/"+name+".jsonl", string(out.Bytes()[:half]))
		})
	}
}

// document is what the specification demands of a line.
type document struct {
	AWS struct {
		Timestamp         int64
		CloudWatchMetrics []struct {
			Namespace  string
			Dimensions [][]string
			Metrics    []struct{ Name, Unit string }
		}
	} `json:"_aws"`
}

// check holds lines against the rules of the specification, and returns the values
// of each metric.
//
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
func check(t *testing.T, text []byte) map[string][]float64 {
	t.Helper()
	values := make(map[string][]float64)
	if strings.Contains(string(text), "hunter2") || strings.Contains(string(text), "user-id") {
		t.Errorf("a line holds what no metric may:\n%s", text)
	}
	for text := range bytes.Lines(text) {
		var d document
		var members map[string]any
		if err := errors.Join(json.Unmarshal(text, &d), json.Unmarshal(text, &members)); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		if d.AWS.Timestamp != now.UnixMilli() || len(d.AWS.CloudWatchMetrics) != 1 {
			t.Errorf("wrong metadata in %s", text)
		}
		for _, directive := range d.AWS.CloudWatchMetrics {
			for _, dimension := range slices.Concat(directive.Dimensions...) {
				if _, ok := members[dimension].(string); !ok {
					t.Errorf("dimension %s is no text in %s", dimension, text)
				}
			}
			if len(directive.Metrics) == 0 || len(directive.Metrics) > 100 || directive.Namespace != "sessionstamp" {
				t.Errorf("wrong directive in %s", text)
			}
			for _, m := range directive.Metrics {
				if !slices.Contains([]string{"Count", "Seconds", "None"}, m.Unit) {
					t.Errorf("unit %q in %s", m.Unit, text)
				}
				values[m.Name] = append(values[m.Name], numbers(t, members[m.Name])...)
			}
		}
	}
	return values
}

// numbers are the values of one metric.
func numbers(t *testing.T, member any) []float64 {
	t.Helper()
	if n, ok := member.(float64); ok {
		return []float64{n}
	}
	list, ok := member.([]any)
	if !ok || len(list) == 0 || len(list) > 100 {
		t.Errorf("%v is neither a number nor a list of at most 100", member)
	}
	var all []float64
	for _, n := range list {
		all = append(all, n.(float64))
	}
	return all
}

// A batch with more values than a line may have takes more lines, and loses none.
func TestManyValues(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	r := recorder(t, &out)
	for i := range 250 {
		r.Observe(t.Context(), stamped(time.Duration(i)*time.Second))
	}
	if err := r.Flush(); err != nil {
		t.Error(err)
	}
	if got := bytes.Count(out.Bytes(), []byte("\n")); got != 3 {
		t.Errorf("%d lines, want 3", got)
	}
	values := check(t, out.Bytes())
	if len(values[metrics.SecondsToStamp]) != 250 || values[metrics.SecondsToStamp][249] != 249 {
		t.Errorf("values %v", values[metrics.SecondsToStamp])
	}
	if diff := cmp.Diff([]float64{250}, values[metrics.UsersStamped]); diff != "" {
		t.Errorf("users stamped (-want +got):\n%s", diff)
	}
}

// lines takes one line with each Write, and breaks if two come at once.
type lines struct {
	t    *testing.T
	busy sync.Mutex
	text []byte
}

func (l *lines) Write(p []byte) (int, error) {
	if !l.busy.TryLock() {
		l.t.Error("two lines are written at once")
		return len(p), nil
	}
	defer l.busy.Unlock()
	if bytes.Count(p, []byte("\n")) != 1 || !bytes.HasSuffix(p, []byte("\n")) {
		l.t.Errorf("wrote %q, want one line", p)
	}
	l.text = append(l.text, p...)
	return len(p), nil
}

func TestConcurrentWrites(t *testing.T) {
	t.Parallel()
	out := &lines{t: t}
	r := recorder(t, out)
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			for range 20 {
				r.ObserveReceipt(t.Context(), webhook.Receipt{Kind: webhook.Delivery, Items: 1})
				r.Observe(t.Context(), stamped(time.Second))
				_ = r.Flush()
			}
		})
	}
	group.Wait()
	sum := 0.0
	for _, n := range check(t, out.text)[metrics.UsersStamped] {
		sum += n
	}
	if sum != 400 {
		t.Errorf("%g users were stamped, want 400", sum)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// A failure to write is told, once something can be told.
func TestFailure(t *testing.T) {
	t.Parallel()
	r := recorder(t, broken{})
	r.ObserveReceipt(t.Context(), webhook.Receipt{Kind: webhook.Delivery})
	if err := r.Flush(); !errors.Is(leaktest.Seen(t, err), io.ErrClosedPipe) {
		t.Errorf("got %v, want %v", err, io.ErrClosedPipe)
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	if _, err := metrics.New(metrics.Config{Namespace: "n", Out: io.Discard, Now: time.Now}); leaktest.Seen(t, err) == nil {
		t.Error("a recorder without a stack was made")
	}
}
