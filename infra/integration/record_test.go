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

	"github.com/sessionstamp/sessionstamp/shared/aws/mototest"
)

// An access is one thing that a function did to one resource of AWS, in IAM's words.
type access struct {
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
		return strings.Compare(x.Function+x.Action+x.Resource, y.Function+y.Action+y.Resource)
	})
}

// A recorder stands between the programs of one function and AWS, and writes down
// what they do there. It can refuse calls.
type recorder struct {
	function string
	accesses *accesses
	server   *httptest.Server

	mu      sync.Mutex
	refused func(action string) bool // nil: none
	calls   map[string]int           // that were answered, by action
	news    *news                    // of every answer
}

// record starts a recorder, which ends with the test.
func record(t *testing.T, endpoint, function string, all *accesses) *recorder {
	t.Helper()
	target, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{function: function, accesses: all, calls: make(map[string]int), news: newNews()}
	proxy := &httputil.ReverseProxy{
		Rewrite:  func(p *httputil.ProxyRequest) { p.SetURL(target) },
		ErrorLog: log.New(io.Discard, "", 0), // processes are killed on purpose
	}
	r.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return // the process is gone
		}
		done, err := accessesOf(request.Header.Get("X-Amz-Target"), body)
		if err != nil {
			t.Errorf("%s: %v", function, err)
		}
		for i := range done {
			done[i].Function = function
		}
		all.add(done...)
		if r.refuses(done) {
			w.Header().Set("Content-Type", "application/x-amz-json-1.0")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"__type":"ThrottlingException","message":"Rate exceeded"}`)
			return
		}
		request.Body = io.NopCloser(bytes.NewReader(body))
		proxy.ServeHTTP(w, request)
		r.answered(done)
	}))
	t.Cleanup(r.server.Close)
	return r
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
