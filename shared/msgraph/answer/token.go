package answer

import (
	"encoding/json"
	"net/http"
	"regexp"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// aadsts is how Entra numbers its errors.
var aadsts = regexp.MustCompile(`\bAADSTS[0-9]{1,10}\b`)

// TokenRefusal returns the error of the token endpoint's [error response]: its Code
// is the number of the error, or its OAuth name if it has none, and its RequestID
// the id by which Entra logged it. No token was given, so it is NotDone.
//
// [error response]: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow#error-response
func (a Answer) TokenRefusal() *directory.Error {
	var fields struct {
		Error         string `json:"error"`
		Description   string `json:"error_description"`
		CorrelationID string `json:"correlation_id"`
	}
	_ = json.Unmarshal(a.Body, &fields)
	code := aadsts.FindString(fields.Description)
	if code == "" {
		code = plain(fields.Error)
	}
	return &directory.Error{
		Operation:  a.Operation,
		StatusCode: a.Status,
		Code:       code,
		RequestID:  plain(fields.CorrelationID),
		RetryAfter: retryAfter(a.Header, time.Now()),
		NotDone:    true,
	}
}

// CredentialRefused tells whether a [Answer.TokenRefusal] says that what the app
// signs in with is not, or no longer, good. OAuth's word for it is [invalid_client],
// which goes with the status 401; AADSTS7000215 is an unknown client secret,
// AADSTS7000222 one that has expired, AADSTS700027 an unknown certificate or a
// signature that is not right.
//
// [invalid_client]: https://www.rfc-editor.org/rfc/rfc6749#section-5.2
func CredentialRefused(e *directory.Error) bool {
	switch e.Code {
	case "invalid_client", "AADSTS7000215", "AADSTS7000222", "AADSTS700027":
		return true
	}
	return e.StatusCode == http.StatusUnauthorized || FederationRefused(e)
}

// FederationRefused tells whether a [Answer.TokenRefusal] says that no federated
// credential of the app fits the token presented: none at all (AADSTS70021,
// AADSTS70025), or none with its issuer (700211), audience (700212) or subject
// (700213, and 7002138 if only the case differs). A credential that was just made is
// refused so until Entra's replicas have heard of it.
func FederationRefused(e *directory.Error) bool {
	switch e.Code {
	case "AADSTS70021", "AADSTS70025", "AADSTS700211", "AADSTS700212", "AADSTS700213", "AADSTS7002138":
		return true
	}
	return false
}
