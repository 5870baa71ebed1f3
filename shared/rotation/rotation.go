// Package rotation replaces the secrets of a deployment by the four steps of [AWS
// Secrets Manager's rotation]: the client secret or the certificate that the app
// signs in to Entra with, and the clientState of its subscription.
//
// Secrets Manager runs all four steps again when one failed, with the same token,
// which is also the id of the new version. Any call may fail before it took effect,
// or after. What makes that harmless:
//
//   - A new secret is stored as AWSPENDING before anything depends on it, and is
//     proved by real tokens and real calls before it becomes AWSCURRENT.
//   - Where the making of a password was not answered, the password exists and
//     nobody knows it. It is recognized by its displayName, which ends with the
//     token, and removed by finishSecret, or before the next rotation makes one.
//   - Until then no credential is removed that was made for a pending version: a value
//     that was stored may not show yet, and may hold it.
//   - A credential is removed only if its displayName says that we made it for this
//     very secret, and if no version with a label other than AWSPENDING holds it. So
//     the current and the previous one always work. The previous one serves whoever
//     still holds it, until the next rotation.
//   - A step may come late, when the next rotation is under way. So the secret's labels
//     are read once more after the application was listed, and a version counts as in
//     use if it was before or is now. For a version carries AWSPENDING before anything
//     is made for it.
//   - A pending version that can't come to anything is let go of, so that the next
//     rotation makes a new one.
//
// Two steps for the same token may run at once: of two passwords that they make, one
// is stored, and finishSecret removes the other.
//
// A displayName tells stack, secret and token. Ours are those of the same secret, by its
// ARN: so a stack that is made anew under another name removes what it left behind under
// the old one, and stacks that share an application leave each other alone, even if they
// have the same name. What rotations of another secret added, or those of this one while
// it held the other kind of credential, is never removed, since nobody here can know who
// signs in with it. It is named in the log by its key ids, with what to do, whenever a
// rotation ends; left alone, it expires.
//
// [AWS Secrets Manager's rotation]: https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
package rotation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// Step is one of the [four steps] of a rotation.
//
// [four steps]: https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
type Step string

// The steps, in their order.
const (
	CreateSecret Step = "createSecret"
	SetSecret    Step = "setSecret"
	TestSecret   Step = "testSecret"
	FinishSecret Step = "finishSecret"
)

// An Event is what Secrets Manager calls a rotation function with, for each step.
type Event struct {
	Step Step `json:"Step"`
	// SecretID is the secret's ARN. A name would do.
	SecretID string `json:"SecretId"`
	// Token is the id of the new version, 32 to 64 characters.
	Token string `json:"ClientRequestToken"`
}

// Settings are the times by which a Rotator works.
type Settings struct {
	// Life is how long a new password or certificate is good for. It must be more
	// than two rotations take, so that the previous one works until the next
	// rotation; the rest of it is the time to heed an alarm. A pending one with less
	// than half of it left is let go of.
	Life time.Duration
	// Proofs is how many times in a row a new credential must be accepted, since
	// Entra has many replicas and the first to know of it proves only itself.
	Proofs int
	// ProofGap is the time from one that was accepted to the next.
	ProofGap time.Duration
	// ProofPause is the first wait after one that was not; it doubles up to
	// ProofPauseMax.
	ProofPause, ProofPauseMax time.Duration
	// ProofLimit is how long one step goes on proving. A new credential takes
	// minutes to replicate.
	ProofLimit time.Duration
	// DeadlineMargin is how long before the end of the invocation a step stops
	// waiting, so that it can still say why it failed.
	DeadlineMargin time.Duration
	// ClientStateAge is how old a clientState may be when it is promoted. The
	// keeper goes by the age of a version to know when every webhook has read it
	// (its settling time, less the life of the webhook's cache).
	ClientStateAge time.Duration
}

// DefaultSettings are the values that a deployment starts with. They suit a
// function with a time limit of ten minutes and a rotation each month or two.
var DefaultSettings = Settings{
	Life:           180 * 24 * time.Hour,
	Proofs:         3,
	ProofGap:       5 * time.Second,
	ProofPause:     2 * time.Second,
	ProofPauseMax:  20 * time.Second,
	ProofLimit:     8 * time.Minute,
	DeadlineMargin: 10 * time.Second,
	ClientStateAge: 4 * time.Minute,
}

// Config is what a Rotator is made of. All fields are required.
type Config struct {
	// Stack is the name of the stack, without a slash. It stands in the displayName of
	// the credentials, for people to read.
	Stack string
	// Kind is what the secret holds: [ClientSecrets], [Certificates] or
	// [ClientStates].
	Kind           Kind
	SecretsManager SecretsManager
	Settings       Settings
	Log            *slog.Logger
	// Now is the calendar.
	Now func() time.Time
}

// Kind is what a secret holds, and how that is replaced.
type Kind interface {
	name() string
	validate() error
	// create makes a new value. It may be called again for the same token.
	create(context.Context, *run) (directory.Secret, error)
	// check tells what is wrong with a pending version that can't come to anything.
	check(*run, Version) error
	// set makes the new value known to whoever must accept it.
	set(context.Context, *run, Version) error
	// test proves that the new value is accepted. Its error is errRemoved where it will
	// never be.
	test(context.Context, *run, Version) error
	// ready tells why the new value can't be promoted yet.
	ready(context.Context, *run) error
	// clean removes what the versions in use and the one given don't hold.
	clean(context.Context, *run, Version) error
}

// Validate reports every fault of the configuration.
func (c Config) Validate() error {
	var faults []error
	require := func(ok bool, text string) {
		if !ok {
			faults = append(faults, errors.New(text))
		}
	}
	require(c.Stack != "" && !strings.Contains(c.Stack, "/"), "the stack must have a name, without a slash")
	require(c.SecretsManager != nil && c.Log != nil && c.Now != nil, "secrets manager, log and calendar must be given")
	require(c.Kind != nil, "the kind of secret must be given")
	if c.Kind != nil {
		faults = append(faults, c.Kind.validate())
	}
	s := c.Settings
	require(s.Life > 0 && s.ClientStateAge > 0, "life and age of a clientState must be positive")
	require(s.Proofs > 0 && s.ProofLimit > 0, "number of proofs and their time limit must be positive")
	require(s.ProofGap > 0 && s.ProofPause > 0 && s.ProofPauseMax >= s.ProofPause && s.DeadlineMargin > 0,
		"gap, pause and margin must be positive, and the longest pause no shorter than the first")
	return errors.Join(faults...)
}

// A Rotator keeps nothing between the steps.
type Rotator struct{ config }

// config keeps the fields of a Config out of the Rotator's own documentation.
type config Config

// New makes a Rotator.
func New(c Config) (*Rotator, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("rotation: %w", err)
	}
	return &Rotator{config(c)}, nil
}

// Rotate does one step. It may be called again for the same step and token. An
// error means that the step is to be tried again; it is of type [*Fault] where an
// administrator can do something about it.
func (r *Rotator) Rotate(ctx context.Context, e Event) (err error) {
	run := &run{Rotator: r, event: e, began: r.Now()}
	err = errAborted // stands if the step panics
	defer func() { run.tell(ctx, err) }()
	err = run.step(ctx)
	return err
}
