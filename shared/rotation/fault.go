package rotation

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// Wrong is what of a deployment is wrong when a rotation fails. Its values are
// codes: they stand in logs, and never change meaning.
type Wrong string

// What can be wrong.
const (
	// WrongTenant: the tenant's id, or the tenant is gone.
	WrongTenant Wrong = "tenant"
	// WrongClient: the app's client id, or the app is gone from the tenant.
	WrongClient Wrong = "client"
	// WrongSecret: a client secret or certificate is not accepted.
	WrongSecret Wrong = "secret"
	// WrongConsent: an administrator has not consented, or has disabled the app.
	WrongConsent Wrong = "consent"
	// WrongPermission: the app may not change its own credentials.
	WrongPermission Wrong = "permission"
	// WrongPolicy: the tenant's app management policy forbids the credential.
	WrongPolicy Wrong = "policy"
	// WrongSettings: what is configured, stored or scheduled on our side.
	WrongSettings Wrong = "settings"
	// WrongSecretsManager: AWS Secrets Manager failed or refused.
	WrongSecretsManager Wrong = "secrets_manager"
	// WrongRecord: the keeper's record could not be read.
	WrongRecord Wrong = "record"
	// WrongGraph: Graph or Entra did not answer, or failed, or has not heard of a
	// change yet.
	WrongGraph Wrong = "graph"
)

// A Fault is a step that failed, with what to do about it. It never holds a secret.
type Fault struct {
	// Wrong is a code.
	Wrong Wrong
	// Operation is what failed, in Graph's or Secrets Manager's words where it is one
	// of their calls.
	Operation string
	// Advice says what to do, in whole sentences.
	Advice string
	// Err is the cause.
	Err error
}

// Error tells operation, cause and advice.
func (f *Fault) Error() string {
	text := f.Err.Error()
	if f.Operation != "" && !strings.HasPrefix(text, f.Operation+":") {
		text = f.Operation + ": " + text
	}
	if f.Advice != "" {
		text += ". " + f.Advice
	}
	return text
}

// Unwrap returns the cause.
func (f *Fault) Unwrap() error { return f.Err }

// remedy is what an error code of Entra's or Graph's means to an administrator.
type remedy struct {
	wrong  Wrong
	advice string
	// final tells that waiting does not cure it.
	final bool
}

// remedies are by the codes of
// https://learn.microsoft.com/entra/identity-platform/reference-error-codes and of
// https://learn.microsoft.com/graph/api/resources/applicationauthenticationmethodpolicy.
var remedies = map[string]remedy{
	"AADSTS90002":  {WrongTenant, "Check the tenant id: Entra knows no such tenant in this cloud.", true},
	"AADSTS900023": {WrongTenant, "Check the tenant id: it is not one.", true},
	"AADSTS700016": {WrongClient, "Check the client id: the tenant has no such app.", true},
	"AADSTS7000215": {WrongSecret, "Entra does not accept the client secret. A new one takes minutes to be known everywhere; " +
		"if this persists, look whether somebody has removed it.", false},
	"AADSTS7000222": {WrongSecret, "The client secret has expired. Make one by hand, store it, and rotate again.", true},
	"AADSTS700027": {WrongSecret, "Entra does not accept the certificate. A new one takes minutes to be known everywhere; " +
		"if this persists, look whether somebody has removed it.", false},
	"AADSTS65001":   {WrongConsent, "Grant admin consent to the app's permissions.", true},
	"AADSTS650057":  {WrongConsent, "Grant admin consent to the app's permissions.", true},
	"AADSTS7000112": {WrongConsent, "The app is disabled in this tenant: enable it under Enterprise applications.", true},
	"AADSTS7000229": {WrongConsent, "The app has no service principal in this tenant: grant admin consent.", true},
	"CredentialTypeNotAllowedAsPerAppPolicy": {WrongPolicy, "The tenant's app management policy forbids this kind of credential: " +
		"exempt the app, or choose another way to sign in.", true},
	"CredentialInvalidLifetimeAsPerAppPolicy": {WrongPolicy, "The tenant's app management policy forbids so long a life: " +
		"exempt the app, or choose another way to sign in.", true},
}

// The advice for what has no code of its own.
const (
	adviceNoApplication = "Check the client id: the tenant has no such application."
	adviceForbidden     = "Grant the app Application.ReadWrite.OwnedBy with admin consent, " +
		"and make its service principal an owner of its own application."
	adviceProbe = "Grant admin consent to the app's permissions."
	adviceToken = "Look the code up at https://login.microsoftonline.com/error."
	adviceWait  = "Secrets Manager tries again by itself."
)

// opToken is the operation of an error where the app could not sign in.
const opToken = "token"

// remedyOf tells what to do about an error of Graph's or of its token endpoint.
// proving tells that it comes from the harmless call that proves a credential.
func remedyOf(e *directory.Error, proving bool) remedy {
	if known, ok := remedies[e.Code]; ok {
		return known
	}
	switch {
	case e.Operation == opToken && e.StatusCode >= 400 && e.StatusCode < 429:
		return remedy{WrongSecret, adviceToken, false}
	case e.Forbidden() && proving:
		return remedy{WrongConsent, adviceProbe, true}
	case e.Forbidden():
		return remedy{WrongPermission, adviceForbidden, true}
	case e.NotFound() && !proving:
		return remedy{WrongClient, adviceNoApplication, true}
	}
	return remedy{WrongGraph, adviceWait, false}
}

// final tells whether it is of no use to go on proving.
func final(err error) bool {
	e, ok := errors.AsType[*directory.Error](err)
	return ok && remedyOf(e, true).final || errors.Is(err, context.Canceled)
}

// credentialUnknown tells whether Entra does not know the credential.
func credentialUnknown(err error) bool {
	e, ok := errors.AsType[*directory.Error](err)
	return ok && (e.Code == "AADSTS7000215" || e.Code == "AADSTS700027")
}

// opProve is the operation of an error that ends the proving.
const opProve = "prove the new credential"

// graphFault explains an error of Graph's; of none it makes none.
func graphFault(operation string, err error) error {
	if err == nil {
		return nil
	}
	if fault, ok := errors.AsType[*Fault](err); ok {
		return fault
	}
	e, ok := errors.AsType[*directory.Error](err)
	if !ok {
		return &Fault{WrongGraph, operation, adviceWait, err}
	}
	found := remedyOf(e, operation == opProve)
	return &Fault{found.wrong, operation, found.advice, err}
}

// secretsFault is an error of Secrets Manager's; of none it makes none.
func secretsFault(operation string, err error) error {
	if err == nil {
		return nil
	}
	return &Fault{WrongSecretsManager, operation, "", fmt.Errorf("secrets manager: %w", err)}
}

// recordFault is an error of the keeper's record.
func recordFault(err error) error {
	return &Fault{WrongRecord, "read the keeper's record", adviceWait, err}
}

// settingsFault is something to be put right on our side.
func settingsFault(err error, advice string) error {
	return &Fault{WrongSettings, "", advice, err}
}

// credentialFault is a secret that does not fit the application.
func credentialFault(err error) error {
	return &Fault{WrongSecret, "", "Add a certificate to the application by hand, store it with its key, and rotate again.", err}
}
