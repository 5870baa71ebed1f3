package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/sessionstamp/sessionstamp/shared/aws/internal/pacing"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

const (
	// keysPerRead is the most that BatchGetItem takes
	// (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html).
	keysPerRead = 100
	// readTries is how often keys that DynamoDB left unprocessed are asked for: for
	// some five seconds.
	readTries = 8
	// writesAtOnce is as many connections as the SDK's HTTP client keeps open to
	// one host
	// (https://pkg.go.dev/github.com/aws/aws-sdk-go-v2/aws/transport/http#DefaultHTTPTransportMaxIdleConnsPerHost).
	writesAtOnce = 10
)

// How long the entry of a user is kept after the end. Whoever comes up again later is
// judged by what Graph shows, which is right; the entry saves the question.
const (
	keepStamped = 400 * 24 * time.Hour // more than a year, for whoever looks into one
	keepGone    = 90 * 24 * time.Hour  // beyond the 30 days in which Entra can restore a user
)

// entry is [revocation.Entry] as a document. A field more there does not compile here.
type entry struct {
	Tenant   string            `dynamodbav:"-"`
	User     string            `dynamodbav:"-"`
	Version  int64             `dynamodbav:"-"`
	State    revocation.State  `dynamodbav:"state,omitempty"`
	Reason   revocation.Reason `dynamodbav:"reason,omitempty"`
	Source   revocation.Source `dynamodbav:"source,omitempty"`
	Created  time.Time         `dynamodbav:"created,omitempty"`
	Seen     time.Time         `dynamodbav:"seen,omitempty"`
	Spared   time.Time         `dynamodbav:"spared,omitempty"`
	Claimed  time.Time         `dynamodbav:"claimed,omitempty"`
	Called   time.Time         `dynamodbav:"called,omitempty"`
	Stamp    time.Time         `dynamodbav:"stamp,omitempty"`
	Accepted int               `dynamodbav:"accepted,omitempty"`
	Tries    int               `dynamodbav:"tries,omitempty"`
	Rereads  int               `dynamodbav:"rereads,omitempty"`
	Updated  time.Time         `dynamodbav:"updated,omitempty"`
}

// userKey is the key of a user's entry without the user.
func userKey(tenant string) string { return tenant + "#user#" }

// entryItem returns the item that an entry is stored as.
func entryItem(e revocation.Entry) item[entry] {
	i := item[entry]{Key: userKey(e.Tenant) + e.User, Version: e.Version, Doc: entry(e), Expires: expiry(e)}
	if e.State == revocation.StateHeld {
		i.HeldBy = e.Tenant
		i.Created = e.Created.UTC().Format("2006-01-02T15:04:05.000000000Z")
	}
	return i
}

// expiry is when the entry may be deleted, in seconds of Unix time, 0 for never.
func expiry(e revocation.Entry) int64 {
	keep := map[revocation.State]time.Duration{
		revocation.StateStamped: keepStamped,
		revocation.StateGone:    keepGone,
	}[e.State]
	if keep == 0 || e.Updated.IsZero() {
		return 0
	}
	return e.Updated.Add(keep).Unix()
}

// entryOf returns the entry that an item of the tenant holds.
func entryOf(tenant string, stored attributes) (revocation.Entry, error) {
	i, err := decode[entry](stored)
	if err != nil {
		return revocation.Entry{}, err
	}
	user, ok := strings.CutPrefix(i.Key, userKey(tenant))
	if !ok {
		return revocation.Entry{}, fmt.Errorf("item %s is no ledger entry of tenant %s", i.Key, tenant)
	}
	e := revocation.Entry(i.Doc)
	e.Tenant, e.User, e.Version = tenant, user, i.Version
	return e, nil
}

// Entries implements [revocation.Ledger]. After an error nothing is returned.
func (t *Table) Entries(ctx context.Context, tenant string, users []string) (map[string]revocation.Entry, error) {
	distinct := slices.Compact(slices.Sorted(slices.Values(users))) // or BatchGetItem refuses
	found := make(map[string]revocation.Entry, len(distinct))
	for chunk := range slices.Chunk(distinct, keysPerRead) {
		keys := make([]attributes, len(chunk))
		for i, user := range chunk {
			keys[i] = key(userKey(tenant) + user)
		}
		items, err := t.readAll(ctx, keys)
		if err != nil {
			return nil, fmt.Errorf("read the ledger entries of %d users: %w", len(distinct), err)
		}
		for _, stored := range items {
			e, err := entryOf(tenant, stored)
			if err != nil {
				return nil, err
			}
			found[e.User] = e
		}
	}
	return found, nil
}

// readAll reads items by at most keysPerRead keys, strongly consistent. DynamoDB
// answers for some of them where it is throttled, and wants to be asked again for
// the others, later each time
// (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html).
func (t *Table) readAll(ctx context.Context, keys []attributes) ([]attributes, error) {
	var items []attributes
	for try := range readTries {
		answer, err := t.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
			RequestItems: map[string]types.KeysAndAttributes{
				t.name: {Keys: keys, ConsistentRead: aws.Bool(true)},
			},
		})
		if err != nil {
			return nil, err
		}
		items = append(items, answer.Responses[t.name]...)
		if keys = answer.UnprocessedKeys[t.name].Keys; len(keys) == 0 {
			return items, nil
		}
		if err := pacing.Backoff(ctx, try); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("DynamoDB left %d of them unread in %d tries: it throttles the table", len(keys), readTries)
}

// Write implements [revocation.Ledger].
func (t *Table) Write(ctx context.Context, entries []revocation.Entry) []error {
	errs := make([]error, len(entries))
	pacing.Each(len(entries), writesAtOnce, func(i int) {
		e := entries[i]
		errs[i] = write(ctx, t, entryItem(e), revocation.ErrConflict)
		if errs[i] != nil && !errors.Is(errs[i], revocation.ErrConflict) {
			errs[i] = fmt.Errorf("write the ledger entry of user %s: %w", e.User, errs[i])
		}
	})
	return errs
}

// Held implements [sweep.Held], by an index. DynamoDB brings an index up to date
// within moments of a write, not with it: who waits no longer may still be listed,
// and who has just begun to may not. The revoker reads the entry itself.
func (t *Table) Held(ctx context.Context, tenant string, limit int) ([]revocation.Entry, error) {
	var held []revocation.Entry
	var from attributes
	for len(held) < limit {
		answer, err := t.client.Query(ctx, &dynamodb.QueryInput{
			TableName:                 &t.name,
			IndexName:                 aws.String(indexHeld),
			KeyConditionExpression:    aws.String(attributeHeldBy + " = :tenant"),
			ExpressionAttributeValues: attributes{":tenant": &types.AttributeValueMemberS{Value: tenant}},
			ScanIndexForward:          aws.Bool(false),
			Limit:                     aws.Int32(int32(min(limit-len(held), heldPerPage))), //nolint:gosec // between 1 and heldPerPage
			ExclusiveStartKey:         from,
		})
		if err != nil {
			return nil, fmt.Errorf("list the users who wait for the backfill: %w", err)
		}
		for _, stored := range answer.Items {
			e, err := entryOf(tenant, stored)
			if err != nil {
				return nil, err
			}
			held = append(held, e)
		}
		if from = answer.LastEvaluatedKey; len(from) == 0 {
			break
		}
	}
	return held, nil
}

// heldPerPage is about what fits into the megabyte of one page.
const heldPerPage = 1000
