package keeper

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// refusalCauses are by what Entra's token endpoint refuses.
var refusalCauses = map[directory.Refusal]Cause{
	directory.TenantUnknown:        CauseTenantUnknown,
	directory.AppUnknown:           CauseAppUnknown,
	directory.AppDisabled:          CauseAppDisabled,
	directory.NoServicePrincipal:   CauseNoServicePrincipal,
	directory.NotConsented:         CauseNoConsent,
	directory.SecretUnknown:        CauseSecretWrong,
	directory.SecretExpired:        CauseSecretExpired,
	directory.CertificateUnknown:   CauseCertificateWrong,
	directory.CertificateOutOfTime: CauseCertificateTime,
	directory.AssertionOutOfTime:   CauseClock,
	directory.FederationUnknown:    CauseFederation,
	directory.FederationIssuer:     CauseFederation,
	directory.FederationSubject:    CauseFederation,
	directory.FederationAudience:   CauseFederation,
	directory.FederationKeyUnknown: CauseFederationKey,
	directory.FederationUnverified: CauseFederationKey,
}

// federationDisabled is AWS's code for an account that gives no web identity tokens
// (https://docs.aws.amazon.com/STS/latest/APIReference/API_GetWebIdentityToken.html).
const federationDisabled = "OutboundWebIdentityFederationDisabledException"

// causeOf returns the code for what a run failed with. Of several errors, Graph's comes
// first: what our own table said is a consequence, or the lesser evil.
func causeOf(err error) Cause {
	if err == nil {
		return ""
	}
	if errors.Is(err, errUnsettled) {
		return CauseUnsettled
	}
	if e, ok := errors.AsType[*directory.Error](err); ok {
		return graphCause(e)
	}
	return ownCause(err)
}

// ownCause is of an error that is not Graph's.
func ownCause(err error) Cause {
	if _, ok := errors.AsType[storeError](err); ok {
		return CauseStore
	}
	if _, ok := errors.AsType[secretError](err); ok {
		return CauseClientState
	}
	if _, ok := errors.AsType[sweepError](err); ok {
		return CauseSweep
	}
	switch {
	case errors.Is(err, errBusy):
		return CauseBusy
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return CauseTime
	}
	return CauseInternal
}

func graphCause(e *directory.Error) Cause {
	if cause := signInCause(e); cause != "" {
		return cause
	}
	switch {
	case e.StatusCode == 0:
		return CauseUnreachable
	case e.Throttled():
		return CauseThrottled
	case failed(e):
		return CauseUnwell
	case ofGroups(e):
		return CauseGroups
	case e.Forbidden() && tellsLimit(e.Message):
		return CauseQuota
	case e.Forbidden():
		return CauseNoConsent
	case tellsValidation(e):
		return CauseNotificationURL
	}
	return CauseRefused
}

// signInCause is why the app has no token, "" if that is not the trouble.
func signInCause(e *directory.Error) Cause {
	if errors.Is(e, directory.ErrCertificateTime) {
		return CauseCertificateTime
	}
	if cause, ok := refusalCauses[e.Refusal()]; ok {
		return cause
	}
	token := e.Operation == directory.Token
	switch {
	case e.OfCredential():
		return credentialCause(e)
	case token && (e.Throttled() || failed(e) || e.StatusCode == 0):
		return "" // as of Graph
	case token, strings.HasPrefix(e.Code, "AADSTS"), e.StatusCode == 401:
		return CauseSignIn
	}
	return ""
}

// credentialCause is why there was nothing to sign in with.
func credentialCause(e *directory.Error) Cause {
	switch {
	case e.Operation != directory.WebIdentityToken:
		return CauseCredentialUnread
	case e.Code == federationDisabled:
		return CauseFederationOff
	}
	return CauseWebIdentity
}

