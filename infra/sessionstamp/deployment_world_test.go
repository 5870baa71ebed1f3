package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/aws/account"
	"github.com/sessionstamp/sessionstamp/shared/aws/stack"
	"github.com/sessionstamp/sessionstamp/shared/aws/stack/stacktest"
	"github.com/sessionstamp/sessionstamp/shared/aws/store"
	"github.com/sessionstamp/sessionstamp/shared/keeper"
	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/state"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

const aUser = "7451c5fa-53ca-4c4f-a6e1-0d55712f85c8"

// A deployed is a deployment that has run for weeks, and is in the table as the functions
// write it.
type deployed struct {
	*stacktest.Deployment

	table  *store.Table
	brake  stamp.BrakeState
	keeper keeper.Record
	sweep  sweep.Checkpoint
	signal signal.Registry
}

func deploy(t *testing.T) *deployed {
	t.Helper()
	d := &deployed{
		Deployment: stacktest.New(t),
		brake:      stamp.BrakeState{Tally: stamp.Tally{Hours: map[int64]int{at.Add(-2 * time.Hour).Truncate(time.Hour).Unix(): 14}}, Members: 3021},
		keeper:     keeper.Record{ID: "s", Expires: at.Add(25 * 24 * time.Hour)},
		sweep:      sweep.Checkpoint{Counts: sweep.Counts{Members: 3021, Unstamped: 2}},
	}
	var err error
	if d.table, err = d.find(t).Table(); err != nil {
		t.Fatal(err)
	}
	d.Requests = stack.Waiting{Visible: 1, Delayed: 3}
	for logical := range alarms {
		d.Resources[logical] = "sessionstamp-" + logical
		d.Alarms = append(d.Alarms, stack.Alarm{Name: "sessionstamp-" + logical, State: "OK", Since: at.Add(-time.Hour)})
	}
	d.log("SweeperFunction", -20*time.Minute, map[string]any{"message": "users swept", "report": sweep.Report{Kind: sweep.KindIncrement, Finished: true}})
	for i, r := range []struct {
		source stamp.Source
		reason stamp.Reason
		after  float64
	}{
		{stamp.SourceNotification, stamp.ReasonCalled, 13.4}, {stamp.SourceNotification, stamp.ReasonReadBack, 0},
		{stamp.SourceSweep, stamp.ReasonCalled, 2700}, {stamp.SourcePerson, stamp.ReasonCalled, 9e6}, {stamp.SourcePerson, stamp.ReasonStillEmpty, 0},
	} {
		record := map[string]any{"message": "user handled", "user": strings.Replace(aUser, "7451", []string{"7451", "7451", "8888", "9999", "9999"}[i], 1), "source": r.source, "reason": r.reason}
		if r.after > 0 {
			record["creation_to_call_s"] = r.after
		}
		d.log("StamperFunction", time.Duration(i-50)*time.Hour, record)
	}
	return d
}

func (d *deployed) log(function string, ago time.Duration, record map[string]any) {
	text, err := json.Marshal(record)
	if err != nil {
		d.T.Fatal(err)
	}
	d.Logs[function] = append(d.Logs[function], stack.Record{At: at.Add(ago), Message: string(text)})
}

// ring lets an alarm ring.
func (d *deployed) ring(logical string) {
	for i, a := range d.Alarms {
		if a.Name == "sessionstamp-"+logical {
			d.Alarms[i].State = "ALARM"
		}
	}
}

// play runs the command at the deployment. Orders do what the sweeper does with the brake.
func (d *deployed) play(t *testing.T, change func(*program), args ...string) (status int, stdout, stderr string) {
	t.Helper()
	d.write(t)
	brake := stamp.NewBrake(store.NewState[stamp.BrakeState](d.table, store.NameBrake), 0)
	if tenant := d.Parameters["TenantId"]; d.Sweep == nil {
		d.Sweep = func(o sweep.Order) (r sweep.Report, err error) {
			r = sweep.Report{Tenant: tenant, Finished: true}
			switch o {
			case sweep.OrderPause:
				err = brake.Pause(t.Context(), tenant, at)
			case sweep.OrderResume:
				err = brake.Resume(t.Context(), tenant)
			case sweep.OrderRelease:
				err = brake.Release(t.Context(), tenant, at)
			case sweep.OrderReleaseSignals:
				err = brake.ReleaseSignals(t.Context(), tenant, at)
			default:
				err = errors.New("nobody expects " + string(o))
			}
			return r, err
		}
	}
	return play(t.Context(), func(p *program) {
		p.AWS, p.Env, p.Out.Live = d, stacktest.Env, true
		if change != nil {
			change(p)
		}
	}, args...)
}

