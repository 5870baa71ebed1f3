package answer

import (
	"encoding/json"
	"regexp"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// aadsts is how Entra numbers its errors.
var aadsts = regexp.MustCompile(`\bAADSTS[0-9]{1,10}\b`)

// EntraCode returns the number of Entra's error in a text, such as "AADSTS65001", "" if
// there is none. The text itself may quote anything.
func EntraCode(text string) string { return aadsts.FindString(text) }

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
	code := EntraCode(fields.Description)
	if code == "" {
		code = Plain(fields.Error)
	}
	return &directory.Error{
		Operation:  a.Operation,
		StatusCode: a.Status,
		Code:       code,
		RequestID:  Plain(fields.CorrelationID),
		RetryAfter: retryAfter(a.Header, time.Now()),
		NotDone:    true,
	}
}