// failed tells whether the service answered, and failed: by its status, or because the
// answer can't be read.
func failed(e *directory.Error) bool {
	return e.StatusCode >= 500 || e.StatusCode > 0 && e.StatusCode < 300 && !ofGroups(e)
}

// ofGroups tells whether a group is at fault that exists no longer, or hides its members.
func ofGroups(e *directory.Error) bool {
	aboutGroup := strings.Contains(strings.ToLower(e.Operation), "group")
	return aboutGroup && (e.NotFound() || e.StatusCode == 400 || e.StatusCode < 300)
}

// tellsLimit tells whether Graph's text is about a quota of subscriptions, for which it
// has no code of its own.
func tellsLimit(message string) bool {
	m := strings.ToLower(message)
	return strings.Contains(m, "limit") || strings.Contains(m, "quota") || strings.Contains(m, "maximum")
}

// tellsValidation tells whether the handshake failed. Graph's code for it was
// InvalidRequest in some years and ValidationError in others.
func tellsValidation(e *directory.Error) bool {
	return e.StatusCode == 400 &&
		(e.Code == "ValidationError" || strings.Contains(strings.ToLower(e.Message), "validation request"))
}

// Advice is an error as an administrator needs it: what is wrong, and what to do.
type Advice struct {
	Cause Cause
	// Problem and Step are one sentence each.
	Problem, Step string
	// Err is what happened in detail.
	Err error
}

// Error returns both sentences, and the details in brackets.
func (a *Advice) Error() string { return fmt.Sprintf("%s %s [%v]", a.Problem, a.Step, a.Err) }

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

// Explain makes an [*Advice] of an error of the keeper's, and nil of nil.
func (k *Keeper) Explain(err error) error {
	return Adviser{k.Tenant, k.ClientID, k.Portal, k.NotificationURL}.Explain(err)
}

// Explain makes an [*Advice] of an error, and nil of nil. Advice it returns as it is.
func (a Adviser) Explain(err error) error {
	if err == nil {
		return nil
	}
	if already, ok := errors.AsType[*Advice](err); ok {
		return already
	}
	cause := causeOf(err)
	text, fill := advice[cause], a.placeholders(err)
	problem := fill.Replace(text.problem)
	return &Advice{Cause: cause, Problem: strings.ToUpper(problem[:1]) + problem[1:], Step: fill.Replace(text.step), Err: err}
}

// placeholders fill the texts of advice.
func (a Adviser) placeholders(err error) *strings.Replacer {
	app := "the app registration"
	if a.ClientID != "" {
		app = "the app " + a.ClientID
	}
	message := "no reason given"
	if e, ok := errors.AsType[*directory.Error](err); ok {
		if said := strings.TrimSuffix(oneLine(e.Message), "."); said != "" {
			message = `"` + said + `"`
		}
	}
	pairs := []string{
		"{app}", app, "{portal}", cmp.Or(a.Portal, "https://entra.microsoft.com"),
		"{client}", cmp.Or(a.ClientID, "with the app's client id"), "{tenant}", a.Tenant,
		"{message}", message, "{url}", a.NotificationURL,
	}
	return strings.NewReplacer(append(pairs, presented(err)...)...)
}

// presented fills in what Entra was given in place of a secret, or else where to look.
func presented(err error) []string {
	token, ok := errors.AsType[*directory.PresentedToken](err)
	if !ok {
		token = new(directory.PresentedToken)
	}
	certificate := "about which the text in brackets tells"
	if c, ok := errors.AsType[*directory.PresentedCertificate](err); ok {
		certificate = "with the thumbprint " + c.Thumbprint
	}
	return []string{
		"{issuer}", cmp.Or(token.Issuer, "of your AWS account (aws iam get-outbound-web-identity-federation-info)"),
		"{subject}", cmp.Or(token.Subject, "(the ARN of the function's role)"),
		"{audience}", cmp.Or(token.Audience, "(the deployment's)"),
		"{certificate}", certificate,
	}
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
