package setup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// A world is Entra and AWS as far as a setup changes them. It judges: what must not be there
// twice is refused or counted.
type world struct {
	apps    map[string]directory.App // by unique name
	owner   string                   // whom Entra makes the owner of what is made
	issuer  string
	stack   Stack
	left    []Leftover
	vault   map[string]Credential // by name
	signals []string              // sources that have a secret
	history []string
	// known is when Entra knows the issuer; refusals is how often the keeper is refused
	// all the same.
	known    time.Time
	refusals int
	rollback string // "FAILED" where CloudFormation can't undo what was refused
	ids      int
	broken   []string // rules that were broken

	// calls are recorded; the one of number fail fails before or after its effect, by an
	// error or by the death of the process.
	calls []string
	fail  int
	after bool
	die   func()
}

// theirs is the ID of a client secret that another has stored, under the name of ours.
const theirs = "theirs"

var errBroken = errors.New("the network is gone")

// call records one call, and makes it fail if it is its turn.
func (w *world) call(ctx context.Context, name string, effect func() error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	w.calls = append(w.calls, name)
	turn := len(w.calls) == w.fail
	ends := func() error {
		if w.die != nil {
			w.die()
			return ctx.Err()
		}
		return errBroken
	}
	if turn && !w.after {
		return ends()
	}
	err := effect()
	if turn {
		return ends()
	}
	return err
}

func (w *world) id() string {
	w.ids++
	return fmt.Sprintf("00000000-0000-0000-0000-%012d", w.ids)
}

func (w *world) App(ctx context.Context, name string) (app directory.App, err error) {
	err = w.call(ctx, "App", func() error {
		found, ok := w.apps[name]
		if !ok {
			return &directory.Error{Operation: "application", StatusCode: 404, Err: directory.ErrNoApp}
		}
		app = found
		return nil
	})
	return app, err
}

func (w *world) EnsureApp(ctx context.Context, app directory.App) (made directory.App, err error) {
	// It is two calls: an application without a service principal may stay behind.
	err = w.call(ctx, "EnsureApp, application", func() error {
		made = w.apps[app.UniqueName]
		if made.ID == "" {
			made = app
			made.ID, made.ClientID = w.id(), w.id()
			if w.owner != "" {
				made.Owners = []string{w.owner}
			}
		}
		w.apps[app.UniqueName] = made
		return nil
	})
	if err != nil {
		return made, err
	}
	err = w.call(ctx, "EnsureApp, principal", func() error {
		if made.PrincipalID == "" {
			made.PrincipalID = w.id()
		}
		w.apps[app.UniqueName] = made
		return nil
	})
	return made, err
}

// change changes an app that must be there.
func (w *world) change(ctx context.Context, name string, app directory.App, how func(*directory.App)) error {
	return w.call(ctx, name, func() error {
		now, ok := w.apps[app.UniqueName]
		if !ok || now.ID != app.ID || now.PrincipalID == "" {
			return &directory.Error{Operation: name, StatusCode: 404, Code: "Request_ResourceNotFound", NotDone: true}
		}
		now.Roles, now.Federated, now.Credentials = slices.Clone(now.Roles), slices.Clone(now.Federated), slices.Clone(now.Credentials)
		how(&now)
		w.apps[app.UniqueName] = now
		return nil
	})
}

func (w *world) Grant(ctx context.Context, app directory.App, role string) error {
	return w.change(ctx, "Grant", app, func(a *directory.App) {
		if slices.Contains(a.Roles, role) {
			w.broken = append(w.broken, "granted twice: "+role)
		}
		if slices.ContainsFunc(a.Credentials, func(c directory.AppCredential) bool { return c.KeyID == theirs }) {
			w.broken = append(w.broken, "granted to whom the secret of another signs in: "+role)
		}
		a.Roles = append(a.Roles, role)
	})
}

func (w *world) Withdraw(ctx context.Context, app directory.App, role string) error {
	return w.change(ctx, "Withdraw", app, func(a *directory.App) {
		a.Roles = slices.DeleteFunc(a.Roles, func(r string) bool { return r == role })
	})
}

func (w *world) Trust(ctx context.Context, app directory.App, f directory.FederatedCredential) error {
	return w.change(ctx, "Trust", app, func(a *directory.App) {
		a.Federated = slices.DeleteFunc(a.Federated, func(o directory.FederatedCredential) bool { return o.Name == f.Name })
		a.Federated = append(a.Federated, f)
	})
}

func (w *world) Distrust(ctx context.Context, app directory.App, name string) error {
	return w.change(ctx, "Distrust", app, func(a *directory.App) {
		a.Federated = slices.DeleteFunc(a.Federated, func(f directory.FederatedCredential) bool { return f.Name == name })
	})
}

