package msgraph

import (
	"cmp"
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// GraphCommandLineTools is the client id of Microsoft's own public app for the command
// line, which Connect-MgGraph uses and every tenant has. Its redirect is http://localhost,
// with any port. See [Connect-MgGraph].
//
// [Connect-MgGraph]: https://learn.microsoft.com/powershell/microsoftgraph/authentication-commands
const GraphCommandLineTools = "14d82eec-204b-4c2f-b7e8-296a70dab67e"

// personPatience is how long a person may take to sign in: as long as a [device code] lives.
//
// [device code]: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code
const personPatience = 15 * time.Minute

// DeviceCode is what a person who signs in by device code has to know.
type DeviceCode struct {
	// UserCode is to be entered at URL.
	UserCode, URL string
	// Message is Entra's own sentence that says so, in Entra's language.
	Message string
}

// Why somebody did not sign in, where nobody gave a reason that may be passed on.
var (
	errBrowser     = errors.New("no browser could be opened, or nobody signed in there in time; try again, or sign in by device code")
	errDeviceCode  = errors.New("nobody entered the device code in time; try again, or sign in by browser")
	errAzureCLI    = errors.New("the Azure CLI gave no token; see that az is installed, and sign in with az login")
	errEnvironment = errors.New("set AZURE_TENANT_ID, AZURE_CLIENT_ID, and one of AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE_PATH and AZURE_FEDERATED_TOKEN_FILE")
	errTwoTenants  = errors.New("AZURE_TENANT_ID is not the tenant that was asked for")
)

// ofPerson tells whether a person signs in for us, and so must not be asked twice.
func (c *credential) ofPerson() bool { return c.Auth.Browser || c.Auth.DeviceCode != nil }

// patience bounds one attempt to sign in.
func (c *credential) patience() time.Duration {
	if c.ofPerson() {
		return personPatience
	}
	return signInTimeout
}

// scopes are what a token is asked for: by a person the permissions, else all there is.
func (c *credential) scopes() []string {
	if !c.ofPerson() {
		return []string{c.Cloud.scope()}
	}
	scopes := make([]string, len(c.Scopes))
	for i, permission := range c.Scopes {
		scopes[i] = "https://" + c.Cloud.GraphHost + "/" + permission
	}
	return scopes
}

// unexplained is why there is no token where azidentity's own text is not passed on.
func (c *credential) unexplained() error {
	switch {
	case c.Auth.Browser:
		return errBrowser
	case c.Auth.DeviceCode != nil:
		return errDeviceCode
	case c.Auth.AzureCLI:
		return errAzureCLI
	}
	return errNoToken
}

// silence is why nobody has refused and there is no token all the same.
func (c *credential) silence(ctx context.Context) error {
	if c.ofPerson() && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return c.unexplained()
	}
	return cmp.Or(c.cause, ctx.Err(), c.unexplained())
}

// publicClient is the app that a person signs in to.
func (c *credential) publicClient() string { return cmp.Or(c.ClientID, GraphCommandLineTools) }

// byBrowser keeps tokens in memory, like all the others: there is no Cache.
func (c *credential) byBrowser(context.Context, bool) (azcore.TokenCredential, error) {
	return azidentity.NewInteractiveBrowserCredential(&azidentity.InteractiveBrowserCredentialOptions{
		ClientOptions: c.clientOptions(), TenantID: c.TenantID, ClientID: c.publicClient(),
		DisableInstanceDiscovery: true, // as in byClientSecret
	})
}

func (c *credential) byDeviceCode(context.Context, bool) (azcore.TokenCredential, error) {
	return azidentity.NewDeviceCodeCredential(&azidentity.DeviceCodeCredentialOptions{
		ClientOptions: c.clientOptions(), TenantID: c.TenantID, ClientID: c.publicClient(),
		DisableInstanceDiscovery: true, // as in byClientSecret
		UserPrompt: func(ctx context.Context, m azidentity.DeviceCodeMessage) error {
			return c.Auth.DeviceCode(ctx, DeviceCode{UserCode: m.UserCode, URL: m.VerificationURL, Message: m.Message})
		},
	})
}

// byAzureCLI cannot ask for permissions: the token has those of the Azure CLI itself.
func (c *credential) byAzureCLI(context.Context, bool) (azcore.TokenCredential, error) {
	cli, err := azidentity.NewAzureCLICredential(&azidentity.AzureCLICredentialOptions{TenantID: c.TenantID})
	return &keeping{signer: cli}, err
}

// keeping keeps a token of the Azure CLI, which would be started for each request: azidentity
// keeps none of these. The turn of credential guards it.
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

// byEnvironment reads the variables when a token is first needed. A secret goes before a
// certificate, and both before a token of another issuer.
func (c *credential) byEnvironment(context.Context, bool) (signer azcore.TokenCredential, err error) {
	get := c.Auth.Environment
	tenant, client := get("AZURE_TENANT_ID"), get("AZURE_CLIENT_ID")
	secret, certificate, token := get("AZURE_CLIENT_SECRET"), get("AZURE_CLIENT_CERTIFICATE_PATH"), get("AZURE_FEDERATED_TOKEN_FILE")
	switch {
	case tenant == "" || client == "" || secret+certificate+token == "":
		return nil, unsent(directory.Token, errEnvironment)
	case c.TenantID != "" && !strings.EqualFold(c.TenantID, tenant):
		return nil, unsent(directory.Token, errTwoTenants)
	case secret != "":
		return azidentity.NewClientSecretCredential(tenant, client, secret, &azidentity.ClientSecretCredentialOptions{
			ClientOptions: c.clientOptions(), DisableInstanceDiscovery: true, // as in byClientSecret
		})
	case certificate != "":
		return c.byCertificateFile(tenant, client, certificate)
	}
	return azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
		ClientOptions: c.clientOptions(), DisableInstanceDiscovery: true, // as in byClientSecret
		TenantID: tenant, ClientID: client, TokenFilePath: token,
	})
}

// byCertificateFile reads a certificate and its key, PEM or PKCS#12. The errors of azidentity
// tell what is wrong with the form, and nothing of what is in the file.
func (c *credential) byCertificateFile(tenant, client, path string) (azcore.TokenCredential, error) {
	data, err := os.ReadFile(path) //nolint:gosec // the person who runs the program names it
	if err != nil {
		return nil, unread(directory.Certificate, "certificate", err)
	}
	chain, key, err := azidentity.ParseCertificates(data, []byte(c.Auth.Environment("AZURE_CLIENT_CERTIFICATE_PASSWORD")))
	if err != nil {
		return nil, unread(directory.Certificate, "certificate", err)
	}
	return azidentity.NewClientCertificateCredential(tenant, client, chain, key, &azidentity.ClientCertificateCredentialOptions{
		ClientOptions: c.clientOptions(), DisableInstanceDiscovery: true, // as in byClientSecret
	})
}
