package account

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/sessionstamp/sessionstamp/shared/aws/identity"
)

// Issuer is whom Entra is to trust: the issuer of this account's web identity tokens. It
// is "" where [outbound federation] is off.
//
// [outbound federation]: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetOutboundWebIdentityFederationInfo.html
func (a *Account) Issuer(ctx context.Context) (string, error) {
	info, err := iam.NewFromConfig(a.config).GetOutboundWebIdentityFederationInfo(ctx, &iam.GetOutboundWebIdentityFederationInfoInput{})
	if _, off := errors.AsType[*types.FeatureDisabledException](err); off {
		return "", nil
	}
	if err != nil {
		return "", Explain(err)
	}
	if !info.JwtVendingEnabled {
		return "", nil
	}
	return aws.ToString(info.IssuerIdentifier), nil
}

// EnableIssuer switches outbound federation on, for the whole account, and returns the
// issuer. That it is on already is fine.
func (a *Account) EnableIssuer(ctx context.Context) (string, error) {
	made, err := iam.NewFromConfig(a.config).EnableOutboundWebIdentityFederation(ctx, &iam.EnableOutboundWebIdentityFederationInput{})
	if _, on := errors.AsType[*types.FeatureEnabledException](err); on {
		return a.Issuer(ctx)
	}
	if err != nil {
		return "", Explain(err)
	}
	return aws.ToString(made.IssuerIdentifier), nil
}

// WebIdentityToken gets a token by which AWS says who is signed in, for an audience such as
// "api://AzureADTokenExchange". It is good for [identity.Lifetime] seconds.
func (a *Account) WebIdentityToken(ctx context.Context, audience string) (string, error) {
	token, err := identity.NewSource(sts.NewFromConfig(a.config), audience).Token(ctx)
	if err != nil {
		return "", Explain(err)
	}
	return token, nil
}

// Concurrency is how many instances of Lambda functions may run at once in this account and
// region, and how many of them no function has reserved.
type Concurrency struct{ Limit, Unreserved int }

// Concurrency asks for the quota. New accounts have 10.
func (a *Account) Concurrency(ctx context.Context) (Concurrency, error) {
	settings, err := lambda.NewFromConfig(a.config).GetAccountSettings(ctx, &lambda.GetAccountSettingsInput{})
	if err != nil {
		return Concurrency{}, Explain(err)
	}
	limit := settings.AccountLimit
	if limit == nil {
		return Concurrency{}, errors.New("no quota of Lambda is told")
	}
	return Concurrency{int(limit.ConcurrentExecutions), int(aws.ToInt32(limit.UnreservedConcurrentExecutions))}, nil
}
