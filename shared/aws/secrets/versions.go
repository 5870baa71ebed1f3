package secrets

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/rotation"
)

// VersionManager is what [Versions] needs of Secrets Manager:
// [*secretsmanager.Client] has it.
type VersionManager interface {
	Manager
	DescribeSecret(ctx context.Context, in *secretsmanager.DescribeSecretInput, options ...func(*secretsmanager.Options)) (*secretsmanager.DescribeSecretOutput, error)
	PutSecretValue(ctx context.Context, in *secretsmanager.PutSecretValueInput, options ...func(*secretsmanager.Options)) (*secretsmanager.PutSecretValueOutput, error)
	UpdateSecretVersionStage(ctx context.Context, in *secretsmanager.UpdateSecretVersionStageInput, options ...func(*secretsmanager.Options)) (*secretsmanager.UpdateSecretVersionStageOutput, error)
}

// Versions are the versions of secrets, as a rotation reads and moves them. It
// implements [rotation.SecretsManager], and keeps nothing.
type Versions struct{ manager VersionManager }

// NewVersions makes Versions.
func NewVersions(manager VersionManager) *Versions { return &Versions{manager} }

// DescribeSecret implements [rotation.SecretsManager]. The answer has no pages:
// versions without a label are not in it.
func (v *Versions) DescribeSecret(ctx context.Context, secretID string) (rotation.Description, error) {
	out, err := v.manager.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &secretID})
	if err != nil {
		return rotation.Description{}, fmt.Errorf("describe secret %s: %w", secretID, err)
	}
	return rotation.Description{
		ARN:             aws.ToString(out.ARN),
		RotationEnabled: aws.ToBool(out.RotationEnabled),
		Stages:          out.VersionIdsToStages,
	}, nil
}

// GetSecretValue implements [rotation.SecretsManager].
func (v *Versions) GetSecretValue(ctx context.Context, secretID, versionID string) (rotation.Version, error) {
	out, err := v.manager.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &secretID, VersionId: &versionID})
	if err != nil {
		return rotation.Version{}, versionError("read", secretID, versionID, err)
	}
	if out.SecretString == nil {
		return rotation.Version{}, versionError("read", secretID, versionID, errNotText)
	}
	return rotation.Version{Value: directory.NewSecret(*out.SecretString), Created: aws.ToTime(out.CreatedDate)}, nil
}

// PutSecretValue implements [rotation.SecretsManager].
func (v *Versions) PutSecretValue(ctx context.Context, secretID, token string, value directory.Secret) error {
	_, err := v.manager.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
		SecretId: &secretID, ClientRequestToken: &token,
		SecretString: aws.String(value.Reveal()), VersionStages: []string{stagePending},
	})
	return versionError("write", secretID, token, err)
}

// UpdateSecretVersionStage implements [rotation.SecretsManager].
func (v *Versions) UpdateSecretVersionStage(ctx context.Context, secretID, stage, removeFrom, moveTo string) error {
	in := secretsmanager.UpdateSecretVersionStageInput{SecretId: &secretID, VersionStage: &stage}
	if removeFrom != "" {
		in.RemoveFromVersionId = &removeFrom
	}
	if moveTo != "" {
		in.MoveToVersionId = &moveTo
	}
	if _, err := v.manager.UpdateSecretVersionStage(ctx, &in); err != nil {
		return fmt.Errorf("move the label %s of secret %s: %w", stage, secretID, err)
	}
	return nil
}

// versionError tells which version could not be read or written, and why in words
// that a rotation knows; of no error it makes none.
func versionError(verb, secretID, versionID string, err error) error {
	if err == nil {
		return nil
	}
	known := error(nil)
	if _, ok := errors.AsType[*types.ResourceNotFoundException](err); ok {
		known = rotation.ErrNotFound
	}
	if _, ok := errors.AsType[*types.ResourceExistsException](err); ok {
		known = rotation.ErrExists
	}
	if known != nil {
		err = fmt.Errorf("%w: %w", known, err)
	}
	return fmt.Errorf("%s version %s of secret %s: %w", verb, versionID, secretID, err)
}

var _ rotation.SecretsManager = (*Versions)(nil)
