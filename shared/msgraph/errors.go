package msgraph

import (
	"errors"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/answer"
)

// The calls, in Graph's words. The last four are steps on the way to each of them.
const (
	opGetUser            = "getUser"
	opRevoke             = "revokeSignInSessions"
	opDomains            = "listDomains"
	opListUsers          = "listUsers"
	opDelta              = "usersDelta"
	opMemberGroups       = "checkMemberGroups"
	opGetGroup           = "getGroup"
	opListSubscriptions  = "listSubscriptions"
	opCreateSubscription = "createSubscription"
	opRenewSubscription  = "updateSubscription"
	opDeleteSubscription = "deleteSubscription"
	opToken              = directory.Token
	opClientSecret       = directory.ClientSecret
	opCertificate        = directory.Certificate
	opWebIdentity        = directory.WebIdentityToken
)

// errHuge is an answer that is not read to its end.
var errHuge = errors.New("the answer is larger than any that is documented")

// unsent is the error of a call that ended before it was sent.
func unsent(operation string, err error) *directory.Error {
	return &directory.Error{Operation: operation, NotDone: true, Err: err}
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

// refusal is an answer that is not a success.
func refusal(got answer.Answer) *directory.Error {
	e := got.Refusal()
	if tellsMessage(got.Operation) {
		e.Message = got.Message()
	}
	return e
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
