package stack

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/scheduler/types"

	"github.com/sessionstamp/sessionstamp/shared/aws/account"
)

// EnableSchedule switches one of [ScheduleNames] on. UpdateSchedule replaces a schedule as a
// whole, so it is read first
// (https://docs.aws.amazon.com/scheduler/latest/APIReference/API_UpdateSchedule.html).
func (s *Stack) EnableSchedule(ctx context.Context, logical string) error {
	name, err := s.resource(logical)
	if err != nil {
		return err
	}
	client := scheduler.NewFromConfig(s.account.Config())
	is, err := client.GetSchedule(ctx, &scheduler.GetScheduleInput{Name: &name})
	if err != nil {
		return explain(err)
	}
	_, err = client.UpdateSchedule(ctx, &scheduler.UpdateScheduleInput{
		Name: &name, GroupName: is.GroupName, State: types.ScheduleStateEnabled, Description: is.Description,
		ScheduleExpression: is.ScheduleExpression, ScheduleExpressionTimezone: is.ScheduleExpressionTimezone,
		StartDate: is.StartDate, EndDate: is.EndDate, FlexibleTimeWindow: is.FlexibleTimeWindow, Target: is.Target,
		KmsKeyArn: is.KmsKeyArn, ActionAfterCompletion: is.ActionAfterCompletion,
	})
	return account.Explain(err)
}

// ProtectTable switches deletion protection of the table on.
func (s *Stack) ProtectTable(ctx context.Context) error {
	name, err := s.resource("Table")
	if err != nil {
		return err
	}
	_, err = dynamodb.NewFromConfig(s.account.Config()).UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: &name, DeletionProtectionEnabled: aws.Bool(true)})
	return account.Explain(err)
}
