package identity

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// The [errors] of the call that an administrator can do something about. Those of
// the first group are the call's own, the others are common to all of AWS.
//
// [errors]: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetWebIdentityToken.html#API_GetWebIdentityToken_Errors
const (
	// CodeDisabled: the account issues no tokens.
	CodeDisabled = "OutboundWebIdentityFederationDisabledException"
	// CodeEscalation: the token would outlive the session of who asks for it.
	CodeEscalation = "SessionDurationEscalationException"
	// CodeTooLarge: there are too many tags.
	CodeTooLarge = "JWTPayloadSizeExceededException"

	// CodeDenied: the role may not call it so.
	CodeDenied = "AccessDenied"
	// CodeExpired, CodeInvalid: the session of who asks.
	CodeExpired = "ExpiredToken"
	CodeInvalid = "InvalidClientTokenId"
	// CodeFailure, CodeUnavailable: STS itself.
	CodeFailure     = "InternalFailure"
	CodeUnavailable = "ServiceUnavailable"
)

const (
	stepUnknown = "see what AWS says, and try again"
	stepAgain   = "STS has too much to do, or is asked too often by this account; nothing needs to be done, it will be tried again"

	reach           = "see that the function may open HTTPS connections to STS in its region (in a VPC it needs a NAT gateway or an endpoint for STS)"
	stepUnreachable = reach + ", and try again"
	stepLate        = "STS has not answered in time; if that goes on, " + reach
	stepGivenUp     = "the call was given up before STS had answered; nothing needs to be done, it will be tried again"
	stepNotSTS      = "what answered did not come from STS; see what stands between the function and STS, such as a proxy"
	stepUnsent      = "the request could not be made; see that the function runs as a role, and that its region is set (AWS_REGION), as Lambda does for every function"
)

// steps say what to do, for each code.
var steps = map[string]string{
	CodeDisabled:   "web identity federation is switched off in this AWS account; have an administrator of the account run, once: aws iam enable-outbound-web-identity-federation",
	CodeEscalation: "the session of the role ends too soon; try again",
	CodeTooLarge:   "the role has more tags than a token holds; remove some",
	CodeDenied:     fmt.Sprintf("allow the function's role sts:GetWebIdentityToken on all resources, with this audience (sts:IdentityTokenAudience), for %d seconds (sts:DurationSeconds) and with the algorithm %s (sts:SigningAlgorithm), and see that no service control policy denies it", Lifetime, algorithm),
	CodeExpired:    "the session of the role has expired; try again",
	CodeInvalid:    "the session of the role is not known in this region; see that the region is one that the account has enabled, and try again",

	CodeFailure:     stepAgain,
	CodeUnavailable: stepAgain,
}

// An Error is why there is no token, and what to do.
type Error struct {
	// Code is AWS's, "" where no answer came.
	Code string
	// Step is what to do.
	Step string
	// Err is what happened, as the SDK tells it, with AWS's request id.
	Err error
}

// Error tells the step, and what happened in brackets.
func (e *Error) Error() string { return fmt.Sprintf("%s [%v]", e.Step, e.Err) }

// Unwrap returns what happened.
func (e *Error) Unwrap() error { return e.Err }

// ErrorCode returns Code.
func (e *Error) ErrorCode() string { return e.Code }

// explain makes an Error of one of the SDK's.
func explain(err error) *Error {
	said, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return &Error{Step: unanswered(err), Err: err}
	}
	e := &Error{Code: said.ErrorCode(), Step: stepUnknown, Err: err}
	if step, ok := steps[e.Code]; ok {
		e.Step = step
	} else if _, ok := retry.DefaultThrottleErrorCodes[e.Code]; ok {
		e.Step = stepAgain
	}
	return e
}

// unanswered says what to do where AWS said nothing. That depends on how far the
// request got.
func unanswered(err error) string {
	_, sent := errors.AsType[*smithyhttp.RequestSendError](err)
	_, garbled := errors.AsType[*smithy.DeserializationError](err)
	switch {
	case errors.Is(err, context.Canceled):
		return stepGivenUp
	case errors.Is(err, context.DeadlineExceeded):
		return stepLate
	case sent:
		return stepUnreachable
	case garbled:
		return stepNotSTS
	}
	return stepUnsent
}
