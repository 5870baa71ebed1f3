package setup

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// A Source is where a value of the plan comes from.
type Source string

// The sources there are.
const (
	FromFlag    Source = "flag"
	FromFile    Source = "file"
	FromStack   Source = "stack" // the deployment that there is
	FromTenant  Source = "tenant"
	FromAWS     Source = "aws"
	FromLine    Source = "line"  // of the other person
	ToBeSaid    Source = "asked" // by the other person
	FromDefault Source = "default"
	ToBeMade    Source = "made" // by the setup itself; the value is not known yet
)

// A Value is one parameter of the deployment.
type Value struct {
	Name, Value string
	From        Source
	// Old is what the deployment has now, where that is something else.
	Old     string
	Changes bool
}

// A Plan is all that is to be done, decided before anything is.
type Plan struct {
	Deployment
	Mandate                 Mandate
	Tenant, Cloud, Audience string
	// Person is the object id of who makes the apps, "" for an app.
	Person string
	// Issuer is "" where outbound federation is to be switched on.
	Issuer string
	Mode   directory.AuthMode
	// Apps are one or two: the reader, and the stamper if it is another.
	Apps []App
	// Values are the template's parameters, in its order.
	Values  []Value
	Version string
	// Tags are those that the deployment has: whoever gave it some keeps them.
	Tags map[string]string
	// Exists tells that there is a deployment, which is changed.
	Exists bool
	// Notices say what a person should know, though nothing is wrong: keys as of a Problem,
	// behind "setup.notice.".
	Notices []Problem
}

// Make decides what is to be done. If there are problems, nothing may be.
func Make(f Facts, w Wishes) (Plan, []Problem) {
	p := Plan{Mandate: w.Mandate, Version: w.Version, Exists: f.AWS.Stack.Deployed(), Tags: f.AWS.Stack.Tags}
	p.Deployment = Deployment{Stack: w.Stack, Partition: f.AWS.Partition, Account: f.AWS.ID, Region: f.AWS.Region}
	p.Issuer = f.AWS.Issuer
	p.Tenant, p.Cloud, p.Audience = f.Tenant.ID, f.Tenant.Cloud, f.Tenant.Audience
	switch w.Mandate {
	case EntraHalf:
		p.Deployment, p.Issuer = w.Request.Deployment, w.Request.Issuer
	case AWSLast:
		p.Tenant, p.Cloud, p.Audience = w.Answer.Tenant, w.Answer.Cloud, w.Answer.Audience
	case Whole, AWSFirst:
	}
	var problems []Problem
	if w.Mandate == EntraHalf {
		p.Mode = directory.AuthWebIdentity
		// The line does not say whether signals are off: whoever lets them in later needs nobody.
		p.Apps = p.apps(w.Request.OneApp, w.Request.Groups, true)
	} else {
		problems = p.choose(f, w)
	}
	problems = append(problems, p.where(f)...)
	problems = append(problems, p.entra(f)...)
	problems = append(problems, p.owned(f)...)
	return p, problems
}

// choose decides about every parameter.
func (p *Plan) choose(f Facts, w Wishes) []Problem {
	c := chooser{tenant: f.Tenant, wishes: w, stack: f.AWS.Stack, exists: p.Exists}
	c.mode()
	c.excluded = f.Tenant.exclude(w)
	c.problems = append(c.problems, c.excluded.problems...)
	c.lists()
	for _, name := range slices.Sorted(maps.Keys(w.File)) {
		if !slices.ContainsFunc(parameters, func(p parameter) bool { return p.name == name }) && name != authMode {
			c.problems = append(c.problems, problem("file_key", name))
		}
	}
	p.Mode = directory.AuthMode(c.value(authMode))
	groups := c.value(excludedGroups) != ""
	if w.Mandate == AWSLast && groups != w.Answer.Groups {
		c.problems = append(c.problems, problem("line_groups"))
	}
	if len(f.AWS.Streams) > 0 { // nobody would look after them, and an undo could not delete them
		c.problems = append(c.problems, problem("streams", strings.Join(f.AWS.Streams, ", ")))
	}
	p.Apps = p.apps(c.one(p.Mode), groups, c.value(signalMode) != signalsOff)
	p.Values = c.arranged(p)
	p.Notices = append(c.notices, p.elsewhere(f.AWS.Others)...)
	if len(c.problems) == 0 {
		if err := refused(p.Parameters()); err != nil {
			c.problems = append(c.problems, problem("keeper", err.Error()))
		}
	}
	return c.problems
}

