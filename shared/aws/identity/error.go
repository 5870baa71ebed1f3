package identity

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

const (
	stepUnknown = "see what AWS says, and try again"
	stepAgain   = "STS has too much to do, or is asked too often by this account; nothing needs to be done, it will be tried again"
	stepReach   = "STS has not answered; if that goes on, see that the function may open HTTPS connections to STS in its region (in a VPC it needs a NAT gateway or an endpoint for STS)"
)

// steps say what to do, for each [error] of the call, or of all of AWS, that an
// administrator can do something about, or need not.
//
// [error]: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetWebIdentityToken.html#API_GetWebIdentityToken_Errors
var steps = map[string]string{
	"OutboundWebIdentityFederationDisabledException": "web identity federation is switched off in this AWS account; have an administrator of the account run, once: aws iam enable-outbound-web-identity-federation",
	"JWTPayloadSizeExceededException":                "the role has more tags than a token holds; remove some",
	"AccessDenied":                                   fmt.Sprintf("allow the function's role sts:GetWebIdentityToken on all resources, with this audience (sts:IdentityTokenAudience), for %d seconds (sts:DurationSeconds) and with the algorithm %s (sts:SigningAlgorithm), and see that no service control policy denies it", Lifetime, algorithm),
	"InvalidClientTokenId":                           "the session of the role is not known in this region; see that the region is one that the account has enabled, and try again",
	"InternalFailure":                                stepAgain,
	"ServiceUnavailable":                             stepAgain,
}

// explain adds to an error of the SDK's what to do, and puts it in brackets. It keeps
// AWS's code, which its method ErrorCode returns.
func explain(err error) error { return fmt.Errorf("%s [%w]", step(err), err) }

// step is what to do about an error of the SDK's.
func step(err error) string {
	code := ""
	if said, ok := errors.AsType[smithy.APIError](err); ok {
		code = said.ErrorCode()
	}
	_, unanswered := errors.AsType[*smithyhttp.RequestSendError](err)
	_, throttled := retry.DefaultThrottleErrorCodes[code]
	switch {
	case steps[code] != "":
		return steps[code]
	case throttled:
		return stepAgain
	case unanswered, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return stepReach
	}
	return stepUnknown
}
