// Package answer reads what [Microsoft Graph] v1.0 and Entra's token endpoint
// answer: the parts of a $batch, users, domains, memberships of groups, pages of them,
// subscriptions, and refusals.
//
// It is apart from package msgraph, which makes the calls, because it links no SDK.
// All that is read of an answer stands here and is fuzzed, which takes seconds; to
// fuzz what links the SDK takes minutes.
//
// Nothing that an answer holds stops the program. What cannot be read becomes a
// [*directory.Error], which never quotes the answer, since that may name users. Of
// the codes and ids that errors do tell, only those are taken that look like one.
//
// [Microsoft Graph]: https://learn.microsoft.com/graph/api/overview
package answer

import (
	"errors"
	"net/http"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// The headers by which Microsoft's support finds a call again.
const (
	// RequestID is the id that Graph gave the call.
	RequestID = "Request-Id"
	// ClientRequestID is the id that the caller gave it.
	ClientRequestID = "Client-Request-Id"
)

// What can be wrong with an answer of success. The texts are fixed: the errors
// of a JSON or time parser quote what they could not read.
var (
	// ErrShape: it is not what Graph documents.
	ErrShape = errors.New("the answer does not have the documented form")
	// ErrNoPart, ErrTwoParts: the answer to a $batch lacks a part, or has it twice.
	ErrNoPart   = errors.New("the answer has no part for this request")
	ErrTwoParts = errors.New("the answer has two parts for this request")
	// ErrOtherUser: nobody asked for that one.
	ErrOtherUser = errors.New("the answer is about another user")
	// ErrAddress: what follows a page is not where [Pages.Serves] allows it.
	ErrAddress = errors.New("the page's address is not on Graph's host and version")
	// ErrEndless: more pages follow than there can be.
	ErrEndless = errors.New("the pages do not end")
)

// An Answer is what was said to a request, or to one part of a $batch.
type Answer struct {
	// Operation is the call in Graph's words: "revokeSignInSessions".
	Operation string
	// Status is the HTTP status.
	Status int
	// Header has the headers, by their canonical names.
	Header http.Header
	// Body is the whole body.
	Body []byte
}

// OK tells whether the request was carried out. Graph's word for success is the
// status alone: the body of a revocation says true whatever happened.
func (a Answer) OK() bool { return a.Status >= 200 && a.Status <= 299 }

// Distrust returns the error of an answer of success that cannot be relied on
// because of err, which must not quote the answer. What was asked for may have
// been done.
func (a Answer) Distrust(err error) *directory.Error {
	return &directory.Error{
		Operation:       a.Operation,
		StatusCode:      a.Status,
		RequestID:       Plain(a.Header.Get(RequestID)),
		ClientRequestID: Plain(a.Header.Get(ClientRequestID)),
		Err:             err,
	}
}
