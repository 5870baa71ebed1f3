package ask

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
)

// GraphCommandLineTools is the client id of Microsoft's own public app for the command
// line, which Connect-MgGraph uses and every tenant has. Its redirect is http://localhost,
// with any port. See [Connect-MgGraph].
//
// [Connect-MgGraph]: https://learn.microsoft.com/powershell/microsoftgraph/authentication-commands
const GraphCommandLineTools = "14d82eec-204b-4c2f-b7e8-296a70dab67e"

// patience is how long a person may take to sign in: as long as a [device code] lives.
//
// [device code]: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code
const patience = 15 * time.Minute

// Why somebody did not sign in, where nobody gave a reason that may be passed on: the causes
// of a *directory.Error.
var (
	ErrBrowser     = errors.New("no browser could be opened, or nobody signed in there in time; try again, or sign in by device code")
	ErrDeviceCode  = errors.New("nobody entered the device code in time; try again, or sign in by browser")
	ErrAzureCLI    = errors.New("the Azure CLI gave no token; see that az is installed, and sign in with az login")
	errEnvironment = errors.New("set AZURE_TENANT_ID, AZURE_CLIENT_ID, and one of AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE_PATH and AZURE_FEDERATED_TOKEN_FILE")
	errTwoTenants  = errors.New("AZURE_TENANT_ID is not the tenant that was asked for")
)

// Browser has a person sign in at Entra's own page, in the browser of this machine, who is
// asked for the delegated permissions: "User.Read.All". TenantID and ClientID of
// [msgraph.Options] may be empty: the tenant is then the person's own, and the app
// [GraphCommandLineTools]. Tokens are kept in memory alone.
func Browser(permissions ...string) msgraph.Auth {
	return person(permissions, ErrBrowser, func(tenantID, clientID string, o azcore.ClientOptions) (azcore.TokenCredential, error) {
		return azidentity.NewInteractiveBrowserCredential(&azidentity.InteractiveBrowserCredentialOptions{
			ClientOptions: o, TenantID: tenantID, ClientID: clientID,
			DisableInstanceDiscovery: true, // as in package msgraph, and below
		})
	})
}

// Code is what a person who signs in by device code has to know.
type Code struct {
	// UserCode is to be entered at URL.
	UserCode, URL string
}

// DeviceCode has show tell the person where to enter which code, on this device or another.
// It must return at once. All else is as with [Browser].
func DeviceCode(show func(ctx context.Context, code Code) error, permissions ...string) msgraph.Auth {
	return person(permissions, ErrDeviceCode, func(tenantID, clientID string, o azcore.ClientOptions) (azcore.TokenCredential, error) {
		return azidentity.NewDeviceCodeCredential(&azidentity.DeviceCodeCredentialOptions{
			ClientOptions: o, TenantID: tenantID, ClientID: clientID, DisableInstanceDiscovery: true,
			UserPrompt: func(ctx context.Context, m azidentity.DeviceCodeMessage) error {
				return show(ctx, Code{UserCode: m.UserCode, URL: m.VerificationURL})
			},
		})
	})
}

// A maker makes azidentity's credential: see [msgraph.Method].
type maker func(tenantID, clientID string, o azcore.ClientOptions) (azcore.TokenCredential, error)

func person(permissions []string, silence error, credential maker) msgraph.Auth {
	return msgraph.Auth{Method: msgraph.Method{
		Permissions: permissions, Patience: patience, Silence: silence,
		Credential: func(tenantID, clientID string, o azcore.ClientOptions) (azcore.TokenCredential, error) {
			return credential(tenantID, cmp.Or(clientID, GraphCommandLineTools), o)
		},
	}}
}

// AzureCLI takes the token of whoever is signed in to the Azure CLI on this machine. It
// cannot ask for permissions: the token has those of the Azure CLI itself.
func AzureCLI() msgraph.Auth {
	return msgraph.Auth{Method: msgraph.Method{Silence: ErrAzureCLI, Credential: func(tenantID, _ string, _ azcore.ClientOptions) (azcore.TokenCredential, error) {
		cli, err := azidentity.NewAzureCLICredential(&azidentity.AzureCLICredentialOptions{TenantID: tenantID})
		return &keeping{signer: cli}, err
	}}}
}

// keeping keeps a token of the Azure CLI, which would be started for each request: azidentity
// keeps none of these. Package msgraph asks one at a time.
type keeping struct {
	signer azcore.TokenCredential
	kept   azcore.AccessToken
}

// almostOver is how long before its end a token is replaced, as azidentity does.
const almostOver = 5 * time.Minute

// GetToken implements azcore.TokenCredential.
func (k *keeping) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if time.Until(k.kept.ExpiresOn) > almostOver {
		return k.kept, nil
	}
	got, err := k.signer.GetToken(ctx, o)
	if err == nil {
		k.kept = got
	}
	return got, err
}

// Environment signs an app in by the [environment variables] of Azure's SDKs: a client
// secret, a certificate or a workload identity. It looks them up by get, as os.Getenv does,
// when a token is first needed. A secret goes before a certificate, and both before a token
// of another issuer. ClientID of [msgraph.Options] may be empty, and so may TenantID.
//
// [environment variables]: https://learn.microsoft.com/azure/developer/go/sdk/authentication/authentication-overview
func Environment(get func(name string) string) msgraph.Auth {
	return msgraph.Auth{Method: msgraph.Method{Credential: environment(get).credential}}
}

// environment looks a variable up.
type environment func(name string) string

func (get environment) credential(wanted, _ string, o azcore.ClientOptions) (azcore.TokenCredential, error) {
	tenant, client := get("AZURE_TENANT_ID"), get("AZURE_CLIENT_ID")
	secret, certificate, token := get("AZURE_CLIENT_SECRET"), get("AZURE_CLIENT_CERTIFICATE_PATH"), get("AZURE_FEDERATED_TOKEN_FILE")
	switch {
	case tenant == "" || client == "" || secret+certificate+token == "":
		return nil, errEnvironment
	case wanted != "" && !strings.EqualFold(wanted, tenant):
		return nil, errTwoTenants
	case secret != "":
		return azidentity.NewClientSecretCredential(tenant, client, secret, &azidentity.ClientSecretCredentialOptions{
			ClientOptions: o, DisableInstanceDiscovery: true,
		})
	case certificate != "":
		return get.certificate(tenant, client, certificate, o)
	}
	return azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
		ClientOptions: o, DisableInstanceDiscovery: true, TenantID: tenant, ClientID: client, TokenFilePath: token,
	})
}

// certificate reads a certificate and its key, PEM or PKCS#12. The errors of azidentity tell
// what is wrong with the form, and nothing of what is in the file.
func (get environment) certificate(tenant, client, path string, o azcore.ClientOptions) (azcore.TokenCredential, error) {
	data, err := os.ReadFile(path) //nolint:gosec // the person who runs the program names it
	if err != nil {
		return nil, unreadable(err)
	}
	chain, key, err := azidentity.ParseCertificates(data, []byte(get("AZURE_CLIENT_CERTIFICATE_PASSWORD")))
	if err != nil {
		return nil, unreadable(err)
	}
	return azidentity.NewClientCertificateCredential(tenant, client, chain, key, &azidentity.ClientCertificateCredentialOptions{
		ClientOptions: o, DisableInstanceDiscovery: true,
	})
}

func unreadable(err error) error {
	return unsent(directory.Certificate, fmt.Errorf("the certificate in AZURE_CLIENT_CERTIFICATE_PATH cannot be read; see that it is there with its key, and that you may read it: %w", err))
}
