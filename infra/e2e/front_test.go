package e2e

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/sessionstamp/sessionstamp/infra/e2e/lambdatest"
	"github.com/sessionstamp/sessionstamp/shared/aws/mototest"
)

// A front is the HTTP API in front of webhook and receiver. It turns requests into events of
// the [payload format 2.0], with all that API Gateway sends, and answers into
// responses.
//
// [payload format 2.0]: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
type front struct {
	host   string                         // the only one that it answers for
	routes map[string]*lambdatest.Program // "POST /idp/{source}"
}

// route is the [route] that a request takes, "" for none, with the variables of its path.
//
// [route]: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
func (f *front) route(method, path string) (key string, variables map[string]string) {
	for key := range f.routes {
		of, pattern, _ := strings.Cut(key, " ")
		if variables, fits := match(pattern, path); fits && of == method {
			return key, variables
		}
	}
	return "", nil
}

// match compares a path with one that has variables, {source}, each of one part.
func match(pattern, path string) (variables map[string]string, fits bool) {
	wanted, parts := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(wanted) != len(parts) {
		return nil, false
	}
	for i, want := range wanted {
		switch name, variable := strings.CutPrefix(want, "{"); {
		case variable && parts[i] != "":
			variables = map[string]string{strings.TrimSuffix(name, "}"): parts[i]} // one is all that there are
		case want != parts[i]:
			return nil, false
		}
	}
	return variables, true
}

// A telephone is how the emulator reaches whatever front there is.
type telephone struct {
	mu     sync.Mutex
	front  *front // nil: there is none
	broken bool
}

func (t *telephone) connect(f *front) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.front = f
}

// cut lets nobody through, or everybody again.
func (t *telephone) cut(broken bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.broken = broken
}

// RoundTrip implements [http.RoundTripper].
func (t *telephone) RoundTrip(r *http.Request) (*http.Response, error) {
	t.mu.Lock()
	front, broken := t.front, t.broken
	t.mu.Unlock()
	if broken || front == nil || r.URL.Scheme != "https" || r.URL.Host != front.host {
		return nil, &net.DNSError{Err: "no such host", Name: r.URL.Host, IsNotFound: true}
	}
	return front.RoundTrip(r)
}

// httpEvent is an event of the payload format 2.0.
type httpEvent struct {
	Version         string            `json:"version"`
	RouteKey        string            `json:"routeKey"`
	RawPath         string            `json:"rawPath"`
	RawQueryString  string            `json:"rawQueryString"`
	Headers         map[string]string `json:"headers"`
	Query           map[string]string `json:"queryStringParameters,omitempty"`
	Path            map[string]string `json:"pathParameters,omitempty"`
	RequestContext  requestContext    `json:"requestContext"`
	Body            string            `json:"body,omitempty"`
	IsBase64Encoded bool              `json:"isBase64Encoded"`
}

type requestContext struct {
	AccountID    string      `json:"accountId"`
	APIID        string      `json:"apiId"`
	DomainName   string      `json:"domainName"`
	DomainPrefix string      `json:"domainPrefix"`
	HTTP         requestHTTP `json:"http"`
	RequestID    string      `json:"requestId"`
	RouteKey     string      `json:"routeKey"`
	Stage        string      `json:"stage"`
	Time         string      `json:"time"`
	TimeEpoch    int64       `json:"timeEpoch"`
}

type requestHTTP struct {
	Method    string `json:"method"`
	Path      string `json:"path"`
	Protocol  string `json:"protocol"`
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent"`
}

// RoundTrip answers as API Gateway does, with 404 where there is no route and with 500
// where the function fails.
func (f *front) RoundTrip(r *http.Request) (*http.Response, error) {
	route, _ := f.route(r.Method, r.URL.Path)
	if route == "" {
		return response(r, http.StatusNotFound, nil, `{"message":"Not Found"}`), nil
	}
	event, err := f.event(r)
	if err != nil {
		return nil, err
	}
	answer, err := f.routes[route].Invoke(r.Context(), event)
	if err != nil {
		return response(r, http.StatusInternalServerError, nil, `{"message":"Internal Server Error"}`), nil //nolint:nilerr // that is all that a caller is told
	}
	return decodeAnswer(r, answer)
}

func (f *front) event(r *http.Request) ([]byte, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	now := time.Now().UTC()
	prefix, _, _ := strings.Cut(f.host, ".")
	route, variables := f.route(r.Method, r.URL.Path)
	e := httpEvent{
		Version: "2.0", RouteKey: route, RawPath: r.URL.EscapedPath(), RawQueryString: r.URL.RawQuery,
		Headers: headersOf(r, f.host, len(body)), Query: queryOf(r.URL.Query()), Path: variables,
		Body: string(body), IsBase64Encoded: !isText(r.Header.Get("Content-Type")),
		RequestContext: requestContext{
			AccountID: mototest.Account, APIID: prefix, DomainName: f.host, DomainPrefix: prefix,
			HTTP:      requestHTTP{r.Method, r.URL.Path, "HTTP/1.1", "20.44.210.83", r.UserAgent()},
			RequestID: uuid.NewString()[:15] + "=", RouteKey: route, Stage: "$default",
			Time: now.Format("02/Jan/2006:15:04:05 -0700"), TimeEpoch: now.UnixMilli(),
		},
	}
	if e.IsBase64Encoded {
		e.Body = base64.StdEncoding.EncodeToString(body)
	}
	return json.Marshal(e)
}

// headersOf are the headers in small letters, with those that API Gateway adds.
func headersOf(r *http.Request, host string, length int) map[string]string {
	headers := map[string]string{
		"host": host, "content-length": fmt.Sprint(length), "x-forwarded-for": "20.44.210.83",
		"x-forwarded-port": "443", "x-forwarded-proto": "https", "x-amzn-trace-id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700",
	}
	for name, values := range r.Header {
		headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	return headers
}

// queryOf joins what comes twice with commas, as API Gateway does.
func queryOf(query url.Values) map[string]string {
	joined := make(map[string]string)
	for name, values := range query {
		joined[name] = strings.Join(values, ",")
	}
	return joined
}

// isText tells whether API Gateway hands a body over as it is.
func isText(contentType string) bool {
	media, _, _ := mime.ParseMediaType(contentType)
	return strings.HasPrefix(media, "text/") || media == "application/json" || media == "application/xml" || media == "application/javascript"
}

// decodeAnswer reads the answer of the function.
func decodeAnswer(r *http.Request, answer []byte) (*http.Response, error) {
	var a struct {
		StatusCode      int               `json:"statusCode"`
		Headers         map[string]string `json:"headers"`
		Body            string            `json:"body"`
		IsBase64Encoded bool              `json:"isBase64Encoded"`
	}
	if err := json.Unmarshal(answer, &a); err != nil || a.StatusCode == 0 {
		return nil, fmt.Errorf("the function's answer is none of payload format 2.0: %s", answer)
	}
	body := a.Body
	if a.IsBase64Encoded {
		plain, err := base64.StdEncoding.DecodeString(a.Body)
		if err != nil {
			return nil, err
		}
		body = string(plain)
	}
	return response(r, a.StatusCode, a.Headers, body), nil
}

func response(r *http.Request, status int, headers map[string]string, body string) *http.Response {
	header := make(http.Header)
	for name, value := range headers {
		header.Set(name, value)
	}
	return &http.Response{
		StatusCode: status, Status: fmt.Sprint(status, " ", http.StatusText(status)), Header: header, Request: r,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}
