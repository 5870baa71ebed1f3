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
// the correlation id by which Entra logged it. No token was given, so it is NotDone.
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
// which goes with the status 401; Entra's numbers do not always go with it.
//
// [invalid_client]: https://www.rfc-editor.org/rfc/rfc6749#section-5.2
func CredentialRefused(e *directory.Error) bool {
	switch e.Refusal() {
	case directory.SecretUnknown, directory.SecretExpired,
		directory.CertificateUnknown, directory.CertificateOutOfTime:
		return true
	default:
		return e.Code == "invalid_client" || e.StatusCode == http.StatusUnauthorized || FederationRefused(e)
	}
}

// FederationRefused tells whether a [Answer.TokenRefusal] says what Entra says of a
// federation that it has not heard of yet: no federated credential of the app fits the
// token presented, or its key is not one that the issuer publishes. The first ends
// within minutes, as Entra's replicas hear of the credential. The second ends when
// they read anew what the issuer publishes, which was seen to take [half an hour] where
// the issuer was new.
//
// [half an hour]: https://github.com/kubernetes-sigs/blob-csi-driver/blob/master/test/e2e/suite_test.go
func FederationRefused(e *directory.Error) bool {
	switch e.Refusal() {
	case directory.FederationUnknown, directory.FederationIssuer, directory.FederationAudience,
		directory.FederationSubject, directory.FederationKeyUnknown:
		return true
	default:
		return false
	}
}
