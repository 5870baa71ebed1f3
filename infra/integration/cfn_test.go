package integration

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
)

// cfnAnswer is what CloudFormation is told
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html).
type cfnAnswer struct {
	Status, Reason     string
	PhysicalResourceID string `json:"PhysicalResourceId"`
	StackID            string `json:"StackId"`
	RequestID          string `json:"RequestId"`
	LogicalResourceID  string `json:"LogicalResourceId"`
	Data               map[string]any
}

// maxAnswer is the most bytes that CloudFormation takes.
const maxAnswer = 4096

// takeAnswer is the pre-signed URL of S3 to which answers are put.
func (w *world) takeAnswer(rw http.ResponseWriter, r *http.Request) {
	var a cfnAnswer
	err := json.NewDecoder(http.MaxBytesReader(rw, r.Body, maxAnswer)).Decode(&a)
	if err != nil || r.Method != http.MethodPut || r.Header.Get("Content-Type") != "" {
		w.t.Errorf("CloudFormation takes a PUT of JSON without a Content-Type, not %s with %q (%v)", r.Method, r.Header.Get("Content-Type"), err)
	}
	select {
	case w.answers <- a:
	default:
		w.t.Error("CloudFormation was answered twice")
	}
}

// customResource calls the function of the custom resource as CloudFormation does, and
// returns what it was told. Without old properties they are those of now.
func (w *world) customResource(requestType string, old map[string]any) cfnAnswer {
	w.t.Helper()
	properties, err := w.stack.Custom("Subscription")
	if err != nil {
		w.t.Fatal(err)
	}
	request := map[string]any{
		"RequestType": requestType, "RequestId": uuid.NewString(), "ResponseURL": w.responses.URL + "/answer?X-Amz-Signature=0",
		"StackId":      "arn:aws:cloudformation:eu-central-1:123456789012:stack/sessionstamp/1",
		"ResourceType": "Custom::Subscription", "LogicalResourceId": "Subscription",
		"ServiceToken": properties["ServiceToken"], "ResourceProperties": properties,
	}
	if requestType != "Create" {
		request["PhysicalResourceId"] = "sessionstamp-subscription"
	}
	if requestType == "Update" {
		request["OldResourceProperties"] = old
	}
	event, err := json.Marshal(request)
	if err != nil {
		w.t.Fatal(err)
	}
	keeper := w.functions["KeeperFunction"]
	if keeper.ARN != properties["ServiceToken"] {
		w.t.Fatalf("the custom resource calls %s and not the keeper", properties["ServiceToken"])
	}
	if _, err := keeper.program.Invoke(w.ctx, event); err != nil {
		w.t.Fatal(err)
	}
	select {
	case a := <-w.answers:
		leaktest.Error(w.t, errors.New(a.Reason))
		if a.RequestID != request["RequestId"] || a.StackID != request["StackId"] || a.LogicalResourceID != "Subscription" {
			w.t.Errorf("CloudFormation was told %+v, which it cannot match with its request", a)
		}
		if requestType != "Create" && a.PhysicalResourceID != request["PhysicalResourceId"] {
			w.t.Errorf("the resource was %s and is now %s, so CloudFormation would delete the first one", request["PhysicalResourceId"], a.PhysicalResourceID)
		}
		return a
	default:
		w.t.Fatal("CloudFormation was not answered")
		return cfnAnswer{}
	}
}

// customProperties are those of the custom resource, with which an update is told of
// the old ones.
func (w *world) customProperties() map[string]any {
	w.t.Helper()
	properties, err := w.stack.Custom("Subscription")
	if err != nil {
		w.t.Fatal(err)
	}
	return maps.Clone(properties)
}

// says tells whether a text holds all of its parts.
func says(text string, parts ...string) bool {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}
