package setup

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// A story is one plan in one world, and how often it calls.
type story struct {
	wishes  func(*Wishes)
	prepare func(*world)
}

var stories = map[string]story{
	"two apps":      {wishes: func(w *Wishes) { w.Apps = 2 }},
	"one app":       {wishes: func(w *Wishes) { w.Apps = 1 }, prepare: func(w *world) { w.owner = "" }},
	"signals off":   {wishes: func(w *Wishes) { w.Flags = map[string]string{signalMode: "off"} }},
	"client secret": {wishes: func(w *Wishes) { w.Flags = map[string]string{authMode: "client-secret"} }},
	"a secret of another": {
		wishes: func(w *Wishes) { w.Flags = map[string]string{authMode: "client-secret"} },
		prepare: func(w *world) {
			p, _ := Make(facts(), wish())
			w.apps[p.Apps[0].UniqueName] = directory.App{
				ID: "a", ClientID: w.id(), UniqueName: p.Apps[0].UniqueName, PrincipalID: "p", Credentials: []directory.AppCredential{{KeyID: theirs, Name: p.CredentialName()}},
			}
		},
	},
	"Entra lags": {prepare: func(w *world) { w.refusals = 2 }},
	"after a failed attempt": {prepare: func(w *world) {
		w.stack = Stack{ID: "failed", Status: "ROLLBACK_COMPLETE", Ours: true}
		w.left = []Leftover{{Table, "sessionstamp-Table-0", true}}
	}},
	"rollbacks fail":       {prepare: func(w *world) { w.refusals, w.rollback = 2, "FAILED" }},
	"an update fails":      {prepare: func(w *world) { w.refusals, w.rollback, w.stack = 2, "FAILED", running(nil) }},
	"its creation failed":  {prepare: stands("CREATE_FAILED")},
	"its rollback failed":  {prepare: stands("ROLLBACK_FAILED")},
	"its deletion failed":  {prepare: stands("DELETE_FAILED")},
	"its update is stuck":  {prepare: stands("UPDATE_ROLLBACK_FAILED")},
	"its update is undone": {prepare: stands("UPDATE_ROLLBACK_COMPLETE")},
	"in review":            {prepare: stands("REVIEW_IN_PROGRESS")},
	"begun by another":     {prepare: stands("CREATE_IN_PROGRESS")},
	"being deleted":        {prepare: stands("DELETE_IN_PROGRESS")},
}

// stands has an earlier attempt have left the stack so.
func stands(status string) func(*world) {
	return func(w *world) { w.stack = Stack{ID: "earlier", Status: status, Ours: true} }
}

// The wish and the facts of each story.
func planOf(t *testing.T, s story, w *world) Plan {
	t.Helper()
	f, wishes := facts(), wish()
	if s.wishes != nil {
		s.wishes(&wishes)
	}
	f.AWS.Issuer, f.AWS.Stack, f.AWS.Leftovers = w.issuer, w.stack, w.left
	f.Tenant.Apps = w.apps
	p, problems := Make(f, wishes)
	if len(problems) > 0 {
		t.Fatalf("%v", problems)
	}
	return p
}

// TestBrokenOff breaks a whole run off at each of its calls, before and after its effect, by
// an error and by the death of the process; then it runs again. And it breaks off, and takes
// all away, where the undoing is broken off at each of its calls as well.
func TestBrokenOff(t *testing.T) {
	t.Parallel()
	for name, s := range stories {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			synctest.Test(t, func(t *testing.T) { calls = runWhole(t, s) })
			if calls < 15 {
				t.Fatalf("%d calls were recorded", calls)
			}
			for k := 1; k <= calls; k++ {
				for how := range 4 {
					synctest.Test(t, func(t *testing.T) { breakOff(t, s, k, how&1 == 1, how&2 == 2) })
				}
			}
			t.Logf("%d calls, each broken off in 4 ways, then run again or undone", calls)
		})
	}
}

func made(s story) *world {
	w := newWorld()
	if s.prepare != nil {
		s.prepare(w)
	}
	return w
}

func quiet(Event) {}

