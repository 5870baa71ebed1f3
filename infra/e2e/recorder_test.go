package e2e

import (
	"bytes"
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

	"github.com/sessionstamp/sessionstamp/infra/e2e/awstest"
	"github.com/sessionstamp/sessionstamp/infra/e2e/lambdatest"
)

// A grant is one action on one resource, in IAM's words; or a permission of Microsoft
// Graph, whose role is an app.
type grant struct {
	Role, Action, Resource string
	// Item is of which one of a table, without the tenant; "" is all.
	Item string
}

// whole is the grant for all items.
func (g grant) whole() grant {
	g.Item = ""
	return g
}

// grants are what all functions did in all stories.
type grants struct {
	mu   sync.Mutex
	seen map[grant]bool
}

func (g *grants) add(one grant) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.seen == nil {
		g.seen = make(map[grant]bool)
	}
	g.seen[one] = true
}

// The roles of the apps.
const readerApp, stamperApp = "the reader app", "the stamper app"

// lambdas are rights that only AWS itself uses, under the function's role.
var lambdas = []string{"logs:CreateLogStream", "logs:PutLogEvents", "sqs:GetQueueAttributes"}

// allowedGrants are all that the roles of a stack and the two apps allow to functions.
func (s *stack) allowedGrants() map[grant]bool {
	all := make(map[grant]bool)
	for app, permissions := range map[string][]string{readerApp: readerPermissions, stamperApp: stamperPermissions} {
		for _, permission := range permissions {
			all[grant{app, permission, "Microsoft Graph", ""}] = true
		}
	}
	for _, id := range s.resources("AWS::Serverless::Function") {
		role := strings.TrimSuffix(id, "Function") + "Role"
		for _, statement := range s.statements(role) {
			for _, action := range texts(statement["Action"]) {
				for _, resource := range texts(statement["Resource"]) {
					if !slices.Contains(lambdas, action) {
						all[grant{role, action, named(resource), leading(statement)}] = true
					}
				}
			}
		}
	}
	return all
}

// leading is the item that a statement is limited to
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html).
func leading(statement object) string {
	condition, _ := statement["Condition"].(object)
	keys, _ := condition["ForAllValues:StringEquals"].(object)
	if keys["dynamodb:LeadingKeys"] == nil {
		return ""
	}
	return itemOf(texts(keys["dynamodb:LeadingKeys"])[0])
}

// itemOf is a key of the table without the tenant.
func itemOf(key string) string {
	_, name, _ := strings.Cut(key, "#")
	return name
}

// named is the ARN of a secret without the six characters that Secrets Manager makes up
// and without what tells moto's name from the template's.
func named(resource string) string {
	switch {
	case strings.Contains(resource, stackName+"/signal/"):
		return "the secret of a source"
	case strings.Contains(resource, ":secretsmanager:"):
		return "the secret"
	}
	return resource
}

// check compares what was done with what is allowed: no other right is used and, if all
// stories were played, each is.
func (g *grants) check(t *testing.T, s *stack, complete bool) {
	t.Helper()
	allowed := s.allowedGrants()
	used := make(map[grant]bool)
	for one := range g.seen {
		used[one], used[one.whole()] = true, true
		if !allowed[one] && !allowed[one.whole()] {
			t.Errorf("%s does not allow %s on %s %s, which was called", one.Role, one.Action, one.Resource, one.Item)
		}
	}
	for _, one := range slices.SortedFunc(maps.Keys(allowed), func(a, b grant) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) }) {
		if complete && !used[one] {
			t.Errorf("%s allows %s on %s %s, which no story uses", one.Role, one.Action, one.Resource, one.Item)
		}
	}
}

// A recorder stands between the programs of one function and AWS, and writes down what
// they do there. It counts the hops of each message and shortens long delays.
type recorder struct {
	role   string
	grants *grants
	hops   *hops
	server *httptest.Server
}

// longest is the longest delay of a message in the stories, in seconds.
const longest = 2

// start starts the recorder, which ends with the test. STS answers what moto does not know.
func (r *recorder) start(t *testing.T, endpoint string, sts http.Handler) {
	t.Helper()
	target, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	moto := &httputil.ReverseProxy{
		Rewrite:  func(p *httputil.ProxyRequest) { p.SetURL(target) },
		ErrorLog: log.New(io.Discard, "", 0), // processes are killed on purpose
	}
	r.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return // the process is gone
		}
		if body, err = r.note(request.Header, body); err != nil {
			t.Errorf("%s: %v", r.role, err)
		}
		request.Body, request.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		if request.Header.Get("X-Amz-Target") == "" {
			sts.ServeHTTP(w, request)
			return
		}
		moto.ServeHTTP(w, request)
	}))
	t.Cleanup(r.server.Close)
}

// note writes down one call, and returns the body that is sent on.
func (r *recorder) note(header http.Header, body []byte) ([]byte, error) {
	target := header.Get("X-Amz-Target")
	if target == "" {
		form, err := url.ParseQuery(string(body))
		r.grants.add(grant{r.role, "sts:" + form.Get("Action"), "*", ""})
		return body, err
	}
	service, operation, _ := strings.Cut(target, ".")
	var in map[string]any
	if err := json.Unmarshal(body, &in); err != nil {
		return body, fmt.Errorf("read a call of %q: %w", target, err)
	}
	for _, resource := range resourcesOf(in) {
		action := signing[service] + ":" + operation
		if service == "AmazonSQS" {
			action = strings.TrimSuffix(action, "Batch") // which needs the right of the single call
		}
		r.grants.add(grant{r.role, action, named(resource), itemIn(in)})
	}
	if !strings.HasPrefix(operation, "SendMessage") {
		return body, nil
	}
	entries, _ := in["Entries"].([]any)
	for _, entry := range append(entries, in) {
		message, _ := entry.(map[string]any)
		if text, ok := message["MessageBody"].(string); ok {
			r.hops.sent(text, lambdatest.Hop(header))
		}
		if delay, ok := message["DelaySeconds"].(float64); ok {
			message["DelaySeconds"] = min(delay, longest)
		}
	}
	return json.Marshal(in)
}

// resourcesOf are the ARNs of what a call is about.
func resourcesOf(in map[string]any) (arns []string) {
	if queue, ok := in["QueueUrl"].(string); ok {
		arns = append(arns, queueARN(queue))
	}
	if secret, ok := in["SecretId"].(string); ok {
		arns = append(arns, secret)
	}
	if table, ok := in["TableName"].(string); ok {
		arns = append(arns, awstest.ARN("dynamodb", "table/"+table))
	}
	return arns
}

// itemIn is the item that a call of DynamoDB reads or writes.
func itemIn(in map[string]any) string {
	for _, member := range []string{"Key", "Item"} {
		attributes, _ := in[member].(map[string]any)
		if key, ok := attributes["pk"].(map[string]any); ok {
			return itemOf(fmt.Sprint(key["S"]))
		}
	}
	return ""
}

// hops counts for each message how often a function had to run for it, one after the
// other, as SQS does by the trace header. moto drops that header.
type hops struct {
	mu      sync.Mutex
	counted map[string]int // by body
	most    int
}

// sent tells of a message that was sent by a function hop hops from the beginning.
func (h *hops) sent(body string, hop int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.counted == nil {
		h.counted = make(map[string]int)
	}
	h.counted[body] = hop
	h.most = max(h.most, hop)
}

func (h *hops) of(body string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.counted[body]
}
