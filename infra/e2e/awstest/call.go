package awstest

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/sessionstamp/sessionstamp/shared/aws/mototest"
)

// A Call is one call of AWS.
type Call struct {
	// Caller is the ARN of whoever calls.
	Caller string
	// Action is what IAM calls it, "sqs:SendMessage". Resource is the ARN of what it is
	// about, as far as it is known here, or "*".
	Action, Resource string

	// Request and Body are as they came, and Form holds the parameters of the protocol of
	// AWS Query. Who keeps calls does not get them.
	Request *http.Request
	Body    []byte
	Form    url.Values

	key, service, operation string
}

// Operation is the name of the call without its service: "SendMessage".
func (c *Call) Operation() string { return c.operation }

// Member is the list name.member.1, name.member.2 and so on of the protocol of AWS Query,
// each with one of its fields, or itself if field is "".
func (c *Call) Member(name, field string) []string {
	var all []string
	for i := 1; ; i++ {
		key := name + ".member." + itoa(i)
		if field != "" {
			key += "." + field
		}
		v, ok := c.Form[key]
		if !ok {
			return all
		}
		all = append(all, v[0])
	}
}

// credential is the beginning of a signature of version 4: access key and service
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html).
var credential = regexp.MustCompile(`Credential=([^/,]+)/[0-9]+/[^/]+/([^/]+)/aws4_request`)

// prefixes are the services that IAM calls otherwise than signatures do.
var prefixes = map[string]string{"monitoring": "cloudwatch"}

// read finds out what a request is about.
func read(r *http.Request, body []byte) *Call {
	c := &Call{Request: r, Body: body, Form: r.URL.Query(), service: "s3"}
	if found := credential.FindStringSubmatch(r.Header.Get("Authorization")); found != nil {
		c.key, c.service = found[1], found[2]
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		c.Form, _ = url.ParseQuery(string(body)) // moto refuses what is none
	}
	c.operation = c.findOperation()
	prefix, action := cmp.Or(prefixes[c.service], c.service), c.operation
	if prefix == "sqs" {
		action = strings.TrimSuffix(action, "Batch") // which needs the right of the single call
	}
	c.Action, c.Resource = prefix+":"+action, c.findResource()
	return c
}

// findOperation reads the operation where each protocol has it.
func (c *Call) findOperation() string {
	if _, operation, ok := strings.Cut(c.Request.Header.Get("X-Amz-Target"), "."); ok {
		return operation
	}
	if action := c.Form.Get("Action"); action != "" {
		return action
	}
	if c.service == "s3" {
		return s3Operation(c.Request)
	}
	_, pattern := paths.Handler(c.Request)
	return operations[pattern]
}

// operations are those of Lambda and of EventBridge Scheduler, by method and path
// (https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html,
// https://docs.aws.amazon.com/scheduler/latest/APIReference/API_Operations.html).
var operations = map[string]string{
	"POST /2015-03-31/functions/{name}/invocations":  "InvokeFunction",
	"GET /2015-03-31/functions/{$}":                  "ListFunctions",
	"GET /2015-03-31/functions/{name}":               "GetFunction",
	"GET /2015-03-31/functions/{name}/configuration": "GetFunctionConfiguration",
	"PUT /2015-03-31/functions/{name}/configuration": "UpdateFunctionConfiguration",
	"GET /2019-09-30/functions/{name}/concurrency":   "GetFunctionConcurrency",
	"PUT /2017-10-31/functions/{name}/concurrency":   "PutFunctionConcurrency",
	"GET /2015-03-31/event-source-mappings/{$}":      "ListEventSourceMappings",
	"GET /2015-03-31/event-source-mappings/{name}":   "GetEventSourceMapping",
	"PUT /2015-03-31/event-source-mappings/{name}":   "UpdateEventSourceMapping",
	"GET /2016-08-19/account-settings":               "GetAccountSettings",
	"GET /schedules":                                 "ListSchedules",
	"GET /schedules/{name}":                          "GetSchedule",
	"POST /schedules/{name}":                         "CreateSchedule",
	"PUT /schedules/{name}":                          "UpdateSchedule",
	"DELETE /schedules/{name}":                       "DeleteSchedule",
}

