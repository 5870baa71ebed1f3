// Package store keeps what has to outlive a function in one DynamoDB table: the ledger,
// and the documents of the brake, the keeper and the sweep. It passes the conformance
// suites of packages stamp and state.
//
// # The table
//
// An item is one document with a version. A person with AWS's console can read it.
//
//	pk       S  the key, which begins with the tenant (see below)
//	version  N  the number of times the item was written, from 1
//	write    S  a random token of the last write (see below)
//	doc      M  the document: a field for each one of the Go struct, by its name. Times are
//	            RFC 3339 in UTC, zero times are left out
//	expires  N  when DynamoDB may delete the item, in seconds of Unix time (the TTL
//	            attribute); absent for never
//
//	pk                       doc
//	<tenant>#user#<user>     [stamp.Entry]
//	<tenant>#brake           [stamp.BrakeState]
//	<tenant>#keeper          the keeper's record
//	<tenant>#sweep           the sweep's checkpoint
//	<tenant>#signals         the sources of signals
//
// Fields that this version does not know, of a newer one that was rolled back, are
// passed over, and lost with the next write. So a new field must mean by its zero
// value what versions without it did, and no field may ever change its name or meaning.
//
// # Writes whose answer is lost
//
// Every write has a condition on the version. When the answer to a write is lost, the
// SDK sends it again, and DynamoDB refuses it: the version is no longer the one
// expected, because the first one took effect
// (https://github.com/aws/aws-sdk-java/issues/2667). If that counted as a conflict, the
// worker would leave its own claim standing and nobody would call. So every write
// carries a random token, DynamoDB returns the item that stood against the condition
// ([ReturnValuesOnConditionCheckFailure]), and a write that finds its own token has
// succeeded.
//
// [ReturnValuesOnConditionCheckFailure]: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html
package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Table is the DynamoDB table as [stamp.Ledger]; [State] is the rest. It is safe for
// concurrent use.
type Table struct {
	client *dynamodb.Client
	name   string
}

// New returns the table of that name. Throttled and failed calls are retried as the
// client's configuration says.
func New(client *dynamodb.Client, name string) *Table {
	return &Table{client: client, name: name}
}

// item is one item of the table, with a document of type D. template.yaml repeats the
// names pk and expires.
type item[D any] struct {
	Key     string `dynamodbav:"pk"`
	Version int64  `dynamodbav:"version"`
	Write   string `dynamodbav:"write"`
	Doc     D      `dynamodbav:"doc"`
	Expires int64  `dynamodbav:"expires,omitempty"`
}

// attributes are an item as DynamoDB speaks of it.
type attributes = map[string]types.AttributeValue

// encode leaves out zero times, and makes all others UTC.
func encode[D any](i item[D]) (attributes, error) {
	return attributevalue.MarshalMapWithOptions(i, func(o *attributevalue.EncoderOptions) {
		o.OmitEmptyTime = true
		o.EncodeTime = func(t time.Time) (types.AttributeValue, error) {
			return &types.AttributeValueMemberS{Value: t.UTC().Format(time.RFC3339Nano)}, nil
		}
	})
}

// read returns the item with the key, strongly consistent; one never written has the
// version 0 and an empty document.
func read[D any](ctx context.Context, t *Table, pk string) (item[D], error) {
	answer, err := t.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:      &t.name,
		Key:            attributes{"pk": &types.AttributeValueMemberS{Value: pk}},
		ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return item[D]{}, err
	}
	var i item[D]
	if err := attributevalue.UnmarshalMap(answer.Item, &i); err != nil {
		return item[D]{}, fmt.Errorf("item %s: %w", pk, err)
	}
	return i, nil
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
		put.ConditionExpression = aws.String("version = :version")
		put.ExpressionAttributeValues = attributes{":version": &types.AttributeValueMemberN{Value: strconv.FormatInt(i.Version, 10)}}
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
	if stored, ok := refused.Item["write"].(*types.AttributeValueMemberS); ok && stored.Value == i.Write {
		return nil // the answer to an earlier attempt of the SDK was lost
	}
	return conflict
}
