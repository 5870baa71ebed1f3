package rotation

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// The [staging labels] of a secret's versions. Each is attached to one version at
// most.
//
// [staging labels]: https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html
const (
	stageCurrent  = "AWSCURRENT"
	stagePending  = "AWSPENDING"
	stagePrevious = "AWSPREVIOUS"
)

// What Secrets Manager answers that is not a failure.
var (
	// ErrNotFound is its ResourceNotFoundException: there is no such version, or it
	// has no value yet, like the one that a rotation begins with.
	ErrNotFound = errors.New("the version does not exist or has no value")
	// ErrExists is its ResourceExistsException: the version has another value.
	ErrExists = errors.New("the version has another value already")
)

// SecretsManager is what a rotation needs of AWS Secrets Manager, for one secret at
// a time, by its ARN or name. Errors must not quote a value.
type SecretsManager interface {
	// DescribeSecret returns ARN, RotationEnabled and VersionIdsToStages
	// (https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DescribeSecret.html).
	DescribeSecret(ctx context.Context, secretID string) (Description, error)
	// GetSecretValue returns SecretString and CreatedDate of the version with that
	// VersionId, whatever its labels, or an error that is [ErrNotFound]
	// (https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html).
	GetSecretValue(ctx context.Context, secretID, versionID string) (Version, error)
	// PutSecretValue gives the version whose id is the ClientRequestToken its
	// SecretString, with AWSPENDING as its VersionStages. The same value twice is
	// no error; another value is one that is [ErrExists]
	// (https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html).
	PutSecretValue(ctx context.Context, secretID, token string, value directory.Secret) error
	// UpdateSecretVersionStage takes the label from one version (RemoveFromVersionId)
	// and gives it to another (MoveToVersionId); "" is left out. Whoever loses
	// AWSCURRENT gets AWSPREVIOUS from Secrets Manager
	// (https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html).
	UpdateSecretVersionStage(ctx context.Context, secretID, stage, removeFrom, moveTo string) error
}

// A Description is what Secrets Manager tells of a secret.
type Description struct {
	// ARN is the secret's own, whatever it was asked for by.
	ARN string
	// RotationEnabled tells whether rotation is switched on.
	RotationEnabled bool
	// Stages are the labels of each version that has any, by version id.
	Stages map[string][]string
}

// isPending tells whether a version waits for its promotion. On the current one
// AWSPENDING says only that it did so once.
func (d Description) isPending(id string) bool {
	stages := d.Stages[id]
	return slices.Contains(stages, stagePending) && !slices.Contains(stages, stageCurrent)
}

// holder returns the version that carries a label, "" if none does.
func (d Description) holder(stage string) string {
	for id, stages := range d.Stages {
		if slices.Contains(stages, stage) {
			return id
		}
	}
	return ""
}

// promoted is the description after AWSCURRENT has moved to a version. It is not
// asked for again, since an answer that lags would show a secret in use as unused.
func (d Description) promoted(token string) Description {
	stages := make(map[string][]string, len(d.Stages))
	for id, old := range d.Stages {
		for _, stage := range old {
			switch stage {
			case stagePrevious:
			case stageCurrent:
				stages[id] = append(stages[id], stagePrevious)
			default:
				stages[id] = append(stages[id], stage)
			}
		}
	}
	stages[token] = append(stages[token], stageCurrent)
	d.Stages = stages
	return d
}

// cleared is the description after AWSPENDING was taken from a version.
func (d Description) cleared(id string) Description {
	stages := maps.Clone(d.Stages)
	stages[id] = slices.DeleteFunc(slices.Clone(stages[id]), func(stage string) bool { return stage == stagePending })
	if len(stages[id]) == 0 {
		delete(stages, id)
	}
	d.Stages = stages
	return d
}

// merged are the labels that a version has in either of two descriptions. What was seen
// first may be over by now, and what is seen later may come from a replica that lags: a
// version in use is taken for unused only where both say so.
func (d Description) merged(later Description) Description {
	stages := maps.Clone(d.Stages)
	for id, more := range later.Stages {
		stages[id] = slices.Compact(slices.Sorted(slices.Values(slices.Concat(stages[id], more))))
	}
	d.Stages = stages
	return d
}

// A Version is one version of a secret.
type Version struct {
	// Value is its SecretString.
	Value directory.Secret
	// Created is its CreatedDate: when it got its value.
	Created time.Time

	id     string
	stages []string
}

func (v Version) has(stage string) bool { return slices.Contains(v.stages, stage) }
