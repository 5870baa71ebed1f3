package keeper

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// refusalCauses are by what Entra's token endpoint refuses.
var refusalCauses = map[directory.Refusal]Cause{
	directory.TenantUnknown:        CauseAppUnknown,
	directory.AppUnknown:           CauseAppUnknown,
	directory.NoServicePrincipal:   CauseAppUnknown,
	directory.AppDisabled:          CauseAppDisabled,
	directory.NotConsented:         CauseNoConsent,
	directory.SecretUnknown:        CauseSecretWrong,
	directory.SecretExpired:        CauseSecretWrong,
	directory.CertificateUnknown:   CauseCertificateWrong,
	directory.CertificateOutOfTime: CauseCertificateTime,
	directory.FederationUnknown:    CauseFederation,
	directory.FederationIssuer:     CauseFederation,
	directory.FederationSubject:    CauseFederation,
	directory.FederationAudience:   CauseFederation,
	directory.FederationKeyUnknown: CauseFederationKey,
	directory.FederationUnverified: CauseFederationKey,
}

// causeOf returns the code for what a run failed with. Of several errors, Graph's comes
// first: what our own table said is a consequence, or the lesser evil.
func causeOf(err error) Cause {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*directory.Error](err); ok {
		return cmp.Or(signInCause(e), graphCause(e))
	}
	if own, ok := errors.AsType[*fault](err); ok {
		return own.cause
	}
	return CauseInternal
}

// signInCause is why the app has no token, "" if that is not the trouble.
func signInCause(e *directory.Error) Cause {
	cause, refused := refusalCauses[e.Refusal()]
	switch {
	case refused:
		return cause
	case errors.Is(e, directory.ErrCertificateTime):
		return CauseCertificateTime
	case e.Operation == directory.WebIdentityToken:
		return CauseWebIdentity
	case e.OfCredential():
		return CauseCredentialUnread
	}
	return ""
}

func graphCause(e *directory.Error) Cause {
	switch {
	case e.StatusCode == 0:
		return CauseUnreachable
	case e.Throttled():
		return CauseThrottled
	case ofGroups(e):
		return CauseGroups
	case e.StatusCode >= 500 || e.StatusCode < 300: // or an answer that can't be read
		return CauseUnwell
	case e.Operation == directory.Token || e.StatusCode == 401:
		return CauseSignIn
	case e.Forbidden():
		return CauseNoConsent
	case e.Conflict(): // with a subscription that Graph does not list, or lists no longer
		return CauseBusy
	case tellsValidation(e):
		return CauseNotificationURL
	}
	return CauseRefused
}

// ofGroups tells whether a group is at fault that exists no longer, or hides its members.
func ofGroups(e *directory.Error) bool {
	aboutGroup := strings.Contains(strings.ToLower(e.Operation), "group")
	return aboutGroup && (e.NotFound() || e.StatusCode == 400 || e.StatusCode < 300)
}

// tellsValidation tells whether the handshake failed. Graph's code for it was
// InvalidRequest in some years and ValidationError in others.
func tellsValidation(e *directory.Error) bool {
	return e.StatusCode == 400 &&
		(e.Code == "ValidationError" || strings.Contains(strings.ToLower(e.Message), "validation request"))
}

// Advice is an error as an administrator needs it.
type Advice struct {
	Cause Cause
	// Text says in one sentence each what is wrong and what to do.
	Text string
	// Err is what happened in detail.
	Err error
}

// Error returns the text, and the details in brackets.
func (a *Advice) Error() string { return fmt.Sprintf("%s [%v]", a.Text, a.Err) }

// Unwrap returns the details.
func (a *Advice) Unwrap() error { return a.Err }

// An Adviser explains errors of Graph, Entra and AWS. Its fields are what the advice
// speaks of; any of them may be empty.
type Adviser struct {
	Tenant, ClientID string
	// Portal is where the administrators of the tenant's cloud sign in; empty means
	// https://entra.microsoft.com.
	Portal string
	// NotificationURL is the subscription's.
	NotificationURL string
}

// Explain makes an [*Advice] of an error, and nil of nil.
func (a Adviser) Explain(err error) error {
	if err == nil {
		return nil
	}
	message := "no reason given"
	if e, ok := errors.AsType[*directory.Error](err); ok {
		message = cmp.Or(strings.TrimSuffix(oneLine(e.Message), "."), message)
	}
	cause := causeOf(err)
	return &Advice{cause, a.fill(advice[cause], message), err}
}

// fill replaces the placeholders in a text of advice.
func (a Adviser) fill(text, message string) string {
	return strings.NewReplacer(
		"{app}", strings.TrimSpace("app registration "+a.ClientID),
		"{client}", a.ClientID,
		"{tenant}", a.Tenant,
		"{portal}", cmp.Or(a.Portal, "https://entra.microsoft.com"),
		"{url}", a.NotificationURL,
		"{message}", message,
	).Replace(text)
}

// maxMessage is how many bytes of Graph's text are shown: an answer to CloudFormation has
// not room for more.
const maxMessage = 400

// oneLine makes one short line of a text.
func oneLine(text string) string {
	line := strings.Join(strings.Fields(text), " ")
	if len(line) > maxMessage {
		line = strings.ToValidUTF8(line[:maxMessage], "") + "…"
	}
	return line
}
