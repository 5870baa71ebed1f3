// Package httpapi lets an [http.Handler] serve the events that an API Gateway
// HTTP API sends to a Lambda function, in [payload format 2.0].
//
// [payload format 2.0]: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
package httpapi

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
)

// A Function is what aws-lambda-go's package lambda starts.
type Function func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error)

// Serve makes a Function of a handler. Its error is always nil: what the handler
// answers is the answer.
//
// How much of a body is read is left to the handler. A body that is not the
// base64 it is said to be breaks off where the fault is.
func Serve(h http.Handler) Function {
	return func(ctx context.Context, event events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		w := &response{header: make(http.Header)}
		h.ServeHTTP(w, newRequest(ctx, &event))
		return w.event(), nil
	}
}

// newRequest makes the request that the caller sent to API Gateway. The query
// string is taken as it came, since the event's own map joins equal keys with
// commas.
func newRequest(ctx context.Context, event *events.APIGatewayV2HTTPRequest) *http.Request {
	sent := event.RequestContext.HTTP
	req := &http.Request{
		Method:        sent.Method,
		URL:           &url.URL{Path: event.RawPath, RawQuery: event.RawQueryString},
		Proto:         sent.Protocol,
		Header:        header(event),
		Host:          event.RequestContext.DomainName,
		RemoteAddr:    sent.SourceIP,
		Body:          io.NopCloser(body(event)),
		ContentLength: -1, // of base64, which says only how long it is at most
	}
	if !event.IsBase64Encoded {
		req.ContentLength = int64(len(event.Body))
	}
	return req.WithContext(ctx)
}

func body(event *events.APIGatewayV2HTTPRequest) io.Reader {
	text := strings.NewReader(event.Body)
	if event.IsBase64Encoded {
		return base64.NewDecoder(base64.StdEncoding, text)
	}
	return text
}

func header(event *events.APIGatewayV2HTTPRequest) http.Header {
	h := make(http.Header, len(event.Headers)+1)
	for name, value := range event.Headers {
		h.Set(name, value)
	}
	if len(event.Cookies) > 0 {
		h.Set("Cookie", strings.Join(event.Cookies, "; "))
	}
	return h
}

// response is what a handler answers.
type response struct {
	header http.Header
	status int
	sent   http.Header // header as it was when the status was written
	body   bytes.Buffer
}

// Header implements [http.ResponseWriter].
func (r *response) Header() http.Header { return r.header }

// WriteHeader implements [http.ResponseWriter]. As in net/http, the first status
// counts, and so do the headers of that moment.
func (r *response) WriteHeader(status int) {
	if r.status == 0 {
		r.status, r.sent = status, r.header.Clone()
	}
}

// Write implements [http.ResponseWriter].
func (r *response) Write(p []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(p)
}

func (r *response) event() events.APIGatewayV2HTTPResponse {
	r.WriteHeader(http.StatusOK)
	out := events.APIGatewayV2HTTPResponse{StatusCode: r.status, Headers: make(map[string]string, len(r.sent))}
	for name, values := range r.sent {
		if name == "Set-Cookie" {
			out.Cookies = values
			continue
		}
		out.Headers[name] = strings.Join(values, ",")
	}
	if utf8.Valid(r.body.Bytes()) {
		out.Body = r.body.String()
	} else {
		out.Body, out.IsBase64Encoded = base64.StdEncoding.EncodeToString(r.body.Bytes()), true
	}
	return out
}
