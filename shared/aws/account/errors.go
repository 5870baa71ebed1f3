package account

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// What can be wrong with the account, or with AWS. They are wrapped beside the SDK's error.
var (
	// ErrNoCredentials: nobody is signed in, or the profile does not exist.
	ErrNoCredentials = errors.New("not signed in to AWS")
	// ErrExpired: whoever was signed in must sign in again.
	ErrExpired = errors.New("the AWS session has expired")
	// ErrInvalid: AWS does not know the credentials, or not in this region.
	ErrInvalid = errors.New("AWS does not know the credentials")
	// ErrNoRegion: neither flag, environment nor profile name one, or what they name is none.
	ErrNoRegion = errors.New("no AWS region is set")
	// ErrThrottled: AWS has been asked too often, and will answer later.
	ErrThrottled = errors.New("AWS is asked too often")
	// ErrUnreachable: AWS has not answered.
	ErrUnreachable = errors.New("AWS has not answered")
)

// Forbidden is the error for something that whoever is signed in may not do.
type Forbidden struct {
	// Action is IAM's name for it, such as "cloudformation:DescribeStacks".
	Action string
	Err    error
}

// Error names the action.
func (f *Forbidden) Error() string { return fmt.Sprintf("not allowed: %s: %v", f.Action, f.Err) }

// Unwrap returns the SDK's error.
func (f *Forbidden) Unwrap() error { return f.Err }

// Failed is the error for a call that AWS has refused for another reason.
type Failed struct {
	// Call is the service and the operation, such as "DynamoDB GetItem", and Code AWS's
	// code, such as "ValidationException", "" where AWS gave none.
	Call, Code string
	Err        error
}

// Error names call and code. What the SDK adds, the number of the request for one, is for a
// log at most: see [Plain].
func (f *Failed) Error() string { return strings.TrimSuffix(f.Call+": "+f.Code, ": ") }

// Unwrap returns the SDK's error.
func (f *Failed) Unwrap() error { return f.Err }

// sdkText is how the SDK writes an error: call, answer, request, code and message.
var sdkText = regexp.MustCompile(`operation error ([\w ]+): (\w+), .*?RequestID: [^,]*, (?:api error )?(\w+).*`)

// Plain leaves call and code of an error of the SDK's that stands in a text, such as what a
// function has said.
func Plain(text string) string { return sdkText.ReplaceAllString(text, "$1 $2: $3") }

// kinds are errors by their codes, which the services write in several ways
// (https://docs.aws.amazon.com/awssupport/latest/user/CommonErrors.html).
var kinds = map[error][]string{
	ErrExpired: {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"},
	ErrInvalid: {"InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "InvalidSignatureException", "AuthFailure", "InvalidAccessKeyId"},
}

var forbidden = []string{"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "AuthorizationErrorException"}

// Explain makes a [*Forbidden] of an error of the SDK's, or wraps one of this package's
// beside it; what remains of the SDK's errors becomes [*Failed]. Others, nil, and the end of a
// context are returned as they are.
func Explain(err error) error {
	if _, explained := errors.AsType[*Failed](err); explained || errors.Is(err, context.Canceled) {
		return err
	}
	said, _ := errors.AsType[smithy.APIError](err)
	code := ""
	if said != nil {
		code = said.ErrorCode()
	}
	if slices.Contains(forbidden, code) {
		return &Forbidden{Action: action(err, said.ErrorMessage()), Err: err}
	}
	for kind, codes := range kinds {
		if slices.Contains(codes, code) {
			return fmt.Errorf("%w: %w", kind, err)
		}
	}
	if _, throttled := retry.DefaultThrottleErrorCodes[code]; throttled {
		return fmt.Errorf("%w: %w", ErrThrottled, err)
	}
	if unanswered(err) {
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	if call, ok := errors.AsType[*smithy.OperationError](err); ok {
		return &Failed{Call: call.Service() + " " + call.Operation(), Code: code, Err: err}
	}
	return err
}

// unanswered tells whether there was no answer, or only a part of one before the connection broke.
func unanswered(err error) bool {
	_, unsent := errors.AsType[*smithyhttp.RequestSendError](err)
	_, broken := errors.AsType[*net.OpError](err)
	return (unsent || broken || errors.Is(err, io.ErrUnexpectedEOF)) && !errors.Is(err, context.Canceled)
}

var performs = regexp.MustCompile(`perform: ([a-z0-9-]+:[A-Za-z]+)`)

// services are the prefixes of IAM for services whose name is another.
var services = map[string]string{"cloudwatch logs": "logs", "secrets manager": "secretsmanager"}

// action names what was refused: as AWS does, else by the call.
func action(err error, message string) string {
	if found := performs.FindStringSubmatch(message); found != nil {
		return found[1]
	}
	call, ok := errors.AsType[*smithy.OperationError](err)
	if !ok {
		return "?"
	}
	service := strings.ToLower(call.Service())
	if prefix := services[service]; prefix != "" {
		service = prefix
	}
	return service + ":" + call.Operation()
}

// sessions are the sources of credentials that somebody signs in to by "aws sso login" or
// "aws login". Their providers have no error of their own for a session that has ended.
var sessions = []aws.CredentialSource{
	aws.CredentialSourceSSO, aws.CredentialSourceSSOLegacy, aws.CredentialSourceProfileSSO, aws.CredentialSourceProfileSSOLegacy,
	aws.CredentialSourceLogin, aws.CredentialSourceProfileLogin,
}

// explainCredentials tells a session that has ended from nothing to sign in with.
func explainCredentials(ctx context.Context, from aws.CredentialsProvider, err error) error {
	said, _ := errors.AsType[smithy.APIError](err)
	source, known := from.(aws.CredentialProviderSource)
	session := known && slices.ContainsFunc(source.ProviderSources(), func(s aws.CredentialSource) bool { return slices.Contains(sessions, s) })
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case said != nil && slices.Contains(forbidden, said.ErrorCode()), unanswered(err):
		return Explain(err)
	case session:
		return fmt.Errorf("%w: %w", ErrExpired, err)
	}
	return fmt.Errorf("%w: %w", ErrNoCredentials, err)
}
