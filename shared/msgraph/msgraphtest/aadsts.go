package msgraphtest

import (
	"fmt"
	"net/http"
	"strconv"
)

// aadsts is an [error of the token endpoint] before it is completed with the
// call's ids.
//
// [error of the token endpoint]: https://learn.microsoft.com/entra/identity-platform/reference-error-codes
type aadsts struct {
	code    int
	message string
}

func refuseToken(code int, format string, args ...any) *aadsts {
	return &aadsts{code: code, message: fmt.Sprintf(format, args...)}
}

// The errors that the emulator answers, by number.
const (
	wrongRedirect         = 50011
	otherTenant           = 50020
	malformedToken        = 50027
	unknownInstance       = 50049
	unreachableIssuer     = 50166
	sessionsRevoked       = 50173
	noConsent             = 65001
	badGrant              = 70000
	pendingAuthorization  = 70016
	invalidClientType     = 70002
	unsupportedGrant      = 70003
	noFederatedAtAll      = 70025
	tenantNotFound        = 90002
	resourceNotFound      = 500011
	appNotFound           = 700016
	assertionForOther     = 700023
	assertionOutOfTime    = 700024
	assertionBadSignature = 700027
	noFederatedIssuer     = 700211
	noFederatedAudience   = 700212
	noFederatedSubject    = 700213
	noFederatedCase       = 7002138
	missingParameter      = 900144
	malformedTenant       = 900023
	scopeNotDefault       = 1002012
	appDisabled           = 7000112
	badSecret             = 7000215
	expiredSecret         = 7000222
	noCredential          = 7000216
	unpublishedKey        = 7000272
)

// oauth returns the status and the OAuth error that a number goes with.
func (e *aadsts) oauth() (status int, name string) {
	switch e.code {
	case scopeNotDefault:
		return http.StatusBadRequest, "invalid_scope"
	case resourceNotFound:
		return http.StatusBadRequest, "invalid_resource"
	case unsupportedGrant:
		return http.StatusBadRequest, "unsupported_grant_type"
	case noConsent, badGrant, sessionsRevoked:
		return http.StatusBadRequest, "invalid_grant"
	case pendingAuthorization:
		return http.StatusBadRequest, "authorization_pending"
	case appNotFound, appDisabled:
		return http.StatusBadRequest, "unauthorized_client"
	case unknownInstance:
		return http.StatusBadRequest, "invalid_instance"
	case badSecret, expiredSecret, assertionForOther, noCredential, malformedToken, noFederatedAtAll,
		assertionOutOfTime, assertionBadSignature,
		noFederatedIssuer, noFederatedAudience, noFederatedSubject, noFederatedCase,
		unpublishedKey:
		return http.StatusUnauthorized, "invalid_client"
	default:
		return http.StatusBadRequest, "invalid_request"
	}
}

func (e *aadsts) reply() reply {
	status, _ := e.oauth()
	return reply{status: status, body: e}
}

func (e *aadsts) name() string { return "AADSTS" + strconv.Itoa(e.code) }

// tokenError is an error of the token endpoint on the wire.
type tokenError struct {
	Error         string `json:"error"`
	Description   string `json:"error_description"`
	Codes         []int  `json:"error_codes"`
	Timestamp     string `json:"timestamp"`
	TraceID       string `json:"trace_id"`
	CorrelationID string `json:"correlation_id"`
	URI           string `json:"error_uri,omitempty"`
}

// complete is the error as the caller of c sees it.
func (e *aadsts) complete(c *call) tokenError {
	_, name := e.oauth()
	at := c.now.UTC().Format("2006-01-02 15:04:05Z")
	return tokenError{
		Error: name,
		Description: fmt.Sprintf("%s: %s Trace ID: %s Correlation ID: %s Timestamp: %s",
			e.name(), e.message, c.requestID, c.clientRequestID, at),
		Codes:         []int{e.code},
		Timestamp:     at,
		TraceID:       c.requestID,
		CorrelationID: c.clientRequestID,
		URI:           "https://" + c.host + "/error?code=" + strconv.Itoa(e.code),
	}
}

// oauthError is an error of the token endpoint that Entra has no number for.
type oauthError struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
}
