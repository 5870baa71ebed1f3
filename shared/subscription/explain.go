package subscription

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// Cause is why a run failed. Causes are codes, like findings.
type Cause string

// The causes.
const (
	// CauseNoConsent: the app lacks User.Read.All.
	CauseNoConsent Cause = "no_consent"
	// CauseQuota: there are too many subscriptions.
	CauseQuota Cause = "quota"
	// CauseNotificationURL: our URLs did not answer Graph's validation request.
	CauseNotificationURL Cause = "notification_url"
	// CauseRefused: Graph refused the request for another reason.
	CauseRefused Cause = "refused"
	// CauseSecretWrong, CauseSecretExpired: the app's client secret.
	CauseSecretWrong   Cause = "secret_wrong"
	CauseSecretExpired Cause = "secret_expired"
	// CauseSecretUnread: that secret could not be read from where it is kept.
	CauseSecretUnread Cause = "secret_unread"
	// CauseCertificateWrong, CauseCertificateTime, CauseCertificateEarly: the app's
	// certificate is not one that Entra knows, has expired, or is not good yet.
	CauseCertificateWrong Cause = "certificate_wrong"
	CauseCertificateTime  Cause = "certificate_time"
	CauseCertificateEarly Cause = "certificate_early"
	// CauseCertificateUnread: that certificate could not be read from where it is
	// kept, or nobody can sign in with it.
	CauseCertificateUnread Cause = "certificate_unread"
	// CauseAppUnknown, CauseTenantUnknown: a wrong id, or one that is gone.
	CauseAppUnknown    Cause = "app_unknown"
	CauseTenantUnknown Cause = "tenant_unknown"
	// CauseAppDisabled, CauseNoServicePrincipal, CauseNotConsented: the tenant has the
	// app's registration, but does not let it in.
	CauseAppDisabled        Cause = "app_disabled"
	CauseNoServicePrincipal Cause = "no_service_principal"
	CauseNotConsented       Cause = "not_consented"
	// CauseFederation: no federated credential trusts the token of our AWS role.
	// Where Entra says which of the three it is: the issuer, the subject, or the
	// audience is in none.
	CauseFederation         Cause = "federation"
	CauseFederationIssuer   Cause = "federation_issuer"
	CauseFederationSubject  Cause = "federation_subject"
	CauseFederationAudience Cause = "federation_audience"
	// CauseFederationKey: Entra can't verify that token.
	CauseFederationKey Cause = "federation_key"
	// CauseFederationOff: the AWS account gives no such tokens to anybody.
	CauseFederationOff Cause = "federation_off"
	// CauseWebIdentity: AWS gave no such token for another reason.
	CauseWebIdentity Cause = "web_identity"
	// CauseClock: Entra's clock and the one that signed differ by too much.
	CauseClock Cause = "clock"
	// CauseSignIn: the app could not sign in for another reason.
	CauseSignIn Cause = "sign_in"
	// CauseSignInThrottled: Entra has no room for more sign-ins.
	CauseSignInThrottled Cause = "sign_in_throttled"
	// CauseSignInUnwell: Entra's token endpoint failed.
	CauseSignInUnwell Cause = "sign_in_unwell"
	// CauseThrottled: Graph has no room for more requests.
	CauseThrottled Cause = "throttled"
	// CauseUnreachable: no answer came from Graph or its token endpoint.
	CauseUnreachable Cause = "graph_unreachable"
	// CauseUnwell: Graph failed.
	CauseUnwell Cause = "graph_unwell"
	// CauseUnsettled: what Graph lists and what it answers don't agree yet.
	CauseUnsettled Cause = "unsettled"
	// CauseNotAsAsked: Graph made another subscription than was asked for, and the
	// gap goes on.
	CauseNotAsAsked Cause = "not_as_asked"
	// CauseStore, CauseClientState, CauseSweep: our own record, the secret of the
	// subscription, the request for a sweep.
	CauseStore       Cause = "store"
	CauseClientState Cause = "client_state"
	CauseSweep       Cause = "sweep"
	// CauseBusy: another run is at work.
	CauseBusy Cause = "busy"
	// CauseTime: the run took too long, or was cancelled.
	CauseTime Cause = "time"
	// CauseInternal: a fault of sessionstamp itself.
	CauseInternal Cause = "internal"
)

