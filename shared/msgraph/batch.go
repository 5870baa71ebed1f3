package msgraph

import (
	"context"
	"fmt"
	"strconv"

	abstractions "github.com/microsoft/kiota-abstractions-go"
	core "github.com/microsoftgraph/msgraph-sdk-go-core"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/answer"
)

// MaxBatch is how many requests one [$batch] takes.
//
// [$batch]: https://learn.microsoft.com/graph/json-batching
const MaxBatch = 20

// batch makes a request for each of ids and sends them in one $batch. It returns
// a part for each id, in order.
func (c *Client) batch(ctx context.Context, operation string, ids []string, request newRequest) ([]answer.Part, error) {
	if err := checkIDs(ids); err != nil {
		return nil, unsent(operation, err)
	}
	return c.sendBatch(ctx, operation, ids, request)
}

// sendBatch is batch for keys that have been checked.
func (c *Client) sendBatch(ctx context.Context, operation string, ids []string, request newRequest) ([]answer.Part, error) {
	info, err := c.batchRequest(ctx, ids, request)
	if err != nil {
		return nil, unsent(operation, err)
	}
	got, token, err := c.sendAs(ctx, operation, info)
	if err != nil {
		return nil, err
	}
	parts, err := answer.Parts(got, len(ids))
	for _, p := range parts {
		c.refused(token, p.Err)
	}
	return parts, err
}

// readBatch is batch for requests that change nothing.
func (c *Client) readBatch(ctx context.Context, operation string, ids []string, request newRequest) (parts []answer.Part, err error) {
	err = persist(ctx, func() error {
		parts, err = c.batch(ctx, operation, ids, request)
		return err
	})
	return parts, err
}

// newRequest makes the request about the user, or the group, of that id.
type newRequest func(ctx context.Context, id string) (*abstractions.RequestInformation, error)

// batchRequest makes the $batch. Its parts are numbered from 1.
func (c *Client) batchRequest(ctx context.Context, ids []string, request newRequest) (*abstractions.RequestInformation, error) {
	batch := core.NewBatchRequest(c.adapter)
	for i, id := range ids {
		info, err := request(ctx, id)
		if err != nil {
			return nil, err
		}
		item, err := batch.AddBatchRequestStep(*info)
		if err != nil {
			return nil, err
		}
		item.SetId(new(strconv.Itoa(i + 1)))
		item.SetUrl(new(plainDollar(*item.GetUrl())))
	}
	info := abstractions.NewRequestInformationWithMethodAndUrlTemplateAndPathParameters(
		abstractions.POST, "{+baseurl}/$batch", c.pathParameters())
	err := info.SetContentFromParsable(ctx, c.adapter, "application/json", batch)
	return info, err
}

// checkIDs refuses what must not become part of a path. Its errors tell the place
// and not the id, which might be a user principal name. An id given twice would be
// a user signed out twice.
func checkIDs(ids []string) error {
	if len(ids) == 0 || len(ids) > MaxBatch {
		return fmt.Errorf("%d ids; a batch takes 1 to %d", len(ids), MaxBatch)
	}
	seen := make(map[string]bool, len(ids))
	for i, id := range ids {
		if !directory.IsID(id) {
			return fmt.Errorf("ids[%d] is not an object id", i)
		}
		if seen[id] {
			return fmt.Errorf("ids[%d] is given twice", i)
		}
		seen[id] = true
	}
	return nil
}
