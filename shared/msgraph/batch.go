package msgraph

import (
	"context"
	"fmt"
	"slices"
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
func (c *Client) batch(ctx context.Context, operation string, ids []string, request newRequest[string]) ([]answer.Part, error) {
	if err := checkIDs(ids); err != nil {
		return nil, unsent(operation, err)
	}
	return sendBatch(ctx, c, operation, ids, request)
}

// sendBatch is batch for keys of any kind that have been checked.
func sendBatch[K any](ctx context.Context, c *Client, operation string, keys []K, request newRequest[K]) ([]answer.Part, error) {
	info, err := batchRequest(ctx, c, keys, request)
	if err != nil {
		return nil, unsent(operation, err)
	}
	got, token, err := c.sendAs(ctx, operation, info)
	if err != nil {
		return nil, err
	}
	parts, err := answer.Parts(got, len(keys))
	for _, p := range parts {
		c.refused(token, p.Err)
	}
	return parts, err
}

// readBatch is batch for requests that change nothing.
func (c *Client) readBatch(ctx context.Context, operation string, ids []string, request newRequest[string]) (parts []answer.Part, err error) {
	err = persist(ctx, func() error {
		parts, err = c.batch(ctx, operation, ids, request)
		return err
	})
	return parts, err
}

// ReadParts reads what the request asks for of each of at most [MaxBatch] keys, in one
// $batch, and again those parts that failed for a reason that passes, as [Client.Read] does.
// It returns a part for each key, in order. It is for the packages below this one.
func (c *Client) ReadParts(ctx context.Context, operation string, keys []string, request func(ctx context.Context, key string) (*abstractions.RequestInformation, error)) ([]answer.Part, error) {
	return readParts(ctx, c, operation, keys, request)
}

// readParts is ReadParts for keys of any kind.
func readParts[K any](ctx context.Context, c *Client, operation string, keys []K, request newRequest[K]) ([]answer.Part, error) {
	parts, pending := make([]answer.Part, len(keys)), make([]int, len(keys))
	for i := range keys {
		pending[i] = i
	}
	if len(keys) == 0 {
		return parts, nil
	}
	err := persist(ctx, func() (failed error) {
		some := make([]K, len(pending))
		for i, at := range pending {
			some[i] = keys[at]
		}
		got, err := sendBatch(ctx, c, operation, some, request)
		if err != nil {
			return err
		}
		var left []int
		for i, at := range pending {
			if parts[at] = got[i]; passing(got[i].Err) {
				left, failed = append(left, at), got[i].Err
			}
		}
		pending = left
		return failed
	})
	if err != nil && slices.ContainsFunc(pending, func(at int) bool { return parts[at].Err == nil }) {
		return nil, err // the $batch itself failed
	}
	return parts, nil
}

// newRequest makes the request about the user, or the group, of that key.
type newRequest[K any] func(ctx context.Context, key K) (*abstractions.RequestInformation, error)

// batchRequest makes the $batch. Its parts are numbered from 1.
func batchRequest[K any](ctx context.Context, c *Client, keys []K, request newRequest[K]) (*abstractions.RequestInformation, error) {
	batch := core.NewBatchRequest(c.adapter)
	for i, key := range keys {
		info, err := request(ctx, key)
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