// elsewhere tells of stacks that serve the tenant already.
func (p *Plan) elsewhere(others map[string]string) (notices []Problem) {
	for _, name := range slices.Sorted(maps.Keys(others)) {
		if name != p.Stack && p.Tenant != "" && strings.EqualFold(others[name], p.Tenant) {
			notices = append(notices, problem("other_stack", name))
		}
	}
	return notices
}

// one tells whether one app does all. What the deployment has stays, unless it is said.
func (c *chooser) one(mode directory.AuthMode) bool {
	old, known := c.stack.Parameters[stamperClientID]
	had := c.exists && known && old == "" && c.stack.Parameters[authMode] == string(directory.AuthWebIdentity)
	switch {
	case mode != directory.AuthWebIdentity:
		return true
	case c.wishes.Mandate == AWSLast:
		return c.wishes.Answer.Stamper == ""
	}
	return c.wishes.Apps == 1 || c.wishes.Apps == 0 && had
}

// A chooser finds for each parameter the value that goes before the others.
type chooser struct {
	tenant   Tenant
	wishes   Wishes
	stack    Stack
	exists   bool
	excluded whom
	chosen   []Value
	problems []Problem
	notices  []Problem
}

// mode chooses how the apps sign in. A certificate is beyond what a setup can make.
func (c *chooser) mode() {
	v := c.first(parameter{name: authMode, value: string(directory.AuthWebIdentity)})
	switch mode := directory.AuthMode(v.Value); {
	case mode == directory.AuthCertificate:
		c.problems = append(c.problems, problem("certificate"))
	case mode != directory.AuthWebIdentity && mode != directory.AuthClientSecret:
		c.problems = append(c.problems, problem("mode", v.Value))
	case mode == directory.AuthClientSecret && c.wishes.Mandate != Whole:
		c.problems = append(c.problems, problem("mode_shared"))
	}
	c.chosen = append(c.chosen, v)
}

// lists chooses the values of all other parameters that a person may choose.
func (c *chooser) lists() {
	for _, p := range parameters {
		v := c.first(p)
		if wrong := p.judge(v.Value); v.From == FromFlag || v.From == FromFile {
			c.problems = append(c.problems, wrong...)
		}
		c.chosen = append(c.chosen, v)
	}
	c.domains()
	c.stillThere()
	c.unprotect()
}

// first returns the value of the source that comes first.
func (c *chooser) first(p parameter) Value {
	v := c.without(p)
	if flag, said := c.flagged(p.name, v.Value); said {
		v.Value, v.From = flag, FromFlag
	}
	if old, known := c.stack.parameter(p.name); known && c.exists && old != v.Value {
		v.Old, v.Changes = old, true
	}
	return v
}

// without is the value where no flag says another one.
func (c *chooser) without(p parameter) Value {
	file, filed := c.wishes.File[p.name]
	old, known := c.stack.parameter(p.name)
	switch {
	case filed:
		return Value{Name: p.name, Value: file, From: FromFile}
	case known && c.exists:
		return Value{Name: p.name, Value: old, From: FromStack}
	case p.name == excludedUsers && len(Emergencies(c.tenant.Users)) > 0:
		return Value{Name: p.name, Value: idsOf(Emergencies(c.tenant.Users)), From: FromTenant}
	}
	return Value{Name: p.name, Value: p.value, From: FromDefault}
}

// flagged returns what the flags say of a parameter. Users and patterns have one flag.
func (c *chooser) flagged(name, before string) (value string, said bool) {
	if value, said = c.wishes.Flags[name]; said {
		return value, true
	}
	switch e, w := c.excluded, c.wishes; name {
	case excludedUsers:
		return added(before, e.users, w.Excluded)
	case excludedPatterns:
		return added(before, e.patterns, w.Excluded)
	case excludedGroups:
		return added(before, e.groups, w.ExcludedGroups)
	}
	return "", false
}

// unprotect tells of those whom the plan protects no more, or whom a first setup would have
// protected by itself.
func (c *chooser) unprotect() {
	of := func(value func(name string) string) protection {
		return protection{Entries(value(excludedUsers)), Entries(value(excludedPatterns)), Entries(value(excludedGroups))}
	}
	found := protection{users: Entries(idsOf(Emergencies(c.tenant.Users)))}
	old := of(func(name string) string { return c.stack.Parameters[name] })
	if names := c.tenant.unprotected(found, of(c.value)); !c.exists && len(names) > 0 {
		c.notices = append(c.notices, problem("emergency", names))
	}
	if names := c.tenant.unprotected(old, of(c.value)); c.exists && len(names) > 0 {
		c.notices = append(c.notices, problem("unprotected", names))
	}
}

