package main

import (
	"context"
	"encoding/json"
	"time"

	"github.com/spf13/cobra"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/shared/aws/stack"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

// A condition is how a deployment is, as status sees it.
type condition struct {
	*stack.Stack
	stack.Memory

	now            time.Time
	trigger        string
	requests, dead stack.Waiting
	alarms         []stack.Alarm
	sums           map[string]float64
	swept          time.Time // when the last sweep finished, zero for none of late
	ended          []past    // signals, in 24 hours
}

// The metrics that should be zero, and over how long.
const (
	missed    = "UsersMissed"
	attention = "NeedsAttention"
	forged    = "NotificationsForged"
	zerosSpan = 7 * 24 * time.Hour
)

func (c *call) statusVerb() *cobra.Command {
	var d deployment
	cmd := c.verb("status", func(cmd *cobra.Command, _ []string) error {
		s, err := c.stack(cmd.Context(), d)
		if err != nil {
			return err
		}
		is := condition{Stack: s, now: c.Now()}
		if s.Serves() {
			if err := is.read(cmd.Context()); err != nil {
				return err
			}
		}
		return c.show(c.statusView(is, d))
	})
	d.flags(c, cmd, usualStack)
	return cmd
}

// read asks everything that a stack that serves can tell.
func (s *condition) read(ctx context.Context) (err error) {
	if s.Memory, err = s.Stack.Memory(ctx); err != nil {
		return err
	}
	if s.trigger, err = s.Trigger(ctx, stack.NotificationTrigger); err != nil {
		return err
	}
	if s.requests, s.dead, err = s.Queues(ctx); err != nil {
		return err
	}
	if s.alarms, err = s.Alarms(ctx); err != nil {
		return err
	}
	if s.sums, err = s.Sums(ctx, s.now.Add(-zerosSpan), s.now, missed, attention, forged); err != nil {
		return err
	}
	runs, _, err := s.Logs(ctx, "SweeperFunction", s.now.Add(-sweepsSpan), `{ $.message = "users swept" }`, mostSweeps)
	s.swept = lastSweep(runs)
	if err == nil && len(s.Signals.Sources) > 0 {
		s.ended, _, err = signalsOf(ctx, s.Stack, s.now.AddDate(0, 0, -1), "")
	}
	return err
}

const (
	// sweepsSpan is how far back the last sweep is looked for: they run hourly.
	sweepsSpan = 26 * time.Hour
	mostSweeps = 1000
)

// lastSweep is when the last one finished of which a log tells.
func lastSweep(runs []stack.Record) (at time.Time) {
	for _, run := range runs {
		var said struct{ Report sweep.Report }
		if json.Unmarshal([]byte(run.Message), &said) != nil {
			continue
		}
		if kind := said.Report.Kind; said.Report.Finished && (kind == sweep.KindIncrement || kind == sweep.KindFull) && run.At.After(at) {
			at = run.At
		}
	}
	return at
}

// statusView is the one screen: what is wrong, the three zeros, and everything else.
func (c *call) statusView(s condition, d deployment) view {
	matters := s.matters()
	v := view{object: c.statusObject(s, matters), sheet: statusSheet(s, matters)}
	wrongs := 0
	for _, m := range matters {
		if m.wrong {
			wrongs++
		}
	}
	switch {
	case wrongs > 0:
		c.status = wrong
		v.before = append(v.before, line{text: "✗ " + c.sayN("status.wrong", wrongs), colour: screen.Wrong, hang: 2})
	case s.observes():
		v.before = append(v.before, line{text: "! " + c.say("status.dry_run"), colour: screen.Notice, hang: 2})
	case s.Serves() && s.uncounted():
		v.before = append(v.before, line{text: c.say("status.begins"), colour: screen.Strong})
	case s.Serves():
		v.before = append(v.before, line{text: "✓ " + c.say("status.works"), colour: screen.Good, hang: 2})
	}
	for _, m := range matters {
		if m.key != "status.dry_run" || wrongs > 0 { // else it is said above
			v.before = append(v.before, line{text: "→ " + c.matterText(m), colour: screen.Notice, hang: 2})
		}
		if m.next.command != "" {
			v.next = append(v.next, hint{m.next.command + d.given(), m.next.why})
		}
	}
	v.before = append(v.before, line{})
	for _, text := range pairs(c.statusRows(s), c.Out.Columns) {
		v.before = append(v.before, line{text: text, whole: true})
	}
	v.before = append(v.before, line{})
	if s.Serves() && s.uncounted() && s.Brake.Paused.IsZero() {
		v.next = append(v.next, hint{"sweep" + d.given(), "hint.sweep"})
	}
	v.next = append(v.next, hint{"history" + d.named(), "hint.history"})
	if len(s.ended) > 0 {
		v.next = append(v.next, hint{"history --signals" + d.named(), "hint.signals"})
	}
	if wrongs == 0 {
		v.next = append(v.next, hint{"sweep --preview" + d.given(), "hint.preview"})
	}
	return v
}

// matterText says a matter, with its moments and numbers as a person reads them.
func (c *call) matterText(m matter) string {
	args := make([]any, len(m.args))
	for i, arg := range m.args {
		switch arg := arg.(type) {
		case time.Time:
			args[i] = c.when(arg)
		case int:
			args[i] = language.Number(arg)
		default:
			args[i] = arg
		}
	}
	if m.key == "" { // an alarm of another version, in the words of its stack
		return args[0].(string)
	}
	return c.say(m.key, args...)
}

// statusRows are what is known, the three zeros first.
func (c *call) statusRows(s condition) [][2]string {
	count := func(name string) string { return language.Number(int(s.sums[name])) }
	since := s.Updated
	if since.IsZero() {
		since = s.Created
	}
	rows := [][2]string{
		{c.say("status.stack"), c.say("status.stack_is", s.Name, s.version(), s.Status, c.when(since))},
		{c.say("status.where"), c.say("status.where_is", s.Account().Region, s.Account().ID)},
		{c.say("status.tenant"), s.Tenant()},
	}
	if !s.Serves() {
		return rows
	}
	rows = append(rows, [][2]string{
		{c.say("status.subscription"), c.or(s.Keeper.Expires, "status.until")},
		{c.say("status.sweep"), c.sweepRow(s)},
		{c.say("status.members"), c.membersRow(s)},
		{c.say("status.stamped"), c.say("status.stamped_are", language.Number(s.Brake.Taken(s.now)), language.Number(s.Limit))},
		{c.say("status.queue"), c.queueRow(s)},
		{c.say("status.alarms"), c.say("status.alarms_are", language.Number(s.ringing()), language.Number(len(s.alarms)))},
	}...)
	return append([][2]string{
		{c.say("status.missed"), count(missed)},
		{c.say("status.attention"), count(attention)},
		{c.say("status.forged"), count(forged)},
	}, append(rows, c.signalRows(s)...)...)
}

// signalRows are there where a provider reports something, or is to.
func (c *call) signalRows(s condition) [][2]string {
	sources := s.Signals.Sources
	if len(sources) == 0 {
		return nil
	}
	heard := c.say("none")
	if at := s.heard(); isSet(at) {
		heard = c.when(at)
	}
	stamped := c.say("status.stamped_are", language.Number(s.Brake.Signals.Taken(s.now)), language.Number(s.Limit))
	if s.SignalMode() == stack.SignalsReported {
		stamped = c.say("status.would", language.Number(countEnded(s.ended, stamp.ReasonReported)))
	}
	return [][2]string{
		{c.say("status.signals"), c.say(language.Key("status.signals_"+s.SignalMode()), language.Number(len(sources)), heard)},
		{c.say("status.signalled"), stamped},
	}
}

// heard is when a source was last heard, zero for never.
func (s condition) heard() (last time.Time) {
	for _, r := range s.Signals.Sources {
		if r.Heard.After(last) {
			last = r.Heard
		}
	}
	return last
}

// firstSweep is how long after a stack's creation the first sweep has come, at the latest: it
// comes within an hour of its schedule, which is made some minutes later.
const firstSweep = 75 * time.Minute

// uncounted tells that no full round has counted anything yet.
func (s condition) uncounted() bool {
	return s.Sweep.Counts.Members == 0 && s.Sweep.FullStarted.IsZero() && s.swept.IsZero()
}

// observes tells whether it decides only.
func (s condition) observes() bool { return s.Serves() && observes(s.Stack) }

// membersRow says what a full round has counted. One that is under way counts from 0 again.
func (c *call) membersRow(s condition) string {
	if s.uncounted() {
		if due := s.Created.Add(firstSweep); due.After(s.now) {
			return c.say("status.not_yet", c.clock(fullMinute(due)))
		}
		return c.say("status.not_counted")
	}
	counts := s.Sweep.Counts
	said := c.say("status.members_are", language.Number(counts.Members), language.Number(counts.Unstamped), language.Number(counts.Existing))
	if isSet(s.Sweep.FullStarted) {
		said = c.say("status.so_far", said)
	}
	return said
}

// sweepRow says when the last sweep finished, and whether a full one is under way.
func (c *call) sweepRow(s condition) string {
	said := c.or(s.swept, "status.finished")
	if isSet(s.Sweep.FullStarted) {
		said += c.say("status.under_way")
	}
	return said
}

// queueRow says what waits. While it is paused, nothing is at work: requests are put back.
func (c *call) queueRow(s condition) string {
	if isSet(s.Brake.Paused) {
		return c.say("status.held", language.Number(s.requests.Sum()), language.Number(s.dead.Sum()))
	}
	return c.say("status.waiting", language.Number(s.requests.Visible), language.Number(s.requests.Hidden), language.Number(s.requests.Delayed), language.Number(s.dead.Sum()))
}

// or says when something is, or that it is not known.
func (c *call) or(at time.Time, key language.Key) string {
	if at.IsZero() {
		return c.say("none")
	}
	return c.say(key, c.when(at))
}

func (s condition) version() string {
	if s.Version == "" {
		return "(-)"
	}
	return s.Version
}

func (s condition) ringing() (n int) {
	for _, a := range s.alarms {
		if a.Rings() {
			n++
		}
	}
	return n
}
