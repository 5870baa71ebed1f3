package stack

import (
	"context"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/sessionstamp/sessionstamp/shared/aws/account"
)

// failed tells whether the last operation failed, or is being undone.
func failed(status string) bool {
	return strings.Contains(status, "FAILED") || strings.Contains(status, "ROLLBACK")
}

// failure reads the events of the last operation, the newest first, back to where it began.
func failure(ctx context.Context, client *cloudformation.Client, id string) (string, error) {
	first := ""
	pages := cloudformation.NewDescribeStackEventsPaginator(client, &cloudformation.DescribeStackEventsInput{StackName: &id})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", account.Explain(err)
		}
		for _, e := range page.StackEvents {
			if begins(e) {
				return first, nil
			}
			if said := sentence(e); said != "" {
				first = said
			}
		}
	}
	return first, nil
}

// begins tells whether an operation on the stack began with an event.
func begins(e types.StackEvent) bool {
	if aws.ToString(e.PhysicalResourceId) != aws.ToString(e.StackId) {
		return false
	}
	switch e.ResourceStatus { //nolint:exhaustive // all others come later
	case types.ResourceStatusCreateInProgress, types.ResourceStatusUpdateInProgress, types.ResourceStatusDeleteInProgress, types.ResourceStatusImportInProgress:
		return true
	}
	return false
}

// consequences are reasons that only say that something else had failed.
var consequences = regexp.MustCompile(`^Resource (creation|update|deletion) cancelled|^The following resource\(s\) failed`)

var (
	custom  = regexp.MustCompile(`^Received response status \[FAILED\] from custom resource\. Message returned: `)
	request = regexp.MustCompile(` \((RequestId|Service): [^()]*\)$`)
)

// sentence is what an event says about a failure, "" if it is none, or only the
// consequence of another. What CloudFormation puts around the keeper's sentence is left out.
func sentence(e types.StackEvent) string {
	reason := strings.TrimSpace(aws.ToString(e.ResourceStatusReason))
	if !strings.HasSuffix(string(e.ResourceStatus), "_FAILED") || consequences.MatchString(reason) {
		return ""
	}
	return request.ReplaceAllString(custom.ReplaceAllString(reason, ""), "")
}