func idsOf(users []directory.User) string {
	var ids []string
	for _, u := range users {
		ids = append(ids, u.ID)
	}
	slices.Sort(ids)
	return strings.Join(ids, ",")
}

// domains refuses a domain that no federated user is in.
func (c *chooser) domains() {
	value := c.value(federatedDomains)
	if value == "" || c.tenant.Domains == nil {
		return
	}
	federated := stamp.FederatedAmong(c.tenant.Domains)
	for _, name := range Entries(value) {
		if !federated.Contain(name) {
			c.problems = append(c.problems, problem("domain", name, strings.Join(c.tenant.federated(), ", ")))
		}
	}
}

// stillThere looks at exclusions of a file or a deployment: one that matches nobody any more
// protects nobody. What a flag adds was looked at before.
func (c *chooser) stillThere() {
	if c.tenant.Users == nil {
		return
	}
	ask := func(by stamp.Exclusions, written string, from Source) {
		switch {
		case c.tenant.matching(by) > 0:
		case from == FromFile:
			c.problems = append(c.problems, problem("nobody", written))
		default:
			c.notices = append(c.notices, problem("nobody", written))
		}
	}
	for _, v := range c.chosen {
		for _, one := range Entries(v.Value) {
			switch v.Name {
			case excludedUsers:
				ask(stamp.Exclusions{IDs: []string{one}}, one, v.From)
			case excludedPatterns:
				ask(stamp.Exclusions{Patterns: []string{one}}, one, v.From)
			}
		}
	}
}

func (c *chooser) value(name string) string {
	for _, v := range c.chosen {
		if v.Name == name {
			return v.Value
		}
	}
	return ""
}

// arranged returns all values in the order of the template.
func (c *chooser) arranged(p *Plan) []Value {
	values := []Value{c.said(tenantID, p.Tenant), c.client(p, 0), c.client(p, 1), c.chosen[0], c.secret(p), c.said(cloud, p.Cloud)}
	return append(values, c.chosen[1:]...)
}

// said is a value that only the person of Entra knows. Before that one has answered, it is
// what the deployment has.
func (c *chooser) said(name, value string) Value {
	switch {
	case c.wishes.Mandate == AWSFirst && c.exists:
		return Value{Name: name, Value: c.stack.Parameters[name], From: ToBeSaid}
	case c.wishes.Mandate == AWSFirst:
		return Value{Name: name, From: ToBeSaid}
	case c.wishes.Mandate == AWSLast:
		return c.known(name, value, FromLine)
	}
	return c.known(name, value, FromTenant)
}

func (c *chooser) known(name, value string, from Source) Value {
	v := Value{Name: name, Value: value, From: from}
	if old, known := c.stack.Parameters[name]; known && c.exists && old != value {
		v.Old, v.Changes = old, true
	}
	return v
}

// client returns the client ID of the reader or the stamper, "" if it is to be made.
func (c *chooser) client(p *Plan, i int) Value {
	name := []string{clientID, stamperClientID}[i]
	switch {
	case i >= len(p.Apps):
		return c.known(name, "", FromDefault)
	case c.wishes.Mandate == AWSFirst || c.wishes.Mandate == AWSLast:
		return c.said(name, []string{c.wishes.Answer.Reader, c.wishes.Answer.Stamper}[i])
	}
	app, found := c.tenant.Apps[p.Apps[i].UniqueName]
	if !found {
		v := c.known(name, "", ToBeMade)
		if v.Old != "" {
			c.notices = append(c.notices, problem("old_app", v.Old))
		}
		return v
	}
	return c.known(name, app.ClientID, FromTenant)
}

// secret returns the ARN of the stored client secret, "" without one or if it is to be made.
// Another app has another secret, and that of the one before serves until the deployment.
func (c *chooser) secret(p *Plan) Value {
	if p.Mode != directory.AuthClientSecret {
		return c.known(credentialSecret, "", FromDefault)
	}
	app, found := c.tenant.Apps[p.Apps[0].UniqueName]
	if old := c.stack.Parameters[credentialSecret]; old != "" && c.exists && found && app.ClientID == c.stack.Parameters[clientID] {
		return Value{Name: credentialSecret, Value: old, From: FromStack}
	}
	return c.known(credentialSecret, "", ToBeMade)
}

// Parameters returns the values by their names.
func (p Plan) Parameters() map[string]string {
	all := make(map[string]string, len(p.Values))
	for _, v := range p.Values {
		all[v.Name] = v.Value
	}
	return all
}

// set fills in what has been made.
func (p *Plan) set(name, value string) {
	for i := range p.Values {
		if p.Values[i].Name == name {
			p.Values[i].Value = cmp.Or(value, p.Values[i].Value)
		}
	}
}
