package main

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/shared/aws/stack"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// signalEnds are how a signal can end, in the words of a column: the stamper's reasons, and
// the resolver's where it has found nobody to hand on. What is tried again has not ended.
var signalEnds = map[string]language.Key{
	string(stamp.ReasonCalled): "ended.called", string(stamp.ReasonReported): "ended.reported", string(stamp.ReasonDryRun): "ended.dry_run",
	string(stamp.ReasonStamped): "ended.stamped", string(stamp.ReasonKnownStamped): "ended.stamped", string(stamp.ReasonReadBackPending): "ended.stamped",
	string(stamp.ReasonExcluded): "ended.excluded", string(stamp.ReasonExisting): "ended.existing", string(stamp.ReasonGuest): "ended.guest", string(stamp.ReasonNotMember): "ended.not_member",
	string(stamp.ReasonNotFederated): "ended.managed", string(stamp.ReasonNotFound): "ended.not_found",
	string(stamp.ReasonForbidden): "state.cannot_fix", string(stamp.ReasonRefused): "state.cannot_fix", string(stamp.ReasonStillEmpty): "state.cannot_fix",
	string(stamp.ReasonKnownCannotFix): "state.cannot_fix", string(stamp.ReasonGaveUp): "state.cannot_fix",
	string(stamp.ReasonBrake): "ended.waits", // the one that has not: a person ends it

	string(signal.SubjectUnknown): "ended.not_found", string(signal.SubjectAmbiguous): "ended.several",
	string(signal.SubjectForeignDomain): "ended.foreign", string(signal.LogOut): "ended.log_out", string(signal.UnknownSource): "ended.removed",
}

// toldSignals is the JSON of history --signals, the last first. Mode is today's.
type toldSignals struct {
	Tenant  string           `json:"tenant"`
	Mode    stack.SignalMode `json:"mode"`
	Signals []toldSignal     `json:"signals"`
}

// toldSignal is one. It has no user where the resolver has handed nobody on, and no name where
// the source was removed.
type toldSignal struct {
	Handled           string       `json:"handled"`
	ID                string       `json:"id,omitempty"`
	UserPrincipalName string       `json:"userPrincipalName,omitempty"`
	Provider          string       `json:"provider"`
	Name              string       `json:"name,omitempty"`
	Cause             string       `json:"cause"`
	Reason            stamp.Reason `json:"reason"`
}

// ofStamper and ofResolver find their records of signals.
const (
	ofStamper  = `$.message = "user handled" && $.source = "signal"`
	ofResolver = `$.message = "signal handled"`
)

// signalPattern finds how signals have ended among such records: of one user if there is an
// id. CloudWatch takes 1,024 characters
// (https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html).
func signalPattern(of, id string) string {
	var reasons []string
	for _, reason := range slices.Sorted(maps.Keys(signalEnds)) {
		if reason != string(stamp.ReasonBrake) {
			reasons = append(reasons, `$.reason = "`+reason+`"`)
		}
	}
	return patternOf(of+" && ("+strings.Join(reasons, " || ")+")", id)
}

// signalsOf reads how the signals of a deployment have ended since a moment, the last first:
// those of one user if there is an id, which the resolver's log has of nobody. It tells
// whether there are more.
func signalsOf(ctx context.Context, s *stack.Stack, since time.Time, id string) (pasts []past, cut bool, err error) {
	records, cut, err := s.Logs(ctx, "StamperFunction", since, signalPattern(ofStamper, id), mostHandled)
	if err == nil && id == "" && s.SignalMode() != stack.SignalsOff {
		var others []stack.Record
		var more bool
		others, more, err = s.Logs(ctx, "ResolverFunction", since, signalPattern(ofResolver, ""), mostHandled)
		records, cut = append(records, others...), cut || more
	}
	return withoutRepeats(endedAmong(records)), cut, err
}

// endedAmong reads how signals have ended, the last first.
func endedAmong(records []stack.Record) (pasts []past) {
	slices.SortStableFunc(records, func(a, b stack.Record) int { return b.At.Compare(a.At) })
	for _, r := range records {
		if p, is := endedIn(r); is {
			pasts = append(pasts, p)
		}
	}
	return pasts
}

// brakedSpan is how far back the log is searched for whom the brake of signals holds back: who
// waits is tried again, and told, every [stamp.MaxDelay]. All of it would be more than is read.
const brakedSpan = 4 * stamp.MaxDelay

// withBraked adds to what is given the last first who waits for the brake of signals: each user
// once, and nobody of whom something newer is told.
func withBraked(ctx context.Context, s *stack.Stack, now time.Time, id string, pasts []past) ([]past, error) {
	records, _, err := s.Logs(ctx, "StamperFunction", now.Add(-brakedSpan), patternOf(ofStamper+` && $.reason = "`+string(stamp.ReasonBrake)+`"`, id), mostHandled)
	return joinBraked(pasts, endedAmong(records)), err
}

func joinBraked(pasts, braked []past) []past {
	latest := make(map[string]time.Time)
	for _, p := range slices.Backward(pasts) {
		latest[p.User] = p.Called
	}
	for _, p := range braked {
		if p.Called.After(latest[p.User]) {
			latest[p.User], pasts = p.Called, append(pasts, p)
		}
	}
	slices.SortStableFunc(pasts, func(a, b past) int { return b.Called.Compare(a.Called) })
	return pasts
}