// paths finds the entry of operations for a request.
var paths = func() *http.ServeMux {
	mux := http.NewServeMux()
	for pattern := range operations {
		mux.Handle(pattern, http.NotFoundHandler())
	}
	return mux
}()

// s3Operation is the right that a call of S3 needs
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html).
func s3Operation(r *http.Request) string {
	verb := map[string]string{http.MethodGet: "Get", http.MethodHead: "Get", http.MethodPut: "Put", http.MethodPost: "Put", http.MethodDelete: "Delete"}[r.Method]
	if strings.Contains(strings.Trim(r.URL.Path, "/"), "/") {
		return verb + "Object"
	}
	for query, subject := range map[string]string{"versioning": "BucketVersioning", "policy": "BucketPolicy", "encryption": "EncryptionConfiguration",
		"publicAccessBlock": "BucketPublicAccessBlock", "location": "BucketLocation", "tagging": "BucketTagging"} {
		if r.URL.Query().Has(query) {
			return verb + subject
		}
	}
	return map[string]string{"Get": "ListBucket", "Put": "CreateBucket", "Delete": "DeleteBucket"}[verb]
}

// named are the parameters that name what a call is about, and how that is an ARN.
var named = []struct{ parameter, service, prefix string }{
	{"QueueUrl", "sqs", ""}, {"QueueName", "sqs", ""}, {"TableName", "dynamodb", "table/"}, {"logGroupName", "logs", "log-group:"},
	{"StackName", "cloudformation", "stack/"}, {"RoleName", "iam", "role/"}, {"TopicArn", "sns", ""}, {"SecretId", "secretsmanager", "secret:"},
	{"AlarmName", "cloudwatch", "alarm:"}, {"Name", "secretsmanager", "secret:"}, {"Name", "sns", ""},
	{"AlarmNames.member.1", "cloudwatch", "alarm:"}, {"DashboardName", "cloudwatch", "dashboard/"}, {"DashboardNames.member.1", "cloudwatch", "dashboard/"},
	{"ResourceArn", "dynamodb", ""},
}

// findResource is the ARN of what a call is about.
func (c *Call) findResource() string {
	parameters := make(map[string]any)
	_ = json.Unmarshal(c.Body, &parameters) // many protocols are no JSON
	for _, n := range named {
		text, _ := parameters[n.parameter].(string)
		text = cmp.Or(text, c.Form.Get(n.parameter))
		if n.parameter == "QueueUrl" && text != "" {
			text = path.Base(text)
		}
		switch {
		case n.parameter == "Name" && n.service != c.service:
		case strings.HasPrefix(text, "arn:"):
			return text
		case n.service == "cloudformation" && text != "": // by its name alone a stack is any of that name
			return ARN(n.service, n.prefix+text+"/*")
		case text != "":
			return ARN(n.service, n.prefix+text)
		}
	}
	parts := strings.Split(c.Request.URL.Path, "/")
	switch {
	case c.service == "s3":
		return "arn:aws:s3:::" + strings.Trim(c.Request.URL.Path, "/")
	case c.service == "lambda" && len(parts) > 3 && parts[2] == "functions":
		return ARN("lambda", "function:"+functionName(parts[3]))
	case c.service == "lambda" && len(parts) > 3 && parts[3] != "":
		return ARN("lambda", "event-source-mapping:"+parts[3])
	case c.service == "scheduler" && len(parts) > 2:
		return ARN("scheduler", "schedule/default/"+parts[2])
	}
	return "*"
}

// ARN is that of something in the account, in its region unless it is in none.
func ARN(service, resource string) string {
	region := mototest.Region
	if service == "iam" || strings.HasPrefix(resource, "dashboard/") {
		region = ""
	}
	return strings.Join([]string{"arn", "aws", service, region, mototest.Account, resource}, ":")
}

// A Match tells whether a call is one of those that are meant.
type Match func(Call) bool

// Actions matches the actions of those names. "iam:*" stands for all of a service.
func Actions(names ...string) Match {
	return func(c Call) bool {
		return slices.ContainsFunc(names, func(name string) bool {
			prefix, all := strings.CutSuffix(name, "*")
			return c.Action == name || all && strings.HasPrefix(c.Action, prefix)
		})
	}
}

// By narrows a match to the calls of one caller.
func (m Match) By(arn string) Match {
	return func(c Call) bool { return c.Caller == arn && m(c) }
}
