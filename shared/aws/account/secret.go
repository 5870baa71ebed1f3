package account

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// The stages of a secret's versions
// (https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html#term_version).
const (
	// Current is the version that the functions read.
	Current = "AWSCURRENT"
	// Pending is one that is to be proved first.
	Pending = "AWSPENDING"
)

// ErrNoSecret is returned for a secret, or a version of one, that does not exist or is
// being deleted.
var ErrNoSecret = errors.New("there is no such secret")

// Secret is a secret of Secrets Manager, without its value.
type Secret struct {
	ARN, Name, Description string
	Changed                time.Time
	// Versions are the stages of each version, by the version's id.
	Versions map[string][]string
}

// Version is the id of the version in a stage, "" for none.
func (s Secret) Version(stage string) string {
	for id, stages := range s.Versions {
		if slices.Contains(stages, stage) {
			return id
		}
	}
	return ""
}

func (a *Account) secrets() *secretsmanager.Client { return secretsmanager.NewFromConfig(a.config) }

// DescribeSecret finds a secret by its ARN or name.
func (a *Account) DescribeSecret(ctx context.Context, id string) (Secret, error) {
	found, err := a.secrets().DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &id})
	if err != nil {
		return Secret{}, explainSecret(err)
	}
	if found.DeletedDate != nil {
		return Secret{}, ErrNoSecret
	}
	return Secret{
		ARN: aws.ToString(found.ARN), Name: aws.ToString(found.Name), Description: aws.ToString(found.Description),
		Changed: aws.ToTime(found.LastChangedDate), Versions: found.VersionIdsToStages,
	}, nil
}

// CreateSecret makes a secret and returns its ARN. key is the ARN of the KMS key that encrypts
// it, "" for AWS's own.
func (a *Account) CreateSecret(ctx context.Context, name, description, key string, value directory.Secret) (arn string, err error) {
	in := &secretsmanager.CreateSecretInput{Name: &name, Description: &description, SecretString: aws.String(value.Reveal())}
	if key != "" {
		in.KmsKeyId = &key
	}
	made, err := a.secrets().CreateSecret(ctx, in)
	if err != nil {
		return "", explainSecret(err)
	}
	return aws.ToString(made.ARN), nil
}

// SecretValue reads the version in a stage. A secret that is [scheduled for deletion] is gone.
//
// [scheduled for deletion]: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html#API_GetSecretValue_Errors
func (a *Account) SecretValue(ctx context.Context, id, stage string) (directory.Secret, error) {
	found, err := a.secrets().GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &id, VersionStage: &stage})
	if _, deleted := errors.AsType[*types.InvalidRequestException](err); deleted {
		return directory.Secret{}, fmt.Errorf("%w: %w", ErrNoSecret, err)
	}
	if err != nil {
		return directory.Secret{}, explainSecret(err)
	}
	return directory.NewSecret(aws.ToString(found.SecretString)), nil
}

// PutPending stores a value as [Pending], beside the one that serves, and returns the id of
// its version. An earlier pending one loses the stage.
func (a *Account) PutPending(ctx context.Context, id string, value directory.Secret) (version string, err error) {
	put, err := a.secrets().PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
		SecretId: &id, SecretString: aws.String(value.Reveal()), VersionStages: []string{Pending},
	})
	if err != nil {
		return "", explainSecret(err)
	}
	return aws.ToString(put.VersionId), nil
}

// PutSecret stores a value as [Current]. The one before is kept as AWSPREVIOUS.
func (a *Account) PutSecret(ctx context.Context, id string, value directory.Secret) error {
	_, err := a.secrets().PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: &id, SecretString: aws.String(value.Reveal())})
	return explainSecret(err)
}

// DeleteSecret deletes a secret at once, so that its name is free. That it is gone is fine.
func (a *Account) DeleteSecret(ctx context.Context, id string) error {
	_, err := a.secrets().DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{SecretId: &id, ForceDeleteWithoutRecovery: aws.Bool(true)})
	if err = explainSecret(err); errors.Is(err, ErrNoSecret) {
		return nil
	}
	return err
}

// SecretNames returns the names that begin so, but for secrets that are being deleted
// (https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Filter.html).
func (a *Account) SecretNames(ctx context.Context, prefix string) (names []string, err error) {
	in := &secretsmanager.ListSecretsInput{Filters: []types.Filter{{Key: types.FilterNameStringTypeName, Values: []string{prefix}}}}
	for pages := secretsmanager.NewListSecretsPaginator(a.secrets(), in); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, Explain(err)
		}
		for _, s := range page.SecretList {
			if name := aws.ToString(s.Name); s.DeletedDate == nil && strings.HasPrefix(name, prefix) {
				names = append(names, name)
			}
		}
	}
	return names, nil
}

func explainSecret(err error) error {
	if _, gone := errors.AsType[*types.ResourceNotFoundException](err); gone {
		return fmt.Errorf("%w: %w", ErrNoSecret, err)
	}
	return Explain(err)
}
