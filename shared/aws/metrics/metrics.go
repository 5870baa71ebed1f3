// Package metrics writes metrics to the log in CloudWatch's [embedded metric
// format], from which CloudWatch makes metrics without being called.
//
// A line is written with one Write, so that lines of several goroutines don't
// mix. CloudWatch counts a line without a level as one of level INFO: a function
// whose ApplicationLogLevel is above that has no metrics.
//
// CloudWatch bills a custom metric for each hour in which it is sent. So there are few,
// all with the one dimension Stack, and counts are sent only above 0: an alarm reads
// FILL(metric, 0).
//
// [embedded metric format]: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
package metrics

import (
	"encoding/json"
	"errors"
	"io"
	"sync"
	"time"
)

// The metrics.
const (
	// SubscriptionHoursLeft is how long the subscription lives on: 0 where there is
	// none. It is also the heartbeat of the keeper.
	SubscriptionHoursLeft = "SubscriptionHoursLeft"
	// SweepFinished is 1 where a run of the sweep left nothing to do, else 0. It is
	// also the heartbeat of the sweeper.
	SweepFinished = "SweepFinished"
	// UsersStamped counts the users whose sign-out Graph accepted.
	UsersStamped = "UsersStamped"
	// UsersMissed counts those of them of whom only the sweep told.
	UsersMissed = "UsersMissed"
	// SecondsToStamp is the time from a new user's creation to the accepted call.
	SecondsToStamp = "SecondsToStamp"
	// NeedsAttention counts what a person has to look at. The property Reason says
	// what: an [Attention].
	NeedsAttention = "NeedsAttention"
	// NotificationsForged counts posted items without our clientState.
	NotificationsForged = "NotificationsForged"
)

// Attention is why a person has to look.
type Attention string

// The reasons of [NeedsAttention].
const (
	// CannotFix: Graph refuses to stamp a user, or no stamp shows.
	CannotFix Attention = "cannot_fix"
	// SignInRefused: a function can't sign in, and that does not end by itself.
	SignInRefused Attention = "sign_in_refused"
	// PutBack: a request has been put back for an hour.
	PutBack Attention = "put_back"
	// BrakeReached: nobody is stamped until a person releases the brake.
	BrakeReached Attention = "brake_reached"
	// Paused: nobody is stamped, by a person's order, until a person resumes.
	Paused Attention = "paused"
	// UnreadableUser: the sweep met a user of whom it could not even read the object id.
	UnreadableUser Attention = "unreadable_user"
	// CredentialEnds: what the app signs in with expires within 30 days.
	CredentialEnds Attention = "credential_ends" //nolint:gosec // a code, no credential
	// KeeperFailed: the keeper fails, and that does not end by itself; or the
	// subscription was gone.
	KeeperFailed Attention = "keeper_failed"
	// MalformedDelivery: Graph has delivered what can't be read.
	MalformedDelivery Attention = "malformed_delivery"
	// SignalRefused: what came for a source of signals bears no proof that fits, or the
	// source's secret is of no use.
	SignalRefused Attention = "signal_refused"
	// SignalSilent: nothing has been heard of a source of signals for too long.
	SignalSilent Attention = "signal_silent"
	// SignalStream: a stream is paused or disabled, or can't be managed.
	SignalStream Attention = "signal_stream"
)

// The units, in CloudWatch's words.
const (
	count   = "Count"
	seconds = "Seconds"
	none    = "None"
)

// Config is what a Recorder is made of. All fields are required.
type Config struct {
	// Namespace is that of the metrics in CloudWatch, and Stack the value of
	// their dimension of that name.
	Namespace, Stack string
	// Out gets the lines: standard output, in a Lambda function.
	Out io.Writer
	// Now is the calendar.
	Now func() time.Time
}

// A Recorder is told what happened and writes it down at once. It implements the observers
// of packages webhook, receiver, stamp, keeper and sweep. It is safe for concurrent use.
type Recorder struct {
	config Config
	mu     sync.Mutex // held while a line is written
}

// New makes a Recorder.
func New(c Config) (*Recorder, error) {
	if c.Namespace == "" || c.Stack == "" || c.Out == nil || c.Now == nil {
		return nil, errors.New("metrics: namespace, stack, writer and calendar must all be given")
	}
	return &Recorder{config: c}, nil
}

// A metric is one name with its value.
type metric struct {
	name, unit string
	value      float64
}

// write writes metrics as one line, with the property Reason if there is one. A failure
// is not told: whoever can't write to the log can't tell.
func (r *Recorder) write(reason Attention, metrics ...metric) {
	line := map[string]any{"Stack": r.config.Stack}
	if reason != "" {
		line["Reason"] = reason
	}
	definitions := make([]map[string]string, len(metrics))
	for i, m := range metrics {
		line[m.name] = m.value
		definitions[i] = map[string]string{"Name": m.name, "Unit": m.unit}
	}
	line["_aws"] = map[string]any{
		"Timestamp": r.config.Now().UnixMilli(),
		"CloudWatchMetrics": []any{map[string]any{
			"Namespace":  r.config.Namespace,
			"Dimensions": [][]string{{"Stack"}},
			"Metrics":    definitions,
		}},
	}
	text, err := json.Marshal(line)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		_, _ = r.config.Out.Write(append(text, '\n'))
	}
}

// writeCount writes a count, but not 0.
func (r *Recorder) writeCount(name string, n int, reason Attention) {
	if n > 0 {
		r.write(reason, metric{name, count, float64(n)})
	}
}
