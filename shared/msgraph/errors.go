package msgraph

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// The calls, in Graph's words.
const (
	opGetUser            = "getUser"
	opRevoke             = "revokeSignInSessions"
	opDomains            = "listDomains"
	opListUsers          = "listUsers"
	opDelta              = "usersDelta"
	opListMembers        = "listTransitiveMembers"
	opListSubscriptions  = "listSubscriptions"
	opCreateSubscription = "createSubscription"
	opRenewSubscription  = "updateSubscription"
	opDeleteSubscription = "deleteSubscription"
	opToken              = "token"
)

// The headers by which Microsoft's support finds a call again.
const (
	requestID       = "Request-Id"
	clientRequestID = "Client-Request-Id"
)

// maxRetryAfter caps what a service may ask us to wait. Graph's windows are
// minutes; more is a mistake, and a queue cannot hold a message for ever.
const maxRetryAfter = time.Hour

// maxMessage is how long a text of Graph's may be, in bytes. Those that are known
// have some two hundred; a longer one is not cut, but left out, because half a
// clientState could not be recognized in it.
const maxMessage = 2000

// What can be wrong with an answer of success. The texts are fixed: the errors
// of a JSON or time parser quote what they could not read.
var (
	errShape             = errors.New("the answer does not have the documented form")
	errNoPart            = errors.New("the answer has no part for this request")
	errTwoParts          = errors.New("the answer has two parts for this request")
	errOtherUser         = errors.New("the answer is about another user")
	errOtherSubscription = errors.New("the answer is about another subscription")
	errNextLink          = errors.New("the page's address is not on Graph's host and version")
	errEndless           = errors.New("the pages do not end")
	errHuge              = errors.New("the answer is larger than any that is documented")
)

// refused tells whether a status says that the request was not carried out. A 409
// does not: Directory_ConcurrencyViolation is found while writing.
// See https://learn.microsoft.com/graph/errors.
func refused(status int) bool {
	switch status {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden,
		http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusLengthRequired,
		http.StatusFailedDependency, http.StatusTooManyRequests:
		return true
	}
	return false
}

// sendError is a request that was not sent, or not answered. What does not say
// that it was not sent may have been.
func sendError(operation string, err error) *directory.Error {
	if token, ok := errors.AsType[*directory.Error](err); ok {
		return token
	}
	lost, ok := errors.AsType[*undelivered](err)
	if !ok {
		return &directory.Error{Operation: operation, Err: err}
	}
	return &directory.Error{
		Operation:       operation,
		ClientRequestID: lost.clientRequestID,
		NotDone:         lost.unsent,
		Err:             lost.err,
	}
}

// statusError is an answer, or a part of one, that is not a success.
func statusError(operation string, a answer) *directory.Error {
	var body struct {
		Error graphError `json:"error"`
	}
	// Graph's gateways also answer HTML. Whatever can be read is read.
	_ = json.Unmarshal(a.body, &body)
	e := answerError(operation, a, nil)
	e.Code = body.Error.deepestCode()
	if tellsMessage(operation) {
		e.Message = body.Error.firstMessage()
	}
	e.RetryAfter = retryAfter(a.header, time.Now())
	e.NotDone = refused(a.status)
	if e.RequestID == "" {
		e.RequestID = plain(body.Error.Inner.requestID())
	}
	return e
}

// answerError is an answer of success that cannot be relied on because of err.
func answerError(operation string, a answer, err error) *directory.Error {
	return &directory.Error{
		Operation:       operation,
		StatusCode:      a.status,
		RequestID:       plain(a.header.Get(requestID)),
		ClientRequestID: plain(a.header.Get(clientRequestID)),
		Err:             err,
	}
}

// graphError is Graph's [error resource]. encoding/json matches names without
// regard to case, and so reads both innererror, which is documented, and
// innerError, which is sent.
//
// [error resource]: https://learn.microsoft.com/graph/errors
type graphError struct {
	Code      string      `json:"code"`
	Message   string      `json:"message"`
	Inner     *graphError `json:"innererror"`
	RequestID string      `json:"request-id"`
}

// tellsMessage tells the calls whose errors carry Graph's own text. They are about
// no user, and the text says what the code does not: which URL did not answer, how,
// and which quota is used up.
func tellsMessage(operation string) bool {
	switch operation {
	case opListSubscriptions, opCreateSubscription, opRenewSubscription, opDeleteSubscription:
		return true
	}
	return false
}

// firstMessage is the outermost text there is, in one line.
func (e *graphError) firstMessage() string {
	for ; e != nil; e = e.Inner {
		switch text := oneLine(e.Message); {
		case len(text) > maxMessage:
			return ""
		case text != "":
			return text
		}
	}
	return ""
}

// oneLine is a text without what would disturb a terminal or a log.
func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r)
	}), " ")
}

// requestID is the id in an inner error, which may be missing.
func (e *graphError) requestID() string {
	if e == nil {
		return ""
	}
	return e.RequestID
}

// deepestCode is the most specific code: that of the innermost error which has
// one. A code that only repeats the status in digits says nothing; one that says
// that a page's address has expired says all.
func (e *graphError) deepestCode() string {
	code := ""
	for ; e != nil; e = e.Inner {
		c := plain(e.Code)
		if (&directory.Error{Code: c}).Expired() {
			return c
		}
		if strings.Trim(c, "0123456789") != "" {
			code = c
		}
	}
	return code
}

// plain returns s if it is a code or an id, and "" if it is anything else, such
// as a text that names a user.
func plain(s string) string {
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."
	if len(s) > 128 || strings.Trim(s, allowed) != "" {
		return ""
	}
	return s
}

// retryAfter reads [Retry-After], in seconds or as a date.
//
// [Retry-After]: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
func retryAfter(h http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	var wait time.Duration
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if date, err := http.ParseTime(value); err == nil {
		wait = date.Sub(now)
	}
	return min(max(wait, 0), maxRetryAfter)
}
