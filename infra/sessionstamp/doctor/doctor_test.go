package doctor

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/keeper"
	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

// A fault is made on purpose: what is found is just that, and mend is what --fix does.
type fault struct {
	id   string
	made []change
	mend Action
}

var cases = append([]fault{
	{"", nil, ""},
	{"clock_off", []change{func(e *Evidence) { e.Clock = Asked(-6 * time.Minute) }}, ""},
	{"file_unreadable", []change{func(e *Evidence) { e.File = Asked(FileDamaged) }}, ""},
	{"file_locked", []change{func(e *Evidence) { e.File = Asked(FileLocked) }}, ""},
	{"sam_missing", []change{func(e *Evidence) { e.SAM = Asked(false) }}, ""},
	{"command_older", []change{func(e *Evidence) { e.Command = "1.1.9+dirty" }}, ""},
	{"command_newer", []change{func(e *Evidence) { e.Command = "1.10.0" }}, ""},
	{"", []change{func(e *Evidence) { e.Command = "(devel)" }}, ""},
	{"credentials_missing", []change{trouble(NoCredentials)}, ""},
	{"profile_unknown", []change{trouble(NoProfile)}, ""},
	{"credentials_invalid", []change{trouble(InvalidCredentials)}, ""},
	{"credentials_expired", []change{trouble(ExpiredCredentials)}, ""},
	{"region_unknown", []change{trouble(NoRegion)}, ""},
	{"federation_off", []change{func(e *Evidence) { e.Issuer = Asked("") }}, ""},
	{"federation_to_come not_deployed", []change{undeployed, func(e *Evidence) { e.Issuer = Asked("") }}, ""},
	{"not_deployed", []change{undeployed}, ""},
	{"stack_missing", []change{undeployed, func(e *Evidence) { e.Named = true }}, ""},
	{"not_deployed not_needed", []change{undeployed, func(e *Evidence) { e.Users = Asked(Users{}) }}, ""},
	{"not_deployed not_needed", []change{undeployed, domains()}, ""},
	{"stack_never_stood", []change{status("ROLLBACK_COMPLETE")}, ""},
	{"stack_update_stuck", []change{status("UPDATE_ROLLBACK_FAILED")}, ""},
	{"stack_delete_failed", []change{status("DELETE_FAILED")}, ""},
	{"stack_update_undone", []change{status("UPDATE_ROLLBACK_COMPLETE")}, ""},
	{"stack_busy", []change{status("UPDATE_IN_PROGRESS"), function(Function{})}, ""},
	{"stacks_same_tenant", []change{stacks(Deployment{Found: true, Name: "second", Tenant: "Tenant"})}, ""},
	{"app_shared", []change{stacks(Deployment{Found: true, Name: "second", Stamper: "reader", Subjects: map[string]string{"keeper": "x"}}), reader(func(a *App) {
		a.Federated = append(a.Federated, directory.FederatedCredential{Name: "x", Subject: "x"})
	})}, ""},

	{"tenant_mismatch", []change{func(e *Evidence) { e.SignedIn = Asked("b"); e.Reader = Asked(App{State: AppMissing}) }}, ""},
	{"app_missing", []change{reader(func(a *App) { *a = App{State: AppMissing} })}, ""},
	{"app_deleted", []change{stamper(func(a *App) { a.State = AppDeleted })}, ""},
	{"principal_missing", []change{stamper(func(a *App) { a.PrincipalID, a.Roles = "", nil })}, ""},
	{"app_disabled", []change{stamper(func(a *App) { a.Enabled = false })}, ""},
	{"permission_missing", []change{reader(func(a *App) { a.Roles = a.Roles[1:] })}, Grant},
	{"permission_missing", []change{stamper(func(a *App) { a.Roles = a.Roles[:3] })}, Grant},
	{"permission_beyond", []change{stack(func(d *Deployment) { d.Groups = nil }), reader(func(*App) {}), stamper(func(a *App) { a.Roles = []string{"User.Read.All", "Domain.Read.All", revoke} })}, Withdraw},
	{"reader_can_revoke", []change{reader(func(a *App) { a.Roles = append(a.Roles, revoke) })}, Withdraw},
	{"reader_can_revoke app_shared", []change{stacks(Deployment{Found: true, Name: "second", Reader: "reader"}), reader(func(a *App) { a.Roles = append(a.Roles, revoke) })}, ""},
	{"reader_can_revoke", []change{func(e *Evidence) { e.Stacks = Answer[[]Deployment]{} }, reader(func(a *App) { a.Roles = append(a.Roles, revoke) })}, ""},
	{"issuer_changed", []change{reader(otherIssuer), stamper(otherIssuer)}, Trust},
	{"trust_missing", []change{stamper(func(a *App) { a.Federated = nil })}, Trust},
	{"trust_wrong_issuer", []change{trusting(0, func(f *directory.FederatedCredential) { f.Issuer = elsewhere })}, Trust},
	{"trust_wrong_subject", []change{trusting(1, func(f *directory.FederatedCredential) { f.Subject = roles + "sweeper-us-east-1" })}, Trust},
	{"trust_wrong_audience", []change{trusting(1, func(f *directory.FederatedCredential) { f.Audience = "api://AzureADTokenExchangeChina" })}, Trust},
	{"trust_stranger", []change{reader(func(a *App) {
		a.Federated = append(a.Federated, directory.FederatedCredential{Name: "ci", Issuer: "https://ci", Subject: "repo"})
	})}, Distrust},
	{"trust_stranger", []change{reader(func(a *App) {
		a.Federated = append(a.Federated, directory.FederatedCredential{Name: "other region", Issuer: issuer, Subject: roles + "keeper-us-east-1"})
	})}, ""},
	{"", []change{secret(now.Add(31 * day))}, ""},
	{"credential_none", []change{secret(now), reader(func(a *App) { a.Credentials = nil })}, ""},
	{"credential_expired", []change{secret(now)}, ""},
	{"credential_ends", []change{secret(now.Add(29 * day))}, ""},
	{"credential_orphaned", []change{secret(now.Add(90*day), directory.AppCredential{KeyID: "old", Name: "sessionstamp 0"})}, RemoveSecret},
	{"", []change{secret(now.Add(90*day), directory.AppCredential{KeyID: "other", Name: "sessionstamp 2", End: now.Add(day)})}, ""},
	{"credential_orphaned", []change{secret(now.Add(90*day), directory.AppCredential{KeyID: "other", Name: "sessionstamp 2", End: now.Add(day)}), named("sessionstamp 1")}, RemoveSecret},
	{"credential_ends", []change{secret(now.Add(day), directory.AppCredential{KeyID: "other", Name: "portal", End: now.Add(90 * day)}), named("sessionstamp 1")}, ""},
	{"credential_none", []change{secret(now.Add(90 * day)), named("sessionstamp 2"), reader(func(a *App) { a.Credentials[0].Name = "portal" })}, ""},
	{"credential_orphaned", []change{credential(directory.AppCredential{KeyID: "old", Name: "sessionstamp 0", Certificate: true})}, RemoveCert},
	{"credential_needless", []change{credential(directory.AppCredential{KeyID: "k", End: now.Add(day)})}, ""},
	{"", []change{secret(now.Add(90*day), directory.AppCredential{KeyID: "k", OfPrincipal: true, End: now})}, ""},
	{"principal_credential", []change{secret(now.Add(90*day), directory.AppCredential{KeyID: "k", Name: "sessionstamp 1", OfPrincipal: true, End: now.Add(99 * day)})}, ""},
	{"principal_credential", []change{credential(directory.AppCredential{KeyID: "k", OfPrincipal: true, Certificate: true, End: now.Add(day)})}, ""},
	{"credential_none principal_credential", []change{secret(now), reader(func(a *App) {
		a.Credentials = []directory.AppCredential{{KeyID: "k", OfPrincipal: true, End: now.Add(day)}}
	})}, ""},
	{"app_owned", []change{stamper(func(a *App) { a.Owners = []string{"u", "v"} })}, Disown},
	{"app_shared app_owned", []change{stacks(Deployment{Found: true, Name: "second", Reader: "reader"}), reader(func(a *App) { a.Owners = []string{"u"} })}, ""},
	{"no_federated_domain", []change{domains(directory.Domain{Name: "example.co.jp", Verified: true})}, ""},
	{"named_domain_unknown", []change{domains(directory.Domain{Name: "b.example", Federated: true, Verified: true})}, ""},
	{"named_domain_managed", []change{domains(directory.Domain{Name: "example.co.jp"}, directory.Domain{Name: "b.example", Federated: true, Verified: true})}, ""},
	{"group_hidden", []change{excludes(Excluded{Hidden: []string{"g"}})}, ""},
	{"excluded_group_unknown", []change{excludes(Excluded{Groups: []string{"g"}})}, ""},
	{"excluded_group_empty", []change{excludes(Excluded{Empty: []string{"g"}})}, ""},
	{"excluded_user_unknown", []change{excludes(Excluded{Users: []string{"u"}}), checkpoint(func(c *sweep.Checkpoint) { c.Unmatched = []string{"u"} })}, ""},
	{"new_users_lack_stamp", []change{func(e *Evidence) { e.Users = Asked(Users{New: 3, NewWithout: 2}) }}, ""},

	{"function_missing", []change{function(Function{})}, ""},
	{"function_failed", []change{function(Function{Found: true, State: "Failed"})}, ""},
	{"function_failed", []change{function(Function{Found: true, LastUpdate: "Failed"})}, ""},
	{"function_stopped", []change{function(Function{Found: true, Stopped: true})}, ""},
	{"function_errors", []change{function(Function{Found: true, Errors: 2})}, ""},
	{"source_missing", []change{switches(Switch{Function: "stamper"})}, ""},
	{"source_off", []change{switches(Switch{Function: "stamper", Found: true}), queue(Queue{Oldest: day})}, ""},
	{"schedule_missing", []change{switches(Switch{Function: "keeper"})}, ""},
	{"schedule_off", []change{switches(Switch{Function: "sweeper", Found: true})}, EnableSchedule},
	{"queue_missing", []change{func(e *Evidence) { e.Queue = Asked(Queue{}) }}, ""},
	{"queue_old", []change{queue(Queue{Oldest: time.Hour, Waiting: 4})}, ""},
	{"dead_letters", []change{queue(Queue{Dead: 2})}, ""},
	{"key_disabled", []change{func(e *Evidence) { e.Key = Asked("Disabled") }}, ""},
	{"key_deleted", []change{func(e *Evidence) { e.Key = Asked("PendingDeletion") }}, ""},
	{"table_missing", []change{table(Table{})}, ""},
	{"table_unprotected", []change{table(Table{Found: true, Recovered: true})}, ProtectTable},
	{"table_unrecoverable", []change{table(Table{Found: true, Protected: true})}, ""},
	{"secret_missing", []change{func(e *Evidence) { e.Secrets = Asked([]Secret{{Name: "clientState"}}) }}, ""},
	{"secret_deleted", []change{func(e *Evidence) { e.Secrets = Asked([]Secret{{Name: "clientState", Found: true, Deleted: true}}) }}, ""},
	{"alarms_unconfirmed", []change{func(e *Evidence) { e.Receivers = Asked(Receivers{Pending: 1}) }}, ""},
	{"alarms_unheard", []change{func(e *Evidence) { e.Receivers = Asked(Receivers{}) }}, ""},
	{"alarms_muted", []change{func(e *Evidence) { e.Alarms = Asked([]Alarm{{Name: "age", Muted: true}}) }}, ""},
	{"api_faults", []change{func(e *Evidence) { e.Front = Asked(Front{Faults: 1}) }}, ""},
	{"api_throttled", []change{func(e *Evidence) { e.Front = Asked(Front{Throttled: 1}) }}, ""},

	{"keeper_never_ran", []change{func(e *Evidence) { e.Keeper = Asked(keeper.Record{}) }}, ""},
	{"", []change{stack(func(d *Deployment) { d.Created = ago(time.Hour) }), func(e *Evidence) { e.Keeper = Asked(keeper.Record{}) }}, ""},
	{"taken_down", []change{record(func(r *keeper.Record) { *r = keeper.Record{TakenDown: true, SweepOwed: true} })}, ""},
	{"subscription_missing", []change{record(func(r *keeper.Record) { r.Expires = time.Time{} })}, ""},
	{"subscription_expired", []change{record(func(r *keeper.Record) { r.Expires = now })}, ""},
	{"subscription_ends", []change{record(func(r *keeper.Record) { r.Expires = now.Add(9 * day) })}, ""},
	{"keeper_stuck", []change{record(func(r *keeper.Record) { r.Claimed = ago(2 * time.Hour) })}, ""},
	{"sweep_owed", []change{record(func(r *keeper.Record) { r.SweepOwed = true })}, ""},
	{"sweep_never_ran", []change{func(e *Evidence) { e.Sweep = Asked(sweep.Checkpoint{}) }}, ""},
	{"full_round_late", []change{checkpoint(func(c *sweep.Checkpoint) { c.FullDue = ago(25 * time.Hour) })}, AskFullRound},
	{"full_round_owed", []change{checkpoint(func(c *sweep.Checkpoint) { c.FullDue = time.Time{} })}, ""},
	{"exclusion_unmatched", []change{checkpoint(func(c *sweep.Checkpoint) { c.Unmatched = []string{"svc-*"} })}, ""},
	{"", []change{checkpoint(func(c *sweep.Checkpoint) { c.Unmatched, c.FullStarted = []string{"svc-*"}, ago(time.Hour) })}, ""},
	{"brake_reached", []change{brake(stamp.BrakeState{Tally: stamp.Tally{Reached: ago(day)}}), queue(Queue{Oldest: day}), func(e *Evidence) { e.Users = Asked(Users{New: 1, NewWithout: 1}) }}, ""},
	{"paused", []change{brake(stamp.BrakeState{Paused: ago(3 * day)}), queue(Queue{Oldest: day}), checkpoint(func(c *sweep.Checkpoint) { c.FullDue = ago(2 * day) })}, ""},
	{"sign_in_refused", []change{called("sign_in_refused")}, ""},
	{"keeper_failed", []change{called("keeper_failed")}, ""},
	{"put_back", []change{called("put_back")}, ""},
	{"unreadable_user", []change{called("unreadable_user")}, ""},
	{"malformed_delivery", []change{called("malformed_delivery")}, ""},
	{"notifications_silent", []change{traffic(Traffic{Missed: 3, Stamped: 3})}, ""},
	{"notifications_missed", []change{traffic(Traffic{Missed: 3, Stamped: 4})}, ""},
	{"notifications_forged", []change{traffic(Traffic{Forged: 1})}, ""},
	{"users_cannot_fix", []change{traffic(Traffic{CannotFix: 1})}, ""},
	{"dry_run", []change{stack(func(d *Deployment) { d.DryRun = true }), func(e *Evidence) { e.Users = Asked(Users{New: 1, NewWithout: 1}) }}, ""},

	{"trust_missing", []change{reader(distrusting)}, Trust},
	{"resolver_untrusted", []change{reader(distrusting), noSources}, Trust},
	{"", []change{reader(distrusting), noSources, signals("off")}, ""},
	{"", []change{noSources, signals("off")}, ""}, // setup --entra has it trusted all the same
	{"resolver_source_missing", []change{switches(Switch{Function: "resolver", Queue: "SignalQueue"})}, ""},
	{"resolver_source_off", []change{switches(Switch{Function: "resolver", Found: true, Queue: "SignalQueue"})}, ""},
	{"signal_queue_missing", []change{func(e *Evidence) { e.SignalQueue = Asked(Queue{}) }}, ""},
	{"signal_dead_letters", []change{func(e *Evidence) { e.SignalQueue = Asked(Queue{Found: true, Dead: 1}) }}, ""},
	{"signal_secret_missing", []change{func(e *Evidence) { e.SignalSecrets = Asked([]string{hook}) }}, ""},
	{"signal_secret_orphaned", []change{func(e *Evidence) { e.SignalSecrets = Asked([]string{hook, "left", stream}) }}, ""},
	{"signals_brake_reached", []change{brake(stamp.BrakeState{Signals: stamp.Tally{Reached: ago(day)}})}, ""},
	{"signal_stream_stopped", []change{source(stream, func(r *signal.Record) { r.Stream.Status = "paused" })}, ""},
	{"signal_stream_failed", []change{called("signal_stream")}, ""},
	{"signal_refused", []change{called("signal_refused")}, ""},
	{"signal_silent", []change{source(stream, func(r *signal.Record) { r.Heard = ago(7 * time.Hour) })}, ""},
	{"signal_silent", []change{source(hook, func(r *signal.Record) { r.Heard = ago(8 * day) })}, ""},
	{"signal_domain_managed", []change{source(hook, func(r *signal.Record) { r.Domains = append(r.Domains, "m.example") })}, ""},
	{"signal_excluded", []change{traffic(Traffic{Excluded: 2})}, ""},
	{"signals_off", []change{signals("off"), source(hook, func(r *signal.Record) { r.Heard = ago(30 * day) })}, ""},
	{"signals_reported", []change{signals("report")}, ""},
	{"", []change{signals("report"), source(hook, func(r *signal.Record) { r.Added = ago(29 * day) })}, ""},
}, ringing()...)

