package mototest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Intercept stands between the clients of AWS's SDK and a server. It is told of each
// attempt of each call, and may refuse it, change it, or lose its answer: send does
// what the SDK would have done. It is called by many goroutines at once.
type Intercept func(operation string, r *http.Request, send Send) (*http.Response, error)

// Send sends a request and returns the answer.
type Send func(*http.Request) (*http.Response, error)

// Do implements [aws.HTTPClient].
func (i Intercept) Do(r *http.Request) (*http.Response, error) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	return i(operation, r, http.DefaultTransport.RoundTrip)
}

var _ aws.HTTPClient = Intercept(nil)

// Refuse answers r with an error of the AWS JSON protocol, such as
// ThrottlingException with status 400
// (https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html#operation-error-serialization).
func Refuse(r *http.Request, status int, code string) (*http.Response, error) {
	return Answer(r, status, map[string]string{"__type": code, "message": "refused by a test"})
}

// Answer answers r with the JSON of body.
func Answer(r *http.Request, status int, body any) (*http.Response, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	return &http.Response{
		Status:        http.StatusText(status),
		StatusCode:    status,
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body:          io.NopCloser(bytes.NewReader(text)),
		ContentLength: int64(len(text)),
		Request:       r,
	}, nil
}

// Lose sends r and fails as a connection does that breaks before the answer.
func Lose(r *http.Request, send Send) (*http.Response, error) {
	answer, err := send(r)
	if err != nil {
		return nil, err
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	return nil, io.ErrUnexpectedEOF
}

// Body reads the JSON of a request's body into v, and leaves the body unread.
func Body(r *http.Request, v any) error {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(text))
	return json.Unmarshal(text, v)
}
