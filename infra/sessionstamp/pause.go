package main

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/shared/aws/account"
	"github.com/sessionstamp/sessionstamp/shared/aws/stack"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

// operated is the JSON of pause, resume and release. Before is since when it was paused, or
// the brake reached. Signals tells that the brake of signals is meant.
type operated struct {
	Stack   string `json:"stack"`
	Order   string `json:"order"`
	Signals bool   `json:"signals,omitempty"`
	Changed bool   `json:"changed"`
	Before  string `json:"since,omitempty"`
	Stamped int    `json:"stamped24h"`
	Limit   int    `json:"limit24h"`
	Waiting int    `json:"waiting"`
}

// An operation is an order to a deployment whose effect is at once.
type operation struct {
	deployment
	verb  string
	order sweep.Order
	// tally is which brake is meant.
	tally func(stamp.BrakeState) stamp.Tally
	// since tells since when what the order ends, or begins, is so; zero: it is not.
	since func(stack.Memory) time.Time
	// fit tells which stacks can be ordered so.
	fit func(*stack.Stack) bool
	// changes tells whether the order changes something.
	changes func(since time.Time) bool
	next    []hint
	yes     bool
}

func (c *call) pauseVerb() *cobra.Command {
	o := &operation{
		verb: "pause", order: sweep.OrderPause, tally: ofNew, since: paused, changes: time.Time.IsZero, fit: pausable,
		next: []hint{{"resume", "hint.resume"}, {"status", "hint.status"}},
	}
	return c.operationVerb(o)
}

func (c *call) resumeVerb() *cobra.Command {
	o := &operation{
		verb: "resume", order: sweep.OrderResume, tally: ofNew, since: paused, changes: isSet, fit: (*stack.Stack).Serves,
		next: []hint{{"status", "hint.status"}, {"pause", "hint.pause"}},
	}
	return c.operationVerb(o)
}

// releaseVerb asks before it does something: too many may have been stamped.
func (c *call) releaseVerb() *cobra.Command {
	o := &operation{
		verb: "release", order: sweep.OrderRelease, tally: ofNew, changes: isSet, fit: (*stack.Stack).Serves,
		next: []hint{{"status", "hint.status"}, {"pause", "hint.pause"}},
	}
	signals := false
	cmd := c.verb(o.verb, func(cmd *cobra.Command, _ []string) error {
		if signals {
			o.order, o.tally = sweep.OrderReleaseSignals, ofSignals
		}
		o.since = func(m stack.Memory) time.Time { return o.tally(m.Brake).Reached }
		return c.operate(cmd.Context(), *o)
	})
	o.flags(c, cmd, usualStack)
	cmd.Flags().BoolVar(&o.yes, "yes", false, c.help("flag.yes"))
	cmd.Flags().BoolVar(&signals, "signals", false, c.help("flag.release-signals"))
	return cmd
}

func ofNew(s stamp.BrakeState) stamp.Tally { return s.Tally }

func ofSignals(s stamp.BrakeState) stamp.Tally { return s.Signals }

// releases tells whether the order opens a brake.
func (o operation) releases() bool {
	return o.order == sweep.OrderRelease || o.order == sweep.OrderReleaseSignals
}

// words is the key of what release says of the brake that is meant.
func (o operation) words(key language.Key) language.Key {
	if o.order == sweep.OrderReleaseSignals {
		key += "_signals"
	}
	return key
}

// pausable is also a stack whose operation is under way, or has failed: its functions may run.
func pausable(s *stack.Stack) bool { return s.Serves() || s.Resources["SweeperFunction"] != "" }

func paused(m stack.Memory) time.Time { return m.Brake.Paused }

func isSet(at time.Time) bool { return !at.IsZero() }

func (c *call) operationVerb(o *operation) *cobra.Command {
	cmd := c.verb(o.verb, func(cmd *cobra.Command, _ []string) error { return c.operate(cmd.Context(), *o) })
	o.flags(c, cmd, usualStack)
	return cmd
}

