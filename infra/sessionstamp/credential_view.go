package main

import (
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/renew"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/shared/aws/stack"
	"github.com/sessionstamp/sessionstamp/shared/directory"
)

const day = 24 * time.Hour

// renewed is the JSON of credential renew. Kind is "web-identity", where nothing is stored,
// "client-secret" or "certificate".
type renewed struct {
	Stack    string              `json:"stack"`
	ClientID string              `json:"clientId"`
	Kind     directory.AuthMode  `json:"kind"`
	Changed  bool                `json:"changed"`
	Stored   *renewedCredential  `json:"stored,omitempty"`
	Removed  []renewedCredential `json:"removed"`
	Others   []renewedCredential `json:"others"`
}

// renewedCredential is one, without what is secret in it. Name is empty for one that
// sessionstamp did not add, where nothing tells it.
type renewedCredential struct {
	Kind  directory.AuthMode `json:"kind"`
	Name  string             `json:"name"`
	KeyID string             `json:"keyId,omitempty"`
	Ends  string             `json:"ends,omitempty"`
}

func kindOf(certificate bool) directory.AuthMode {
	if certificate {
		return directory.AuthCertificate
	}
	return directory.AuthClientSecret
}

func renewedCredentials(of []directory.AppCredential) []renewedCredential {
	all := make([]renewedCredential, len(of))
	for i, one := range of {
		all[i] = renewedCredential{kindOf(one.Certificate), one.Name, one.KeyID, moment(one.End)}
	}
	return all
}

// nothingStored is all that there is to say about a deployment without a credential.
func (c *call) nothingStored(r *renewal, s *stack.Stack) view {
	done := renewed{Stack: s.Name, ClientID: s.Parameters["ClientId"], Kind: directory.AuthWebIdentity, Removed: []renewedCredential{}, Others: []renewedCredential{}}
	return view{
		before: []line{{text: "✓ " + c.say("renew.nothing_stored", s.Name), colour: screen.Good, hang: 2}},
		object: done, sheet: done.sheet(), next: []hint{{"status" + r.given(), "hint.status"}},
	}
}

// renewalLines are the plan.
func (c *call) renewalLines(r *renewal) []line {
	kind := c.kind(r.run.Certificate)
	lines := []line{
		{text: "✓ AWS    " + r.account.Caller + "  " + r.account.Region, colour: screen.Good, hang: 9},
		{text: "✓ Entra  " + r.tenant.as, colour: screen.Good, hang: 9},
		{text: c.say("renew.app", r.run.Stack, kind, r.state.App.DisplayName)},
		{text: c.storedNow(r)},
	}
	switch {
	case r.run.New == "":
		lines = append(lines, line{text: c.say("renew.new", c.dayOf(r.run.End()), language.Number(r.days)), colour: screen.Strong})
	case r.run.New != r.state.Current.ID:
		lines = append(lines, line{text: c.say("renew.goes_on", c.dayOf(r.state.Pending.End)), colour: screen.Strong})
	default:
		lines = append(lines, line{text: c.say("renew.cleans"), colour: screen.Strong})
	}
	if removes := r.run.Removes(r.state); len(removes) > 0 {
		lines = append(lines, line{text: c.say("renew.removes", c.portalNames(removes)), hang: 2})
	}
	return append(lines, c.otherLines(r, r.state)...)
}

func (c *call) storedNow(r *renewal) string {
	switch stored := r.state.Current; {
	case stored.ID == "":
		return c.say("renew.now_none")
	case stored.End.IsZero():
		return c.say("renew.now_endless")
	case stored.End.Before(c.Now()):
		return c.say("renew.now_ended", c.dayOf(stored.End))
	default:
		return c.say("renew.now", c.dayOf(stored.End), language.Number(int(stored.End.Sub(c.Now()).Round(day)/day)))
	}
}

// otherLines name what is left alone.
func (c *call) otherLines(r *renewal, s renew.State) []line {
	others := r.run.Others(s)
	if len(others) == 0 {
		return nil
	}
	return []line{{text: c.say("renew.others", c.portalNames(others)), hang: 2}}
}

// portalNames names credentials as the portal does.
func (c *call) portalNames(credentials []directory.AppCredential) string {
	names := make([]string, len(credentials))
	for i, one := range credentials {
		name := one.Name
		if name == "" {
			name = one.KeyID
		}
		names[i] = c.say("renew.named", name, c.kind(one.Certificate), c.dayOf(one.End))
	}
	return c.and(names)
}

func (c *call) kind(certificate bool) string {
	if certificate {
		return c.say("renew.certificate")
	}
	return c.say("renew.client_secret")
}

// dayOf is a day where the person is.
func (c *call) dayOf(at time.Time) string { return at.In(c.Now().Location()).Format(time.DateOnly) }

// plannedRenewal is what a run would do.
func (c *call) plannedRenewal(r *renewal) view {
	done := r.renewed(r.state, false, nil)
	return view{
		before: append(c.renewalLines(r), line{text: c.say("fail.declined")}, line{}),
		object: done, sheet: done.sheet(), next: []hint{{c.again("--dry-run"), "hint.renew"}},
	}
}

func (c *call) renewedView(r *renewal, end renew.State, removed []directory.AppCredential) view {
	done := r.renewed(end, true, removed)
	v := view{object: done, sheet: done.sheet(), next: []hint{{"status" + r.given(), "hint.status"}}}
	v.before = append(v.before,
		line{text: "✓ " + c.say("renew.done", c.kind(r.run.Certificate), c.dayOf(end.Current.End)), colour: screen.Good, hang: 2},
		line{text: c.say("renew.taken_up")})
	if len(removed) > 0 {
		v.before = append(v.before, line{text: c.say("renew.removed", c.portalNames(removed)), hang: 2})
	}
	if others := c.otherLines(r, end); len(others) > 0 {
		v.before = append(append(v.before, others...), line{text: c.say("renew.others_why")})
	}
	return v
}

func (r *renewal) renewed(s renew.State, changed bool, removed []directory.AppCredential) renewed {
	done := renewed{
		Stack: r.run.Stack, ClientID: r.run.ClientID, Kind: kindOf(r.run.Certificate), Changed: changed,
		Removed: renewedCredentials(removed), Others: renewedCredentials(r.run.Others(s)),
	}
	if s.Current.ID != "" {
		done.Stored = &renewedCredential{Kind: kindOf(s.Current.Certificate != nil), Name: s.Current.Name, Ends: moment(s.Current.End)}
	}
	return done
}

func (r renewed) sheet() screen.Table {
	t := screen.Table{Columns: []screen.Column{{Title: "stack"}, {Title: "what"}, {Title: "kind"}, {Title: "name"}, {Title: "ends"}}}
	add := func(what string, one renewedCredential) {
		t.Rows = append(t.Rows, []string{r.Stack, what, string(one.Kind), one.Name, one.Ends})
	}
	if r.Stored != nil {
		add("stored", *r.Stored)
	}
	for _, one := range r.Removed {
		add("removed", one)
	}
	for _, one := range r.Others {
		add("other", one)
	}
	return t
}
