package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/job"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/shared/bolt"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

// An event is a line of watch. Its JSON is a contract. It names nobody but by object id:
// it goes into logs.
type event struct {
	At     string `json:"at"`
	Event  string `json:"event"`
	Tenant string `json:"tenant"`
	User   string `json:"user,omitempty"`
	// Seconds are those from the creation of the user to the call.
	Seconds *int         `json:"seconds,omitempty"`
	Reason  stamp.Reason `json:"reason,omitempty"`
	// Cause is what a provider has reported of the user.
	Cause string `json:"cause,omitempty"`
	*Everybody
	// Limit is the brake's.
	Limit int `json:"limit,omitempty"`
	// Exclusion is the place of an --exclude, counted from 1.
	Exclusion int `json:"exclusion,omitempty"`
	// Requests are how many were dropped.
	Requests int `json:"requests,omitempty"`
	// Message is in English.
	Message string `json:"message,omitempty"`
}

// Everybody is what a full round has counted.
type Everybody struct {
	Members      int `json:"members"`
	WithoutStamp int `json:"withoutStamp"`
	// Existing are those of them who wait for a person.
	Existing int `json:"existing"`
}

// The events, by what is said of them.
const (
	eventStamped   = "stamped"
	eventDry       = "would_stamp"
	eventConfirmed = "confirmed"
	eventFailed    = "failed"
	eventBrake     = "brake_reached"
	eventFull      = "full_round"
	eventExclusion = "exclusion_unmatched"
	eventDropped   = "requests_dropped"
	eventStalled   = "stamping_stalled"
	eventSilence   = "look_failed"
	eventBack      = "look_works_again"
)

// eventOf tells what a person is to hear of an outcome, "" for nothing: what is left alone
// or put back is no event.
func eventOf(o stamp.Outcome) string {
	switch o.Reason {
	case stamp.ReasonCalled:
		return eventStamped
	case stamp.ReasonDryRun:
		return eventDry
	case stamp.ReasonReadBack:
		return eventConfirmed
	case stamp.ReasonForbidden, stamp.ReasonRefused, stamp.ReasonStillEmpty, stamp.ReasonGaveUp, stamp.ReasonInvalid:
		return eventFailed
	case stamp.ReasonBrake:
		return eventBrake
	default:
		return ""
	}
}

// heartbeat is how often a watch says that it lives.
const heartbeat = time.Hour

// A watcher tells what a watch does.
type watcher struct {
	*call
	asked  watching
	engine *job.Engine
	tenant string
	// listening is how it hears of a provider; nil: it does not.
	listening *job.Listening

	mu      sync.Mutex
	counts  map[string]int       // events, since the start
	seen    map[string]bool      // outcomes that come again and again, by reason and user
	looked  error                // of the last look
	silence string               // why the last look failed, "" if it did not
	braked  time.Time            // the reaching of the brake that was told
	held    time.Time            // the same of the brake of signals
	dropped int                  // requests of which was told
	stalled map[string]time.Time // when it was told why users are put back, by why
	told    time.Time            // the last heartbeat
}

func (c *call) newWatcher(e *job.Engine, tenant string, o watching) *watcher {
	return &watcher{call: c, asked: o, engine: e, tenant: tenant, counts: make(map[string]int), seen: make(map[string]bool), stalled: make(map[string]time.Time)}
}

func (w *watcher) options(ctx context.Context, every time.Duration) job.WatchOptions {
	stopped := ctx.Err
	ctx = context.WithoutCancel(ctx) // what was done is told after Ctrl-C as well
	w.hear()
	return job.WatchOptions{
		Every: every, Listening: w.listening,
		Observe: func(o stamp.Outcome) { w.observe(ctx, o) },
		Swept: func(r sweep.Report, err error) {
			if stopped() == nil {
				w.swept(ctx, r, err)
			}
		},
	}
}

// once looks once. The exit status tells a scheduler whether a person is needed.
func (w *watcher) once(ctx context.Context) error {
	w.told = w.Now() // there is no time for a heartbeat
	err := w.engine.Once(ctx, w.options(ctx, 0))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	w.checkBrake(context.WithoutCancel(ctx))
	if w.silence != "" || w.counts[eventFailed]+w.counts[eventBrake]+w.counts[eventExclusion]+w.counts[eventStalled] > 0 {
		w.status = wrong
	}
	if err := besides(err, w.looked); err != nil {
		return err
	}
	if w.Err.Live { // else cron would mail it each time
		w.farewell(ctx)
	}
	return nil
}

