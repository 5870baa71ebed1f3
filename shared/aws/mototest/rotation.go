package mototest

import (
	"context"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// The staging labels of a secret's versions.
const (
	stageCurrent  = "AWSCURRENT"
	stagePending  = "AWSPENDING"
	stagePrevious = "AWSPREVIOUS"
)

// SecretsManager returns a client for an endpoint, for those who may not import
// AWS's SDK themselves.
func SecretsManager(endpoint string) *secretsmanager.Client {
	return secretsmanager.NewFromConfig(Config(endpoint))
}

// BeginRotation switches on the rotation of a secret and does what Secrets Manager
// does before it calls for the first step: there is a version with the token for an
// id, which is AWSPENDING and has no value. A moto that has no Lambda function to
// call takes the rotation for done, so the labels are put back. Unlike Secrets
// Manager, moto leaves AWSPENDING on a version that becomes AWSCURRENT, and begins no
// rotation as long as it is there.
func BeginRotation(t testing.TB, client *secretsmanager.Client, secretID, token string) {
	t.Helper()
	ctx := t.Context()
	before, err := client.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &secretID})
	if err != nil {
		t.Fatal(err)
	}
	current, previous := holder(before, stageCurrent), holder(before, stagePrevious)
	if slices.Contains(before.VersionIdsToStages[current], stagePending) {
		move(ctx, t, client, secretID, stagePending, current, "")
	}
	_, err = client.RotateSecret(ctx, &secretsmanager.RotateSecretInput{
		SecretId: &secretID, ClientRequestToken: &token,
		RotationRules: &types.RotationRulesType{AutomaticallyAfterDays: aws.Int64(30)},
	})
	if err != nil {
		t.Fatal(err)
	}
	move(ctx, t, client, secretID, stageCurrent, token, current)
	move(ctx, t, client, secretID, stagePrevious, token, previous)
	move(ctx, t, client, secretID, stagePending, "", token)
}

// holder returns the version that carries a label, "" if none does.
func holder(secret *secretsmanager.DescribeSecretOutput, stage string) string {
	for id, stages := range secret.VersionIdsToStages {
		if slices.Contains(stages, stage) {
			return id
		}
	}
	return ""
}

// move moves a label; "" stands for no version.
func move(ctx context.Context, t testing.TB, client *secretsmanager.Client, secretID, stage, from, to string) {
	t.Helper()
	in := secretsmanager.UpdateSecretVersionStageInput{SecretId: &secretID, VersionStage: &stage}
	if from != "" {
		in.RemoveFromVersionId = &from
	}
	if to != "" {
		in.MoveToVersionId = &to
	}
	if _, err := client.UpdateSecretVersionStage(ctx, &in); err != nil {
		t.Fatal(err)
	}
}