// runWhole returns how many calls an unbroken run makes, and proves that the next run changes
// nothing.
func runWhole(t *testing.T, s story) int {
	w := made(s)
	p := planOf(t, s, w)
	if _, err := Run(t.Context(), p, w.seen(), quiet); err != nil {
		t.Fatal(err)
	}
	w.judge(t, p)
	calls := len(w.calls)
	if _, err := Run(t.Context(), planOf(t, s, w), w.seen(), quiet); err != nil {
		t.Fatal(err)
	}
	for _, call := range w.calls[calls:] {
		if !slices.Contains([]string{"App", "Issuer", "Find", "Stored", "WebIdentityToken", "Exchange", "Leftovers"}, call) {
			t.Errorf("the second run calls %s", call)
		}
	}
	return calls
}

// breakOff breaks off at call k, and goes on in two worlds: by another run, and by an undo.
func breakOff(t *testing.T, s story, k int, after, dies bool) {
	at := fmt.Sprintf("call %d, after its effect %t, process dies %t", k, after, dies)
	broken := func() *world {
		w := made(s)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if w.fail, w.after = k, after; dies {
			w.die = cancel
		}
		_, err := Run(ctx, planOf(t, s, w), w.seen(), quiet)
		if name := w.calls[len(w.calls)-1]; err == nil && name != "Exchange" && name != "Discard" && len(w.calls) == k {
			t.Errorf("%s (%s): the run does not say that it broke off", at, name)
		}
		w.fail, w.die = 0, nil
		return w
	}
	w := broken()
	p := planOf(t, s, w)
	if _, err := Run(t.Context(), p, w.seen(), quiet); err != nil {
		t.Fatalf("%s: the next run: %v, %+v", at, err, w.stack)
	}
	w.judge(t, p)
	if t.Failed() {
		t.Fatal(at)
	}
	w = broken()
	w.undone(t, p.Deployment, at)
}

// judge looks at what must stand in the end, once and no more.
func (w *world) judge(t *testing.T, p Plan) {
	t.Helper()
	for _, rule := range w.broken {
		t.Error(rule)
	}
	if len(w.apps) != len(p.Apps) || !w.stack.runs() || !w.signsIn() || len(w.left) > 0 {
		t.Errorf("%d apps, stack %s, signs in %t, left %v", len(w.apps), w.stack.Status, w.signsIn(), w.left)
	}
	for _, app := range p.Apps {
		found := w.apps[app.UniqueName]
		slices.Sort(found.Roles)
		wanted := slices.Sorted(slices.Values(app.Rights))
		if !slices.Equal(found.Roles, wanted) || len(found.Federated) != len(app.Trusts) || len(found.Owners) > 0 {
			t.Errorf("%s: %v, %v, owned by %v", app.UniqueName, found.Roles, found.Federated, found.Owners)
		}
		if secrets := len(found.Credentials); secrets != map[bool]int{true: 1}[p.Mode == directory.AuthClientSecret] {
			t.Errorf("%d client secrets", secrets)
		}
		if w.stack.Parameters[app.Parameter] != found.ClientID {
			t.Errorf("%s is %s, and the app %s", app.Parameter, w.stack.Parameters[app.Parameter], found.ClientID)
		}
	}
	if secrets := len(w.vault); secrets != map[bool]int{true: 1}[p.Mode == directory.AuthClientSecret] {
		t.Errorf("%d stored secrets", secrets)
	}
}

// undone takes all away from the world as it is: the undoing is recorded in a copy of it, and
// then broken off at each of its calls, one after the other.
func (w *world) undone(t *testing.T, d Deployment, at string) {
	t.Helper()
	for k := 1; ; k++ {
		w.calls, w.fail, w.after = nil, k, k%2 == 0
		_, err := Undo(t.Context(), d, w.seen(), quiet)
		if err == nil {
			break
		}
		if !errors.Is(err, errBroken) || k > 100 {
			t.Fatalf("%s: undo: %v", at, err)
		}
	}
	w.fail = 0
	left, err := Undo(t.Context(), d, w.seen(), quiet)
	if err != nil || len(w.apps)+len(w.vault)+len(w.signals)+len(w.left)+len(left)+len(w.broken) > 0 || w.stack.Status != "" {
		t.Fatalf("%s: undo: %v, left %v, apps %v, vault %v, %v, stack %q, broken %v", at, err, w.left, w.apps, w.vault, w.signals, w.stack.Status, w.broken)
	}
}

