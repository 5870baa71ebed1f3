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
	"github.com/sessionstamp/sessionstamp/shared/stamp"
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

// keepStamped is how long the entry of a stamped user is kept: more than a year, for a
// person who looks into one. After that the stamp in Graph answers.
const keepStamped = 400 * 24 * time.Hour

// entry is [stamp.Entry] as a document. A field more there does not compile here.
type entry struct {
	Tenant     string       `dynamodbav:"-"`
	User       string       `dynamodbav:"-"`
	Version    int64        `dynamodbav:"-"`
	State      stamp.State  `dynamodbav:"state,omitempty"`
	Reason     stamp.Reason `dynamodbav:"reason,omitempty"`
	Source     stamp.Source `dynamodbav:"source,omitempty"`
	NotBefore  time.Time    `dynamodbav:"notBefore,omitempty"`
	Created    time.Time    `dynamodbav:"created,omitempty"`
	Claimed    time.Time    `dynamodbav:"claimed,omitempty"`
	Called     time.Time    `dynamodbav:"called,omitempty"`
	Stamp      time.Time    `dynamodbav:"stamp,omitempty"`
	EmptyReads int          `dynamodbav:"emptyReads,omitempty"`
	Again      bool         `dynamodbav:"again,omitempty"`
	Updated    time.Time    `dynamodbav:"updated,omitempty"`
}

// userKey is the key of a user's entry without the user.
func userKey(tenant string) string { return tenant + "#user#" }

// entryItem returns the item that an entry is stored as.
func entryItem(e stamp.Entry) item[entry] {
	i := item[entry]{Key: userKey(e.Tenant) + e.User, Version: e.Version, Doc: entry(e)}
	if e.State == stamp.StateStamped && !e.Updated.IsZero() {
		i.Expires = e.Updated.Add(keepStamped).Unix()
	}
	return i
}

// entryOf returns the entry that an item of the tenant holds.
func entryOf(tenant string, stored attributes) (stamp.Entry, error) {
	i, err := decode[entry](stored)
	if err != nil {
		return stamp.Entry{}, err
	}
	user, ok := strings.CutPrefix(i.Key, userKey(tenant))
	if !ok {
		return stamp.Entry{}, fmt.Errorf("item %s is no ledger entry of tenant %s", i.Key, tenant)
	}
	e := stamp.Entry(i.Doc)
	e.Tenant, e.User, e.Version = tenant, user, i.Version
	return e, nil
}

// Entries implements [stamp.Ledger]. After an error nothing is returned.
func (t *Table) Entries(ctx context.Context, tenant string, users []string) (map[string]stamp.Entry, error) {
	distinct := slices.Compact(slices.Sorted(slices.Values(users))) // or BatchGetItem refuses
	found := make(map[string]stamp.Entry, len(distinct))
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

// Write implements [stamp.Ledger].
func (t *Table) Write(ctx context.Context, entries []stamp.Entry) []error {
	errs := make([]error, len(entries))
	pacing.Each(len(entries), writesAtOnce, func(i int) {
		errs[i] = write(ctx, t, entryItem(entries[i]), stamp.ErrConflict)
		if errs[i] != nil && !errors.Is(errs[i], stamp.ErrConflict) {
			errs[i] = fmt.Errorf("write the ledger entry of user %s: %w", entries[i].User, errs[i])
		}
	})
	return errs
}
