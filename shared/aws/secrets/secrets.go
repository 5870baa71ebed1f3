// Package secrets reads what sessionstamp keeps in [AWS Secrets Manager]: the
// secret that Graph's notifications are recognised by, and the credential that the app
// signs in with.
//
// [AWS Secrets Manager]: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
package secrets

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// Manager is what this package needs of Secrets Manager:
// [*secretsmanager.Client] has it.
type Manager interface {
	GetSecretValue(ctx context.Context, in *secretsmanager.GetSecretValueInput, options ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
}

// The staging labels of the versions that are read.
//
// Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html
const (
	stageCurrent  = "AWSCURRENT"
	stagePrevious = "AWSPREVIOUS"
)

// Settings say how long a secret is believed.
type Settings struct {
	// Lifetime is the age at which a secret is read again.
	Lifetime time.Duration
	// Stale is the age up to which it serves while it can't be read again.
	Stale time.Duration
	// Patience is how long reading again may take while an older secret is at
	// hand, and Pause how long after a failure it is not tried again.
	Patience, Pause time.Duration
}

// DefaultSettings leave the webhook, which answers within 2.5 seconds, enough
// time for its queues, and outlast the four hours for which Graph would send
// again what was refused.
var DefaultSettings = Settings{
	Lifetime: 5 * time.Minute,
	Stale:    12 * time.Hour,
	Patience: time.Second,
	Pause:    30 * time.Second,
}

// Config is what the readers of this package are made of. All fields are
// required.
type Config struct {
	Manager Manager
	// ARN names the secret.
	ARN      string
	Settings Settings
	// Log gets a record when an old secret serves because it can't be read again.
	Log *slog.Logger
	// Now is the calendar.
	Now func() time.Time
}

// errNotText is of a secret that somebody stored as binary.
var errNotText = errors.New("it holds binary data instead of text")

// read returns the secret at a stage. Its error never holds it.
func (c *Config) read(ctx context.Context, stage string) (string, error) {
	out, err := c.Manager.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{
		SecretId: &c.ARN, VersionStage: &stage,
	})
	if err != nil {
		return "", fmt.Errorf("read secret %s at stage %s: %w", c.ARN, stage, err)
	}
	if out.SecretString == nil {
		return "", c.unusable(stage, errNotText)
	}
	return *out.SecretString, nil
}

func (c *Config) unusable(stage string, err error) error {
	return fmt.Errorf("secret %s at stage %s: %w", c.ARN, stage, err)
}
