package msgraph

import (
	"context"
	"errors"
	"net/http"
)

// Exchange asks Entra once for a token of Graph in exchange for an assertion, the token of
// another issuer, and throws the token away. What is wrong is a *directory.Error of the
// operation [directory.Token], whose Code tells: "AADSTS700211" where no federated credential of
// the app has the assertion's issuer, or Entra has not heard of it yet, "AADSTS700213" where one has
// the issuer and none the subject. A nil transport means one of its own.
func Exchange(ctx context.Context, cloud Cloud, transport http.RoundTripper, tenantID, clientID, assertion string) error {
	return errors.ErrUnsupported
}

// SignIn has the app sign in once by auth, and throws the token away: the proof that a client
// secret or a certificate works. Errors are *directory.Error, as of any call; where Entra refuses,
// Code is its number: "AADSTS7000215". What is new takes Entra a while to know.
func SignIn(ctx context.Context, o Options) error {
	return errors.ErrUnsupported
}
