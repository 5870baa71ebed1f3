package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
	"time"
)

// result is what one run of the demonstration came to. The names of its JSON are
// part of the command's interface.
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
	BackfillStamped     int            `json:"backfill_stamped"`
	BackfillHeld        int            `json:"backfill_held"`
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
	PeakRSSMB           float64        `json:"peak_rss_mb"`
	Seconds             float64        `json:"seconds"`
	Violations          []string       `json:"violations"`
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

// leftAlone says in words why a user was left alone.
var leftAlone = map[string]string{
	"guest":             "guests",
	"not_federated":     "in a managed domain",
	"excluded":          "excluded by pattern",
	"ceiling_run":       "existing users, because the ceiling was reached",
	"existing_user":     "existing users without a stamp (for the backfill)",
	"stamped":           "had a stamp already, as all in the managed domain have",
	"not_member":        "neither member nor guest",
	"not_found":         "deleted meanwhile",
	"created_unknown":   "creation date unknown",
	"stamp_unknown":     "stamp not shown by Graph",
	"still_empty":       "two revocations left no stamp",
	"older_stamp":       "stamp older than the revocation",
	"forbidden":         "Graph refused: forbidden",
	"known_cannot_fix":  "could not be fixed",
	"read_back_pending": "reading back pending",
}

// writeTable prints the result for people.
func (r result) writeTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(n any, label string) { _, _ = fmt.Fprintf(t, "%v\t  %s\n", n, label) }
	row(r.Existing, "users were there before")
	row(r.Created, "users created while it ran")
	row(r.InScope, "of them in scope: new members of federated domain and subdomain")
	row(r.Stamped, "of these stamped, each once")
	row(r.ReadBack, "stamps read back and confirmed, those of existing users included")
	_, _ = fmt.Fprintln(t, "\t")
	r.writeLeftAlone(row)
	_, _ = fmt.Fprintln(t, "\t")
	row(r.Unnotified, "users of whom no notification could tell")
	row(r.RecoveredBySweep, "of them in scope, found by the sweep, stamped and read back")
	row(r.MissedByWebhook, "users stamped by way of the sweep, before or without a notification")
	row(r.BackfillStamped, "existing users stamped once that was allowed, up to the ceiling")
	row(r.BackfillHeld, "existing users still waiting for a person to lift it")
	_, _ = fmt.Fprintln(t, "\t")
	row(r.Notifications, "notifications received, of which")
	for _, reason := range slices.Sorted(maps.Keys(r.Dropped)) {
		row(r.Dropped[reason], "  dropped: "+reason)
	}
	row(r.NotificationsReSent, "notifications sent again by Graph after a 503")
	row(r.GraphRequests, "requests to Graph by sessionstamp")
	row(r.GraphThrottled, "calls answered 429 and tried again when Graph said")
	row(r.WorkersDied, "times a worker died in the middle of its work")
	_, _ = fmt.Fprintln(t, "\t")
	r.LatencyMS.writeRows(row)
	row(fmt.Sprintf("%.0f MB", r.PeakRSSMB), "peak memory, emulated Graph included")
	_, _ = fmt.Fprintln(t, "\t")
	row(r.Unstamped, "in scope and not stamped")
	row(r.StampedTwice, "stamped twice")
	row(r.OutOfScopeTouched, "out of scope and touched")
	if err := t.Flush(); err != nil {
		return err
	}
	for _, violation := range r.Violations {
		_, _ = fmt.Fprintln(w, "broken:", violation)
	}
	_, err := fmt.Fprintln(w, "\n"+r.verdict())
	return err
}

func (r result) writeLeftAlone(row func(n any, label string)) {
	for _, reason := range slices.Sorted(maps.Keys(r.LeftAlone)) {
		label, ok := leftAlone[reason]
		if !ok {
			label = reason
		}
		row(r.LeftAlone[reason], "left alone: "+label)
	}
}

// verdict is the last line for people.
func (r result) verdict() string {
	if r.ok() {
		return fmt.Sprintf("Every promise was kept: %d of %d new users in scope were stamped, each once.\n"+
			"The three zeros above are what sessionstamp is for.", r.Stamped, r.InScope)
	}
	return "A promise was broken. Run it again with -v and the same -seed to see how,\nand tell us."
}

func (l latencies) writeRows(row func(n any, label string)) {
	row(seconds(l.P50), "from creation to stamp, median")
	row(seconds(l.P95), "95th percentile")
	row(seconds(l.P99), "99th percentile")
}

func seconds(ms int64) string {
	return fmt.Sprintf("%.1f s", float64(ms)/1000)
}
