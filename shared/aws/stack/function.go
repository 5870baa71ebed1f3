package stack

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"

	"github.com/sessionstamp/sessionstamp/shared/aws/account"
)

// FunctionNames are the logical names of the functions.
func FunctionNames() []string {
	return []string{"WebhookFunction", "StamperFunction", "KeeperFunction", "SweeperFunction"}
}

// A Function is one of the stack's, as Lambda has it.
type Function struct {
	// Logical is its name in the template, Name its own.
	Logical, Name string
	// State is "Active" for one that can run. Reason says why it cannot.
	State, Reason string
	// Updated is "Successful", "InProgress" or "Failed", UpdateReason why it failed.
	Updated, UpdateReason string
	// Reserved is its reserved concurrency, -1 for none; with 0 it never runs.
	Reserved int
	// Environment are its variables.
	Environment map[string]string
	// Changed is when it was last changed, CodeSHA256 the base64 of its code's hash.
	Changed, CodeSHA256 string
	Timeout             time.Duration
	Role                string
}

// Function tells how one of [FunctionNames] is set. Where it is gone the error is
// [ErrNoResource].
func (s *Stack) Function(ctx context.Context, logical string) (Function, error) {
	name, err := s.resource(logical)
	if err != nil {
		return Function{}, err
	}
	client := lambda.NewFromConfig(s.account.Config())
	is, err := client.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &name})
	if err != nil {
		return Function{}, explainFunction(err)
	}
	f := Function{
		Logical: logical, Name: name, State: string(is.State), Reason: aws.ToString(is.StateReason),
		Updated: string(is.LastUpdateStatus), UpdateReason: aws.ToString(is.LastUpdateStatusReason),
		Reserved: -1, Changed: aws.ToString(is.LastModified), CodeSHA256: aws.ToString(is.CodeSha256),
		Timeout: time.Duration(aws.ToInt32(is.Timeout)) * time.Second, Role: aws.ToString(is.Role),
	}
	if is.Environment != nil {
		f.Environment = is.Environment.Variables
	}
	limit, err := client.GetFunctionConcurrency(ctx, &lambda.GetFunctionConcurrencyInput{FunctionName: &name})
	if err != nil {
		return f, explainFunction(err)
	}
	if limit.ReservedConcurrentExecutions != nil {
		f.Reserved = int(*limit.ReservedConcurrentExecutions)
	}
	return f, nil
}

// Trigger tells how the stamper is fed from the queue: "Enabled", "Disabled" or on the way
// to one of them, and what the last poll met.
func (s *Stack) Trigger(ctx context.Context) (state, reason string, err error) {
	id, err := s.resource("NotificationEventSource")
	if err != nil {
		return "", "", err
	}
	is, err := lambda.NewFromConfig(s.account.Config()).GetEventSourceMapping(ctx, &lambda.GetEventSourceMappingInput{UUID: &id})
	if err != nil {
		return "", "", explainFunction(err)
	}
	return aws.ToString(is.State), aws.ToString(is.StateTransitionReason), nil
}

// ScheduleNames are the logical names of the schedules.
func ScheduleNames() []string { return []string{"KeeperSchedule", "SweeperSchedule"} }

// Schedule tells the state of one of [ScheduleNames]: "ENABLED" or "DISABLED".
func (s *Stack) Schedule(ctx context.Context, logical string) (state string, err error) {
	name, err := s.resource(logical)
	if err != nil {
		return "", err
	}
	is, err := scheduler.NewFromConfig(s.account.Config()).GetSchedule(ctx, &scheduler.GetScheduleInput{Name: &name})
	if err != nil {
		return "", explainFunction(err)
	}
	return string(is.State), nil
}

func explainFunction(err error) error {
	if gone, ok := errors.AsType[interface {
		error
		ErrorCode() string
	}](err); ok && gone.ErrorCode() == (&types.ResourceNotFoundException{}).ErrorCode() {
		return errors.Join(ErrNoResource, err)
	}
	return account.Explain(err)
}
