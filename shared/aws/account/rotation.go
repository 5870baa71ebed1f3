package account

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// ErrStageMoved is returned where a stage is not at the version that it was to be taken from:
// somebody else has moved it meanwhile.
var ErrStageMoved = errors.New("the stage is at another version of the secret")

// MoveStage moves a stage of a secret from one version to another. An empty to takes it away;
// an empty from is right where no version has it. Who moves [Current] makes the version before
// AWSPREVIOUS. See [UpdateSecretVersionStage].
//
// [UpdateSecretVersionStage]: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html
func (a *Account) MoveStage(ctx context.Context, id, stage, to, from string) error {
	in := &secretsmanager.UpdateSecretVersionStageInput{SecretId: &id, VersionStage: &stage}
	if to != "" {
		in.MoveToVersionId = &to
	}
	if from != "" {
		in.RemoveFromVersionId = &from
	}
	_, err := a.secrets().UpdateSecretVersionStage(ctx, in)
	err = explainSecret(err)
	if _, moved := errors.AsType[*types.InvalidParameterException](err); moved {
		return fmt.Errorf("%w: %w", ErrStageMoved, err)
	}
	return err
}
