// Package store keeps what has to outlive a function in one DynamoDB table: the
// ledger, the write quota, and the states of the backfill, the keeper and the sweep.
// Each passes the conformance suite of the interface that it implements.
//
// # The table
//
// An item is one document with a version. Whoever has AWS's console can read it.
//
//	pk       S  the key, which begins with the tenant (see below)
//	version  N  the number of times the item was written, from 1
//	write    S  a random token of the last write (see below)
//	doc      M  the document: a field for each one of the Go struct, in camelCase;
//	            what is zero is left out, times are RFC 3339 in UTC
//	expires  N  when DynamoDB may delete the item, in seconds of Unix time (the TTL
//	            attribute); absent for never
//	heldBy   S  the tenant, on ledger entries of users who wait for the backfill only:
//	            the index "held" lists them
//	created  S  with heldBy: createdDateTime, always with nine digits after the
//	            seconds, so that it sorts
//
//	pk                       doc
//	<tenant>#user#<user>     [revocation.Entry]
//	<tenant>#quota           the moment that is [revocation.Pace]'s state
//	<tenant>#backfill        [revocation.BackfillState]
//	<tenant>#subscription    [subscription.Record]
//	<tenant>#checkpoint      [sweep.Checkpoint]
//
// Fields that this version does not know, of a newer one that was rolled back, are
// passed over, and lost with the next write. So a new field must mean by its zero
// value what versions without it did, and no field may ever change its meaning.
// Golden files pin the items.
//
// # Writes whose answer is lost
//
// Every write has a condition on the version. When the answer to a write is lost, the
// SDK sends it again, and DynamoDB refuses it: the version is no longer the one
// expected, because the first one took effect
// (https://github.com/aws/aws-sdk-java/issues/2667). Taken for a conflict, that would leave
// a claim that nobody knows to be his until it lapses, and the user with a live
// session for as long. So every write carries a random token, DynamoDB returns the
// item that stood against the condition ([ReturnValuesOnConditionCheckFailure]), and
// a write that finds its own token has succeeded.
//
// [ReturnValuesOnConditionCheckFailure]: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html
package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// The names in the table's key schema and index, which template.yaml repeats.
const (
	attributeKey    = "pk"
	attributeHeldBy = "heldBy"
	indexHeld       = "held"
)

// Table is the DynamoDB table as [revocation.Ledger], [sweep.Held],
// [revocation.BackfillStore], [subscription.Store] and [sweep.Store]; [Quota] is the
// rest. It is safe for concurrent use.
type Table struct {
	client *dynamodb.Client
	name   string
}

// New returns the table of that name. Throttled and failed calls are retried as the
// client's configuration says.
func New(client *dynamodb.Client, name string) *Table {
	return &Table{client: client, name: name}
}

// item is one item of the table, with a document of type D.
type item[D any] struct {
	Key     string `dynamodbav:"pk"`
	Version int64  `dynamodbav:"version"`
	Write   string `dynamodbav:"write"`
	Doc     D      `dynamodbav:"doc"`
	Expires int64  `dynamodbav:"expires,omitempty"`
	HeldBy  string `dynamodbav:"heldBy,omitempty"`
	Created string `dynamodbav:"created,omitempty"`
}

// attributes are an item as DynamoDB speaks of it.
type attributes = map[string]types.AttributeValue

func key(pk string) attributes {
	return attributes{attributeKey: &types.AttributeValueMemberS{Value: pk}}
}

// encode leaves out zero times, and makes all others UTC.
func encode[D any](i item[D]) (attributes, error) {
	return attributevalue.MarshalMapWithOptions(i, func(o *attributevalue.EncoderOptions) {
		o.OmitEmptyTime = true
		o.EncodeTime = func(t time.Time) (types.AttributeValue, error) {
			return &types.AttributeValueMemberS{Value: t.UTC().Format(time.RFC3339Nano)}, nil
		}
	})
}

func decode[D any](stored attributes) (item[D], error) {
	var i item[D]
	if err := attributevalue.UnmarshalMap(stored, &i); err != nil {
		return i, fmt.Errorf("item %s: %w", i.Key, err)
	}
	if i.Version < 1 {
		return i, fmt.Errorf("item %s has no version: it was not written by sessionstamp, delete it", i.Key)
	}
	return i, nil
}

// read returns the item with the key, strongly consistent; one never written has the
// version 0 and an empty document.
func read[D any](ctx context.Context, t *Table, pk string) (item[D], error) {
	answer, err := t.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:      &t.name,
		Key:            key(pk),
		ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return item[D]{}, err
	}
	if len(answer.Item) == 0 {
		return item[D]{Key: pk}, nil
	}
	return decode[D](answer.Item)
}

// write stores the item, with its version raised by one, if the stored version is
// still i.Version. It returns nil, conflict, or a failure after which the item may
// have been written or not.
func write[D any](ctx context.Context, t *Table, i item[D], conflict error) error {
	put := &dynamodb.PutItemInput{
		TableName:                           &t.name,
		ConditionExpression:                 aws.String("attribute_not_exists(pk)"),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if i.Version > 0 {
		version, err := attributevalue.Marshal(i.Version)
		if err != nil {
			return err
		}
		put.ConditionExpression = aws.String("version = :version")
		put.ExpressionAttributeValues = attributes{":version": version}
	}
	i.Version++
	i.Write = rand.Text()
	var err error
	if put.Item, err = encode(i); err != nil {
		return err
	}
	_, err = t.client.PutItem(ctx, put)
	refused, ok := errors.AsType[*types.ConditionalCheckFailedException](err)
	if !ok {
		return err
	}
	if stored, err := decode[D](refused.Item); err == nil && stored.Write == i.Write {
		return nil // the answer to an earlier attempt of the SDK was lost
	}
	return conflict
}
