package ask

import (
	"context"
	"net/http"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
)

// Exchange asks Entra once for a token of Graph in exchange for an assertion, the token of
// another issuer, and throws the token away. What is wrong is a *directory.Error of the
// operation [directory.Token], whose Code tells: AADSTS70025 where the app has no federated
// credential, AADSTS700211 where none has the assertion's issuer, or Entra has not heard of it
// yet, AADSTS700213 where one has the issuer and none the subject. A nil transport means one of
// its own.
func Exchange(ctx context.Context, cloud msgraph.Cloud, transport http.RoundTripper, tenantID, clientID, assertion string) error {
	return SignIn(ctx, msgraph.Options{
		Cloud: cloud, Transport: transport, TenantID: tenantID, ClientID: clientID,
		Auth: msgraph.Auth{WebIdentity: func(context.Context) (string, error) { return assertion, nil }},
	})
}

// SignIn signs an app in once, and throws the token away: the proof that a client secret or a
// certificate works. Errors are *directory.Error: where Entra refuses, Code is its number, such
// as AADSTS7000215. What is new takes Entra up to some minutes to know.
func SignIn(ctx context.Context, o msgraph.Options) error {
	client, err := msgraph.NewClient(o)
	if err != nil {
		return unsent(directory.Token, err)
	}
	return client.SignIn(ctx)
}