// withoutRepeats leaves out of what is given the last first where the stamper has met the stamp
// of its own call: minutes after it, the request comes back, so that nothing is lost.
func withoutRepeats(pasts []past) (kept []past) {
	called := make(map[[2]string]time.Time)
	for _, p := range slices.Backward(pasts) {
		who := [2]string{p.User, p.provider}
		if p.Reason == stamp.ReasonCalled {
			called[who] = p.Called
		} else if signalEnds[string(p.Reason)] == "ended.stamped" && p.Called.Before(called[who].Add(time.Hour)) {
			continue
		}
		kept = append(kept, p)
	}
	slices.Reverse(kept)
	return kept
}

// endedIn reads how a signal has ended. What is no such record is passed over.
func endedIn(r stack.Record) (p past, is bool) {
	var h handled
	ofSignal := json.Unmarshal([]byte(r.Message), &h) == nil &&
		(h.Message == "signal handled" || h.Message == "user handled" && h.Source == stamp.SourceSignal)
	if _, ended := signalEnds[string(h.Reason)]; !ofSignal || !ended || h.User != "" && !directory.IsID(h.User) {
		return past{}, false
	}
	return past{stamp.Entry{User: h.User, Called: r.At, Source: stamp.SourceSignal, Reason: h.Reason}, h.Provider, h.Cause}, true
}

// countEnded counts of whom signals have ended so: each user once, and each report of somebody
// unknown.
func countEnded(pasts []past, reason stamp.Reason) (n int) {
	seen := make(map[string]bool)
	for _, p := range pasts {
		if p.Reason == reason && !seen[p.User] {
			seen[p.User], n = p.User != "", n+1
		}
	}
	return n
}

// signalHistory tells what became of what providers have reported.
func (c *call) signalHistory(ctx context.Context, s *stack.Stack, r recollection, id string, names map[string]string) error {
	pasts, cut, err := signalsOf(ctx, s, r.since, id)
	if err == nil {
		pasts, err = withBraked(ctx, s, c.Now(), id, pasts)
	}
	if err != nil {
		return err
	}
	known, err := s.Registry(ctx)
	if err != nil {
		return err
	}
	found := slices.DeleteFunc(slices.Clone(r.shown(pasts, c.format)), func(p past) bool { return p.User == "" })
	if r.names && len(names) == 0 && len(found) > 0 {
		if names, err = c.names(ctx, found); err != nil {
			return err
		}
	}
	v := view{before: c.endedLines(s, pasts, r), table: c.endedTable(r.shown(pasts, c.format), known, names)}
	told := toldSignals{s.Tenant(), s.SignalMode(), []toldSignal{}}
	for _, p := range pasts {
		told.Signals = append(told.Signals, toldSignal{
			moment(p.Called), p.User, names[p.User], p.provider, known.Sources[p.provider].Name, p.cause, p.Reason,
		})
	}
	v.object, v.sheet = told, told.sheet()
	v.after = c.beyond(len(pasts)-len(v.table.Rows), cut)
	if len(found) > 0 && !r.names && r.user == "" {
		v.next = append(v.next, hint{"history --signals --names" + r.named(), "hint.names"})
	}
	if s.SignalMode() == stack.SignalsReported && len(pasts) > 0 {
		v.next = append(v.next, hint{"setup --signals enforce" + r.given(), "hint.enforce"})
	}
	if countEnded(pasts, stamp.ReasonBrake) > 0 {
		v.next = append(v.next, hint{"release --signals" + r.given(), "hint.release_signals"})
	}
	v.next = append(v.next, hint{"signal list" + r.given(), "hint.signal_list"})
	return c.show(v)
}

// endedLines say how many there were, and what a person should know of them.
func (c *call) endedLines(s *stack.Stack, pasts []past, r recollection) []line {
	waiting := countEnded(pasts, stamp.ReasonBrake)
	lines := []line{{text: c.say("ended.all", s.Name, c.when(r.since), language.Number(len(pasts)-waiting))}}
	if waiting > 0 {
		lines = append(lines, line{text: "! " + c.say("ended.braked", language.Number(waiting)), colour: screen.Notice, hang: 2})
	}
	if n := countEnded(pasts, stamp.ReasonReported); n > 0 {
		lines = append(lines, line{text: c.say("ended.would", language.Number(n))})
	}
	if n := countEnded(pasts, stamp.ReasonExcluded); n > 0 {
		lines = append(lines, line{text: "! " + c.say("ended.spared", language.Number(n)), colour: screen.Notice, hang: 2})
	}
	return lines
}

// endedTable names the source where there are several: an object id leaves little room.
func (c *call) endedTable(pasts []past, known signal.Registry, names map[string]string) screen.Table {
	table := screen.Table{Columns: []screen.Column{
		{Title: c.say("column.handled")}, {Title: c.say("column.user")}, {Title: c.say("column.source")}, {Title: c.say("column.state")}, {Title: c.say("column.signal")},
	}}
	if len(known.Sources) < 2 {
		table.Columns = table.Columns[:4]
	}
	for _, p := range pasts {
		table.Rows = append(table.Rows, []string{
			c.when(p.Called), cmp.Or(names[p.User], p.User), c.by(p), c.say(signalEnds[string(p.Reason)]), cmp.Or(known.Sources[p.provider].Name, p.provider),
		})
	}
	return table
}

func (told toldSignals) sheet() screen.Table {
	var t screen.Table
	for _, title := range []string{"handled", "id", "userPrincipalName", "provider", "name", "cause", "reason"} {
		t.Columns = append(t.Columns, screen.Column{Title: title})
	}
	for _, s := range told.Signals {
		t.Rows = append(t.Rows, []string{s.Handled, s.ID, s.UserPrincipalName, s.Provider, s.Name, s.Cause, string(s.Reason)})
	}
	return t
}
