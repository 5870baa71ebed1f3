package main

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/sessionstamp/sessionstamp/functions/internal/program"
	"github.com/sessionstamp/sessionstamp/functions/internal/programtest"
)

func TestFaults(t *testing.T) {
	t.Parallel()
	programtest.CheckFaults(t, func(env program.Environment) error {
		_, err := start(t.Context(), env)
		return err
	}, 6)
}

// cloud plays Secrets Manager and SQS, and counts what is asked of each.
type cloud struct {
	t    *testing.T
	mu   sync.Mutex
	sent []string
	took map[string]int // by operation
}

func (c *cloud) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	body, err := io.ReadAll(req.Body)
	if err != nil {
		c.t.Error(err)
	}
	operation := req.Header.Get("X-Amz-Target")
	c.took[operation]++
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	switch {
	case operation == "secretsmanager.GetSecretValue" && strings.Contains(string(body), "AWSCURRENT"):
		_, _ = io.WriteString(w, `{"SecretString":"`+programtest.ClientState+`"}`)
	case operation == "secretsmanager.GetSecretValue":
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"__type":"ResourceNotFoundException","message":"none"}`)
	case operation == "AmazonSQS.SendMessageBatch":
		c.send(w, body)
	default:
		c.t.Errorf("unexpected call %q of AWS", operation)
	}
}

func (c *cloud) send(w io.Writer, body []byte) {
	var in struct {
		QueueURL string `json:"QueueUrl"`
		Entries  []struct {
			ID          string `json:"Id"`
			MessageBody string
		}
	}
	if err := json.Unmarshal(body, &in); err != nil {
		c.t.Error(err)
	}
	type result struct {
		ID        string `json:"Id"`
		MessageID string `json:"MessageId"`
	}
	var out struct{ Successful []result }
	for _, entry := range in.Entries {
		c.sent = append(c.sent, in.QueueURL[strings.LastIndex(in.QueueURL, "/"):]+" "+entry.MessageBody)
		out.Successful = append(out.Successful, result{entry.ID, "m"})
	}
	if err := json.NewEncoder(w).Encode(out); err != nil {
		c.t.Error(err)
	}
}

const userID = "0000000a-0000-0000-0000-000000000001"

// delivery is one of Graph.
const delivery = `{"value":[
  {"subscriptionId":"0000000b-0000-0000-0000-000000000001","clientState":"` + programtest.ClientState + `","changeType":"updated",
   "resource":"Users/` + userID + `","tenantId":"` + programtest.Tenant + `","resourceData":{"id":"` + userID + `"}},
  {"subscriptionId":"0000000b-0000-0000-0000-000000000001","clientState":"forged","changeType":"updated",
   "resource":"Users/` + userID + `","tenantId":"` + programtest.Tenant + `","resourceData":{"id":"` + userID + `"}},
  {"subscriptionId":"0000000b-0000-0000-0000-000000000001","clientState":"` + programtest.ClientState + `","lifecycleEvent":"reauthorizationRequired",
   "tenantId":"` + programtest.Tenant + `"}
]}`

func post(query, body string) events.APIGatewayV2HTTPRequest {
	var e events.APIGatewayV2HTTPRequest
	e.RequestContext.HTTP.Method, e.RawQueryString, e.Body = http.MethodPost, query, body
	return e
}

// TestDelivery lets Graph shake hands and deliver twice.
func TestDelivery(t *testing.T) {
	t.Parallel()
	aws := &cloud{t: t, took: make(map[string]int)}
	env, log, metrics := programtest.New(t, programtest.Variables(), aws)
	serve, err := build(env)
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := serve(t.Context(), post("validationToken=a+b", "")); err != nil || answer.StatusCode != http.StatusOK || answer.Body != "a b" {
		t.Errorf("handshake: %+v, %v", answer, err)
	}
	if len(aws.took) > 0 {
		t.Errorf("the handshake has called AWS: %v", aws.took)
	}
	for range 2 {
		if answer, err := serve(t.Context(), post("", delivery)); err != nil || answer.StatusCode != http.StatusAccepted {
			t.Errorf("delivery: %+v, %v", answer, err)
		}
	}
	sent := strings.Join(aws.sent, "\n")
	if len(aws.sent) != 4 || strings.Count(sent, "/notification {") != 2 || strings.Count(sent, "/lifecycle {") != 2 || strings.Count(sent, userID) != 2 {
		t.Errorf("queued:\n%s", sent)
	}
	if aws.took["secretsmanager.GetSecretValue"] != 2 {
		t.Errorf("%d calls of Secrets Manager for two deliveries, want 2", aws.took["secretsmanager.GetSecretValue"])
	}
	for _, want := range []string{`"NotificationsReceived":3`, `"NotificationsDropped":1`, `"Reason":"forged"`, `"Stack":"stack"`} {
		if strings.Count(metrics.String(), want) < 2 {
			t.Errorf("the metrics lack %s:\n%s", want, metrics.String())
		}
	}
	if strings.Contains(log.String()+metrics.String()+sent, programtest.ClientState) {
		t.Error("the clientState has left the function")
	}
}

// What can't be queued is to come again.
func TestDenied(t *testing.T) {
	t.Parallel()
	env, log, _ := programtest.New(t, programtest.Variables(), programtest.Denied)
	handler, err := start(t.Context(), env)
	if err != nil {
		t.Fatal(err)
	}
	event, err := json.Marshal(post("", delivery))
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := programtest.Invoke(t, handler, string(event)); err != nil || !strings.HasPrefix(answer, `{"statusCode":503,`) {
		t.Errorf("delivery: %s, %v", answer, err)
	}
	if !strings.Contains(log.String(), "AccessDenied") {
		t.Errorf("the log does not say why:\n%s", log.String())
	}
}
