package doctor

import (
	"slices"
	"time"
)

var awsRules = []rule{
	{"function_missing", Wrong, AWS, eachFunction(func(f Function) bool { return !f.Found })},
	{"function_failed", Wrong, AWS, eachFunction(func(f Function) bool { return f.Found && (f.State == "Failed" || f.LastUpdate == "Failed") })},
	{"function_stopped", Wrong, AWS, eachFunction(func(f Function) bool { return f.Found && f.Stopped })},
	{"source_missing", Wrong, AWS, eachSwitch(func(s Switch) bool { return s.stamper() && !s.Found })},
	{"source_off", Wrong, AWS, eachSwitch(func(s Switch) bool { return s.stamper() && s.Found && !s.On })},
	{"schedule_missing", Wrong, AWS, eachSwitch(func(s Switch) bool { return s.scheduled() && !s.Found })},
	{"schedule_off", Wrong, AWS, eachSwitch(func(s Switch) bool { return s.scheduled() && s.Found && !s.On })},
	{"queue_missing", Wrong, AWS, func(m matter) []hit {
		q, asked := m.Queue.Get()
		return when(asked && !q.Found, nil)
	}},
	{"table_missing", Wrong, AWS, func(m matter) []hit {
		t, asked := m.Table.Get()
		return when(asked && !t.Found, params{"table": plain(t.Name)})
	}},
	{"key_disabled", Wrong, AWS, keyIs("Disabled")},
	{"key_deleted", Wrong, AWS, keyIs("PendingDeletion", "PendingReplicaDeletion", "Unavailable", "PendingImport")},
	{"secret_missing", Wrong, AWS, eachSecret(func(s Secret) bool { return !s.Found })},
	{"secret_deleted", Wrong, AWS, eachSecret(func(s Secret) bool { return s.Found && s.Deleted })},
	{"queue_old", Wrong, AWS, queueOld},
	{"dead_letters", Warning, AWS, func(m matter) []hit {
		q, asked := m.Queue.Get()
		return when(asked && q.Found && q.Dead > 0, params{"dead": count(q.Dead), "arn": plain(q.DeadARN)})
	}},
	{"function_errors", Warning, AWS, eachFunction(func(f Function) bool { return f.Found && f.Errors > 1 })},
	{"api_faults", Warning, AWS, func(m matter) []hit {
		f, asked := m.Front.Get()
		return when(asked && f.Faults > 0, params{"n": count(f.Faults)})
	}},
	{"api_throttled", Warning, AWS, func(m matter) []hit {
		f, asked := m.Front.Get()
		return when(asked && f.Throttled > 0, params{"n": count(f.Throttled)})
	}},
	{"table_unprotected", Warning, AWS, tableUnprotected},
	{"table_unrecoverable", Warning, AWS, func(m matter) []hit {
		t, asked := m.Table.Get()
		return when(asked && t.Found && !t.Recovered, params{"table": plain(t.Name)})
	}},
	{"alarms_unconfirmed", Warning, AWS, receivers(func(r Receivers) bool { return r.Confirmed == 0 && r.Pending > 0 })},
	{"alarms_unheard", Warning, AWS, receivers(func(r Receivers) bool { return r == Receivers{} })},
	{"alarms_muted", Warning, AWS, alarmsMuted},
	{"alarm_subscription", Warning, AWS, rings("subscription")},
	{"alarm_sweep", Warning, AWS, rings("sweep")},
	{"alarm_missed", Warning, AWS, rings("missed")},
	{"alarm_needs_attention", Warning, AWS, rings("needs-attention")},
	{"alarm_dead_letters", Warning, AWS, rings("dead-letters")},
	{"alarm_age", Warning, AWS, rings("age")},
	{"alarm_api_faults", Warning, AWS, rings("api-faults")},
	{"alarm_stamper_errors", Warning, AWS, rings("stamper-errors")},
	{"alarm_flood", Warning, AWS, rings("flood")},
	{"alarm_volume", Warning, AWS, rings("volume")},
}