// operate looks how the deployment is, gives the order if that changes something, and says
// what it means. An order that changes nothing is not given.
func (c *call) operate(ctx context.Context, o operation) error {
	asks := o.releases() && !o.yes
	if asks && !c.Person {
		return misuse(o.words("use.unasked_release"))
	}
	s, err := c.fit(ctx, o.deployment, o.fit)
	if err != nil {
		return err
	}
	before, err := s.Memory(ctx)
	if err != nil {
		return err
	}
	requests, _, err := s.Queues(ctx)
	if err != nil {
		return err
	}
	since := o.since(before)
	changes := o.changes(since)
	done := operated{
		s.Name, o.verb, o.order == sweep.OrderReleaseSignals, changes, moment(since), o.tally(before.Brake).Taken(c.Now()), before.Limit, requests.Sum(),
	}
	if changes && asks {
		if err := c.confirmRelease(ctx, o, done, since); err != nil {
			return err
		}
	}
	if changes {
		if _, err := c.giveOrder(ctx, s, o.order); err != nil {
			return err
		}
	}
	return c.show(c.operatedView(o, done, since, before))
}

// confirmRelease shows what stopped the stamping, and asks the one question.
func (c *call) confirmRelease(ctx context.Context, o operation, done operated, since time.Time) error {
	history := "sessionstamp history"
	if o.order == sweep.OrderReleaseSignals {
		history += " --signals"
	}
	c.tell(
		line{text: c.say(o.words("release.reached"), c.when(since), language.Number(done.Stamped), language.Number(done.Limit), language.Number(done.Waiting))},
		line{text: c.say(o.words("release.look"), history+o.named())},
	)
	return c.agree(ctx, c.say("release.question"))
}

// giveOrder says what is not known where no answer comes: the order may be at work.
func (c *call) giveOrder(ctx context.Context, s *stack.Stack, o sweep.Order) (sweep.Report, error) {
	report, err := s.Order(ctx, o)
	if errors.Is(err, context.Canceled) || errors.Is(err, account.ErrUnreachable) {
		return report, failure(err, "fail.order_given")
	}
	return report, err
}

// A reachedBrake is one that holds users back.
type reachedBrake struct {
	at   time.Time
	key  language.Key
	next hint
}

// stillReached are the brakes that hold users back after the order. Who pauses is not told.
func (o operation) stillReached(b stamp.BrakeState) (all []reachedBrake) {
	if isSet(b.Reached) && o.order != sweep.OrderPause && o.order != sweep.OrderRelease {
		all = append(all, reachedBrake{b.Reached, "resume.braked", hint{"release", "hint.release"}})
	}
	if isSet(b.Signals.Reached) && o.order != sweep.OrderPause && o.order != sweep.OrderReleaseSignals {
		all = append(all, reachedBrake{b.Signals.Reached, "resume.braked_signals", hint{"release --signals", "hint.release_signals"}})
	}
	return all
}

func (c *call) operatedView(o operation, done operated, since time.Time, before stack.Memory) view {
	v := view{object: done, sheet: screen.Table{
		Columns: []screen.Column{{Title: "stack"}, {Title: "order"}, {Title: "changed"}, {Title: "since"}},
		Rows:    [][]string{{done.Stack, done.Order, strconv.FormatBool(done.Changed), done.Before}},
	}}
	waiting := language.Number(done.Waiting)
	good := func(text string) {
		v.before = append(v.before, line{text: "✓ " + text, colour: screen.Good, hang: 2})
	}
	add := func(text string) { v.before = append(v.before, line{text: text}) }
	switch {
	case o.order == sweep.OrderPause && done.Changed:
		good(c.say("pause.done"))
		add(c.say("pause.waits", waiting))
	case o.order == sweep.OrderPause:
		add(c.say("pause.already", c.when(since), waiting))
	case o.order == sweep.OrderResume && done.Changed:
		good(c.say("resume.done", c.when(since), waiting))
	case o.order == sweep.OrderResume:
		add(c.say("resume.already"))
	case done.Changed:
		good(c.say(o.words("release.done"), waiting, language.Number(done.Limit)))
	default:
		add(c.say(o.words("release.already"), language.Number(done.Stamped), language.Number(done.Limit)))
	}
	if o.releases() && isSet(before.Brake.Paused) {
		v.before = append(v.before, line{text: c.say("release.paused", c.when(before.Brake.Paused)), colour: screen.Notice})
		o.next = append([]hint{{"resume", "hint.resume"}}, o.next...)
	}
	for _, b := range o.stillReached(before.Brake) {
		v.before = append(v.before, line{text: c.say(b.key, c.when(b.at)), colour: screen.Notice})
		o.next = append([]hint{b.next}, o.next...)
	}
	for _, h := range o.next {
		v.next = append(v.next, hint{h.command + o.given(), h.why})
	}
	return v
}
