package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/aws/mototest"
)

// An access is one thing that a function did to one resource of AWS, in IAM's words.
type access struct {
	// Mode is how the app signed in at that time, which decides what is allowed.
	Mode                       string
	Function, Action, Resource string
}

// accesses are what all functions did in all stories. Its zero value is empty.
type accesses struct {
	mu   sync.Mutex
	seen map[access]bool
}

func (a *accesses) add(each ...access) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.seen == nil {
		a.seen = make(map[access]bool)
	}
	for _, one := range each {
		a.seen[one] = true
	}
}

// list is everything, each once, in order.
func (a *accesses) list() []access {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.SortedFunc(maps.Keys(a.seen), func(x, y access) int {
		return strings.Compare(x.Mode+x.Function+x.Action+x.Resource, y.Mode+y.Function+y.Action+y.Resource)
	})
}

// A recorder stands between the programs of one function and AWS, and writes down
// what they do there. It can refuse calls, and let time pass.
type recorder struct {
	mode, function string
	accesses       *accesses
	server         *httptest.Server

	mu      sync.Mutex
	older   time.Duration            // by which secrets are
	refused func(action string) bool // nil: none
	asked   map[string]int           // calls, by action
	calls   map[string]int           // those that were answered
	news    *news                    // of every answer
}

// start starts the recorder, which ends with the test. What moto does not know is for
// sts.
func (r *recorder) start(t *testing.T, endpoint string, sts http.Handler) {
	t.Helper()
	target, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	r.asked, r.calls, r.news = make(map[string]int), make(map[string]int), newNews()
	moto := &httputil.ReverseProxy{
		Rewrite:        func(p *httputil.ProxyRequest) { p.SetURL(target) },
		ModifyResponse: r.rewrite,
		ErrorLog:       log.New(io.Discard, "", 0), // processes are killed on purpose
	}
	r.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return // the process is gone
		}
		done, err := accessesOf(request.Header.Get("X-Amz-Target"), body)
		if err != nil {
			t.Errorf("%s: %v", r.function, err)
		}
		for i := range done {
			done[i].Mode, done[i].Function = r.mode, r.function
		}
		r.accesses.add(done...)
		r.note(done)
		if r.refuses(done) {
			w.Header().Set("Content-Type", "application/x-amz-json-1.0")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"__type":"ThrottlingException","message":"Rate exceeded"}`)
			return
		}
		request.Body = io.NopCloser(bytes.NewReader(body))
		if request.Header.Get("X-Amz-Target") == "" {
			sts.ServeHTTP(w, request)
		} else {
			moto.ServeHTTP(w, request)
		}
		r.answered(done)
	}))
	t.Cleanup(r.server.Close)
}

// pass lets versions of secrets be older than they are, from the next call on: the
// function takes it for time that has passed.
func (r *recorder) pass(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.older += d
}

// rewrite changes answers of moto's.
func (r *recorder) rewrite(answer *http.Response) error {
	target := answer.Request.Header.Get("X-Amz-Target")
	switch {
	case strings.HasSuffix(target, ".GetSecretValue"):
		return change(answer, r.age)
	case strings.HasSuffix(target, ".DescribeSecret"):
		return change(answer, dropUnlabelled)
	}
	return nil
}

// change changes the body of an answer.
func change(answer *http.Response, how func(body map[string]any)) error {
	var body map[string]any
	if err := json.NewDecoder(answer.Body).Decode(&body); err != nil {
		return err
	}
	how(body)
	text, err := json.Marshal(body)
	answer.Body, answer.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
	answer.Header.Set("Content-Length", fmt.Sprint(len(text)))
	return err
}

// age changes when a version of a secret was created.
func (r *recorder) age(secret map[string]any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if created, ok := secret["CreatedDate"].(float64); ok {
		secret["CreatedDate"] = created - r.older.Seconds()
	}
}

// dropUnlabelled leaves versions without labels out of a description. Moto lists them,
// [Secrets Manager] does not.
//
// [Secrets Manager]: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DescribeSecret.html
func dropUnlabelled(description map[string]any) {
	versions, _ := description["VersionIdsToStages"].(map[string]any)
	maps.DeleteFunc(versions, func(_ string, labels any) bool {
		list, _ := labels.([]any)
		return len(list) == 0
	})
}

// note counts calls before they are answered.
func (r *recorder) note(done []access) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, one := range done {
		r.asked[one.Action]++
	}
}

// count is how often an action was called, whatever came of it.
func (r *recorder) count(action string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked[action]
}

func (r *recorder) answered(done []access) {
	r.mu.Lock()
	for _, one := range done {
		r.calls[one.Action]++
	}
	r.mu.Unlock()
	r.news.tell()
}

// wait waits until a call of an action has been answered.
func (r *recorder) wait(ctx context.Context, action string) error {
	for {
		changed := r.news.next()
		r.mu.Lock()
		n := r.calls[action]
		r.mu.Unlock()
		if n > 0 {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%s has not called %s: %w", r.function, action, ctx.Err())
		}
	}
}

// refuse lets calls be throttled for which refused says so.
func (r *recorder) refuse(refused func(action string) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refused = refused
}

func (r *recorder) refuses(done []access) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.refused != nil && len(done) > 0 && r.refused(done[0].Action)
}

// accessesOf tells what a call does, by the table of actions and resources in the
// [service authorization reference]. A call that it does not know is an error.
//
// [service authorization reference]: https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html
func accessesOf(target string, body []byte) ([]access, error) {
	if target == "" {
		return queryAccesses(string(body))
	}
	service, operation, _ := strings.Cut(target, ".")
	var in struct {
		QueueURL     string         `json:"QueueUrl"`
		SecretID     string         `json:"SecretId"`
		TableName    string         `json:"TableName"`
		IndexName    string         `json:"IndexName"`
		RequestItems map[string]any `json:"RequestItems"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("read a call of %q: %w", target, err)
	}
	table := "arn:aws:dynamodb:" + mototest.Region + ":" + mototest.Account + ":table/"
	switch {
	case service == "AmazonSQS" && in.QueueURL != "": // a batch needs the right of the single call
		return []access{{Action: "sqs:" + strings.TrimSuffix(operation, "Batch"), Resource: queueARN(in.QueueURL)}}, nil
	case service == "secretsmanager" && strings.HasPrefix(in.SecretID, "arn:"):
		return []access{{Action: "secretsmanager:" + operation, Resource: in.SecretID}}, nil
	case service == "DynamoDB_20120810" && in.IndexName != "":
		return []access{{Action: "dynamodb:" + operation, Resource: table + in.TableName + "/index/" + in.IndexName}}, nil
	case service == "DynamoDB_20120810" && in.TableName != "":
		return []access{{Action: "dynamodb:" + operation, Resource: table + in.TableName}}, nil
	case service == "DynamoDB_20120810" && len(in.RequestItems) > 0:
		var all []access
		for name := range in.RequestItems {
			all = append(all, access{Action: "dynamodb:" + operation, Resource: table + name})
		}
		return all, nil
	}
	return nil, fmt.Errorf("call %q: nobody has said here what right it needs", target)
}

// queryAccesses tells what a call of the AWS Query protocol does.
func queryAccesses(body string) ([]access, error) {
	form, err := url.ParseQuery(body)
	if err != nil {
		return nil, fmt.Errorf("read a call: %w", err)
	}
	if action := form.Get("Action"); action != "GetWebIdentityToken" {
		return nil, fmt.Errorf("call %q: nobody has said here what right it needs", action)
	}
	return []access{{Action: "sts:GetWebIdentityToken", Resource: "*"}}, nil
}