func (w *world) AddPassword(ctx context.Context, app directory.App, name string, end time.Time) (id string, secret directory.Secret, err error) {
	id = w.id()
	err = w.change(ctx, "AddPassword", app, func(a *directory.App) {
		a.Credentials = append(a.Credentials, directory.AppCredential{KeyID: id, Name: name, End: end})
	})
	return id, directory.NewSecret("s3cret " + id), err
}

func (w *world) RemovePassword(ctx context.Context, app directory.App, id string) error {
	return w.change(ctx, "RemovePassword", app, func(a *directory.App) {
		a.Credentials = slices.DeleteFunc(a.Credentials, func(c directory.AppCredential) bool { return c.KeyID == id })
	})
}

func (w *world) Disown(ctx context.Context, app directory.App, owner string) error {
	return w.change(ctx, "Disown", app, func(a *directory.App) {
		a.Owners = slices.DeleteFunc(slices.Clone(a.Owners), func(id string) bool { return id == owner })
	})
}

func (w *world) DeleteApp(ctx context.Context, app directory.App) error {
	return w.call(ctx, "DeleteApp", func() error {
		if app.ClientID == w.stack.Parameters[clientID] || app.ClientID == w.stack.Parameters[stamperClientID] {
			w.broken = append(w.broken, "the app is gone, and the keeper could not unsubscribe")
		}
		delete(w.apps, app.UniqueName)
		return nil
	})
}

const theIssuer = "https://0a1b2c3d.tokens.sts.global.api.aws"

func (w *world) Issuer(ctx context.Context) (issuer string, err error) {
	err = w.call(ctx, "Issuer", func() error { issuer = w.issuer; return nil })
	return issuer, err
}

func (w *world) EnableIssuer(ctx context.Context) (string, error) {
	err := w.call(ctx, "EnableIssuer", func() error { w.issuer = theIssuer; return nil })
	return theIssuer, err
}

func (w *world) WebIdentityToken(ctx context.Context, _ string) (string, error) {
	return "token", w.call(ctx, "WebIdentityToken", func() error { return nil })
}

// Exchange knows the issuer after a while, and never the person.
func (w *world) Exchange(ctx context.Context, clientID, _ string) error {
	return w.call(ctx, "Exchange", func() error {
		code := unknownApp
		for _, app := range w.apps {
			if app.ClientID == clientID {
				code = unknownIssuer
				if len(app.Federated) > 0 && app.Federated[0].Issuer == w.issuer && !time.Now().Before(w.known) {
					code = unknownSubject
				}
			}
		}
		return &directory.Error{Operation: directory.Token, StatusCode: 400, Code: code, NotDone: true}
	})
}

func (w *world) Find(ctx context.Context, _ string) (s Stack, err error) {
	err = w.call(ctx, "Find", func() error {
		s = w.stack
		switch w.stack.Status { // what CloudFormation was at is done when it is looked at again
		case "CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS":
			w.finish()
		case "DELETE_IN_PROGRESS":
			w.gone()
		}
		return nil
	})
	return s, err
}

// finish ends what the deployer has begun: the keeper signs in, or the stack is rolled back.
func (w *world) finish() {
	creates := w.stack.Status == "CREATE_IN_PROGRESS"
	switch {
	case !w.signsIn() || w.refusals > 0:
		w.refusals--
		w.stack.Failure = "the app could not sign in: token: status 400 " + unknownIssuer
		w.stack.Status = map[bool]string{true: "ROLLBACK_", false: "UPDATE_ROLLBACK_"}[creates] + cmp.Or(w.rollback, "COMPLETE")
		if creates {
			w.left = append(w.left, Leftover{Table, fmt.Sprintf("sessionstamp-Table-%d", len(w.history)), true})
		}
	case creates:
		w.stack.Status, w.stack.Failure = "CREATE_COMPLETE", ""
	default:
		w.stack.Status, w.stack.Failure = "UPDATE_COMPLETE", ""
	}
}

// signsIn tells whether every function of the stack gets a token with its rights.
func (w *world) signsIn() bool {
	p := w.stack.Parameters
	for _, app := range w.apps {
		if app.ClientID == p[clientID] && (p[authMode] == "client-secret" && len(app.Credentials) == 1 && p[credentialSecret] != "" ||
			p[authMode] == "web-identity" && len(app.Federated) > 0 && !time.Now().Before(w.known)) {
			return slices.Contains(app.Roles, readUsers)
		}
	}
	return false
}

func (w *world) gone() {
	if w.stack.runs() || len(w.history) > 0 && strings.HasSuffix(w.history[len(w.history)-1], "ran") {
		w.left = append(w.left, Leftover{Log, "/aws/lambda/sessionstamp-stamper", true}, Leftover{Table, "sessionstamp-Table-ran", true})
	}
	w.stack = Stack{}
}

