package keeper

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// refusalCauses are by the code of Entra's token endpoint, or of Graph where it does not
// know the app that a token is of. Those without a source of their own are in
// https://learn.microsoft.com/entra/identity-platform/reference-error-codes.
var refusalCauses = map[string]Cause{
	"AADSTS90002":  CauseAppUnknown, // the tenant is unknown in this cloud
	"AADSTS900023": CauseAppUnknown,
	"AADSTS700016": CauseAppUnknown,
	// The app has no service principal:
	// https://microsoft.github.io/teams-sdk/teams/app-authentication/troubleshooting
	"AADSTS7000229": CauseAppUnknown,
	// https://learn.microsoft.com/troubleshoot/entra/entra-id/app-integration/error-code-aadsts7000112-application-is-disabled
	"AADSTS7000112": CauseAppDisabled,
	"AADSTS65001":   CauseNoConsent,
	"AADSTS650057":  CauseNoConsent,
	// Graph's own word, with status 401, for an app that the tenant knows nothing of.
	"Authorization_IdentityNotFound": CauseNoConsent,
	"AADSTS7000215":                  CauseSecretWrong,
	"AADSTS7000222":                  CauseSecretWrong,
	"AADSTS700027":                   CauseCertificateWrong, // or the token's: see refusalCause
	// https://github.com/AzureAD/microsoft-identity-web knows these of certificates.
	"AADSTS7000214": CauseCertificateWrong,
	"AADSTS7000277": CauseCertificateWrong,
	"AADSTS1000502": CauseCertificateTime,
	"AADSTS70021":   CauseFederation,
	"AADSTS70025":   CauseFederation,
	"AADSTS700211":  CauseFederation, // its issuer
	"AADSTS700212":  CauseFederation, // its audience
	"AADSTS700213":  CauseFederation, // its subject
	// https://learn.microsoft.com/entra/identity-platform/reference-breaking-changes#federated-identity-credentials-now-use-case-sensitive-matching
	"AADSTS7002138": CauseFederation,
	// https://github.com/Azure/azure-workload-identity/issues/1232
	"AADSTS7000272": CauseFederationKey,
	"AADSTS50027":   CauseFederationKey,
	// "Request to External OIDC endpoint failed" has had three numbers:
	// https://github.com/Azure/azure-workload-identity/issues/605,
	// https://github.com/Azure/azure-workload-identity/issues/642,
	// https://github.com/Azure/AKS/issues/4029.
	"AADSTS90061":  CauseFederationKey,
	"AADSTS50166":  CauseFederationKey,
	"AADSTS501661": CauseFederationKey,
}

// refusalCause is what is wrong where Entra gave no token, or Graph took the app for
// nobody; "" where the code does not tell. For a signature that is not right Entra has
// one number, whoever signed: the cause tells what it was given.
func refusalCause(e *directory.Error) Cause {
	cause := refusalCauses[e.Code]
	if _, foreign := errors.AsType[*directory.PresentedToken](e.Err); foreign && cause == CauseCertificateWrong {
		return CauseFederationKey
	}
	return cause
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
	if errors.Is(err, directory.ErrNotFederated) {
		return CauseDomains
	}
	if own, ok := errors.AsType[*fault](err); ok {
		return own.cause
	}
	return CauseInternal
}

// signInCause is why the app has no token, "" if that is not the trouble.
func signInCause(e *directory.Error) Cause {
	cause := refusalCause(e)
	switch {
	case cause != "":
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
	case e.StatusCode == 0 && e.NotDone && e.ClientRequestID == "": // it could not be asked
		return CauseInternal
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