// ringing are the ten alarms.
func ringing() (all []fault) {
	for id := range alarmWords {
		alarm := strings.ReplaceAll(strings.TrimPrefix(id, "alarm_"), "_", "-")
		all = append(all, fault{id, []change{func(e *Evidence) { e.Alarms = Asked([]Alarm{{Name: alarm, Rings: true}}) }}, ""})
	}
	return all
}

func evidence(made []change) Evidence {
	e := healthy()
	for _, c := range made {
		c(&e)
	}
	return e
}

func ids(found []Finding) (ids []string) {
	for _, f := range found {
		ids = append(ids, f.ID)
	}
	return slices.Compact(ids)
}

// TestFaults finds each fault made on purpose, and nothing else; each rule has its fault.
func TestFaults(t *testing.T) {
	t.Parallel()
	made := make(map[string]bool)
	for _, c := range cases {
		found := Examine(evidence(c.made))
		if got := strings.Join(ids(found), " "); got != c.id {
			t.Errorf("%q: found %q", c.id, got)
			continue
		}
		for _, f := range found {
			made[f.ID] = true
		}
		var does Action
		if len(found) > 0 && len(found[0].Mend) > 0 {
			does = found[0].Mend[0].Do
		}
		if does != c.mend {
			t.Errorf("%s is mended by %q, want %q", c.id, does, c.mend)
		}
	}
	for _, r := range rules() {
		if !made[r.id] {
			t.Errorf("nobody makes the fault %s", r.id)
		}
	}
	if len(made) < 45 || len(catalogue) != len(made) {
		t.Errorf("%d faults are found, and there are words for %d", len(made), len(catalogue))
	}
}

