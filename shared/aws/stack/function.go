package stack

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/smithy-go"

	"github.com/sessionstamp/sessionstamp/shared/aws/account"
)

// FunctionNames are the logical names of the functions that each stack has.
func FunctionNames() []string {
	return []string{"WebhookFunction", "StamperFunction", "KeeperFunction", "SweeperFunction"}
}

// FunctionNames are those that this stack should have.
func (s *Stack) FunctionNames() []string {
	names := FunctionNames()
	if s.SignalMode() != SignalsOff {
		names = append(names, "ReceiverFunction", "ResolverFunction")
	}
	return names
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
}

// Function tells how one of [Stack.FunctionNames] is set. Where it is gone the error is
// [ErrNoResource].
func (s *Stack) Function(ctx context.Context, logical string) (Function, error) {
	name, err := s.resource(logical)
	if err != nil {
		return Function{}, err
	}
	client := lambda.NewFromConfig(s.account.Config())
	is, err := client.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &name})
	if err != nil {
		return Function{}, explain(err)
	}
	f := Function{
		Logical: logical, Name: name, State: string(is.State), Reason: aws.ToString(is.StateReason),
		Updated: string(is.LastUpdateStatus), UpdateReason: aws.ToString(is.LastUpdateStatusReason),
		Reserved: -1,
	}
	limit, err := client.GetFunctionConcurrency(ctx, &lambda.GetFunctionConcurrencyInput{FunctionName: &name})
	if err != nil {
		return f, explain(err)
	}
	if limit.ReservedConcurrentExecutions != nil {
		f.Reserved = int(*limit.ReservedConcurrentExecutions)
	}
	return f, nil
}

// NotificationTrigger is the logical name of what feeds the stamper from its queue.
const NotificationTrigger = "NotificationEventSource"

// Trigger tells how a function is fed from its queue: "Enabled", "Disabled" or on the way
// to one of them. It takes [NotificationTrigger] or one of [SignalTriggers].
func (s *Stack) Trigger(ctx context.Context, logical string) (state string, err error) {
	id, err := s.resource(logical)
	if err != nil {
		return "", err
	}
	is, err := lambda.NewFromConfig(s.account.Config()).GetEventSourceMapping(ctx, &lambda.GetEventSourceMappingInput{UUID: &id})
	if err != nil {
		return "", explain(err)
	}
	return aws.ToString(is.State), nil
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
		return "", explain(err)
	}
	return string(is.State), nil
}

// explain is [account.Explain], for services that call what is gone a
// ResourceNotFoundException.
func explain(err error) error {
	if said, ok := errors.AsType[smithy.APIError](err); ok && said.ErrorCode() == "ResourceNotFoundException" {
		return fmt.Errorf("%w: %w", ErrNoResource, account.Explain(err))
	}
	return account.Explain(err)
}
