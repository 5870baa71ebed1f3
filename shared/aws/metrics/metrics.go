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
	"fmt"
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
	// CredentialEnds: what the app signs in with expires within 30 days.
	CredentialEnds Attention = "credential_ends" //nolint:gosec // a code, no credential
	// KeeperFailed: the keeper fails, and that does not end by itself.
	KeeperFailed Attention = "keeper_failed"
	// MalformedDelivery: Graph has delivered what can't be read.
	MalformedDelivery Attention = "malformed_delivery"
)

// maxValues is the most values that the format allows for one metric in one line.
const maxValues = 100

// The members of a line beside the metrics. The first is the dimension.
const (
	memberStack  = "Stack"
	memberReason = "Reason"
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

// A Recorder is told what happened and writes it down. It implements the observers of
// packages webhook, stamp, keeper and sweep. It is safe for concurrent use.
type Recorder struct {
	config Config

	mu     sync.Mutex
	failed error    // the first failure to write
	users  outcomes // since the last Flush
}

// New makes a Recorder.
func New(c Config) (*Recorder, error) {
	if c.Namespace == "" || c.Stack == "" || c.Out == nil || c.Now == nil {
		return nil, errors.New("metrics: namespace, stack, writer and calendar must all be given")
	}
	return &Recorder{config: c}, nil
}

// A metric is one name with its values.
type metric struct {
	name, unit string
	values     []float64
}

// write writes one metric, in as many lines as its values need.
func (r *Recorder) write(m metric, reason Attention) {
	for len(m.values) > 0 {
		n := min(len(m.values), maxValues)
		r.writeLine(metric{m.name, m.unit, m.values[:n]}, reason)
		m.values = m.values[n:]
	}
}

// writeCount writes a count, but not 0.
func (r *Recorder) writeCount(name string, n int, reason Attention) {
	if n > 0 {
		r.write(metric{name, count, []float64{float64(n)}}, reason)
	}
}

func (r *Recorder) writeLine(m metric, reason Attention) {
	text, err := json.Marshal(r.document(m, reason))
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		_, err = r.config.Out.Write(append(text, '\n'))
	}
	if err != nil && r.failed == nil {
		r.failed = fmt.Errorf("write metrics: %w", err)
	}
}

// metadata, directive and definition are the format's objects.
type metadata struct {
	Timestamp         int64
	CloudWatchMetrics []directive
}

type directive struct {
	Namespace  string
	Dimensions [][]string
	Metrics    []definition
}

type definition struct{ Name, Unit string }

func (r *Recorder) document(m metric, reason Attention) map[string]any {
	root := map[string]any{
		memberStack: r.config.Stack,
		m.name:      m.value(),
		"_aws": metadata{
			Timestamp: r.config.Now().UnixMilli(),
			CloudWatchMetrics: []directive{{
				Namespace:  r.config.Namespace,
				Dimensions: [][]string{{memberStack}},
				Metrics:    []definition{{m.name, m.unit}},
			}},
		},
	}
	if reason != "" {
		root[memberReason] = reason
	}
	return root
}

// value is a number where there is only one.
func (m metric) value() any {
	if len(m.values) == 1 {
		return m.values[0]
	}
	return m.values
}

// Flush writes what was observed of users since the last Flush. A function calls
// it before it returns, since what is written later is lost when its execution
// environment ends. The error is the first that writing anything ever met.
func (r *Recorder) Flush() error {
	r.mu.Lock()
	seen := r.users
	r.users = outcomes{}
	r.mu.Unlock()
	seen.write(r)
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}
