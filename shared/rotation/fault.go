package rotation

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

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

// refusalRemedies are by what Entra refuses when the app signs in.
var refusalRemedies = map[directory.Refusal]remedy{
	directory.TenantUnknown: {WrongTenant, "Check the deployment's tenant id and cloud: Entra knows no such tenant there.", true},
	directory.AppUnknown:    {WrongClient, "Check the deployment's client id: the tenant has no such app.", true},
	directory.AppDisabled:   {WrongConsent, "The tenant has disabled the app: enable it in the portal under Enterprise applications > the app > Properties.", true},
	directory.NoServicePrincipal: {WrongConsent, "The tenant has no service principal of the app: make one with az ad sp create, " +
		"grant it admin consent, and make it an owner of the app, as README.md shows in step 2 and under \"Let the credential renew itself\".", true},
	directory.NotConsented: {WrongConsent, "Grant admin consent to the app's permissions: User.Read.All, User.RevokeSessions.All, " +
		"Domain.Read.All and Application.ReadWrite.OwnedBy, as README.md shows in step 2 and under \"Let the credential renew itself\".", true},
	directory.SecretUnknown: {WrongSecret, "Entra does not accept the client secret. A new one takes minutes to be known everywhere; " +
		"if this persists, look whether somebody has removed it.", false},
	directory.SecretExpired: {WrongSecret, "The client secret has expired. " + adviceRenew, true},
	directory.CertificateUnknown: {WrongSecret, "Entra does not accept the certificate. A new one takes minutes to be known everywhere; " +
		"if this persists, look whether somebody has removed it.", false},
	directory.CertificateOutOfTime: {WrongSecret, "The certificate has expired, or is not good yet. " + adviceRenew, false},
	directory.AssertionOutOfTime:   {WrongGraph, "Entra's clock and that of the function differ. " + adviceWait, false},
}

// policyRemedies are by the codes of
// https://learn.microsoft.com/graph/api/resources/applicationauthenticationmethodpolicy.
var policyRemedies = map[string]remedy{
	"CredentialTypeNotAllowedAsPerAppPolicy": {WrongPolicy, "The tenant's app management policy forbids this kind of credential: " +
		"exempt the app, or choose another way to sign in (step 3 of README.md).", true},
	"CredentialInvalidLifetimeAsPerAppPolicy": {WrongPolicy, fmt.Sprintf("The tenant's app management policy forbids a credential that is good for %d days: "+
		"exempt the app, or choose another way to sign in (step 3 of README.md).", DefaultSettings.Life/(24*time.Hour)), true},
}

// The advice for what has no code of its own.
const (
	adviceNoApplication = "Check the deployment's client id: the tenant has no such application."
	adviceForbidden     = "Grant the app Application.ReadWrite.OwnedBy with admin consent, " +
		"and make its service principal an owner of its own application, as README.md shows under \"Let the credential renew itself\"."
	adviceToken = "Look the code up at https://login.microsoftonline.com/error."
	adviceWait  = "Secrets Manager tries again by itself."
	adviceRenew = "Make one by hand and store it, as README.md shows under \"Renew it by hand\", and rotate again."
	adviceProof = "Graph does not accept the proof that we hold a key of the app. A new certificate takes minutes to be known everywhere; " +
		"if this persists, see that the certificate in the secret is registered with the app and has not expired."
	adviceSecrets = "Secrets Manager tries again by itself; if it goes on, see that the rotator's role has the policy of the template, " +
		"and that the secret has the encryption key aws/secretsmanager."
)

// remedyOf tells what to do about an error of Graph's or of its token endpoint.
// proving tells that it comes from the harmless call that proves a credential.
func remedyOf(e *directory.Error, proving bool) remedy {
	if known, ok := refusalRemedies[e.Refusal()]; ok {
		return known
	}
	if known, ok := policyRemedies[e.Code]; ok {
		return known
	}
	switch {
	case e.Operation == directory.Token && e.StatusCode >= 400 && e.StatusCode < 429:
		return remedy{WrongSecret, adviceToken, false}
	case proofUnaccepted(e):
		return remedy{WrongSecret, adviceProof, false}
	case e.Forbidden():
		return remedy{WrongPermission, adviceForbidden, true}
	case e.NotFound() && !proving:
		return remedy{WrongClient, adviceNoApplication, true}
	}
	return remedy{WrongGraph, adviceWait, false}
}

// proofUnaccepted tells whether Graph did not accept a proof of possession, of which it
// says [the same] as of a token that is none.
//
// [the same]: https://github.com/microsoftgraph/microsoft-graph-docs/issues/22076
func proofUnaccepted(e *directory.Error) bool {
	return e.Code == "Authentication_MissingOrMalformed" && (e.Operation == "addKey" || e.Operation == "removeKey")
}

// final tells whether it is of no use to go on proving.
func final(err error) bool {
	e, ok := errors.AsType[*directory.Error](err)
	return ok && remedyOf(e, true).final || errors.Is(err, context.Canceled)
}

// credentialUnknown tells whether Entra does not know the credential.
func credentialUnknown(err error) bool {
	e, ok := errors.AsType[*directory.Error](err)
	return ok && (e.Refusal() == directory.SecretUnknown || e.Refusal() == directory.CertificateUnknown)
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
	return &Fault{WrongSecretsManager, operation, adviceSecrets, fmt.Errorf("secrets manager: %w", err)}
}

// recordFault is an error of the keeper's record.
func recordFault(err error) error {
	return &Fault{WrongRecord, "read the keeper's record", adviceWait, err}
}

// settingsFault is something to be put right on our side.
func settingsFault(err error, advice string) error {
	return &Fault{WrongSettings, "", advice, err}
}

// eventFault is an event that is not, or no longer, Secrets Manager's.
func eventFault(err error) error {
	return settingsFault(err, "Nothing is broken. If the secret has not been rotated since, rotate it with aws secretsmanager rotate-secret.")
}

// credentialFault is a secret that does not fit the application.
func credentialFault(err error) error {
	return &Fault{WrongSecret, "", adviceRenew, err}
}
