// Package identity gets the token by which AWS says who we are: STS's
// [GetWebIdentityToken], which Entra exchanges for one of its own if a federated
// credential of the app trusts it. So no secret needs to be stored.
//
// The token's issuer is the account's, and its subject is the ARN of the role that
// the function runs as. That the account issues any must be switched on once, by an
// administrator, with
//
//	aws iam enable-outbound-web-identity-federation
//
// [GetWebIdentityToken]: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetWebIdentityToken.html
package identity

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Entra takes no other algorithm
// (https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations).
const algorithm = "RS256"

// Lifetime is how long a token is good for, in seconds. It is used at once. The
// role's policy may demand it by the condition sts:DurationSeconds.
const Lifetime = 300

// A Source gets tokens for one audience. It keeps none, and is safe for concurrent
// use.
type Source struct {
	sts      *sts.Client
	audience string
}

// NewSource returns a source of tokens for that audience:
// "api://AzureADTokenExchange", or what Entra has in its place in the tenant's cloud. The
// client needs a region: only the regional endpoints of STS have the call.
func NewSource(client *sts.Client, audience string) *Source {
	return &Source{sts: client, audience: audience}
}

// Token returns a new token, a JSON Web Token that stands for our role for
// [Lifetime] seconds. It is for the caller to see that it is not empty. Errors say what
// to do, and wrap those of the SDK.
func (s *Source) Token(ctx context.Context) (string, error) {
	out, err := s.sts.GetWebIdentityToken(ctx, &sts.GetWebIdentityTokenInput{
		Audience:         []string{s.audience},
		SigningAlgorithm: aws.String(algorithm),
		DurationSeconds:  aws.Int32(Lifetime),
	})
	if err != nil {
		return "", explain(err)
	}
	return aws.ToString(out.WebIdentityToken), nil
}
