package main

import (
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/shared/aws/stack"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// A matter is something that a person should know of a deployment.
type matter struct {
	key  language.Key
	args []any // moments, numbers and texts
	// wrong tells that it waits for a person.
	wrong bool
	next  hint
}

// sweepLate is how long after the last sweep something is wrong: they run hourly.
const sweepLate = 3 * time.Hour

// matters judges a condition, the gravest first.
func (s condition) matters() (all []matter) {
	add := func(is bool, m matter) {
		if is {
			all = append(all, m)
		}
	}
	if !s.Serves() {
		add(s.Failure == "", matter{"status.not_serving", []any{s.Status}, true, hint{}})
		add(s.Failure != "", matter{"status.failed", []any{s.Status, s.Failure}, true, hint{}})
		return all
	}
	expires, young := s.Keeper.Expires, s.now.Sub(s.Created) < sweepLate
	add(s.Failure != "", matter{"status.update_failed", []any{s.Failure}, true, hint{}})
	add(isSet(s.Brake.Paused), matter{"status.paused", []any{s.Brake.Paused}, true, hint{"resume", "hint.resume"}})
	add(isSet(s.Brake.Reached), matter{"status.braked", []any{s.Brake.Reached, s.Brake.Taken(s.now)}, true, hint{"release", "hint.release"}})
	add(isSet(s.Brake.Signals.Reached), matter{
		"status.signals_braked", []any{s.Brake.Signals.Reached, s.Brake.Signals.Taken(s.now)}, true, hint{"release --signals", "hint.release_signals"},
	})
	add(s.silent() > 0, matter{"status.signals_silent", []any{s.silent()}, true, hint{}})
	add(s.trigger == "Disabled" || s.trigger == "Disabling", matter{"status.stopped", nil, true, hint{"doctor", "hint.doctor"}})
	add(s.Keeper.TakenDown, matter{"status.taken_down", nil, true, hint{}})
	add(!s.Keeper.TakenDown && expires.IsZero(), matter{"status.no_subscription", nil, true, hint{}})
	add(isSet(expires) && expires.Before(s.now), matter{"status.subscription_ended", []any{expires}, true, hint{}})
	add(s.late() && s.Brake.Paused.IsZero() && !young, matter{"status.no_sweep", nil, true, hint{"sweep", "hint.sweep"}})
	add(s.dead.Sum() > 0, matter{"status.dead_letters", []any{s.dead.Sum()}, true, hint{}})
	for _, a := range s.alarms {
		key, known := alarms[a.Logical]
		m := matter{key, []any{a.Since}, true, hint{}}
		if !known {
			m.args = []any{a.Description}
		}
		add(a.Rings(), m)
	}
	excluded := countEnded(s.ended, stamp.ReasonExcluded)
	add(excluded > 0, matter{"status.signals_excluded", []any{excluded, argument(s.Name)}, false, hint{}})
	add(s.observes(), matter{"status.dry_run", nil, false, hint{"setup --observe false", "hint.observe_ends"}})
	add(s.Sweep.Counts.Existing > 0, matter{"status.existing", []any{s.Sweep.Counts.Existing, argument(s.Name)}, false, hint{}})
	return all
}

// silent counts the sources of signals of which too long nothing was heard.
func (s condition) silent() (n int) {
	for _, r := range s.Signals.Sources {
		if s.SignalMode() != stack.SignalsOff && r.Silent(s.now) {
			n++
		}
	}
	return n
}

func (s condition) late() bool { return s.now.Sub(s.swept) > sweepLate }

// alarms are what template.yaml's mean.
var alarms = map[string]language.Key{
	"SubscriptionAlarm": "alarm.subscription", "SweepAlarm": "alarm.sweep", "MissedAlarm": "alarm.missed",
	"AttentionAlarm": "alarm.attention", "DeadLettersAlarm": "alarm.dead_letters", "AgeAlarm": "alarm.age",
	"ApiFaultsAlarm": "alarm.api_faults", "StamperErrorsAlarm": "alarm.stamper_errors", "FloodAlarm": "alarm.flood",
	"VolumeAlarm": "alarm.volume",
}
