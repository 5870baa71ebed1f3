package doctor

import (
	"slices"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/keeper"
	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

var now = time.Date(2026, 11, 29, 9, 0, 0, 0, time.UTC)

func ago(d time.Duration) time.Time { return now.Add(-d) }

const (
	name     = "sessionstamp"
	day      = 24 * time.Hour
	issuer   = "https://1a2b.tokens.sts.global.api.aws"
	audience = "api://AzureADTokenExchange"
	roles    = "arn:aws:iam::123456789012:role/sessionstamp-"
)

func role(function string) string { return roles + function + "-ap-northeast-1" }

func trusted(functions ...string) (list []directory.FederatedCredential) {
	for _, f := range functions {
		list = append(list, directory.FederatedCredential{Name: name + "-" + f, Issuer: issuer, Subject: role(f), Audience: audience})
	}
	return list
}

func app(id string, roles []string, functions ...string) App {
	return App{directory.App{ID: "o" + id, UniqueName: "made " + id, ClientID: id, PrincipalID: "p" + id, Enabled: true, Roles: roles, Federated: trusted(functions...)}, AppFound}
}

func deployment() Deployment {
	return Deployment{
		Found: true, Name: name, Status: "UPDATE_COMPLETE", Created: ago(40 * day), Version: "1.2.0",
		Tenant: "tenant", Reader: "reader", Stamper: "stamper", Mode: directory.AuthWebIdentity, Audience: audience,
		Subjects: map[string]string{"keeper": role("keeper"), "sweeper": role("sweeper"), "stamper": role("stamper"), "resolver": role("resolver")},
		Apps:     map[string]string{"reader": "made reader", "stamper": "made stamper"},
		Domains:  []string{"Example.co.jp"}, Groups: []string{"group"}, SignalMode: "enforce",
	}
}

// healthy is a deployment of which nothing is to be said.
func healthy() Evidence {
	reads := []string{"Domain.Read.All", "GroupMember.Read.All", "User.Read.All"}
	var functions []Function
	for _, function := range []string{"webhook", "stamper", "keeper", "sweeper", "receiver", "resolver"} {
		functions = append(functions, Function{Name: function, Found: true, State: "Active", LastUpdate: "Successful"})
	}
	return Evidence{
		Now: now, Command: "1.2.0", Stack: name,
		Clock: Asked(-time.Minute), SAM: Asked(true), File: Asked(FileFine),
		Account: Asked(Account{ID: "123456789012", Region: "ap-northeast-1"}), Issuer: Asked(issuer),
		Stacks:     Asked([]Deployment{deployment(), {Found: true, Name: "other", Tenant: "b", Reader: "c"}}),
		Deployment: Asked(deployment()), Functions: Asked(functions),
		Switches: Asked([]Switch{{"stamper", "uuid", true, true, ""}, {"keeper", "k", true, true, ""}, {"sweeper", "s", true, true, ""}, {"resolver", "r", true, true, "SignalQueue"}}),
		Queue:    Asked(Queue{Found: true, Oldest: time.Minute, Waiting: 3}), Key: Asked("Enabled"),
		Table: Asked(Table{"table", true, true, true}), Secrets: Asked([]Secret{{"clientState", "arn", true, false}}),
		Alarms: Asked([]Alarm{{Name: "sweep"}}), Receivers: Asked(Receivers{Confirmed: 1, Pending: 1}), Front: Asked(Front{}),
		SignedIn: Asked("TENANT"),
		Reader:   Asked(app("reader", reads, "keeper", "sweeper", "resolver")), Stamper: Asked(app("stamper", append(reads, revoke), "stamper")),
		Domains:  Asked([]directory.Domain{{Name: "example.co.jp", Federated: true, Verified: true}, {Name: "m.example"}}),
		Excluded: Asked(Excluded{}), Users: Asked(Users{Without: 5, New: 3}),
		Keeper:      Asked(keeper.Record{ID: "s", Expires: now.Add(25 * day)}),
		SignalQueue: Asked(Queue{Found: true}), Signals: Asked(registry()), SignalSecrets: Asked([]string{hook, stream}),
		Sweep:     Asked(sweep.Checkpoint{DeltaLink: "l", FullDue: now.Add(time.Hour)}),
		Brake:     Asked(stamp.BrakeState{}),
		Attention: Asked(map[string]int{"cannot_fix": 1}), Traffic: Asked(Traffic{Stamped: 9}),
	}
}

// The ids of the healthy sources.
const hook, stream = "hook", "stream"

func registry() signal.Registry {
	heard := ago(time.Hour)
	return signal.Registry{Sources: map[string]signal.Record{
		hook:   {Name: "scripts", Kind: signal.KindWebhook, Domains: []string{"example.co.jp"}, Added: ago(60 * day), Heard: ago(2 * day)},
		stream: {Name: "Keycloak", Kind: signal.KindSSF, Domains: []string{"example.co.jp"}, Added: ago(9 * day), Heard: heard, Pinged: heard, Stream: signal.Stream{Status: "enabled", ConfigurationEndpoint: "c", VerificationEndpoint: "v"}},
	}}
}

// source changes one of them.
func source(id string, f func(*signal.Record)) change {
	return set(func(e *Evidence) *Answer[signal.Registry] { return &e.Signals }, func(r *signal.Registry) {
		one := r.Sources[id]
		f(&one)
		r.Sources[id] = one
	})
}

func signals(mode string) change { return stack(func(d *Deployment) { d.SignalMode = mode }) }

func noSources(e *Evidence) {
	e.Signals, e.SignalSecrets = Asked(signal.Registry{}), Asked([]string(nil))
}

// distrusting takes the resolver's credential from the reader.
func distrusting(a *App) {
	a.Federated = slices.DeleteFunc(slices.Clone(a.Federated), func(f directory.FederatedCredential) bool { return f.Subject == role("resolver") })
}

// A change makes another piece of evidence of the healthy one.
type change func(*Evidence)

func set[T any](piece func(*Evidence) *Answer[T], f func(*T)) change {
	return func(e *Evidence) {
		value, _ := piece(e).Get()
		f(&value)
		*piece(e) = Asked(value)
	}
}

func stack(f func(*Deployment)) change {
	return set(func(e *Evidence) *Answer[Deployment] { return &e.Deployment }, f)
}
func status(s string) change { return stack(func(d *Deployment) { d.Status = s }) }
func stacks(s ...Deployment) change {
	return func(e *Evidence) { e.Stacks = Asked(append(s, deployment())) }
}
func reader(f func(*App)) change { return set(func(e *Evidence) *Answer[App] { return &e.Reader }, f) }
func stamper(f func(*App)) change {
	return set(func(e *Evidence) *Answer[App] { return &e.Stamper }, f)
}
func function(f Function) change {
	f.Name = "keeper"
	return func(e *Evidence) { e.Functions = Asked([]Function{f}) }
}
func switches(s ...Switch) change { return func(e *Evidence) { e.Switches = Asked(s) } }
func queue(q Queue) change {
	q.Found = true
	return func(e *Evidence) { e.Queue = Asked(q) }
}
func table(t Table) change {
	t.Name = "table"
	return func(e *Evidence) { e.Table = Asked(t) }
}
func excludes(x Excluded) change { return func(e *Evidence) { e.Excluded = Asked(x) } }
func domains(d ...directory.Domain) change {
	return func(e *Evidence) { e.Domains = Asked(d) }
}
func trouble(t Trouble) change { return func(e *Evidence) { e.Account = Asked(Account{Trouble: t}) } }
func called(reason string) change {
	return func(e *Evidence) { e.Attention = Asked(map[string]int{reason: 2}) }
}
func traffic(t Traffic) change        { return func(e *Evidence) { e.Traffic = Asked(t) } }
func brake(b stamp.BrakeState) change { return func(e *Evidence) { e.Brake = Asked(b) } }
func record(f func(*keeper.Record)) change {
	return set(func(e *Evidence) *Answer[keeper.Record] { return &e.Keeper }, f)
}
func checkpoint(f func(*sweep.Checkpoint)) change {
	return set(func(e *Evidence) *Answer[sweep.Checkpoint] { return &e.Sweep }, f)
}

// undeployed is before setup.
func undeployed(e *Evidence) {
	*e = Evidence{
		Now: now, Stack: name, Clock: e.Clock, SAM: e.SAM, File: e.File, Account: e.Account, Issuer: e.Issuer,
		Stacks: Asked([]Deployment(nil)), Deployment: Asked(Deployment{}), SignedIn: e.SignedIn, Domains: e.Domains, Users: e.Users,
	}
}

// secret makes it a stack with one app and a client secret.
func secret(end time.Time, more ...directory.AppCredential) change {
	return func(e *Evidence) {
		d := deployment()
		d.Stamper, d.Mode = "", directory.AuthClientSecret
		a := app("reader", append([]string{revoke}, "User.Read.All", "Domain.Read.All", "GroupMember.Read.All"))
		a.Credentials = append(more, directory.AppCredential{KeyID: "stored", Name: "sessionstamp 1", End: end})
		e.Deployment, e.Reader, e.Stamper = Asked(d), Asked(a), Answer[App]{}
	}
}

// named tells which credential is stored.
func named(name string) change {
	return func(e *Evidence) {
		d, _ := e.Deployment.Get()
		d.Credential = name
		e.Deployment = Asked(d)
	}
}

func credential(c directory.AppCredential) change {
	return reader(func(a *App) { a.Credentials = append(a.Credentials, c) })
}

func trusting(i int, f func(*directory.FederatedCredential)) change {
	return reader(func(a *App) { f(&a.Federated[i]) })
}

const elsewhere = "https://9z.tokens.sts.global.api.aws"

func otherIssuer(a *App) {
	for i := range a.Federated {
		a.Federated[i].Issuer = elsewhere
	}
}