// TestMend writes what is right, where nothing else is: it never lets the reader revoke.
func TestMend(t *testing.T) {
	t.Parallel()
	for _, c := range cases {
		for _, f := range Examine(evidence(c.made)) {
			for _, r := range f.Mend {
				right := trusted("keeper", "sweeper", "stamper", "resolver")
				switch {
				case r.Do == Trust && !slices.Contains(right, r.Credential):
					t.Errorf("%s writes %+v", c.id, r.Credential)
				case r.Do == Grant && r.Value == revoke && r.App.ClientID != "stamper", r.App.ClientID == "" && r.Value == "" && r.Do != AskFullRound && r.Do != EnableSchedule:
					t.Errorf("%s: %+v", c.id, r)
				}
			}
		}
	}
}

// TestTheirs: an app that setup has not made for this stack is left to a person, whatever ails it.
func TestTheirs(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "made for another stack"} {
		theirs := func(a *App) { a.UniqueName = name }
		for _, c := range cases {
			for _, f := range Examine(evidence(append(slices.Clone(c.made), reader(theirs), stamper(theirs)))) {
				if f.Group == Entra && len(f.Mend) > 0 {
					t.Errorf("%s: %+v", f.ID, f.Mend)
				}
			}
		}
	}
}

// TestOrder: the worst first, what explains others before them, and SAM matters less afterwards.
func TestOrder(t *testing.T) {
	t.Parallel()
	all := evidence([]change{
		func(e *Evidence) { e.SAM, e.Issuer = Asked(false), Asked("") }, record(func(r *keeper.Record) { r.SweepOwed = true }), called("sign_in_refused"),
	})
	if diff := cmp.Diff([]string{"federation_off", "sign_in_refused", "sam_missing", "sweep_owed"}, ids(Examine(all))); diff != "" {
		t.Error(diff)
	}
	found := Examine(all)
	for g, want := range map[Group]Severity{Machine: Note, AWS: Wrong, State: Wrong, Entra: Fine} {
		if got := Worst(g, found); got != want {
			t.Errorf("%s: %s, want %s", g, got, want)
		}
	}
}
