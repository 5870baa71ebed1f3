package main

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/sessionstamp/sessionstamp/shared/bolt"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	cause "github.com/sessionstamp/sessionstamp/shared/explain" // explain is a function here
	"github.com/sessionstamp/sessionstamp/shared/msgraph/ask"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

const (
	// askPatience is how long a person waits for the evidence. What has not come by then
	// has failed.
	askPatience = 2 * time.Minute
	// signInDays is how far back the sign-in log is read: what Entra keeps without P1.
	signInDays = 7
	// protectionPace is between two calls of Conditional Access or Identity Protection: a
	// tenant has one a second, over all apps; Graph does not say when to come back
	// (https://learn.microsoft.com/graph/throttling-limits).
	protectionPace = 1100 * time.Millisecond
)

// The apps whose prompts people complain about, by their client ids.
var tellingApps = []string{
	"00000002-0000-0ff1-ce00-000000000000", // Exchange Online
	"00000003-0000-0ff1-ce00-000000000000", // SharePoint Online
}

// evidence asks for all that explains one user. What cannot be had costs its own piece only.
func (c *call) evidence(ctx context.Context, t tenant, u directory.User, w witness) cause.Evidence {
	ctx, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	e := cause.Evidence{Now: c.Now()}
	var all sync.WaitGroup
	all.Go(func() { e.User = t.ExplainedUser(ctx, u.ID) })
	all.Go(func() { e.Domain, e.Federation = domainOf(ctx, t, u.Domain()) })
	all.Go(func() {
		e.Devices = t.RegisteredDevices(ctx, u.ID)
		e.RiskState, e.Policies = c.protection(ctx, t, u.ID, e.Devices)
	})
	all.Go(func() { e.SecurityDefaults = t.SecurityDefaults(ctx) })
	all.Go(func() { e.PerUserMFA = t.PerUserMFA(ctx, u.ID) })
	all.Go(func() { e.SignIns = t.SignIns(ctx, u.ID, e.Now.AddDate(0, 0, -signInDays)) })
	all.Wait()
	e.Ledger = c.ledger(ctx, t.id, u.ID, e, w)
	return e
}

// domainOf returns the nearest domain that the tenant lists at or above a name, and how it
// is federated, if it may be.
func domainOf(ctx context.Context, t tenant, name string) (cause.Answer[directory.Domain], cause.Answer[cause.Federation]) {
	domains, err := t.Domains(ctx)
	if err != nil {
		return cause.NotAsked[directory.Domain](gapOf(err)), t.FederationConfiguration(ctx, name)
	}
	for above := name; above != ""; _, above, _ = strings.Cut(above, ".") {
		i := slices.IndexFunc(domains, func(d directory.Domain) bool { return d.Name == above })
		switch {
		case i >= 0 && domains[i].Federated:
			return cause.Asked(domains[i]), t.FederationConfiguration(ctx, above)
		case i >= 0:
			return cause.Asked(domains[i]), cause.Answer[cause.Federation]{}
		}
	}
	return cause.NotAsked[directory.Domain](cause.Gap{Reason: cause.Failed}), cause.Answer[cause.Federation]{}
}

// gapOf says why there is no answer.
func gapOf(err error) cause.Gap {
	e, _ := errors.AsType[*directory.Error](err)
	if e != nil && e.Forbidden() {
		return cause.Gap{Reason: cause.NoPermission}
	}
	return cause.Gap{Reason: cause.Failed, Err: e}
}

// protection asks Identity Protection and Conditional Access, one call after the other. The
// policies are those of all imagined sign-ins; a failure leaves none of them.
func (c *call) protection(ctx context.Context, t tenant, id string, d cause.Answer[[]cause.Device]) (cause.Answer[string], cause.Answer[[]cause.Policy]) {
	pace := rate.NewLimiter(rate.Every(protectionPace), 1)
	if c.demo {
		pace.SetLimit(rate.Inf)
	}
	_ = pace.Wait(ctx) // if there is no time left, the call says so
	risk := t.RiskyUser(ctx, id)
	var policies []cause.Policy
	for _, w := range imagined(d) {
		_ = pace.Wait(ctx)
		answer := t.Evaluate(ctx, id, w)
		found, asked := answer.Get()
		if !asked {
			return risk, answer
		}
		policies = merge(policies, found)
	}
	return risk, cause.Asked(policies)
}

// imagined are the sign-ins that tell most: to the telling apps, in the browser of any
// machine, and in an app on the device that the user was last seen with.
func imagined(d cause.Answer[[]cause.Device]) (all []ask.WhatIf) {
	devices, _ := d.Get()
	var last cause.Device
	for _, device := range devices {
		if !device.Disabled && !device.LastSignIn.Before(last.LastSignIn) {
			last = device
		}
	}
	for _, app := range tellingApps {
		all = append(all,
			ask.WhatIf{Application: app, ClientAppType: "browser", DevicePlatform: "windows"},
			ask.WhatIf{Application: app, ClientAppType: "mobileAppsAndDesktopClients", DevicePlatform: "windows", TrustType: last.TrustType})
	}
	return all
}

// merge adds policies that are not there yet, and lets those that apply win.
func merge(policies, more []cause.Policy) []cause.Policy {
	for _, p := range more {
		i := slices.IndexFunc(policies, func(known cause.Policy) bool { return known.ID == p.ID })
		switch {
		case i < 0 || p.ID == "":
			policies = append(policies, p)
		case p.Applies:
			policies[i] = p
		}
	}
	return policies
}

// ledger returns what this machine knows of the user, and what it would do without a
// person's word. Where it has never stamped anybody, it was not asked.
func (c *call) ledger(ctx context.Context, tenant, id string, e cause.Evidence, w witness) cause.Answer[cause.Ledger] {
	asked := c.entry
	if w.Stack != nil {
		asked = func(ctx context.Context, _, id string) (stamp.Entry, error) { return w.Entry(ctx, id) }
	}
	entry, err := asked(ctx, tenant, id)
	if errors.Is(err, fs.ErrNotExist) {
		return cause.Answer[cause.Ledger]{}
	} else if err != nil {
		return cause.NotAsked[cause.Ledger](cause.Gap{Reason: cause.Failed})
	}
	l := cause.Ledger{Entry: entry}
	if u, asked := e.User.Get(); asked {
		facts := stamp.Facts{User: u.User, Found: u.Found, Federation: federationOf(e.Domain)}
		request := stamp.Request{Tenant: tenant, User: id, Source: stamp.SourceSweep, Seen: e.Now}
		l.Reason = stamp.Decide(entry, facts, request, w.policy(stamp.Exclusions{}), e.Now).Reason
	}
	return cause.Asked(l)
}

func federationOf(domain cause.Answer[directory.Domain]) stamp.Federation {
	d, asked := domain.Get()
	switch {
	case !asked:
		return stamp.Doubtful
	case d.Federated && d.Verified:
		return stamp.Federated
	}
	return stamp.Managed
}

// entry reads the user's entry in the tenant's file on this machine. The error wraps
// [fs.ErrNotExist] if there is no file.
func (c *call) entry(ctx context.Context, tenant, id string) (entry stamp.Entry, err error) {
	folder, forget, err := c.folder(ctx)
	if err != nil {
		return entry, err
	}
	defer func() { err = errors.Join(err, forget()) }()
	err = glance(ctx, folder, tenant, func(file *bolt.File) error {
		entries, err := bolt.NewLedger(file).Entries(ctx, tenant, []string{id})
		entry = entries[id]
		return err
	})
	return entry, err
}
