package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"strings"

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

// provide carries out a request of CloudFormation for the custom resource.
//
// Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requests.html
func (f *function) provide(ctx context.Context, request cfn.Event) (id string, _ map[string]any, _ error) {
	early, cancel := program.EndEarly(ctx)
	defer cancel()
	id = cmp.Or(request.PhysicalResourceID, physicalID) // what the resource has, whatever gave it
	if request.RequestType == cfn.RequestDelete {
		f.takeDown(early)
		return id, nil, nil
	}
	return id, nil, brief(f.setUp(early))
}

func (f *function) setUp(ctx context.Context) error {
	if f.fault != nil {
		return f.fault
	}
	_, err := f.keeper.SetUp(ctx)
	return err
}

// remedy is what to do about a subscription that is left.
const remedy = "Nothing has to be done: a subscription ends by itself within 29 days, and what it sends until then reaches nobody. " +
	"To end it now, sign in as the app registration, list its subscriptions with GET https://graph.microsoft.com/v1.0/subscriptions, " +
	"and call DELETE https://graph.microsoft.com/v1.0/subscriptions/{id} for the one on the resource users."

// takeDown removes the subscription, then the streams. Whatever keeps it from that, the
// stack can be deleted: the log says what is left.
func (f *function) takeDown(ctx context.Context) {
	err := f.fault
	if err == nil {
		err = f.keeper.TakeDown(ctx)
	}
	if err != nil {
		f.log.LogAttrs(ctx, slog.LevelError, "the subscription to Microsoft Graph may be left behind",
			slog.String("error", err.Error()), slog.String("remedy", remedy))
	}
	f.signals.remove(ctx)
}

// maxReason is how many bytes of a reason are told: an answer to CloudFormation has 4096
// bytes at most, with the stack's names and JSON's escapes in it
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html).
const maxReason = 2000

// brief shortens an error until it fits into an answer to CloudFormation.
func brief(err error) error {
	if err == nil || len(err.Error()) <= maxReason {
		return err
	}
	return errors.New(strings.ToValidUTF8(err.Error()[:maxReason], "") + "…")
}
