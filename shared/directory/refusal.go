package directory

import "errors"

// Token is the operation of an [Error] where Entra's token endpoint was asked.
const Token = "token"

// A Refusal is what is wrong where Entra gives an app no token, or Graph does not know
// the app that a token is of, as far as the code of the error tells. Whoever explains errors has words for each.
type Refusal string

// The refusals.
const (
	// TenantUnknown: no tenant has that id, in this cloud.
	TenantUnknown Refusal = "tenant unknown"
	// AppUnknown: the tenant knows no app of that client id.
	AppUnknown Refusal = "app unknown"
	// AppDisabled: the app's service principal is disabled.
	AppDisabled Refusal = "app disabled"
	// NoServicePrincipal: the app is registered, but has no service principal.
	NoServicePrincipal Refusal = "no service principal"
	// NotConsented: nobody has consented to what the app asks for.
	NotConsented Refusal = "not consented"
	// SecretUnknown, SecretExpired: the client secret.
	SecretUnknown Refusal = "secret unknown"
	SecretExpired Refusal = "secret expired"
	// CertificateUnknown: the certificate is not the app's, or was revoked.
	CertificateUnknown Refusal = "certificate unknown"
	// CertificateOutOfTime: the certificate has expired, or is not good yet.
	CertificateOutOfTime Refusal = "certificate out of time"
	// AssertionOutOfTime: what was signed, by the app or by an outside issuer, has
	// expired, or is not good yet.
	AssertionOutOfTime Refusal = "assertion out of time"
	// FederationUnknown: no federated credential fits the token presented. The three
	// after it tell which claim of it is in none.
	FederationUnknown  Refusal = "federation unknown"
	FederationIssuer   Refusal = "federation issuer"
	FederationSubject  Refusal = "federation subject"
	FederationAudience Refusal = "federation audience"
	// FederationKeyUnknown: the issuer does not publish the key that signed the token,
	// as far as Entra has heard.
	FederationKeyUnknown Refusal = "federation key unknown"
	// FederationUnverified: the token can't be verified for another reason.
	FederationUnverified Refusal = "federation unverified"
)

// refusals are by Entra's numbers. Those without a source of their own are in
// https://learn.microsoft.com/entra/identity-platform/reference-error-codes.
var refusals = map[string]Refusal{
	"AADSTS90002":  TenantUnknown,
	"AADSTS900023": TenantUnknown,
	"AADSTS700016": AppUnknown,
	// https://learn.microsoft.com/troubleshoot/entra/entra-id/app-integration/error-code-aadsts7000112-application-is-disabled
	"AADSTS7000112": AppDisabled,
	// https://microsoft.github.io/teams-sdk/teams/app-authentication/troubleshooting
	"AADSTS7000229": NoServicePrincipal,
	"AADSTS65001":   NotConsented,
	"AADSTS650057":  NotConsented,
	// Graph's own word, with status 401, for an app that the tenant knows nothing of.
	"Authorization_IdentityNotFound": NotConsented,
	"AADSTS7000215":                  SecretUnknown,
	"AADSTS7000222":                  SecretExpired,
	"AADSTS700027":                   CertificateUnknown, // or the token's: see [Error.Refusal]
	"AADSTS700024":                   AssertionOutOfTime,
	// https://github.com/AzureAD/microsoft-identity-web knows these of certificates.
	"AADSTS7000214": CertificateUnknown,
	"AADSTS7000277": CertificateUnknown,
	"AADSTS1000502": CertificateOutOfTime,
	"AADSTS70021":   FederationUnknown,
	"AADSTS70025":   FederationUnknown,
	"AADSTS700211":  FederationIssuer,
	"AADSTS700212":  FederationAudience,
	"AADSTS700213":  FederationSubject,
	// https://learn.microsoft.com/entra/identity-platform/reference-breaking-changes#federated-identity-credentials-now-use-case-sensitive-matching
	"AADSTS7002138": FederationSubject,
	// https://github.com/Azure/azure-workload-identity/issues/1232
	"AADSTS7000272": FederationKeyUnknown,
	"AADSTS50027":   FederationUnverified,
	// "Request to External OIDC endpoint failed" has had three numbers:
	// https://github.com/Azure/azure-workload-identity/issues/605,
	// https://github.com/Azure/azure-workload-identity/issues/642,
	// https://github.com/Azure/AKS/issues/4029.
	"AADSTS90061":  FederationUnverified,
	"AADSTS50166":  FederationUnverified,
	"AADSTS501661": FederationUnverified,
}

// Refusal tells what is wrong where Entra gave no token, or Graph took the app for
// nobody; "" where the code does not tell. For a signature that is not right Entra has
// one number, whoever signed: the cause tells what it was given.
func (e *Error) Refusal() Refusal {
	refusal := refusals[e.Code]
	if _, foreign := errors.AsType[*PresentedToken](e.Err); foreign && refusal == CertificateUnknown {
		return FederationUnverified
	}
	return refusal
}