// refusalCauses are by what Entra's token endpoint refuses.
var refusalCauses = map[directory.Refusal]Cause{
	directory.TenantUnknown:        CauseTenantUnknown,
	directory.AppUnknown:           CauseAppUnknown,
	directory.AppDisabled:          CauseAppDisabled,
	directory.NoServicePrincipal:   CauseNoServicePrincipal,
	directory.NotConsented:         CauseNotConsented,
	directory.SecretUnknown:        CauseSecretWrong,
	directory.SecretExpired:        CauseSecretExpired,
	directory.CertificateUnknown:   CauseCertificateWrong,
	directory.CertificateOutOfTime: CauseCertificateTime,
	directory.AssertionOutOfTime:   CauseClock,
	directory.FederationUnknown:    CauseFederation,
	directory.FederationIssuer:     CauseFederationIssuer,
	directory.FederationSubject:    CauseFederationSubject,
	directory.FederationAudience:   CauseFederationAudience,
	directory.FederationKeyUnknown: CauseFederationKey,
	directory.FederationUnverified: CauseFederationKey,
}

// federationDisabled is AWS's code for an account that gives no tokens
// (https://docs.aws.amazon.com/STS/latest/APIReference/API_GetWebIdentityToken.html).
const federationDisabled = "OutboundWebIdentityFederationDisabledException"

// causeOf returns the code for what a run failed with.
func causeOf(err error) Cause {
	if err == nil {
		return ""
	}
	if _, ok := errors.AsType[*staleError](err); ok {
		return CauseUnsettled
	}
	if e, ok := errors.AsType[*directory.Error](err); ok {
		return graphCause(e)
	}
	if isStoreFault(err) {
		return CauseStore
	}
	if _, ok := errors.AsType[*secretError](err); ok {
		return CauseClientState
	}
	if _, ok := errors.AsType[*sweepError](err); ok {
		return CauseSweep
	}
	switch {
	case IsBusy(err):
		return CauseBusy
	case errors.Is(err, errNotAsAsked):
		return CauseNotAsAsked
	case errors.Is(err, errTooLate), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return CauseTime
	}
	return CauseInternal
}

// isStoreFault tells whether our table failed. The sweep keeps what it is to
// forget there too.
func isStoreFault(err error) bool {
	_, ours := errors.AsType[*storeError](err)
	_, sweeps := errors.AsType[*forgetError](err)
	return ours || sweeps
}

func graphCause(e *directory.Error) Cause {
	switch {
	case errors.Is(e, directory.ErrCertificateEarly):
		return CauseCertificateEarly
	case errors.Is(e, directory.ErrCertificateTime):
		return CauseCertificateTime
	}
	if cause, ok := refusalCauses[e.Refusal()]; ok {
		return cause
	}
	switch {
	case e.OfCredential():
		return credentialCause(e)
	case e.Operation == directory.Token && e.Throttled():
		return CauseSignInThrottled
	case e.Operation == directory.Token && failed(e):
		return CauseSignInUnwell
	case strings.HasPrefix(e.Code, "AADSTS"), e.Code == "invalid_client", e.StatusCode == 401:
		return CauseSignIn
	case e.StatusCode == 0:
		return CauseUnreachable
	case e.Throttled():
		return CauseThrottled
	case failed(e):
		return CauseUnwell
	case e.Forbidden() && tellsLimit(e.Message):
		return CauseQuota
	case e.Forbidden():
		return CauseNoConsent
	case tellsValidation(e):
		return CauseNotificationURL
	}
	return CauseRefused
}

// failed tells whether whoever was asked answered, and failed: by its status, or because
// the answer can't be read.
func failed(e *directory.Error) bool {
	return e.StatusCode >= 500 || e.StatusCode > 0 && e.StatusCode < 300
}

