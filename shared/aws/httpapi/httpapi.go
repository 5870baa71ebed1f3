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

// newRequest makes the request that the caller sent to API Gateway, as far as the webhook
// asks for it. The query string is taken as it came, since the event's own map joins
// equal keys with commas.
func newRequest(ctx context.Context, event *events.APIGatewayV2HTTPRequest) *http.Request {
	req := &http.Request{
		Method:        event.RequestContext.HTTP.Method,
		URL:           &url.URL{Path: event.RawPath, RawQuery: event.RawQueryString},
		Header:        make(http.Header, len(event.Headers)),
		Body:          io.NopCloser(strings.NewReader(event.Body)),
		ContentLength: int64(len(event.Body)),
	}
	for name, value := range event.Headers {
		req.Header.Set(name, value)
	}
	if event.IsBase64Encoded {
		req.Body = io.NopCloser(base64.NewDecoder(base64.StdEncoding, strings.NewReader(event.Body)))
		req.ContentLength = -1 // base64 says only how long it is at most
	}
	return req.WithContext(ctx)
}

// response is what a handler answers.
type response struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements [http.ResponseWriter].
func (r *response) Header() http.Header { return r.header }

// WriteHeader implements [http.ResponseWriter]. As in net/http, the first status counts.
func (r *response) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

// Write implements [http.ResponseWriter].
func (r *response) Write(p []byte) (int, error) { return r.body.Write(p) }

// event is the answer. A body that is not text travels as base64.
func (r *response) event() events.APIGatewayV2HTTPResponse {
	r.WriteHeader(http.StatusOK)
	out := events.APIGatewayV2HTTPResponse{StatusCode: r.status, Headers: make(map[string]string, len(r.header)), Body: r.body.String()}
	for name, values := range r.header {
		out.Headers[name] = strings.Join(values, ",")
	}
	if !utf8.ValidString(out.Body) {
		out.Body, out.IsBase64Encoded = base64.StdEncoding.EncodeToString(r.body.Bytes()), true
	}
	return out
}
