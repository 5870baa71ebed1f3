package msgraphtest

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// failure is the body of a [Graph error] before the dispatcher completes it
// with the call's ids.
//
// [Graph error]: https://learn.microsoft.com/graph/errors
type failure struct {
	code, message string
	inner         string // the code in innerError, "" for none
}

// errorBody is a Graph error on the wire.
type errorBody struct {
	Error errorDetail `json:"error"`
}

type errorDetail struct {
	Code       string     `json:"code"`
	Message    string     `json:"message"`
	InnerError innerError `json:"innerError"`
}

type innerError struct {
	Code            string `json:"code,omitempty"` // of few
	Date            string `json:"date"`
	RequestID       string `json:"request-id"`
	ClientRequestID string `json:"client-request-id"`
	Status          string `json:"status,omitempty"` // of a 429 only
}

// fail is a Graph error reply. The dispatcher adds innerError and the ids.
func fail(status int, code, message string) reply {
	return reply{status: status, body: &failure{code: code, message: message}}
}

// invalidToken is the code for a token that is no good by itself.
const invalidToken = "InvalidAuthenticationToken"

// graphAppID is Graph's own client id, the same in every tenant.
const graphAppID = "00000003-0000-0000-c000-000000000000"

// unauthorized refuses a bearer token. The header is the challenge that RFC 6750
// demands, in Graph's form.
func unauthorized(code, message string) reply {
	r := fail(http.StatusUnauthorized, code, message)
	r.header = http.Header{"Www-Authenticate": {
		`Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", ` +
			`client_id="` + graphAppID + `"`}}
	return r
}

// noSuchSegment refuses a path that leads nowhere.
func noSuchSegment(segment string) reply {
	return fail(http.StatusBadRequest, "BadRequest", "Resource not found for the segment '"+segment+"'.")
}

// complete is the failure as the caller of c sees it.
func (f *failure) complete(c *call, status int) errorBody {
	inner := innerError{
		Code:            f.inner,
		Date:            c.now.UTC().Format("2006-01-02T15:04:05"),
		RequestID:       c.requestID,
		ClientRequestID: c.clientRequestID,
	}
	if status == http.StatusTooManyRequests {
		inner.Code, inner.Status = strconv.Itoa(status), strconv.Itoa(status)
	}
	return errorBody{errorDetail{Code: f.code, Message: f.message, InnerError: inner}}
}

// code is the error code a reply carries, "" where it is a success.
func (r reply) code() string {
	switch body := r.body.(type) {
	case *failure:
		return body.code
	case *aadsts:
		return body.name()
	case oauthError:
		return body.Error
	default:
		return ""
	}
}

// encode is the reply as it goes over the wire, with the headers that every
// answer has.
func (r reply) encode(c *call) answer {
	a := answer{status: r.status, header: make(http.Header)}
	for name, values := range r.header {
		a.header[http.CanonicalHeaderKey(name)] = values
	}
	a.header.Set("Date", c.now.UTC().Format(http.TimeFormat))
	a.header.Set("request-id", c.requestID)
	a.header.Set("client-request-id", c.clientRequestID)
	a.body = r.encodeBody(c)
	if len(a.body) > 0 {
		a.header.Set("Content-Type", r.contentType(c))
	}
	if !c.record.Token {
		a.header.Set("OData-Version", "4.0")
	}
	return a
}

// contentType is that of the answer, with the parameters that Graph gives.
func (r reply) contentType(c *call) string {
	_, isPage := r.body.(webPage)
	switch {
	case isPage:
		return "text/html; charset=utf-8"
	case c.record.Token:
		return "application/json; charset=utf-8"
	case r.status >= http.StatusBadRequest:
		return "application/json"
	default:
		return "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
	}
}

func (r reply) encodeBody(c *call) []byte {
	body := r.body
	switch b := body.(type) {
	case nil:
		return nil
	case webPage:
		return []byte(b)
	case *failure:
		body = b.complete(c, r.status)
	case *aadsts:
		body = b.complete(c)
	}
	encoded, err := json.Marshal(body)
	if err != nil {
		panic("msgraphtest: a handler answered what JSON can't hold: " + err.Error())
	}
	return encoded
}

// retryAfter is the value of the header Retry-After: whole seconds, rounded up
// and at least one.
func retryAfter(d time.Duration) string {
	return strconv.Itoa(max(1, int((d+time.Second-1)/time.Second)))
}