func (d *deployed) find(t *testing.T) *stack.Stack {
	t.Helper()
	a, err := account.Open(t.Context(), account.Options{Env: stacktest.Env, Transport: d})
	if err != nil {
		t.Fatal(err)
	}
	s, err := stack.Find(t.Context(), a, "sessionstamp")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (d *deployed) write(t *testing.T) {
	t.Helper()
	tenant := d.Parameters["TenantId"]
	save(t, d.table, store.NameBrake, tenant, d.brake)
	save(t, d.table, store.NameKeeper, tenant, d.keeper)
	save(t, d.table, store.NameSweep, tenant, d.sweep)
	save(t, d.table, store.NameSignals, tenant, d.signal)
}

func save[T any](t *testing.T, table *store.Table, name, tenant string, doc T) {
	t.Helper()
	documents := store.NewState[T](table, name)
	_, err := documents.Save(t.Context(), tenant, state.Item[T]{Doc: doc})
	if errors.Is(err, state.ErrConflict) { // it is there from before
		var item state.Item[T]
		if item, err = documents.Load(t.Context(), tenant); err == nil {
			item.Doc = doc
			_, err = documents.Save(t.Context(), tenant, item)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

func paused11(d *deployed) { d.brake.Paused = at.Add(-11 * time.Hour) }

func reached(d *deployed) {
	d.brake.Reached = at.Add(-time.Hour)
	d.brake.Hours[at.Add(-time.Hour).Truncate(time.Hour).Unix()] = 590
}

// signalled has signals enforced, whose brake is reached, and a source that is silent.
func signalled(d *deployed) {
	d.Parameters["SignalMode"] = "enforce"
	d.Resources["ResolverLogGroup"] = "/aws/lambda/sessionstamp-resolver"
	d.brake.Signals = stamp.Tally{Reached: at.Add(-2 * time.Hour), Hours: map[int64]int{at.Add(-2 * time.Hour).Truncate(time.Hour).Unix(): 604}}
	d.signal = signal.Registry{Sources: map[string]signal.Record{
		"a": {Name: "scripts", Kind: signal.KindWebhook, Added: at.Add(-900 * time.Hour), Heard: at.Add(-time.Hour)},
		"b": {Name: "Keycloak", Kind: signal.KindSSF, Added: at.Add(-900 * time.Hour), Heard: at.Add(-9 * time.Hour), Stream: signal.Stream{ConfigurationEndpoint: "c", VerificationEndpoint: "v"}},
	}}
}

// reported has signed out three users for what providers reported, and one for what nobody
// knows yet.
func reported(d *deployed) {
	for i, cause := range []string{"password_changed", "user_disabled", "sessions_revoked", "a_new_one"} {
		d.log("StamperFunction", time.Duration(i-9)*time.Hour, map[string]any{
			"message": "user handled", "user": strings.Replace(aUser, "7451", fmt.Sprint(1000+i), 1), "source": stamp.SourceSignal, "reason": stamp.ReasonCalled,
			"provider": "a", "cause": cause, "creation_to_call_s": 9e6,
		})
	}
}

// told has only told of signals for a day: what became of them stands in two logs, among
// records of which the history must say nothing.
func told(d *deployed) {
	signalled(d)
	d.Parameters["SignalMode"], d.brake.Signals = "report", stamp.Tally{}
	for i, r := range []struct {
		function, user, provider, cause, source, reason string
	}{
		{"Stamper", "1000", "a", "password_changed", "signal", "reported"}, {"Stamper", "1000", "b", "password_changed", "signal", "reported"},
		{"Stamper", "1001", "b", "user_disabled", "signal", "reported"}, {"Stamper", "1002", "a", "password_changed", "signal", "excluded"},
		{"Stamper", "1003", "a", "password_changed", "signal", "known_stamped"}, {"Stamper", "1004", "a", "password_changed", "signal", "throttled"},
		{"Stamper", "1005", "", "", "sweep", "excluded"},
		{"Resolver", "", "a", "user_disabled", "", "excluded"}, {"Resolver", "", "a", "user_disabled", "", "excluded"},
		{"Resolver", "", "gone", "sessions_revoked", "", "unknown_source"},
		{"Resolver", "1000", "a", "password_changed", "", "queued"}, {"Resolver", "", "a", "password_changed", "", "graph_unavailable"},
	} {
		record := map[string]any{"message": "user handled", "provider": r.provider, "cause": r.cause, "reason": r.reason}
		if r.function == "Resolver" {
			record["message"] = "signal handled"
		}
		if r.user != "" {
			record["user"], record["source"] = strings.Replace(aUser, "7451", r.user, 1), r.source
		}
		d.log(r.function+"Function", time.Duration(i-20)*time.Hour, record)
	}
}

// waiting has the brake of signals hold one user back, who was signed out before, and another
// one no more.
func waiting(d *deployed) {
	signalled(d)
	reported(d)
	for i, r := range []struct{ user, reason string }{{"1004", "brake"}, {"1000", "brake"}, {"1004", "called"}, {"1000", "brake"}} {
		d.log("StamperFunction", time.Duration(i-5)*10*time.Minute, map[string]any{
			"message": "user handled", "user": strings.Replace(aUser, "7451", r.user, 1), "source": stamp.SourceSignal, "reason": r.reason, "cause": "user_disabled", "provider": "a",
		})
	}
}

// reports answers with a report.
func reports(r sweep.Report) func(*deployed) {
	return func(d *deployed) { d.Sweep = func(sweep.Order) (sweep.Report, error) { return r, nil } }
}

func answers(text string) func(*program) {
	return func(p *program) { p.Person, p.Stdin = true, strings.NewReader(text) }
}

var fullRound = sweep.Report{Kind: sweep.KindFull, Finished: true, Queued: 2, Counts: sweep.Counts{Members: 3021, Unstamped: 412, Existing: 410}, UnmatchedExclusions: []string{"svc-*@example.com"}}

var previewed = sweep.Report{Kind: sweep.KindPreview, Finished: true, Counts: sweep.Counts{Members: 3021, Unstamped: 412, Existing: 410}, Reasons: map[stamp.Reason]*sweep.Group{
	stamp.ReasonNew:          {Count: 2, Domains: map[string]int{"example.co.jp": 2}},
	stamp.ReasonExisting:     {Count: 410, Domains: map[string]int{"example.co.jp": 400, "tokyo.example.co.jp": 10}},
	stamp.ReasonStamped:      {Count: 2609, Domains: map[string]int{"example.co.jp": 2000, "tokyo.example.co.jp": 500, "osaka.example.co.jp": 100, "x.example.co.jp": 9}},
	stamp.ReasonNotFederated: {Count: 12, Domains: map[string]int{"contoso.onmicrosoft.com": 12}},
}}
