package msgraph

import (
	"slices"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/answer"
)

// The calls, in Graph's words.
const (
	opGetUser            = "getUser"
	opLookUp             = "lookUpUsers"
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
)

// unsent is the error of a call that ended before it was sent.
func unsent(operation string, err error) *directory.Error {
	return &directory.Error{Operation: operation, NotDone: true, Err: err}
}

// telling are the calls whose errors carry Graph's own text. They are about no user, and
// the text says what the code does not: which URL did not answer, how, which quota is
// used up, and what the tenant's policy does not let an app have. Those on apps are package
// ask's.
var telling = []string{
	opListSubscriptions, opCreateSubscription, opRenewSubscription, opDeleteSubscription,
	"upsertApplication", "updateApplication", "deleteApplication", "upsertServicePrincipal", "grantAppRole", "withdrawAppRole",
	"upsertFederatedIdentityCredential", "deleteFederatedIdentityCredential", "addPassword", "removePassword",
}

// refusal is an answer that is not a success.
func refusal(got answer.Answer) *directory.Error {
	e := got.Refusal()
	if slices.Contains(telling, got.Operation) {
		e.Message = got.Message()
	}
	return e
}
