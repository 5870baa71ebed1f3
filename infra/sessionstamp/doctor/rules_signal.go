package doctor

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// The values of SignalMode, beside "enforce".
const (
	signalsOff      = "off"
	signalsReported = "report"
)

// resolver is the function that finds out whom a provider means.
const resolver = "resolver"

var signalRules = []rule{
	{"resolver_source_missing", Wrong, AWS, eachSwitch(func(s Switch) bool { return s.Function == resolver && !s.Found })},
	{"resolver_source_off", Wrong, AWS, eachSwitch(func(s Switch) bool { return s.Function == resolver && s.Found && !s.On })},
	{"signal_queue_missing", Wrong, AWS, func(m matter) []hit {
		q, asked := m.SignalQueue.Get()
		return when(asked && !q.Found && !m.busy(), nil)
	}},
	{"signal_secret_missing", Wrong, AWS, eachSource(func(m matter, id string, _ signal.Record) bool {
		secrets, asked := m.SignalSecrets.Get()
		return asked && !slices.Contains(secrets, id)
	})},
	{"signal_dead_letters", Warning, AWS, func(m matter) []hit {
		q, asked := m.SignalQueue.Get()
		return when(asked && q.Found && q.Dead > 0, params{"dead": count(q.Dead), "arn": plain(q.DeadARN)})
	}},
	{"signal_secret_orphaned", Warning, AWS, signalSecretOrphaned},
	{"resolver_untrusted", Warning, Entra, resolverUntrusted},
	{"signals_brake_reached", Wrong, State, func(m matter) []hit {
		b, _ := m.Brake.Get()
		return when(!b.Signals.Reached.IsZero(), params{"since": m.at(b.Signals.Reached)})
	}},
	{"signal_stream_stopped", Wrong, State, eachSource(func(_ matter, _ string, r signal.Record) bool {
		return r.Kind == signal.KindSSF && slices.Contains([]string{"paused", "disabled"}, r.Stream.Status)
	})},
	{"signal_stream_failed", Warning, State, attention("signal_stream")},
	{"signal_silent", Warning, State, eachSource(func(m matter, _ string, r signal.Record) bool { return r.Silent(m.Now) })},
	{"signal_refused", Warning, State, signalRefused},
	{"signal_domain_managed", Warning, State, signalDomainManaged},
	{"signal_excluded", Warning, State, func(m matter) []hit {
		t, _ := m.Traffic.Get()
		return when(t.Excluded > 0, params{"n": count(t.Excluded)})
	}},
	{"signals_off", Warning, State, func(m matter) []hit {
		d, deployed := m.deployed()
		r, _ := m.Signals.Get()
		return when(deployed && d.SignalMode == signalsOff && len(r.Sources) > 0, params{"n": count(len(r.Sources))})
	}},
	{"signals_reported", Note, State, signalsReportedLong},
}

// listens tells whether it is known that the stack takes what providers report.
func (m matter) listens() bool {
	d, deployed := m.deployed()
	return deployed && d.SignalMode != "" && d.SignalMode != signalsOff
}

// sources are those from which the stack takes something.
func (m matter) sources() map[string]signal.Record {
	r, _ := m.Signals.Get()
	if !m.listens() {
		return nil
	}
	return r.Sources
}

func sourceParams(m matter, id string, r signal.Record) params {
	last := r.Added
	if r.Heard.After(last) {
		last = r.Heard
	}
	return params{"source": plain(r.Name), "id": plain(id), "status": plain(r.Stream.Status), "heard": m.at(last)}
}

// eachSource tries the sources.
func eachSource(bad func(m matter, id string, r signal.Record) bool) func(matter) []hit {
	return func(m matter) (hits []hit) {
		sources := m.sources()
		for _, id := range slices.Sorted(maps.Keys(sources)) {
			if bad(m, id, sources[id]) {
				hits = append(hits, hit{params: sourceParams(m, id, sources[id])})
			}
		}
		return hits
	}
}

// signalRefused names the sources, where the log tells which.
func signalRefused(m matter) []hit {
	hits := attention("signal_refused")(m)
	var names []string
	for id, r := range m.sources() {
		if slices.Contains(m.Refused, id) {
			names = append(names, r.Name)
		}
	}
	slices.Sort(names)
	for _, h := range hits {
		if h.params["sources"] = plain(""); len(names) > 0 {
			h.params["sources"] = plain(": " + strings.Join(names, ", "))
		}
	}
	return hits
}

// signalSecretOrphaned finds what a removal that broke off has left.
func signalSecretOrphaned(m matter) (hits []hit) {
	secrets, _ := m.SignalSecrets.Get()
	registry, asked := m.Signals.Get()
	for _, id := range secrets {
		if _, known := registry.Sources[id]; asked && !known {
			hits = append(hits, hit{params: params{"id": plain(id)}})
		}
	}
	return hits
}

// signalDomainManaged finds domains for which a source speaks in vain, but for those of the
// stack's settings: others tell of them.
func signalDomainManaged(m matter) (hits []hit) {
	d, _ := m.deployed()
	domains, asked := m.Domains.Get()
	federated, sources := stamp.FederatedAmong(domains), m.sources()
	for _, id := range slices.Sorted(maps.Keys(sources)) {
		var in []string
		for _, name := range sources[id].Domains {
			named := slices.ContainsFunc(d.Domains, func(one string) bool { return strings.EqualFold(one, name) })
			if !named && !federated.Contain(name) {
				in = append(in, name)
			}
		}
		if asked && !m.otherTenant() && len(in) > 0 {
			p := sourceParams(m, id, sources[id])
			p["domains"] = plain(strings.Join(in, ", "))
			hits = append(hits, hit{params: p})
		}
	}
	return hits
}

// trial is how long it is worth looking on.
const trial = 30 * 24 * time.Hour

// signalsReportedLong hits where signals have been reported only since the first source.
func signalsReportedLong(m matter) []hit {
	d, _ := m.deployed()
	since := m.Now
	for _, r := range m.sources() {
		if r.Added.Before(since) {
			since = r.Added
		}
	}
	return when(d.SignalMode == signalsReported && m.Now.Sub(since) > trial, params{"since": m.at(since)})
}

// unneeded tells whether a flaw keeps nothing from being done: no provider reports anything
// yet, as far as is known.
func (m matter) unneeded(f flaw) bool {
	return f.function == resolver && f.kind == flawMissing && len(m.sources()) == 0
}

// resolverUntrusted hits after an update from a version that had no signals.
func resolverUntrusted(m matter) (hits []hit) {
	for _, a := range m.held() {
		for _, f := range m.flaws(a) {
			if m.unneeded(f) {
				hits = append(hits, f.hit())
			}
		}
	}
	return hits
}
