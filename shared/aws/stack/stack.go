// Package stack is a deployment of sessionstamp as its operator sees it: a stack of AWS
// CloudFormation, with its functions, queues, alarms, logs and table. Who signs in needs no
// more than the rights that the called actions name; errors are those of package account.
//
// Logical names of resources, such as SweeperFunction, are those of template.yaml.
package stack

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"

	"github.com/sessionstamp/sessionstamp/shared/aws/account"
)

// VersionTag is the tag of a stack that says which version was deployed.
const VersionTag = "sessionstamp:version"

// description is how the description of each stack of ours begins.
const description = "sessionstamp:"

var (
	// ErrNoStack says that there is no stack of that name in this account and region.
	ErrNoStack = errors.New("there is no such stack")
	// ErrForeign says that the stack is not one of sessionstamp's.
	ErrForeign = errors.New("the stack is not sessionstamp's")
	// ErrNoResource says that the stack has not, or not yet, what was asked for.
	ErrNoResource = errors.New("the stack lacks a resource")
)

// A Stack is one deployment.
type Stack struct {
	Name, ID string
	// Status is CloudFormation's, such as "UPDATE_COMPLETE".
	Status string
	// Version is the value of [VersionTag], "" for none.
	Version string
	// Tags are all of the stack's own, with that of the version.
	Tags map[string]string
	// Created and Updated are in UTC; Updated is zero before the first update.
	Created, Updated time.Time
	// Parameters and Outputs are by their names.
	Parameters, Outputs map[string]string
	// Resources are the physical ids by the logical ones. [List] leaves it empty.
	Resources map[string]string
	// Failure is the first sentence in the events of the last operation that says why it
	// failed, "" if it did not. [List] leaves it empty.
	Failure string
	// At is the resource that CloudFormation is at, by its logical name, "" for none. [List]
	// leaves it empty.
	At string

	account *account.Account
}

// Account is where the stack is.
func (s *Stack) Account() *account.Account { return s.account }

// Find returns the stack of that name, or with that ARN.
func Find(ctx context.Context, a *account.Account, name string) (*Stack, error) {
	client := cloudformation.NewFromConfig(a.Config())
	found, err := client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
	switch {
	case missing(err):
		return nil, fmt.Errorf("%w: %w", ErrNoStack, err)
	case err != nil:
		return nil, account.Explain(err)
	case len(found.Stacks) == 0:
		return nil, ErrNoStack
	case !ours(found.Stacks[0]):
		return nil, ErrForeign
	}
	s := made(a, found.Stacks[0])
	if err := s.readResources(ctx, client); err != nil {
		return nil, err
	}
	if failed(s.Status) {
		s.Failure, err = failure(ctx, client, s.ID)
	}
	return s, err
}

// List returns all stacks of sessionstamp's in the account and region.
func List(ctx context.Context, a *account.Account) (stacks []*Stack, err error) {
	pages := cloudformation.NewDescribeStacksPaginator(cloudformation.NewFromConfig(a.Config()), &cloudformation.DescribeStacksInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, account.Explain(err)
		}
		for _, one := range page.Stacks {
			if ours(one) {
				stacks = append(stacks, made(a, one))
			}
		}
	}
	return stacks, nil
}

func ours(s types.Stack) bool { return strings.HasPrefix(aws.ToString(s.Description), description) }

// missing tells whether CloudFormation knows no such stack: it has no code of its own for that.
func missing(err error) bool {
	said, ok := errors.AsType[smithy.APIError](err)
	return ok && said.ErrorCode() == "ValidationError" && strings.Contains(said.ErrorMessage(), "does not exist")
}

func made(a *account.Account, from types.Stack) *Stack {
	s := &Stack{
		Name: aws.ToString(from.StackName), ID: aws.ToString(from.StackId), Status: string(from.StackStatus),
		Created: aws.ToTime(from.CreationTime).UTC(), Updated: aws.ToTime(from.LastUpdatedTime).UTC(),
		Parameters: make(map[string]string), Outputs: make(map[string]string), Resources: make(map[string]string),
		Tags: make(map[string]string), account: a,
	}
	for _, p := range from.Parameters {
		s.Parameters[aws.ToString(p.ParameterKey)] = aws.ToString(p.ParameterValue)
	}
	for _, o := range from.Outputs {
		s.Outputs[aws.ToString(o.OutputKey)] = aws.ToString(o.OutputValue)
	}
	for _, tag := range from.Tags {
		s.Tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	s.Version = s.Tags[VersionTag]
	return s
}

func (s *Stack) readResources(ctx context.Context, client *cloudformation.Client) error {
	pages := cloudformation.NewListStackResourcesPaginator(client, &cloudformation.ListStackResourcesInput{StackName: &s.ID})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return account.Explain(err)
		}
		for _, r := range page.StackResourceSummaries {
			if r.ResourceStatus != types.ResourceStatusDeleteComplete {
				s.Resources[aws.ToString(r.LogicalResourceId)] = aws.ToString(r.PhysicalResourceId)
			}
			if strings.HasSuffix(string(r.ResourceStatus), "_IN_PROGRESS") {
				s.At = aws.ToString(r.LogicalResourceId)
			}
		}
	}
	return nil
}

// resource returns the physical id of a resource.
func (s *Stack) resource(logical string) (string, error) {
	if id := s.Resources[logical]; id != "" {
		return id, nil
	}
	return "", fmt.Errorf("%w: %s", ErrNoResource, logical)
}

// Serves tells whether the last operation left a deployment behind that can work, be it
// the one before.
func (s *Stack) Serves() bool {
	switch types.StackStatus(s.Status) { //nolint:exhaustive // the others are under way, or have left nothing
	case types.StackStatusCreateComplete, types.StackStatusUpdateComplete, types.StackStatusUpdateCompleteCleanupInProgress,
		types.StackStatusUpdateRollbackComplete, types.StackStatusUpdateRollbackCompleteCleanupInProgress,
		types.StackStatusImportComplete, types.StackStatusImportRollbackComplete, types.StackStatusUpdateInProgress:
		return true
	}
	return false
}

// Delete begins to delete the stack.
func (s *Stack) Delete(ctx context.Context) error {
	_, err := cloudformation.NewFromConfig(s.account.Config()).DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: &s.ID})
	return account.Explain(err)
}
