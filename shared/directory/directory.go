// Package directory holds the part of a Microsoft Entra directory that
// sessionstamp reads, and the errors that reading or changing it can end in, in
// Microsoft Graph's own words. It imports no SDK, so that every other package
// can speak of a user without linking one.
package directory

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// User is a user as Graph's [user resource] shows it to sessionstamp.
//
// [user resource]: https://learn.microsoft.com/graph/api/resources/user
type User struct {
	// ID is the object id, a lower-case GUID.
	ID string
	// UserPrincipalName is name@domain. It must never reach a log or a metric.
	UserPrincipalName string
	// UserType is "Member" or "Guest"; Graph has users for whom it is empty.
	UserType string
	// CreationType is empty for a regular account, else "Invitation",
	// "LocalAccount" or "EmailVerified".
	CreationType string
	// ExternalUserState is empty for anybody who was not invited.
	ExternalUserState string
	// Created is createdDateTime, the zero Time where Graph shows none.
	Created time.Time
	// SignInSessionsValidFrom is signInSessionsValidFromDateTime, the stamp: the
	// zero Time where it is null. It says nothing unless StampKnown is set.
	SignInSessionsValidFrom time.Time
	// StampKnown tells whether the answer held the stamp's property at all, be
	// it null. Graph leaves out what it was not asked for or does not know.
	StampKnown bool
}

// Domain returns what follows the last @ of the user principal name, in lower
// case, or "" if there is none.
func (u User) Domain() string {
	at := strings.LastIndexByte(u.UserPrincipalName, '@')
	if at < 0 {
		return ""
	}
	return strings.ToLower(u.UserPrincipalName[at+1:])
}

// Invited tells whether the account signs in at another tenant, which a B2B member with
// userType Member does as well as a guest.
func (u User) Invited() bool {
	return strings.EqualFold(u.UserType, "Guest") ||
		strings.EqualFold(u.CreationType, "Invitation") ||
		u.ExternalUserState != ""
}

// Member tells whether userType says so, or nothing: an old user may have none.
func (u User) Member() bool { return u.UserType == "" || strings.EqualFold(u.UserType, "Member") }

// Domain is a domain name of the tenant, as Graph's [domain resource] shows it.
//
// [domain resource]: https://learn.microsoft.com/graph/api/resources/domain
type Domain struct {
	// Name is the fully qualified name, in lower case.
	Name string
	// Federated tells that authenticationType is "Federated", not "Managed".
	Federated bool
	// Verified is isVerified: an unverified domain signs nobody in.
	Verified bool
}

// ErrNotFederated is what is wrong with a name that was taken for a federated domain.
var ErrNotFederated = errors.New("the tenant has no such federated and verified domain")

// Token is the operation of an [Error] where Entra's token endpoint was asked.
const Token = "token"

// The operations of an [Error] that came of what the app signs in with, and of no
// call of Graph or Entra.
const (
	// ClientSecret, Certificate: reading it from where it is kept.
	ClientSecret = "clientSecret"
	Certificate  = "certificate"
	// WebIdentityToken: asking AWS for the token that stands for our role. The
	// error's Code is then AWS's.
	WebIdentityToken = "getWebIdentityToken"
)

// An Error is a call of Graph or of its token endpoint that failed, with what
// an administrator or Microsoft's support needs to find it again. It never holds
// a secret, a token or a user principal name.
type Error struct {
	// Operation is the call in Graph's words: "revokeSignInSessions".
	Operation string
	// StatusCode is the HTTP status, 0 where no answer came.
	StatusCode int
	// Code is Graph's deepest error code ("Request_ResourceNotFound") or Entra's
	// ("AADSTS7000215").
	Code string
	// Message is Graph's own text, which tells what is wrong with a notification
	// URL or which quota is used up. It is set for the calls on subscriptions
	// alone: the texts of others may name users. Error does not tell it.
	Message string
	// RequestID and ClientRequestID name the call in Microsoft's logs. Entra's name for
	// its RequestID is correlation id.
	RequestID, ClientRequestID string
	// RetryAfter is how long the service asked to wait, 0 where it did not say.
	RetryAfter time.Duration
	// NotDone tells that the call certainly changed nothing: it was refused
	// before it was carried out. Without it, a call that writes may have taken
	// effect.
	NotDone bool
	// Err is the cause, where there is one.
	Err error
}

// Error tells operation, status, code and request id, or correlation id.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Operation)
	switch {
	case e.StatusCode != 0:
		fmt.Fprintf(&b, ": status %d", e.StatusCode)
	case !e.OfCredential():
		b.WriteString(": no answer")
	}
	if e.Code != "" {
		fmt.Fprintf(&b, " %s", e.Code)
	}
	if e.RetryAfter > 0 {
		fmt.Fprintf(&b, ", retry after %s", e.RetryAfter)
	}
	if e.RequestID != "" {
		fmt.Fprintf(&b, " (%s %s)", e.idName(), e.RequestID)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

// idName is what the sign-in log or the header calls the RequestID.
func (e *Error) idName() string {
	if e.Operation == Token || e.OfCredential() {
		return "correlation id"
	}
	return "request-id"
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// OfCredential tells whether what the app signs in with could not be had. Graph was
// not asked; Entra was if there is a status.
func (e *Error) OfCredential() bool {
	switch e.Operation {
	case ClientSecret, Certificate, WebIdentityToken:
		return true
	}
	return false
}

// NotFound tells whether Graph does not know the object: it was deleted, or the
// replica that answered has not heard of it yet.
func (e *Error) NotFound() bool { return e.StatusCode == 404 }

// Forbidden tells whether the app lacks the right to make this call on this
// object.
func (e *Error) Forbidden() bool { return e.StatusCode == 403 }

// Throttled tells whether Graph refused the call because of its rate.
func (e *Error) Throttled() bool { return e.StatusCode == 429 }

// Conflict tells whether Graph found the object in another state than the call
// takes for granted, or has one like it already.
func (e *Error) Conflict() bool { return e.StatusCode == 409 }

// IsID tells whether s is an object or tenant id in its normal form, a
// lower-case GUID: the only form in which ids are compared and stored.
//
// It is asked for each notification: a regular expression would take a fifth of the
// webhook's time.
func IsID(s string) bool {
	if len(s) != len(idForm) {
		return false
	}
	for i := range len(s) {
		c := s[i]
		hex := '0' <= c && c <= '9' || 'a' <= c && c <= 'f'
		if dash := idForm[i] == '-'; dash && c != '-' || !dash && !hex {
			return false
		}
	}
	return true
}

const idForm = "00000000-0000-0000-0000-000000000000"

// Read is the answer to the reading of one user.
type Read struct {
	// User is valid only where Err is nil.
	User User
	// Err is of type [*Error].
	Err error
}
