// Package secrets reads what sessionstamp keeps in [AWS Secrets Manager]: the
// secret that Graph's notifications are recognised by, the credential that the app signs in
// with, and what the sources of signals prove themselves by.
//
// [AWS Secrets Manager]: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
package secrets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// Manager is what this package needs of Secrets Manager:
// [*secretsmanager.Client] has it.
type Manager interface {
	GetSecretValue(ctx context.Context, in *secretsmanager.GetSecretValueInput, options ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
}

// Config is what the readers of this package are made of. All fields are
// required.
type Config struct {
	Manager Manager
	// ARN names the secret. [Signals] don't need it.
	ARN string
	// Log gets a record when an old secret serves because it can't be read again.
	Log *slog.Logger
	// Now is the calendar.
	Now func() time.Time
}

const (
	// lifetime is the age at which a secret is read again. If that fails, the old one
	// serves for as long again, rather than that Graph's notifications are refused.
	lifetime = 5 * time.Minute
	// patience is how long reading again may take while an older secret is at hand: it
	// leaves the webhook, which answers within 2.5 seconds, enough time for its queue.
	patience = time.Second
)

// A reader reads one secret, and keeps what it means between invocations.
type reader[T any] struct {
	Config
	// decode makes a value of the secret's text. Its errors don't quote the text.
	decode func(text string) (T, error)
	// gone is what it means that there is no such secret: then an older value serves no
	// longer. Where it is nil, that is a failure like any other.
	gone error

	// mu is held while Secrets Manager is asked, so that many callers make one request.
	mu    sync.Mutex
	value T
	known bool      // whether there is a value
	tried time.Time // when Secrets Manager was last asked
}

// get returns the value, read again if it is too old or the caller wants it fresh. Then
// it is an error that it can't be read: the caller knows that the old one is of no use.
func (r *reader[T]) get(ctx context.Context, fresh bool) (T, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	// Without the monotonic clock, which stands still while an execution environment is
	// frozen.
	now := r.Now().Round(0)
	if fresh || !r.known {
		return r.read(ctx, now)
	}
	if now.Sub(r.tried) >= lifetime {
		if err := r.refresh(ctx, now); !r.known {
			return *new(T), err
		}
	}
	return r.value, nil
}

// refresh tries to replace a value that can still serve.
func (r *reader[T]) refresh(ctx context.Context, now time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err := r.read(ctx, now)
	if err != nil && r.known {
		r.Log.LogAttrs(ctx, slog.LevelWarn, "a secret could not be read again, an older one serves",
			slog.String("error", err.Error()))
	}
	return err
}

// errNotText is of a secret that somebody stored as binary.
var errNotText = errors.New("it holds binary data instead of text")

// read asks for the current version. Its error never holds the secret.
func (r *reader[T]) read(ctx context.Context, now time.Time) (value T, err error) {
	r.tried = now
	out, err := r.Manager.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &r.ARN, VersionStage: aws.String("AWSCURRENT")})
	if r.gone != nil && isGone(err) {
		r.value, r.known = value, false
		return value, fmt.Errorf("read secret %s: %w", r.ARN, r.gone)
	}
	if err != nil {
		return value, fmt.Errorf("read secret %s: %w", r.ARN, err)
	}
	err = errNotText
	if out.SecretString != nil {
		value, err = r.decode(*out.SecretString)
	}
	if err != nil {
		return value, fmt.Errorf("secret %s: %w", r.ARN, err)
	}
	r.value, r.known = value, true
	return value, nil
}

// unmarshal reads the JSON that a person has stored. A byte order mark before it, which
// some editors of Windows write and nobody sees, is passed over.
func unmarshal(text string, v any) error {
	return json.Unmarshal([]byte(strings.TrimPrefix(text, "\ufeff")), v)
}
