package metrics_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/aws/metrics"
	"github.com/sessionstamp/sessionstamp/shared/keeper"
	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/signal/receiver"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
	"github.com/sessionstamp/sessionstamp/shared/webhook"
)

var (
	now = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

	_ stamp.Observer    = (*metrics.Recorder)(nil)
	_ webhook.Observer  = (*metrics.Recorder)(nil)
	_ keeper.Observer   = (*metrics.Recorder)(nil)
	_ sweep.Observer    = (*metrics.Recorder)(nil)
	_ receiver.Observer = (*metrics.Recorder)(nil)
)

func recorder(t *testing.T, out io.Writer) *metrics.Recorder {
	t.Helper()
	r, err := metrics.New(metrics.Config{Namespace: "sessionstamp", Stack: "production", Out: out, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// user is an outcome whose error names somebody, as no metric may.
func user(verdict stamp.Verdict, reason stamp.Reason, seen time.Duration) stamp.Outcome {
	return stamp.Outcome{
		Request: stamp.Request{Tenant: "tenant-id", User: "user-id", Seen: now.Add(-seen)},
		Verdict: verdict, Reason: reason, Err: errors.New("hunter2@contoso.com"),
	}
}

// again is the outcome of a request that was put back before.
func again(o stamp.Outcome) stamp.Outcome {
	o.Request.Attempt = 8
	return o
}

// stamped is the outcome of a user who was stamped at an age.
func stamped(age time.Duration) stamp.Outcome {
	o := user(stamp.Done, stamp.ReasonCalled, 0)
	o.Created, o.Called = now.Add(-age), now
	return o
}

// told is what a Recorder writes, one text for each line: names and values, reason.
func told(t *testing.T, tell func(*metrics.Recorder)) []string {
	t.Helper()
	var out bytes.Buffer
	r := recorder(t, &out)
	tell(r)
	var all []string
	for text := range bytes.Lines(out.Bytes()) {
		all = append(all, line(t, text))
	}
	return all
}

// line holds a line against the rules of the specification.
//
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
func line(t *testing.T, text []byte) string {
	t.Helper()
	var members map[string]any
	var d struct {
		AWS struct {
			Timestamp         int64
			CloudWatchMetrics []struct {
				Namespace  string
				Dimensions [][]string
				Metrics    []struct{ Name, Unit string }
			}
		} `json:"_aws"`
	}
	if err := errors.Join(json.Unmarshal(text, &d), json.Unmarshal(text, &members)); err != nil {
		t.Fatal(err)
	}
	directive := d.AWS.CloudWatchMetrics[0]
	if d.AWS.Timestamp != now.UnixMilli() || directive.Namespace != "sessionstamp" || members["Stack"] != "production" ||
		!cmp.Equal(directive.Dimensions, [][]string{{"Stack"}}) {
		t.Errorf("wrong metadata in %s", text)
	}
	if strings.Contains(string(text), "hunter2") || strings.Contains(string(text), "user-id") {
		t.Errorf("a line holds what no metric may: %s", text)
	}
	var words []any
	for _, m := range directive.Metrics {
		words = append(words, m.Name, members[m.Name])
	}
	if reason, ok := members["Reason"]; ok {
		words = append(words, reason)
	}
	return strings.TrimSpace(fmt.Sprintln(words...))
}

func TestLines(t *testing.T) {
	t.Parallel()
	missed, approved := stamped(7*time.Hour), stamped(9000*time.Hour)
	missed.Missed, approved.Request.Approved = true, true
	observe := func(outcomes ...stamp.Outcome) func(*metrics.Recorder) {
		return func(r *metrics.Recorder) {
			for _, o := range outcomes {
				r.Observe(t.Context(), o)
			}
		}
	}
	kept := func(report keeper.Report) func(*metrics.Recorder) {
		return func(r *metrics.Recorder) { r.ObserveKeeper(t.Context(), report) }
	}
	swept := func(report sweep.Report) func(*metrics.Recorder) {
		return func(r *metrics.Recorder) { r.ObserveSweep(t.Context(), report) }
	}
	posted := func(receipt webhook.Receipt) func(*metrics.Recorder) {
		return func(r *metrics.Recorder) { r.ObserveReceipt(t.Context(), receipt) }
	}
	signalled := func(source string, err error) func(*metrics.Recorder) {
		return func(r *metrics.Recorder) { r.ObserveSignals(t.Context(), receiver.Receipt{Source: source, Err: err}) }
	}
	expires := func(in time.Duration) func(*metrics.Recorder) {
		return func(r *metrics.Recorder) { r.ObserveExpiry(now.Add(in)) }
	}
	tests := map[string]struct {
		tell func(*metrics.Recorder)
		want []string
	}{
		"stamped": {observe(stamped(1500*time.Millisecond), missed, approved, stamped(-time.Second)),
			[]string{"UsersStamped 1 SecondsToStamp 1.5", "UsersStamped 1 UsersMissed 1 SecondsToStamp 25200", "UsersStamped 1", "UsersStamped 1 SecondsToStamp 0"}},
		"quiet": {observe(user(stamp.Done, stamp.ReasonExisting, 0), user(stamp.Done, stamp.ReasonKnownStamped, 0),
			user(stamp.Later, stamp.ReasonThrottled, time.Minute), user(stamp.Done, stamp.ReasonKnownCannotFix, 0),
			user(stamp.Later, stamp.ReasonPaused, 2*time.Hour), again(user(stamp.Later, stamp.ReasonBrake, 2*time.Hour))), nil},
		"attention": {observe(user(stamp.Done, stamp.ReasonForbidden, 0), user(stamp.Done, stamp.ReasonStillEmpty, 0),
			user(stamp.Later, stamp.ReasonBrake, 0), user(stamp.Later, stamp.ReasonThrottled, 2*time.Hour)),
			[]string{"NeedsAttention 1 cannot_fix", "NeedsAttention 1 cannot_fix", "NeedsAttention 1 brake_reached", "NeedsAttention 1 put_back"}},
		"kept":             {kept(keeper.Report{HoursLeft: 695.5, Known: true}), []string{"SubscriptionHoursLeft 695.5"}},
		"no subscription":  {kept(keeper.Report{Known: true, Err: errors.New("hunter2"), Cause: keeper.CauseNoConsent}), []string{"SubscriptionHoursLeft 0", "NeedsAttention 1 keeper_failed"}},
		"gone":             {kept(keeper.Report{Known: true, HoursLeft: 695.5, Found: []keeper.Finding{keeper.FoundGone}}), []string{"SubscriptionHoursLeft 695.5", "NeedsAttention 1 keeper_failed"}},
		"passing failure":  {kept(keeper.Report{Known: true, HoursLeft: 5, Err: errors.New("hunter2"), Cause: keeper.CauseUnwell}), []string{"SubscriptionHoursLeft 5"}},
		"no record":        {kept(keeper.Report{Err: errors.New("hunter2"), Cause: keeper.CauseStore}), nil},
		"taken down":       {kept(keeper.Report{Trigger: keeper.TriggerTakeDown, Known: true}), nil},
		"swept":            {swept(sweep.Report{Finished: true}), []string{"SweepFinished 1"}},
		"paused":           {swept(sweep.Report{Causes: []sweep.Cause{sweep.CausePaused}}), []string{"SweepFinished 1", "NeedsAttention 1 paused"}},
		"unreadable":       {swept(sweep.Report{Finished: true, Unreadable: 2}), []string{"SweepFinished 1", "NeedsAttention 2 unreadable_user"}},
		"not yet":          {swept(sweep.Report{Causes: []sweep.Cause{sweep.CauseOutOfTime}}), []string{"SweepFinished 0"}},
		"another at work":  {swept(sweep.Report{Causes: []sweep.Cause{sweep.CauseOvertaken}}), nil},
		"forged":           {posted(webhook.Receipt{Items: 9, Dropped: map[webhook.Reason]int{webhook.Forged: 3}}), []string{"NotificationsForged 3"}},
		"malformed":        {posted(webhook.Receipt{Dropped: map[webhook.Reason]int{webhook.Malformed: 1, webhook.TooLarge: 1}}), []string{"NeedsAttention 2 malformed_delivery"}},
		"good delivery":    {posted(webhook.Receipt{Items: 9, Queued: 9}), nil},
		"good signals":     {signalled("0a", nil), nil},
		"refused":          {signalled("0a", &signal.Refusal{Reason: signal.BadSecret}), []string{"NeedsAttention 1 signal_refused"}},
		"a stranger":       {signalled("", &signal.Refusal{Reason: signal.UnknownSource}), nil},
		"no keys yet":      {signalled("0a", &signal.Refusal{Reason: signal.NoKeys, Temporary: true}), nil},
		"no credential":    {signalled("0a", fmt.Errorf("read: %w", signal.ErrNoCredential)), []string{"NeedsAttention 1 signal_refused"}},
		"queue out":        {signalled("0a", errors.New("hunter2")), nil},
		"expires in a day": {expires(24 * time.Hour), []string{"NeedsAttention 1 credential_ends"}},
		"expires later":    {expires(31 * 24 * time.Hour), nil},
		"expiry unknown":   {func(r *metrics.Recorder) { r.ObserveExpiry(time.Time{}) }, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, told(t, tt.tell)); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
		})
	}
}

// Many may tell at once, and no line is lost or mixed.
func TestManyTell(t *testing.T) {
	t.Parallel()
	lines := told(t, func(r *metrics.Recorder) {
		var group sync.WaitGroup
		for range 50 {
			group.Go(func() { r.Observe(t.Context(), stamped(time.Second)) })
		}
		group.Wait()
	})
	if len(lines) != 50 {
		t.Errorf("lines %v", lines)
	}
}

func TestIncomplete(t *testing.T) {
	t.Parallel()
	if _, err := metrics.New(metrics.Config{Namespace: "n", Out: io.Discard, Now: time.Now}); err == nil {
		t.Error("a recorder without a stack was made")
	}
}

// An alarm that rang all day would hide what else needs a person.
func TestExpiryIsToldOnceADay(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	at := now.Truncate(24 * time.Hour)
	r, err := metrics.New(metrics.Config{Namespace: "n", Stack: "s", Out: &out, Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	for range 24 {
		r.ObserveExpiry(now.AddDate(0, 0, 7))
		at = at.Add(time.Hour)
	}
	if n := strings.Count(out.String(), "credential_ends"); n != 1 {
		t.Errorf("told %d times in a day of one run an hour, want once", n)
	}
}