// besides is what is wrong besides a look, of which was told already.
func besides(err, look error) error {
	all, several := err.(interface{ Unwrap() []error })
	switch {
	case look == nil:
		return err
	case err == look || !several: //nolint:errorlint // this very one
		return nil
	}
	return errors.Join(slices.DeleteFunc(slices.Clone(all.Unwrap()), func(e error) bool { return e == look })...) //nolint:errorlint // this very one
}

// observe hears of an outcome.
func (w *watcher) observe(ctx context.Context, o stamp.Outcome) {
	kind, user := eventOf(o), o.Request.User
	if o.Request.Source == stamp.SourceSignal && !o.Request.ReadBack {
		kind = eventOfSignal(o)
	}
	if kind == eventBrake {
		w.checkBrake(ctx)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if o.Verdict == stamp.Later && o.Err != nil {
		w.stall(o)
		return
	}
	again := string(o.Reason) + user
	if kind == "" || w.seen[again] {
		return
	}
	if kind == eventDry || o.Verdict == stamp.Failed { // it stays where it was found
		w.seen[again] = true
	}
	if o.Reason == stamp.ReasonInvalid {
		user = "" // it may hold anything, a name too
	}
	e := event{Event: kind, User: user, Reason: o.Reason}
	if o.Request.Source == stamp.SourceSignal && !o.Request.ReadBack && kind != eventFailed {
		w.ofSignal(e, o)
		return
	}
	text, after := w.say(language.Key("watch."+kind)), language.Key("watch.after")
	switch kind {
	case eventFailed:
		text = w.say("watch.failed", w.say(language.Key("failed."+o.Reason)))
	case eventDry:
		o.Called, after = w.Now(), "watch.ago"
	}
	if waited := o.Called.Sub(o.Created); !o.Created.IsZero() && !o.Called.IsZero() && waited >= 0 {
		seconds := int(waited / time.Second)
		e.Seconds = &seconds
		text += w.say(after, w.long(waited))
	}
	w.write(e, text)
}

// patient is how long a user may be put back before a person hears of it: most failures
// pass, and are over by then.
const patient = 15 * time.Minute

// stall tells that users are put back because something does not work, the same once an
// hour at most. w.mu is held.
func (w *watcher) stall(o stamp.Outcome) {
	why := explain(o.Err)
	if o.Reason == stamp.ReasonExclusionsUnavailable {
		why = &trouble{key: "watch.no_exclusions", args: []any{o.Err.Error()}}
	}
	now := w.engine.Now()
	if !w.asked.once && now.Sub(o.Request.Seen) < patient || now.Sub(w.stalled[string(why.key)]) < heartbeat {
		return
	}
	w.stalled[string(why.key)] = now
	e := event{Event: eventStalled, User: o.Request.User, Reason: o.Reason, Message: words.Say(language.English, why.key, why.args...)}
	w.write(e, w.say("watch.stamping_stalled", w.say(why.key, why.args...)))
}

// long writes a time within a sentence.
func (w *watcher) long(d time.Duration) string {
	const day = 24 * time.Hour
	if d < 2*day {
		return w.waited(d)
	}
	return w.say("watch.days", strconv.Itoa(int(d/day)))
}

// swept hears of a look. A failure that lasts is told once.
func (w *watcher) swept(ctx context.Context, r sweep.Report, err error) {
	w.checkBrake(ctx)
	w.checkSilence(ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.checkDropped()
	if w.looked = err; err != nil {
		w.failed(err)
		return
	}
	if w.silence != "" {
		w.silence = ""
		w.write(event{Event: eventBack}, w.say("watch.look_works_again"))
	}
	if r.Kind == sweep.KindFull && r.Finished {
		w.full(r)
	}
	w.beat(ctx)
}

// full tells of a look at everybody. w.mu is held.
func (w *watcher) full(r sweep.Report) {
	text := w.say("watch.full_round", language.Number(r.Members), language.Number(r.Unstamped))
	if r.Existing > 0 && w.counts[eventFull] == 0 {
		command := "sessionstamp stamp --all --dry-run"
		if w.demo {
			command += " --demo"
		}
		text += w.say("watch.existing", language.Number(r.Existing), command)
	}
	w.write(event{Event: eventFull, Everybody: &Everybody{r.Members, r.Unstamped, r.Existing}}, text)
	for i, name := range w.asked.users {
		if slices.ContainsFunc(r.UnmatchedExclusions, func(nobody string) bool { return strings.EqualFold(nobody, name) }) {
			w.write(event{Event: eventExclusion, Exclusion: i + 1}, w.say("watch.exclusion_unmatched", strconv.Itoa(i+1)))
		}
	}
}

// checkDropped tells of requests that have failed so often that they were given up. w.mu
// is held.
func (w *watcher) checkDropped() {
	dead, err := bolt.NewQueue(w.engine.File, bolt.QueueOptions{}).DeadLetters()
	if n := len(dead); err == nil && n > w.dropped && !w.asked.once { // --once gives up nothing
		w.dropped = n
		w.write(event{Event: eventDropped, Requests: n}, w.say("watch.requests_dropped", language.Number(n)))
	}
}

// failed tells why a look failed. w.mu is held.
func (w *watcher) failed(err error) {
	why := explain(err)
	said := words.Say(language.English, why.key, why.args...)
	if string(why.key) != w.silence {
		w.write(event{Event: eventSilence, Message: said}, w.say("watch.look_failed", w.say(why.key, why.args...)))
	}
	w.silence = string(why.key)
}

// beat says now and then, on standard error, that the watch lives. w.mu is held.
func (w *watcher) beat(ctx context.Context) {
	if now := w.Now(); now.Sub(w.told) >= heartbeat {
		w.told = now
		w.tell(line{text: w.summary(ctx), colour: screen.Faint})
	}
}

// summary counts since the start. w.mu is held.
func (w *watcher) summary(ctx context.Context) string {
	if w.asked.dry {
		return w.say("watch.sum_dry", w.Now().Format(clockLayout), language.Number(w.counts[eventDry]))
	}
	state, limit, err := w.engine.Brake().State(ctx, w.tenant)
	taken := "?"
	if err == nil {
		taken = language.Number(state.Taken(w.Now()))
	}
	return w.say("watch.sum", w.Now().Format(clockLayout), language.Number(w.counts[eventStamped]), taken, language.Number(limit))
}

// checkBrake tells of the brake when it was reached, once.
func (w *watcher) checkBrake(ctx context.Context) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s, limit, err := w.engine.Brake().State(ctx, w.tenant)
	if err != nil {
		return // where the file fails, the watch ends by itself
	}
	if held := s.Signals.Reached; !held.IsZero() && !held.Equal(w.held) {
		w.held = held
		w.write(event{Event: eventHeld, Limit: limit}, w.say("watch.signals_held", language.Number(limit)))
	}
	if s.Reached.IsZero() || s.Reached.Equal(w.braked) {
		return
	}
	w.braked = s.Reached
	w.write(event{Event: eventBrake, Limit: limit}, w.say("watch.brake_reached", language.Number(limit)))
}

// farewell is the last screen. It goes to standard error, behind all that is a result.
func (w *watcher) farewell(ctx context.Context) {
	w.mu.Lock()
	defer w.mu.Unlock()
	next := []hint{{"history", "hint.history"}, {"watch", "hint.watch"}}
	switch {
	case !w.held.IsZero():
		next = append([]hint{{"watch --release --signals", "hint.release"}}, next...)
	case !w.braked.IsZero():
		next = append([]hint{{"watch --release", "hint.release"}}, next...)
	case w.asked.dry:
		next = []hint{{"watch", "hint.watch"}}
	}
	w.tell(line{text: w.summary(context.WithoutCancel(ctx))})
	for _, text := range w.hints(next) {
		_, _ = fmt.Fprintln(w.Stderr, text)
	}
}

const (
	clockLayout = "15:04"
	eventLayout = "15:04:05"
	logLayout   = "2006-01-02 15:04:05"
)

// write writes an event to standard output. On a terminal its line is without the day, and
// wrapped; a log gets one line. w.mu is held.
func (w *watcher) write(e event, text string) {
	w.counts[e.Event]++
	now := w.Now()
	e.At, e.Tenant = moment(now), w.tenant
	if w.format == screen.JSON {
		_ = screen.WriteJSONLine(w.Stdout, e) // where nobody reads, the work goes on
		return
	}
	user := e.User
	if user == "" {
		user = "–"
	}
	text = screen.Clean("  " + user + "  " + text)
	lines := []string{now.Format(logLayout) + text}
	if w.Out.Live {
		lines = screen.Wrap(now.Format(eventLayout)+text, w.Out.Columns, len(eventLayout)+5)
	}
	for _, l := range lines {
		_, _ = fmt.Fprintln(w.Stdout, w.Out.Paint(colourOf[e.Event], l))
	}
}

var colourOf = map[string]screen.Colour{
	eventStamped: screen.Good, eventFailed: screen.Wrong, eventBrake: screen.Wrong, eventSilence: screen.Wrong,
	eventHeld: screen.Wrong, eventRefused: screen.Wrong, eventLost: screen.Wrong, eventSilent: screen.Wrong, eventWaits: screen.Wrong,
	eventUnheeded: screen.Notice, eventReported: screen.Notice,
	eventDropped: screen.Wrong, eventDry: screen.Notice, eventStalled: screen.Wrong, eventExclusion: screen.Notice, eventFull: screen.Faint, eventConfirmed: screen.Faint,
}