// credentialCause is why there was nothing to sign in with.
func credentialCause(e *directory.Error) Cause {
	switch {
	case e.Operation == directory.ClientSecret:
		return CauseSecretUnread
	case e.Operation == directory.Certificate:
		return CauseCertificateUnread
	case e.Code == federationDisabled:
		return CauseFederationOff
	}
	return CauseWebIdentity
}

// tellsLimit tells whether Graph's text is about a quota of subscriptions, for
// which it has no code of its own.
func tellsLimit(message string) bool {
	m := strings.ToLower(message)
	return strings.Contains(m, "limit") || strings.Contains(m, "quota") || strings.Contains(m, "maximum")
}

// tellsValidation tells whether the handshake failed. Graph's code for that was
// InvalidRequest in some years and ValidationError in others.
func tellsValidation(e *directory.Error) bool {
	return e.StatusCode == 400 &&
		(e.Code == "ValidationError" || strings.Contains(strings.ToLower(e.Message), "validation request"))
}

// nobodyLeft tells whether app or tenant are gone, and all subscriptions with
// them.
func nobodyLeft(err error) bool {
	cause := causeOf(err)
	return cause == CauseAppUnknown || cause == CauseTenantUnknown
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

// An Adviser explains errors. Its fields are what the advice speaks of; whatever is
// not known may be empty.
type Adviser struct {
	// Tenant and ClientID are ids of the tenant and of the app.
	Tenant, ClientID string
	// Portal is where the administrators of the tenant's cloud sign in; empty means
	// https://entra.microsoft.com.
	Portal string
	// NotificationURL and LifecycleURL are those of the subscription.
	NotificationURL, LifecycleURL string
}

// Explain makes an [*Advice] of an error of the keeper's, and nil of nil.
func (k *Keeper) Explain(err error) error {
	return Adviser{k.Tenant, k.ClientID, k.Portal, k.NotificationURL, k.LifecycleURL}.Explain(err)
}

// Explain makes an [*Advice] of an error, and nil of nil.
func (a Adviser) Explain(err error) error {
	if err == nil {
		return nil
	}
	cause := causeOf(err)
	text, ok := advice[cause]
	if !ok {
		text = advice[CauseInternal]
	}
	fill := a.placeholders(err)
	return &Advice{Cause: cause, Problem: fill.Replace(text.problem), Step: fill.Replace(text.step), Err: err}
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
	pairs := []string{"{app}", app, "{portal}", cmp.Or(a.Portal, "https://entra.microsoft.com"),
		"{client}", cmp.Or(a.ClientID, "with the app's client id"), "{tenant}", a.Tenant,
		"{message}", message, "{url}", a.NotificationURL, "{lifecycle}", a.LifecycleURL}
	return strings.NewReplacer(append(pairs, presented(err)...)...)
}

// presented fills in what Entra was given in place of a secret, or else where to
// look.
func presented(err error) []string {
	token, ok := errors.AsType[*directory.PresentedToken](err)
	if !ok {
		token = new(directory.PresentedToken)
	}
	certificate := "that the text in brackets tells of"
	if c, ok := errors.AsType[*directory.PresentedCertificate](err); ok {
		certificate = "with the thumbprint " + c.Thumbprint
	}
	return []string{
		"{issuer}", cmp.Or(token.Issuer, "of your AWS account (aws iam get-outbound-web-identity-federation-info)"),
		"{subject}", cmp.Or(token.Subject, "that is the ARN of the function's role"),
		"{audience}", cmp.Or(token.Audience, "that is the deployment's"),
		"{certificate}", certificate,
	}
}

// maxMessage is how many bytes of Graph's text are shown: a template's error has
// not room for more.
const maxMessage = 400

// oneLine makes one short line of a text, whatever is in it.
func oneLine(text string) string {
	line := strings.Join(strings.Fields(text), " ")
	if len(line) > maxMessage {
		line = strings.ToValidUTF8(line[:maxMessage], "") + "…"
	}
	return line
}