// TestSignalMode: a deployment from before there were signals gets the trust before the
// functions, one that turns signals off loses it, and one that lets them in again has it.
func TestSignalMode(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := made(story{})
		again := func(mode string, want bool) {
			t.Helper()
			s := story{wishes: func(w *Wishes) { w.Flags = map[string]string{signalMode: mode} }}
			if mode == "" {
				s.wishes = nil
			}
			p := planOf(t, s, w)
			if _, err := Run(t.Context(), p, w.seen(), quiet); err != nil {
				t.Fatal(err)
			}
			w.judge(t, p)
			if got := w.trusts(p.Role(resolver)); got != want {
				t.Errorf("%q: the resolver is trusted: %t", mode, got)
			}
		}
		again("off", false)
		delete(w.stack.Parameters, signalMode)
		again("", true)
		again("off", false)
		again("enforce", true)
		again("", true)
	})
}

// TestUndoKeeps: what tells why each person was signed out is never deleted, and is named.
func TestUndoKeeps(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := made(story{})
		if _, err := Run(t.Context(), planOf(t, story{}, w), w.seen(), quiet); err != nil {
			t.Fatal(err)
		}
		kept := []Leftover{{Table, "sessionstamp-Table-used", false}}
		w.left = slices.Clone(kept)
		left, err := Undo(t.Context(), planOf(t, story{}, w).Deployment, w.seen(), quiet)
		if err != nil || !slices.Equal(left, kept) || len(w.broken) > 0 || w.issuer == "" {
			t.Errorf("%v, left %v, %v", err, left, w.broken)
		}
	})
}

// A taken world has a secret and, once something is begun, a stack that others have made under
// our names.
type taken struct {
	*world

	stack bool
}

func (w taken) Stored(ctx context.Context, _ string) (Credential, error) {
	return Credential{}, w.call(ctx, "Stored", func() error { return ErrNotOurs })
}

func (w taken) Find(ctx context.Context, name string) (Stack, error) {
	if w.stack {
		return Stack{ID: "theirs", Status: "CREATE_COMPLETE"}, nil
	}
	return w.world.Find(ctx, name)
}

// TestTaken: what others have made under our names is neither changed nor deleted, and an undo
// goes on.
func TestTaken(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		story string
		stack bool
		never string
	}{{"client secret", false, "Store"}, {"two apps", true, "Deploy"}} {
		synctest.Test(t, func(t *testing.T) {
			w := made(stories[c.story])
			p, world := planOf(t, stories[c.story], w), w.seen()
			world.Vault, world.Stacks = taken{w, c.stack}, taken{w, c.stack}
			if _, err := Run(t.Context(), p, world, quiet); !errors.Is(err, ErrNotOurs) || slices.Contains(w.calls, c.never) {
				t.Errorf("%s: %v, %v", c.story, err, w.calls)
			}
			world.Stacks = taken{w, false}
			if _, err := Undo(t.Context(), p.Deployment, world, quiet); err != nil || len(w.apps) > 0 || slices.Contains(w.calls, "Forget") {
				t.Errorf("%s: undo: %v, apps %v, %v", c.story, err, w.apps, w.calls)
			}
		})
	}
}

// TestChange: from one app to two and back, nothing of the other stays behind.
func TestChange(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := made(story{})
		for _, name := range []string{"one app", "two apps", "client secret", "two apps", "one app"} {
			p := planOf(t, stories[name], w)
			if name == "two apps" && p.Mode != directory.AuthWebIdentity {
				p = planOf(t, story{wishes: func(w *Wishes) { w.Apps, w.Flags = 2, map[string]string{authMode: "web-identity"} }}, w)
			}
			if _, err := Run(t.Context(), p, w.seen(), quiet); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if w.judge(t, p); t.Failed() {
				t.Fatal(name)
			}
		}
	})
}

