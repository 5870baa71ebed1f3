// Package secretstest stands in for Secrets Manager where a test reads secrets that
// the process keeps itself by package secrets, and may not import AWS's SDK.
package secretstest

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/sessionstamp/sessionstamp/shared/aws/secrets"
	"github.com/sessionstamp/sessionstamp/shared/rotation"
)

// Versions are the versions of secrets that may be read. Where there is none, the
// error is [rotation.ErrNotFound].
type Versions interface {
	// Current returns the version AWSCURRENT of a secret.
	Current(ctx context.Context, secretID string) (rotation.Version, error)
	// Previous returns AWSPREVIOUS.
	Previous(ctx context.Context, secretID string) (rotation.Version, error)
}

// Manager answers what Secrets Manager would, of Versions.
type Manager struct{ Versions Versions }

var errStage = errors.New("secretstest: no version is read by that stage")

// GetSecretValue implements [secrets.Manager].
func (m Manager) GetSecretValue(ctx context.Context, in *secretsmanager.GetSecretValueInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	v, err := m.version(ctx, aws.ToString(in.SecretId), aws.ToString(in.VersionStage))
	if errors.Is(err, rotation.ErrNotFound) {
		return nil, &types.ResourceNotFoundException{Message: aws.String("Secrets Manager can't find the specified secret value.")}
	}
	if err != nil {
		return nil, err
	}
	return &secretsmanager.GetSecretValueOutput{
		ARN: in.SecretId, SecretString: aws.String(v.Value.Reveal()), CreatedDate: &v.Created,
	}, nil
}

func (m Manager) version(ctx context.Context, secretID, stage string) (rotation.Version, error) {
	switch stage {
	case "AWSCURRENT":
		return m.Versions.Current(ctx, secretID)
	case "AWSPREVIOUS":
		return m.Versions.Previous(ctx, secretID)
	}
	return rotation.Version{}, fmt.Errorf("%w: %q", errStage, stage)
}

var _ secrets.Manager = Manager{}