// eachFunction tries the functions, unless they are being changed.
func eachFunction(bad func(Function) bool) func(matter) []hit {
	return func(m matter) (hits []hit) {
		functions, _ := m.Functions.Get()
		for _, f := range functions {
			if !m.busy() && bad(f) {
				hits = append(hits, hit{params: params{"function": plain(f.Name), "n": count(f.Errors), "why": plain(f.Why)}})
			}
		}
		return hits
	}
}

func (s Switch) stamper() bool { return s.Function == "stamper" }

func (s Switch) scheduled() bool { return !s.stamper() && s.Function != resolver }

func eachSwitch(bad func(Switch) bool) func(matter) []hit {
	return func(m matter) (hits []hit) {
		switches, _ := m.Switches.Get()
		for _, s := range switches {
			if m.busy() || !bad(s) {
				continue
			}
			h := hit{params: params{"function": plain(s.Function), "id": plain(s.ID)}}
			if s.Queue != "" {
				h.params["queue"] = plain(s.Queue)
			}
			if s.Found && s.scheduled() { // whoever switched an event source off has stopped the stamping
				h.mend = []Remedy{{Do: EnableSchedule, Value: s.ID}}
			}
			hits = append(hits, h)
		}
		return hits
	}
}

func keyIs(states ...string) func(matter) []hit {
	return func(m matter) []hit {
		state, asked := m.Key.Get()
		return when(asked && slices.Contains(states, state), params{"state": plain(state)})
	}
}

func eachSecret(bad func(Secret) bool) func(matter) []hit {
	return func(m matter) (hits []hit) {
		secrets, _ := m.Secrets.Get()
		for _, s := range secrets {
			if bad(s) {
				hits = append(hits, hit{params: params{"secret": plain(s.Name), "arn": plain(s.ARN)}})
			}
		}
		return hits
	}
}

// lateness is how long a notification may wait: the alarm's threshold.
const lateness = 30 * time.Minute

// queueOld is silent where it is known why requests wait, and where none does any more: the
// age is the highest of the last quarter of an hour.
func queueOld(m matter) []hit {
	q, _ := m.Queue.Get()
	off := func(s Switch) bool { return s.stamper() && !s.On }
	switches, _ := m.Switches.Get()
	return when(q.Found && q.Waiting > 0 && q.Oldest > lateness && !m.stopped() && !slices.ContainsFunc(switches, off),
		params{"n": count(q.Waiting), "minutes": count(int(q.Oldest / time.Minute))})
}

func tableUnprotected(m matter) []hit {
	t, asked := m.Table.Get()
	if !asked || !t.Found || t.Protected {
		return nil
	}
	return []hit{{params{"table": plain(t.Name)}, []Remedy{{Do: ProtectTable, Value: t.Name}}}}
}

func receivers(bad func(Receivers) bool) func(matter) []hit {
	return func(m matter) []hit {
		r, asked := m.Receivers.Get()
		return when(asked && bad(r), nil)
	}
}

func alarmsMuted(m matter) []hit {
	alarms, _ := m.Alarms.Get()
	var names []string
	for _, a := range alarms {
		if a.Muted {
			names = append(names, m.alarm(a.Name))
		}
	}
	return when(len(names) > 0, params{"alarms": list(names)})
}

// alarm is the whole name of an alarm.
func (m matter) alarm(name string) string { return m.params()["stack"].En + "-" + name }

func rings(name string) func(matter) []hit {
	return func(m matter) []hit {
		alarms, _ := m.Alarms.Get()
		i := slices.IndexFunc(alarms, func(a Alarm) bool { return a.Name == name && a.Rings })
		if i < 0 {
			return nil
		}
		return one(params{"alarm": plain(m.alarm(name)), "since": m.at(alarms[i].Since)})
	}
}
