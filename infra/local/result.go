package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// result is what one run of the demonstration came to. The names of its JSON are part of
// the command's interface.
type result struct {
	Users               int            `json:"users"`
	Seed                uint64         `json:"seed"`
	Existing            int            `json:"existing"`
	Created             int            `json:"created"`
	InScope             int            `json:"in_scope"`
	Stamped             int            `json:"stamped"`
	Unstamped           int            `json:"unstamped"`
	StampedTwice        int            `json:"stamped_twice"`
	OutOfScopeTouched   int            `json:"out_of_scope_touched"`
	ReadBack            int            `json:"read_back"`
	Unnotified          int            `json:"unnotified"`
	MissedByWebhook     int            `json:"missed_by_webhook"`
	RecoveredBySweep    int            `json:"recovered_by_sweep"`
	BrakeLimit          int            `json:"brake_limit"`
	BrakeHeld           int            `json:"brake_held"`
	LeftAlone           map[string]int `json:"left_alone"`
	Notifications       int            `json:"notifications"`
	NotificationsReSent int            `json:"notifications_resent"`
	ForgedDropped       int            `json:"forged_dropped"`
	Dropped             map[string]int `json:"dropped"`
	GraphRequests       int            `json:"graph_requests"`
	GraphThrottled      int            `json:"graph_throttled"`
	WorkersDied         int            `json:"workers_died"`
	DeadLetters         int            `json:"dead_letters"`
	LatencyMS           latencies      `json:"latency_ms"`
	// Histogram counts the stamped users by seconds from creation to stamp: see
	// [histogram].
	Histogram  histogram `json:"histogram"`
	PeakRSSMB  float64   `json:"peak_rss_mb"`
	Seconds    float64   `json:"seconds"`
	Violations []string  `json:"violations"`
}

// latencies are percentiles of the time from creation to stamp, in milliseconds.
type latencies struct {
	P50 int64 `json:"p50"`
	P95 int64 `json:"p95"`
	P99 int64 `json:"p99"`
	Max int64 `json:"max"`
}

// percentiles takes nearest ranks; of nothing, all are 0.
func percentiles(times []time.Duration) latencies {
	if len(times) == 0 {
		return latencies{}
	}
	slices.Sort(times)
	rank := func(p int) int64 {
		return times[(len(times)*p+99)/100-1].Milliseconds()
	}
	return latencies{P50: rank(50), P95: rank(95), P99: rank(99), Max: rank(100)}
}

// A histogram counts times below each of [bounds], and in its last field those above.
type histogram [len(bounds) + 1]int

// bounds are in seconds.
var bounds = [...]int{1, 2, 5, 10, 20}

func newHistogram(times []time.Duration) (h histogram) {
	for _, t := range times {
		n := 0
		for n < len(bounds) && t >= time.Duration(bounds[n])*time.Second {
			n++
		}
		h[n]++
	}
	return h
}

// lines draws the histogram.
func (h histogram) lines() []string {
	const width = 40
	most := max(1, slices.Max(h[:]))
	lines := make([]string, len(h))
	for i, n := range h {
		label := fmt.Sprint("> ", bounds[len(bounds)-1])
		if i < len(bounds) {
			label = fmt.Sprint("< ", bounds[i])
		}
		full := (width*n + most - 1) / most
		lines[i] = fmt.Sprintf("  %6s s %6d %s", label, n, strings.Repeat("█", full))
	}
	return lines
}

// ok tells whether sessionstamp kept its promises.
func (r result) ok() bool {
	return r.Unstamped == 0 && r.StampedTwice == 0 && r.OutOfScopeTouched == 0 &&
		r.DeadLetters == 0 && len(r.Violations) == 0
}

// writeJSON prints the result as one object.
func (r result) writeJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}

// writeTable prints the result for people, in at most 24 lines.
func (r result) writeTable(w io.Writer) error {
	lines := []string{
		fmt.Sprintf("%7d users came, %d of them in scope; %d were there before", r.Created, r.InScope, r.Existing),
		fmt.Sprintf("%7d stamped, %d stamps read back", r.Stamped, r.ReadBack),
		fmt.Sprintf("%7d of these came without a notification; the sweep found %d", r.Unnotified, r.RecoveredBySweep),
		fmt.Sprintf("%7d waited for a person, when the brake had counted %d", r.BrakeHeld, r.BrakeLimit),
		"",
		fmt.Sprintf("%7d notifications, %d dropped (%d forged)", r.Notifications, r.drops(), r.ForgedDropped),
		fmt.Sprintf("%7d requests to Graph, %d throttled", r.GraphRequests, r.GraphThrottled),
		fmt.Sprintf("%7d workers died at work; %.0f MB memory at most", r.WorkersDied, r.PeakRSSMB),
		"",
		"  Seconds from creation to stamp (" + r.LatencyMS.String() + "):",
	}
	lines = append(lines, r.Histogram.lines()...)
	lines = append(lines, "",
		fmt.Sprintf("%7d in scope and not stamped", r.Unstamped),
		fmt.Sprintf("%7d stamped twice", r.StampedTwice),
		fmt.Sprintf("%7d out of scope and touched", r.OutOfScopeTouched))
	if r.DeadLetters > 0 {
		lines = append(lines, fmt.Sprintf("%7d dead letters", r.DeadLetters))
	}
	for _, violation := range r.Violations {
		lines = append(lines, "broken: "+violation)
	}
	_, err := fmt.Fprintln(w, strings.Join(append(lines, "", r.verdict()), "\n"))
	return err
}

func (r result) drops() (n int) {
	for dropped := range maps.Values(r.Dropped) {
		n += dropped
	}
	return n
}

// verdict is the last line for people.
func (r result) verdict() string {
	if r.ok() {
		return "Every promise was kept: the three zeros are what sessionstamp is for."
	}
	return "A promise was broken. Run it again with -v and the same -seed, and tell us."
}

func (l latencies) String() string {
	return fmt.Sprintf("median %s, 99 %% within %s", seconds(l.P50), seconds(l.P99))
}

func seconds(ms int64) string { return fmt.Sprintf("%.1f", float64(ms)/1000) }
