package stack

import (
	"context"
	"errors"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/sessionstamp/sessionstamp/shared/aws/account"
)

// A Leftover is a table or a log group that outlives its stack: template.yaml retains both,
// since they tell why each person was signed out.
type Leftover struct {
	// Name is that of the table, or of the log group if Log is set.
	Name string
	Log  bool
	// Empty tells that nothing is in it, so that nothing is lost with it.
	Empty bool
}

// tablePatience is how long a table may take to change or to go.
const tablePatience = 5 * time.Minute

// nameTag is the tag that CloudFormation puts on what a stack makes
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html).
const nameTag = "aws:cloudformation:stack-name"

// Leftovers finds what stacks of a name have left, and the one that there is does not own.
func Leftovers(ctx context.Context, a *account.Account, name string) ([]Leftover, error) {
	owned := make(map[string]bool)
	now, err := Find(ctx, a, name)
	switch {
	case err == nil:
		for _, id := range now.Resources {
			owned[id] = true
		}
	case !errors.Is(err, ErrNoStack):
		return nil, err
	}
	tables, err := leftTables(ctx, dynamodb.NewFromConfig(a.Config()), name, owned)
	if err != nil {
		return nil, account.Explain(err)
	}
	log, err := leftLog(ctx, cloudwatchlogs.NewFromConfig(a.Config()), name, owned)
	return append(tables, log...), account.Explain(err)
}

// leftTables finds the tables that CloudFormation named after the stack's resource.
func leftTables(ctx context.Context, client *dynamodb.Client, stack string, owned map[string]bool) (left []Leftover, err error) {
	ours := regexp.MustCompile(`^` + regexp.QuoteMeta(stack) + `-Table-[A-Z0-9]+$`)
	pages := dynamodb.NewListTablesPaginator(client, &dynamodb.ListTablesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, name := range page.TableNames {
			if owned[name] || !ours.MatchString(name) {
				continue
			}
			made, err := madeBy(ctx, client, name, stack)
			if err != nil {
				return nil, err
			}
			if !made {
				continue
			}
			empty, err := emptyTable(ctx, client, name)
			if err != nil {
				return nil, err
			}
			left = append(left, Leftover{Name: name, Empty: empty})
		}
	}
	return left, nil
}

func emptyTable(ctx context.Context, client *dynamodb.Client, name string) (bool, error) {
	some, err := client.Scan(ctx, &dynamodb.ScanInput{TableName: &name, Limit: aws.Int32(1), ConsistentRead: aws.Bool(true)})
	return err == nil && len(some.Items) == 0, err
}

// madeBy tells whether a stack of that name has made the table. One without the tag is let be.
func madeBy(ctx context.Context, client *dynamodb.Client, table, stack string) (bool, error) {
	found, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &table})
	if _, gone := errors.AsType[*types.ResourceNotFoundException](err); gone {
		return false, nil
	}
	if err != nil || found.Table.TableStatus == types.TableStatusDeleting {
		return false, err
	}
	tags, err := client.ListTagsOfResource(ctx, &dynamodb.ListTagsOfResourceInput{ResourceArn: found.Table.TableArn})
	if err != nil {
		return false, err
	}
	for _, tag := range tags.Tags {
		if aws.ToString(tag.Key) == nameTag {
			return aws.ToString(tag.Value) == stack, nil
		}
	}
	return false, nil
}

// leftLog finds the stamper's log group.
func leftLog(ctx context.Context, client *cloudwatchlogs.Client, stack string, owned map[string]bool) ([]Leftover, error) {
	name := "/aws/lambda/" + stack + "-stamper"
	if owned[name] {
		return nil, nil
	}
	groups, err := client.DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: &name, Limit: aws.Int32(1)})
	if err != nil || len(groups.LogGroups) == 0 || aws.ToString(groups.LogGroups[0].LogGroupName) != name {
		return nil, err
	}
	empty, err := emptyLog(ctx, client, name)
	return []Leftover{{Name: name, Log: true, Empty: empty}}, err
}

// emptyLog looks for streams: a group's size is told late.
func emptyLog(ctx context.Context, client *cloudwatchlogs.Client, name string) (bool, error) {
	streams, err := client.DescribeLogStreams(ctx, &cloudwatchlogs.DescribeLogStreamsInput{LogGroupName: &name, Limit: aws.Int32(1)})
	return err == nil && len(streams.LogStreams) == 0, err
}

// ErrInUse is returned by [Discard] for what is not empty any more.
var ErrInUse = errors.New("it is not empty")

// Discard deletes a leftover that is empty, and waits until it is gone. It looks again first.
func Discard(ctx context.Context, a *account.Account, left Leftover) error {
	tables, logs := dynamodb.NewFromConfig(a.Config()), cloudwatchlogs.NewFromConfig(a.Config())
	var empty bool
	var err error
	if left.Log {
		empty, err = emptyLog(ctx, logs, left.Name)
	} else {
		empty, err = emptyTable(ctx, tables, left.Name)
	}
	switch {
	case err != nil:
	case !empty:
		return ErrInUse
	case left.Log:
		_, err = logs.DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: &left.Name})
	default:
		err = dropTable(ctx, tables, left.Name)
	}
	return account.Explain(err)
}

func dropTable(ctx context.Context, client *dynamodb.Client, name string) error {
	described := &dynamodb.DescribeTableInput{TableName: &name}
	if _, err := client.UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: &name, DeletionProtectionEnabled: aws.Bool(false)}); err != nil {
		return err
	}
	if err := dynamodb.NewTableExistsWaiter(client).Wait(ctx, described, tablePatience); err != nil { // it is changing
		return err
	}
	if _, err := client.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &name}); err != nil {
		return err
	}
	return dynamodb.NewTableNotExistsWaiter(client).Wait(ctx, described, tablePatience)
}

// SAMBucket is the bucket that [sam deploy] uploads to for all stacks of an account and region,
// "" where there is none.
//
// [sam deploy]: https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-cli-command-reference-sam-deploy.html
func SAMBucket(ctx context.Context, a *account.Account) (string, error) {
	found, err := cloudformation.NewFromConfig(a.Config()).DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String("aws-sam-cli-managed-default")})
	if missing(err) {
		return "", nil
	}
	if err != nil {
		return "", account.Explain(err)
	}
	for _, s := range found.Stacks {
		for _, o := range s.Outputs {
			if aws.ToString(o.OutputKey) == "SourceBucket" {
				return aws.ToString(o.OutputValue), nil
			}
		}
	}
	return "", nil
}

// ContinueRollback begins to end a rollback that has failed, without these resources.
func (s *Stack) ContinueRollback(ctx context.Context, skip ...string) error {
	_, err := cloudformation.NewFromConfig(s.account.Config()).ContinueUpdateRollback(ctx, &cloudformation.ContinueUpdateRollbackInput{
		StackName: &s.ID, ResourcesToSkip: skip,
	})
	return account.Explain(err)
}