func (w *world) Delete(ctx context.Context, s Stack) error {
	return w.call(ctx, "Delete", func() error {
		if w.stack.Status != "" && w.stack.ID == s.ID {
			if w.stack.runs() {
				w.history = append(w.history, "ran")
			}
			w.stack.Status = "DELETE_IN_PROGRESS"
		}
		return nil
	})
}

func (w *world) ContinueRollback(ctx context.Context, _ Stack, skip ...string) error {
	return w.call(ctx, "ContinueRollback "+strings.Join(skip, ","), func() error {
		if w.stack.Status != "UPDATE_ROLLBACK_FAILED" {
			return errors.New("there is no rollback to be continued")
		}
		w.stack.Status = "UPDATE_ROLLBACK_COMPLETE"
		return nil
	})
}

func (w *world) Leftovers(ctx context.Context, _ string) (left []Leftover, err error) {
	err = w.call(ctx, "Leftovers", func() error { left = slices.Clone(w.left); return nil })
	return left, err
}

func (w *world) Discard(ctx context.Context, l Leftover) error {
	return w.call(ctx, "Discard", func() error {
		if !l.Empty {
			w.broken = append(w.broken, "discarded what tells why somebody was signed out")
		}
		w.left = slices.DeleteFunc(w.left, func(o Leftover) bool { return o == l })
		return nil
	})
}

// Deploy leaves the stack at work, as sam does when it is killed.
func (w *world) Deploy(ctx context.Context, p Plan) error {
	return w.call(ctx, "Deploy", func() error {
		if mode := p.Parameters()[signalMode]; mode != signalsOff && p.Mode == directory.AuthWebIdentity && !w.trusts(p.Role(resolver)) {
			w.broken = append(w.broken, "deployed a resolver that no app trusts")
		}
		switch {
		case w.stack.Status == "":
			w.stack = Stack{ID: w.id(), Status: "CREATE_IN_PROGRESS", Ours: true}
			w.history = append(w.history, "made")
		case w.stack.runs() || w.stack.Status == "UPDATE_ROLLBACK_COMPLETE":
			w.stack.Status = "UPDATE_IN_PROGRESS"
		default:
			w.broken = append(w.broken, "deployed on "+w.stack.Status)
			return errors.New("the stack cannot be updated")
		}
		w.stack.Parameters, w.stack.Version = maps.Clone(p.Parameters()), p.Version
		return nil
	})
}

// trusts tells whether an app takes the tokens of a role.
func (w *world) trusts(role string) bool {
	for _, app := range w.apps {
		if slices.ContainsFunc(app.Federated, func(f directory.FederatedCredential) bool { return f.Subject == role }) {
			return true
		}
	}
	return false
}

const secretARN = "arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:"

// secretOf is the name in a name or an ARN.
func secretOf(id string) string {
	return strings.TrimSuffix(strings.TrimPrefix(id, secretARN), "-AbCdEf")
}

func (w *world) Stored(ctx context.Context, id string) (c Credential, err error) {
	err = w.call(ctx, "Stored", func() error { c = w.vault[secretOf(id)]; return nil })
	return c, err
}

func (w *world) Store(ctx context.Context, id string, c Credential) (string, error) {
	name := secretOf(id)
	arn := secretARN + name + "-AbCdEf"
	return arn, w.call(ctx, "Store", func() error {
		w.vault[name] = Credential{ARN: arn, Name: c.Name}
		if c.Secret.Reveal() == "" {
			w.broken = append(w.broken, "stored an empty secret")
		}
		return nil
	})
}

func (w *world) Forget(ctx context.Context, name string) error {
	return w.call(ctx, "Forget", func() error { delete(w.vault, name); return nil })
}

func (w *world) Signals(ctx context.Context, _ string) (sources []string, err error) {
	err = w.call(ctx, "Signals", func() error { sources = slices.Clone(w.signals); return nil })
	return sources, err
}

func (w *world) ForgetSignal(ctx context.Context, _, source string) error {
	return w.call(ctx, "ForgetSignal", func() error {
		if w.stack.Status != "" {
			w.broken = append(w.broken, "the secret is gone, and the receiver is there")
		}
		w.signals = slices.DeleteFunc(w.signals, func(one string) bool { return one == source })
		return nil
	})
}

func newWorld() *world {
	return &world{owner: administrator, apps: make(map[string]directory.App), vault: make(map[string]Credential), signals: []string{"a", "b"}, known: time.Now().Add(3 * time.Minute)}
}

func (w *world) seen() World {
	return World{Directory: w, Account: w, Stacks: w, Deployer: w, Vault: w, Exchange: w.Exchange, Now: time.Now}
}
