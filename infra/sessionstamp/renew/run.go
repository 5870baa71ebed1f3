package renew

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/aws/account"
	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// Apps is what this package needs of Entra: [ask.Client] has it.
//
// [ask.Client]: https://pkg.go.dev/github.com/sessionstamp/sessionstamp/shared/msgraph/ask#Client
type Apps interface {
	AppByClientID(ctx context.Context, clientID string) (directory.App, error)
	AddPassword(ctx context.Context, app directory.App, name string, end time.Time) (keyID string, secret directory.Secret, err error)
	RemovePassword(ctx context.Context, app directory.App, keyID string) error
	AddCertificate(ctx context.Context, app directory.App, name string, der []byte) error
	RemoveCertificate(ctx context.Context, app directory.App, keyID string) error
}

// Vault is what this package needs of Secrets Manager: [*account.Account] has it.
type Vault interface {
	DescribeSecret(ctx context.Context, id string) (account.Secret, error)
	SecretValue(ctx context.Context, id, stage string) (directory.Secret, error)
	PutPending(ctx context.Context, id string, value directory.Secret) (version string, err error)
	MoveStage(ctx context.Context, id, stage, to, from string) error
}

// An Engine carries renewals out.
type Engine struct {
	Apps  Apps
	Vault Vault
	// SignIn signs the app in to Entra once.
	SignIn func(ctx context.Context, s account.Stored) error
	// Say is told of each step before it is done.
	Say func(Step)
}

// ErrNotAdded is wrapped by the error of the call that was to add a credential to the app.
var ErrNotAdded = errors.New("no new credential was taken by Entra")

// Look reads how things are. A secret without a current version is no error.
func (e *Engine) Look(ctx context.Context, d Deployment) (s State, err error) {
	if s.App, err = e.Apps.AppByClientID(ctx, d.ClientID); err != nil {
		return s, err
	}
	secret, err := e.Vault.DescribeSecret(ctx, d.SecretARN)
	if err != nil {
		return s, err
	}
	if s.Current, err = e.version(ctx, secret, account.Current); err != nil {
		return s, err
	}
	s.Pending = s.Current
	if secret.Version(account.Pending) != s.Current.ID {
		s.Pending, err = e.version(ctx, secret, account.Pending)
	}
	return s, err
}

// version reads the version in a stage. One that cannot be read as a credential is not ours.
func (e *Engine) version(ctx context.Context, secret account.Secret, stage string) (v Version, err error) {
	if v.ID = secret.Version(stage); v.ID == "" {
		return v, nil
	}
	text, err := e.Vault.SecretValue(ctx, secret.ARN, stage)
	if errors.Is(err, account.ErrNoSecret) { // a version that was begun, and has no value yet
		return v, nil
	}
	if err == nil {
		v.Stored, _ = account.ParseStored(text)
	}
	return v, err
}

// maxSteps is more than any run takes: an app has far fewer credentials.
const maxSteps = 100

var errEndless = errors.New("there are more leftovers than one run removes")

// Run does what is left of a renewal, and returns how things are in the end and what was
// removed.
func (e *Engine) Run(ctx context.Context, r Renewal) (s State, removed []directory.AppCredential, err error) {
	for range maxSteps {
		if s, err = e.Look(ctx, r.Deployment); err != nil {
			return s, removed, err
		}
		step, err := r.Next(s)
		if err != nil || step == Done {
			return s, removed, err
		}
		if step == Remove {
			removed = append(removed, r.Leftovers(s)[0])
		}
		e.Say(step)
		if err := e.do(ctx, &r, s, step); err != nil {
			return s, removed, err
		}
	}
	return s, removed, errEndless
}

func (e *Engine) do(ctx context.Context, r *Renewal, s State, step Step) (err error) {
	switch step {
	case Drop, Settle:
		return e.move(ctx, *r, account.Pending, "", s.Pending.ID)
	case Add:
		r.New, err = e.add(ctx, r.Deployment, s.App)
	case Prove:
		proof := s.Pending
		err = e.prove(ctx, proof.Stored)
		r.Proved = err == nil
	case Promote:
		return e.move(ctx, *r, account.Current, r.New, r.Before)
	case Remove:
		gone := r.Leftovers(s)[0]
		r.Removed = append(r.Removed, gone.KeyID)
		err = e.remove(ctx, s.App, gone)
	case Done:
	}
	return err
}

// move moves a stage from where it was read, and does not if it is elsewhere by now.
func (e *Engine) move(ctx context.Context, r Renewal, stage, to, from string) error {
	err := e.Vault.MoveStage(ctx, r.SecretARN, stage, to, from)
	if errors.Is(err, account.ErrStageMoved) {
		return fmt.Errorf("%w: %w", ErrChanged, err)
	}
	return err
}

// add makes a credential and stores it as pending. Where that fails it may be at the app, and
// nobody knows it: it is removed at once if possible, else by the next run.
func (e *Engine) add(ctx context.Context, d Deployment, app directory.App) (version string, err error) {
	name := d.CredentialName()
	made, err := e.make(ctx, d, app, name)
	if err != nil {
		return "", errors.Join(fmt.Errorf("%w: %w", ErrNotAdded, err), e.discard(ctx, d, name))
	}
	text, err := made.Text()
	if err == nil {
		version, err = e.Vault.PutPending(ctx, d.SecretARN, text)
	}
	if err != nil {
		return "", errors.Join(err, e.discard(ctx, d, name))
	}
	return version, nil
}

func (e *Engine) make(ctx context.Context, d Deployment, app directory.App, name string) (made account.Stored, err error) {
	if d.Certificate {
		if made, err = d.certificate(name); err == nil {
			err = e.Apps.AddCertificate(ctx, app, name, made.Certificate.Raw)
		}
		return made, err
	}
	made = account.Stored{Name: name, End: d.End()}
	_, made.ClientSecret, err = e.Apps.AddPassword(ctx, app, name, made.End)
	return made, err
}

func (e *Engine) discard(ctx context.Context, d Deployment, name string) error {
	app, err := e.Apps.AppByClientID(ctx, d.ClientID)
	for _, c := range app.Credentials {
		if c.Name == name && err == nil {
			err = e.remove(ctx, app, c)
		}
	}
	return err
}

func (e *Engine) remove(ctx context.Context, app directory.App, c directory.AppCredential) error {
	if c.Certificate {
		return e.Apps.RemoveCertificate(ctx, app, c.KeyID)
	}
	return e.Apps.RemovePassword(ctx, app, c.KeyID)
}