// TestPatience: Entra's half hour is waited for; what no waiting helps fails at once; and who
// may get no token goes on.
func TestPatience(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		says   string
		known  time.Duration
		least  time.Duration
		most   time.Duration
		failed bool
	}{
		"soon":    {"", time.Minute, time.Minute, 2 * time.Minute, false},
		"late":    {"", 29 * time.Minute, 29 * time.Minute, 31 * time.Minute, false},
		"never":   {"", 100 * time.Hour, 30 * time.Minute, 32 * time.Minute, true},
		"refused": {"AADSTS90002", 0, 0, time.Minute, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w, began := made(story{}), time.Now()
				w.known = began.Add(c.known)
				world := w.seen()
				if c.says != "" {
					world.Exchange = func(context.Context, string, string) error {
						return &directory.Error{Operation: directory.Token, StatusCode: 400, Code: c.says}
					}
				}
				_, err := Run(t.Context(), planOf(t, story{}, w), world, quiet)
				if took := time.Since(began); (err != nil) != c.failed || took < c.least || took > c.most {
					t.Errorf("%v after %s", err, took)
				}
				if c.failed && w.stack.Status != "" {
					t.Error("the stack was begun though Entra was not ready")
				}
			})
		})
	}
}

// TestUnready: what Entra will know soon is tried again, and nothing else is.
func TestUnready(t *testing.T) {
	t.Parallel()
	for failure, want := range map[string]bool{
		"token: status 401 AADSTS700211: no such issuer": true, "AADSTS700213: no such subject": true, "token: status 400 AADSTS70021: none matches": true, "(token: status 400 AADSTS70021)": true,
		"AADSTS700016: no such app": true, "AADSTS7000229: no service principal": true, "AADSTS7000215: no such secret": true,
		"domains: status 403 Authorization_RequestDenied": true,
		"": false, "AADSTS90002: no such tenant": false, "AADSTS7002138: another spelling": false, "AADSTS700212: another audience": false, "AADSTS700214: another": false,
		"EXCLUDED_UPN_PATTERNS protects nobody": false, "not authorized to perform: iam:CreateRole": false,
	} {
		if unready(failure) != want {
			t.Errorf("%q is tried again: %t", failure, !want)
		}
	}
}

// TestSecretStays: the client secret that was renewed, or stored by hand, stays; what nobody
// knows any more goes.
func TestSecretStays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, w := stories["client secret"], made(story{})
		p := planOf(t, s, w)
		run := func() {
			t.Helper()
			if _, err := Run(t.Context(), planOf(t, s, w), w.seen(), quiet); err != nil {
				t.Fatal(err)
			}
			if w.judge(t, p); t.Failed() {
				t.FailNow()
			}
		}
		run()
		app, stored := w.apps[p.Apps[0].UniqueName], w.vault[p.SecretName()]
		if !p.Ours(stored.Name) || app.Credentials[0].Name != stored.Name {
			t.Fatalf("%q is stored, and the app has %v", stored.Name, app.Credentials)
		}
		stored.Name = p.CredentialName()
		renewed := directory.AppCredential{KeyID: "renewed", Name: stored.Name, End: time.Now().Add(credentialLife)}
		app.Credentials = append(app.Credentials, renewed)
		w.apps[app.UniqueName], w.vault[p.SecretName()] = app, stored
		run()
		w.vault[p.SecretName()] = Credential{ARN: stored.ARN}
		app = w.apps[app.UniqueName]
		app.Credentials = []directory.AppCredential{{KeyID: "by hand", Name: "portal"}}
		w.apps[app.UniqueName] = app
		run()
		if left := w.apps[app.UniqueName].Credentials; left[0].KeyID != "by hand" {
			t.Errorf("%v", left)
		}
	})
}

// TestUndoable: nothing is taken away that is not this deployment's alone.
func TestUndoable(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*Facts, *Wishes){
		"":             func(*Facts, *Wishes) {},
		"app_other":    otherApp,
		"stack_other":  func(f *Facts, _ *Wishes) { f.AWS.Stack = Stack{Status: "CREATE_COMPLETE"} },
		"tenant_other": func(f *Facts, _ *Wishes) { f.AWS.Stack = running(map[string]string{tenantID: user(1, "").ID}) },
	} {
		f, w := facts(), wish()
		change(&f, &w)
		problems := Undoable(f, Deployment{Stack: w.Stack, Partition: "aws", Account: f.AWS.ID, Region: f.AWS.Region})
		if len(problems) != len(slices.Compact([]string{"", want}))-1 || want != "" && problems[0].Key != want {
			t.Errorf("%q: %v", want, problems)
		}
	}
}
