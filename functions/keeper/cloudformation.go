package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/cfn"

	"github.com/sessionstamp/sessionstamp/functions/internal/program"
)

// physicalID names the subscription to CloudFormation. It never changes, since
// CloudFormation takes another id for another resource and deletes the first one.
//
// The logical name of the resource in the template must never change either: for
// CloudFormation that is another resource too. It would set up the new one and then
// delete the old one, which takes the system down until somebody sets it up again.
const physicalID = "sessionstamp-subscription"

// answerMargin is how long before the end of the function's time a request of
// CloudFormation is given up, so that the answer is sent: without one, the stack
// hangs for an hour.
const answerMargin = program.Margin + 7*time.Second

// Attributes of the resource, for Fn::GetAtt.
const (
	attributeID      = "SubscriptionId"
	attributeExpires = "ExpirationDateTime"
)

// provide carries out a request of CloudFormation for the custom resource.
//
// Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requests.html
func (f *function) provide(ctx context.Context, request cfn.Event) (string, map[string]any, error) {
	early, cancel := program.EndEarly(ctx, answerMargin)
	defer cancel()
	if request.RequestType == cfn.RequestDelete {
		f.takeDown(early)
		return physicalIDOf(request), nil, nil
	}
	data, err := f.setUp(early)
	return physicalIDOf(request), data, brief(err)
}

// physicalIDOf keeps the id that the resource has, whatever gave it.
func physicalIDOf(request cfn.Event) string {
	if request.RequestType != cfn.RequestCreate && request.PhysicalResourceID != "" {
		return request.PhysicalResourceID
	}
	return physicalID
}

func (f *function) setUp(ctx context.Context) (map[string]any, error) {
	if f.fault != nil {
		return nil, f.fault
	}
	report, err := f.keeper.SetUp(ctx)
	if err != nil {
		return nil, err
	}
	return map[string]any{
		attributeID:      report.SubscriptionID,
		attributeExpires: report.Expires.Format(time.RFC3339),
	}, nil
}

// Log keys.
const (
	logError  = "error"
	logRemedy = "remedy"
)

// remedy is what to do about a subscription that is left.
const remedy = "Nothing has to be done: a subscription ends by itself within 29 days, and what it sends until then reaches nobody. " +
	"To end it now, sign in as the app registration, list its subscriptions with GET https://graph.microsoft.com/v1.0/subscriptions, " +
	"and call DELETE https://graph.microsoft.com/v1.0/subscriptions/{id} for the one on the resource users."

// takeDown removes the subscription. Whatever keeps it from that, the stack can be
// deleted: the log says what is left.
func (f *function) takeDown(ctx context.Context) {
	err := f.fault
	if err == nil {
		err = f.tryTakeDown(ctx)
	}
	if err != nil {
		f.log.LogAttrs(ctx, slog.LevelError, "the subscription to Microsoft Graph may be left behind",
			slog.String(logError, err.Error()), slog.String(logRemedy, remedy))
	}
}

func (f *function) tryTakeDown(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic of type %T", p)
		}
	}()
	return f.keeper.TakeDown(ctx)
}

// maxReason is how many bytes of JSON a reason may take: an answer to
// CloudFormation has 4096 bytes at most, with the stack's names in it
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html).
const maxReason = 2048

// brief shortens an error until it fits into an answer to CloudFormation.
func brief(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	if encodedLen(text) <= maxReason {
		return err
	}
	for encodedLen(text) > maxReason-len("…") {
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}
	return errors.New(text + "…")
}

// encodedLen is how many bytes of JSON a text takes.
func encodedLen(text string) int {
	encoded, err := json.Marshal(text)
	if err != nil {
		return len(text)
	}
	return len(encoded)
}
