package msgraph

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	abstractions "github.com/microsoft/kiota-abstractions-go"
	core "github.com/microsoftgraph/msgraph-sdk-go-core"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// MaxBatch is how many requests one [$batch] takes.
//
// [$batch]: https://learn.microsoft.com/graph/json-batching
const MaxBatch = 20

// part is what became of one request of a $batch: an answer of success, or err.
type part struct {
	answer
	err error
}

// batch makes a request for each of ids and sends them in one $batch. It returns
// a part for each id, in order.
func (c *Client) batch(ctx context.Context, operation string, ids []string, request newRequest) ([]part, error) {
	if err := checkIDs(ids); err != nil {
		return nil, &directory.Error{Operation: operation, NotDone: true, Err: err}
	}
	info, err := c.batchRequest(ctx, ids, request)
	if err != nil {
		return nil, &directory.Error{Operation: operation, NotDone: true, Err: err}
	}
	got, err := c.send(ctx, operation, info)
	if err != nil {
		return nil, err
	}
	return splitBatch(operation, got, len(ids))
}

// newRequest makes the request about the user of that id.
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
		// The middleware that undoes this escape for requests does not see parts.
		item.SetUrl(new(strings.ReplaceAll(*item.GetUrl(), "%24", "$")))
	}
	info := abstractions.NewRequestInformation()
	info.Method = abstractions.POST
	info.UrlTemplate = "{+baseurl}/$batch"
	err := info.SetContentFromParsable(ctx, c.adapter, "application/json", batch)
	return info, err
}

// splitBatch finds the parts of n requests in the answer to their $batch.
// Graph sends them in any order, and the envelope's status says nothing of them.
func splitBatch(operation string, whole answer, n int) ([]part, error) {
	var envelope struct {
		Responses []json.RawMessage `json:"responses"`
	}
	if json.Unmarshal(whole.body, &envelope) != nil {
		return nil, answerError(operation, whole, errShape)
	}
	parts := make([]part, n)
	for i := range parts {
		parts[i].err = noAnswer(operation, whole, errNoPart)
	}
	seen := make(map[int]bool, n)
	for _, raw := range envelope.Responses {
		i, got := readPart(raw, whole.header)
		switch {
		case i < 0 || i >= n:
			// Not a part of ours. If it ought to have been one, that one is missing.
		case seen[i]:
			parts[i] = part{err: noAnswer(operation, whole, errTwoParts)}
		case !got.ok():
			parts[i] = part{err: partError(operation, got)}
		default:
			parts[i] = part{answer: got}
		}
		seen[i] = true
	}
	return parts, nil
}

// readPart reads one part. Its index is -1 if it has no number. The ids of the
// whole $batch stand in for those the part does not have.
func readPart(raw json.RawMessage, whole http.Header) (index int, got answer) {
	var fields struct {
		ID      string                     `json:"id"`
		Status  int                        `json:"status"`
		Headers map[string]json.RawMessage `json:"headers"`
		Body    json.RawMessage            `json:"body"`
	}
	// Fields of the wrong type stay empty, and empty is not a success.
	_ = json.Unmarshal(raw, &fields)
	number, err := strconv.Atoi(fields.ID)
	if err != nil {
		return -1, answer{}
	}
	header := http.Header{
		requestID:       {whole.Get(requestID)},
		clientRequestID: {whole.Get(clientRequestID)},
	}
	for name, value := range fields.Headers {
		if text := headerValue(value); text != "" {
			header.Set(name, text)
		}
	}
	return number - 1, answer{status: fields.Status, header: header, body: fields.Body}
}

// headerValue is the value of a part's header, whose JSON is a string or, against
// the documentation, a number.
func headerValue(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return plain(string(raw))
}

// partError is a part that is not a success. A part without a status is not
// documented, and proves nothing.
func partError(operation string, got answer) *directory.Error {
	if got.status == 0 {
		return answerError(operation, got, errShape)
	}
	return statusError(operation, got)
}

// noAnswer is a request that the answer to the whole $batch says nothing about.
func noAnswer(operation string, whole answer, err error) *directory.Error {
	e := answerError(operation, whole, err)
	e.StatusCode = 0
	return e
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
