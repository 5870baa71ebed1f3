package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/job"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/signal/receiver"
	"github.com/sessionstamp/sessionstamp/shared/signal/resolver"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// The events of what a provider reports.
const (
	// eventSignal: it is known whom the provider means.
	eventSignal = "signal"
	// eventReported: the user would be stamped again with --enforce.
	eventReported = "signal_reported"
	// eventSufficient: the user's stamp is newer than what is reported.
	eventSufficient = "signal_sufficient"
	// eventUnheeded: nobody is stamped for it, for a reason.
	eventUnheeded = "signal_unheeded"
	// eventWaits: what is reported can't be looked up now; eventLost: nor within a day.
	eventWaits = "signal_waits"
	eventLost  = "signal_lost"
	// eventRefused: somebody who knows the address can't prove that he is the provider.
	eventRefused = "signal_refused"
	eventHeard   = "signal_heard"
	eventSilent  = "signal_silent"
	// eventHeld: the brake of signals was reached.
	eventHeld = "signal_brake_reached"
)

// eventOfSignal tells what a person is to hear of an outcome of what was reported.
func eventOfSignal(o stamp.Outcome) string {
	switch o.Reason {
	case stamp.ReasonReported:
		return eventReported
	case stamp.ReasonStamped, stamp.ReasonKnownStamped, stamp.ReasonReadBackPending:
		return eventSufficient
	case stamp.ReasonGuest, stamp.ReasonNotMember, stamp.ReasonNotFederated, stamp.ReasonExcluded, stamp.ReasonExisting, stamp.ReasonNotFound:
		return eventUnheeded
	default:
		return eventOf(o)
	}
}

// hear has the watch's listening tell this watcher.
func (w *watcher) hear() {
	if w.listening != nil {
		w.listening.Received, w.listening.Resolved, w.listening.GaveUp = w.received, w.resolved, w.lost
	}
}

// received hears of a request. What is taken is told once it is resolved.
func (w *watcher) received(r receiver.Receipt) {
	refusal, refused := errors.AsType[*signal.Refusal](r.Err)
	switch {
	case r.Refused():
		reason := "unusable"
		if refused {
			reason = string(refusal.Reason)
		}
		w.seldom(event{Event: eventRefused, Reason: stamp.Reason(reason)}, w.say("watch.signal_refused", reason))
	case r.Source != "" && r.Err != nil: // the keys, or the file
		w.seldom(event{Event: eventWaits, Message: r.Err.Error()}, w.say("watch.signal_waits", r.Err.Error()))
	}
}

// unheeded are the reasons for which nobody is stamped, though the provider reports somebody.
var unheeded = []signal.Reason{
	signal.SubjectUnknown, signal.SubjectAmbiguous, signal.SubjectForeignDomain,
	signal.SubjectGuest, signal.SubjectNotMember, signal.SubjectNotFederated,
}

// resolved hears whom a signal means.
func (w *watcher) resolved(o resolver.Outcome) {
	e := event{User: o.User, Cause: string(o.Kind), Reason: stamp.Reason(o.Reason)}
	switch {
	case o.Reason == resolver.Heard:
		e.Event = eventHeard
		w.seldom(e, w.say("watch.signal_heard"))
	case o.Reason == resolver.Queued:
		w.mu.Lock()
		defer w.mu.Unlock()
		e.Event = eventSignal
		w.write(e, w.say("watch.signal", w.cause(e.Cause)))
	case slices.Contains(unheeded, o.Reason):
		w.mu.Lock()
		defer w.mu.Unlock()
		e.Event = eventUnheeded
		w.write(e, w.say("watch.signal_unheeded", w.say(language.Key("unheeded."+o.Reason))))
	case o.Left && o.Reason != resolver.NotFoundYet && o.Waited >= patient:
		e.Event = eventWaits
		w.seldom(e, w.say("watch.signal_waits", string(o.Reason)))
	}
}

func (w *watcher) cause(kind string) string { return w.say(language.Key("cause." + kind)) }

// lost hears of a signal that was given up.
func (w *watcher) lost() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.write(event{Event: eventLost}, w.say("watch.signal_lost"))
}

// ofSignal tells of an outcome of what was reported. w.mu is held.
func (w *watcher) ofSignal(e event, o stamp.Outcome) {
	e.Cause = o.Request.Cause
	var text string
	switch e.Event {
	case eventUnheeded:
		text = w.say("watch.signal_unheeded", w.say(language.Key("unheeded."+o.Reason)))
	case eventStamped:
		reported := o.Request.NotBefore.Add(-stamp.DefaultPolicy.ClockSkew)
		waited := max(0, o.Called.Sub(reported))
		seconds := int(waited / time.Second)
		e.Seconds = &seconds
		text = w.say("watch.stamped_again", w.cause(e.Cause), w.long(waited))
	case eventDry:
		text = w.say("watch.signal_reported", w.cause(e.Cause))
	default:
		text = w.say(language.Key("watch."+e.Event), w.cause(e.Cause))
	}
	w.write(e, text)
}

// seldom writes an event that may come again and again, once an hour.
func (w *watcher) seldom(e event, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	key, now := e.Event+string(e.Reason), w.engine.Now()
	if now.Sub(w.stalled[key]) >= heartbeat {
		w.stalled[key] = now
		w.write(e, text)
	}
}

// checkSilence tells that nothing is heard of the provider, once a day.
func (w *watcher) checkSilence(ctx context.Context) {
	if w.listening == nil {
		return
	}
	const day = 24 * time.Hour
	sources, err := job.Sources(ctx, w.engine.File, w.tenant)
	record, known := sources[w.listening.Source]
	w.mu.Lock()
	defer w.mu.Unlock()
	if now := w.engine.Now(); err == nil && known && record.Silent(now) && now.Sub(w.stalled[eventSilent]) >= day {
		w.stalled[eventSilent] = now
		w.write(event{Event: eventSilent}, w.say("watch.signal_silent"))
	}
}
