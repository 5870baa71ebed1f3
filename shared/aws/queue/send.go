package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/sessionstamp/sessionstamp/shared/aws/internal/pacing"
)

const (
	// entriesPerCall is what one SendMessageBatch takes
	// (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html).
	// So many messages of ours stay far below its limit of bytes.
	entriesPerCall = 10
	// sendTries is how often messages that SQS failed to store are sent.
	sendTries = 3
)

// entry is a message as JSON. Its id, the number, is unique in its call.
func entry(i int, message any, delay time.Duration) (e types.SendMessageBatchRequestEntry, err error) {
	body, err := json.Marshal(message)
	if err != nil {
		return e, err
	}
	return types.SendMessageBatchRequestEntry{
		Id:           aws.String(strconv.Itoa(i)),
		MessageBody:  aws.String(string(body)),
		DelaySeconds: int32(math.Ceil(delay.Seconds())),
	}, nil
}

// store returns nil only when all entries are stored, ten calls at once.
func store(ctx context.Context, client *sqs.Client, url string, entries []types.SendMessageBatchRequestEntry) error {
	batches := slices.Collect(slices.Chunk(entries, entriesPerCall))
	errs := make([]error, len(batches))
	pacing.Each(len(batches), func(i int) { errs[i] = send(ctx, client, url, batches[i]) })
	return errors.Join(errs...)
}

// send makes one call, and again for what SQS does not say it has stored: SQS answers 200
// also where it failed, and tells of each message whether that is the sender's fault
// (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_BatchResultErrorEntry.html).
// It returns nil only when all entries are stored.
func send(ctx context.Context, client *sqs.Client, url string, entries []types.SendMessageBatchRequestEntry) error {
	for range sendTries {
		answer, err := client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: entries})
		if err != nil {
			return err
		}
		for _, f := range answer.Failed {
			if f.SenderFault {
				return fmt.Errorf("SQS refuses a message: %s", aws.ToString(f.Code))
			}
		}
		stored := make(map[string]bool, len(answer.Successful))
		for _, s := range answer.Successful {
			stored[aws.ToString(s.Id)] = true
		}
		entries = slices.DeleteFunc(entries, func(e types.SendMessageBatchRequestEntry) bool { return stored[*e.Id] })
		if len(entries) == 0 {
			return nil
		}
	}
	return fmt.Errorf("SQS failed to store %d messages in %d tries", len(entries), sendTries)
}
