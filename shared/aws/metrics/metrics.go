// Package metrics writes metrics to the log in CloudWatch's [embedded metric
// format], from which CloudWatch makes metrics without being called.
//
// A line is written with one Write, so that lines of several goroutines don't
// mix. CloudWatch counts a line without a level as one of level INFO: a function
// whose ApplicationLogLevel is above that has no metrics.
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

// maxValues is the most values that the format allows for one metric in one line.
const maxValues = 100

// The dimensions. Reason is a code of the package that counts.
const (
	dimensionStack  = "Stack"
	dimensionReason = "Reason"
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

// A Recorder is told what happened and writes it down. It implements the
// observers of packages webhook, revocation, subscription and sweep, and is told of
// credentials and rotations by the functions. It is safe for concurrent use.
type Recorder struct {
	config Config

	mu     sync.Mutex
	failed error     // the first failure to write
	users  *outcomes // since the last Flush
}

// New makes a Recorder.
func New(c Config) (*Recorder, error) {
	if c.Namespace == "" || c.Stack == "" || c.Out == nil || c.Now == nil {
		return nil, errors.New("metrics: namespace, stack, writer and calendar must all be given")
	}
	return &Recorder{config: c, users: newOutcomes()}, nil
}

// A metric is one name with its values in one line.
type metric struct {
	name, unit string
	values     []float64
}

func one(name, unit string, value float64) metric {
	return metric{name: name, unit: unit, values: []float64{value}}
}

func flag(name string, raised bool) metric {
	if raised {
		return one(name, count, 1)
	}
	return one(name, count, 0)
}

// A line is one document of the format. Where it has a reason, its metrics count
// for the stack, and for the reason by itself as well.
type line struct {
	reason  string
	metrics []metric
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

// write writes a line, or as many as its values need.
func (r *Recorder) write(l line) {
	for len(l.metrics) > 0 {
		var now line
		now, l = l.split()
		r.writeOne(now)
	}
}

// split parts a line into one that is short enough and the rest.
func (l line) split() (head, rest line) {
	head.reason, rest.reason = l.reason, l.reason
	for _, m := range l.metrics {
		n := min(len(m.values), maxValues)
		head.metrics = append(head.metrics, metric{m.name, m.unit, m.values[:n]})
		if n < len(m.values) {
			rest.metrics = append(rest.metrics, metric{m.name, m.unit, m.values[n:]})
		}
	}
	return head, rest
}

func (r *Recorder) writeOne(l line) {
	text, err := json.Marshal(r.document(l))
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		_, err = r.config.Out.Write(append(text, '\n'))
	}
	if err != nil && r.failed == nil {
		r.failed = fmt.Errorf("write metrics: %w", err)
	}
}

func (r *Recorder) document(l line) map[string]any {
	d := directive{Namespace: r.config.Namespace, Dimensions: [][]string{{dimensionStack}}}
	root := map[string]any{dimensionStack: r.config.Stack}
	if l.reason != "" {
		root[dimensionReason] = l.reason
		d.Dimensions = append(d.Dimensions, []string{dimensionStack, dimensionReason})
	}
	for _, m := range l.metrics {
		d.Metrics = append(d.Metrics, definition{m.name, m.unit})
		root[m.name] = m.value()
	}
	root["_aws"] = metadata{Timestamp: r.config.Now().UnixMilli(), CloudWatchMetrics: []directive{d}}
	return root
}

// value is a number where there is only one.
func (m metric) value() any {
	if len(m.values) == 1 {
		return m.values[0]
	}
	return m.values
}
