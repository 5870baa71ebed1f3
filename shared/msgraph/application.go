package msgraph

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	abstractions "github.com/microsoft/kiota-abstractions-go"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/answer"
)

// What makes a call on an application end before it is sent.
var (
	errAppID       = errors.New("the application's client id is not a GUID")
	errKeyID       = errors.New("the credential's key id is not a GUID")
	errPasswordEnd = errors.New("the password's end is missing")
	errNoProof     = errors.New("the proof of possession is missing")
	errNoKey       = errors.New("the certificate is missing")
)

// An Application calls Graph about one [application] registration, which may be the
// one that the client signs in as. It is safe for concurrent use. Errors are
// *directory.Error: unless NotDone is set, the change may have been made.
//
// For its own application, a client needs Application.ReadWrite.OwnedBy, and its
// service principal must be among the application's owners.
//
// [application]: https://learn.microsoft.com/graph/api/resources/application
type Application struct {
	client *Client
	appID  string
}

// Application returns the application of that client id, a lower-case GUID. It asks
// Graph for nothing yet.
func (c *Client) Application(clientID string) *Application {
	return &Application{client: c, appID: clientID}
}

// Registration returns the application's object id and its credentials. What was
// just changed may not be seen yet. See [Get application].
//
// [Get application]: https://learn.microsoft.com/graph/api/application-get
func (a *Application) Registration(ctx context.Context) (directory.Registration, error) {
	info := a.request(abstractions.GET, "?$select=id,passwordCredentials,keyCredentials")
	got, err := a.send(ctx, opGetApplication, info)
	if err != nil {
		return directory.Registration{}, err
	}
	return answer.Registration(got)
}

// AddPassword makes a password that is good from now until end. Graph makes up its
// text, and tells it only here. See [addPassword].
//
// [addPassword]: https://learn.microsoft.com/graph/api/application-addpassword
func (a *Application) AddPassword(ctx context.Context, displayName string, end time.Time) (directory.Password, error) {
	if end.IsZero() {
		return directory.Password{}, unsent(opAddPassword, errPasswordEnd)
	}
	got, err := a.post(ctx, opAddPassword, map[string]any{
		"passwordCredential": map[string]any{"displayName": displayName, "endDateTime": end.UTC()},
	})
	if err != nil {
		return directory.Password{}, err
	}
	return answer.NewPassword(got)
}

// RemovePassword removes the password of that key id. See [removePassword].
//
// [removePassword]: https://learn.microsoft.com/graph/api/application-removepassword
func (a *Application) RemovePassword(ctx context.Context, keyID string) error {
	if !directory.IsID(keyID) {
		return unsent(opRemovePassword, errKeyID)
	}
	_, err := a.post(ctx, opRemovePassword, map[string]any{"keyId": keyID})
	return err
}

// AddKey adds a certificate, in DER, to sign in with. The proof is a token signed
// with a certificate that the application has already: see [proof of possession].
// With it, no permission is needed. See [addKey].
//
// [proof of possession]: https://learn.microsoft.com/graph/application-rollkey-prooftoken
// [addKey]: https://learn.microsoft.com/graph/api/application-addkey
func (a *Application) AddKey(ctx context.Context, displayName string, certificate []byte, proof directory.Secret) error {
	if len(certificate) == 0 {
		return unsent(opAddKey, errNoKey)
	}
	return a.postProven(ctx, opAddKey, proof, map[string]any{
		"keyCredential": map[string]any{
			"type": "AsymmetricX509Cert", "usage": "Verify", "key": certificate, "displayName": displayName,
		},
		"passwordCredential": nil, // of a private key, which Entra is not given
	})
}

// RemoveKey removes the certificate of that key id, with a proof as for AddKey. See
// [removeKey].
//
// [removeKey]: https://learn.microsoft.com/graph/api/application-removekey
func (a *Application) RemoveKey(ctx context.Context, keyID string, proof directory.Secret) error {
	if !directory.IsID(keyID) {
		return unsent(opRemoveKey, errKeyID)
	}
	return a.postProven(ctx, opRemoveKey, proof, map[string]any{"keyId": keyID})
}

// postProven posts with a proof of possession.
func (a *Application) postProven(ctx context.Context, operation string, proof directory.Secret, fields map[string]any) error {
	if proof.Reveal() == "" {
		return unsent(operation, errNoProof)
	}
	fields["proof"] = proof.Reveal()
	_, err := a.post(ctx, operation, fields)
	return err
}

// post calls one of the application's actions, which is what the operation is named
// after.
func (a *Application) post(ctx context.Context, operation string, fields map[string]any) (answer.Answer, error) {
	body, err := json.Marshal(fields)
	if err != nil { // a year that JSON can't hold
		return answer.Answer{}, unsent(operation, errPasswordEnd)
	}
	info := a.request(abstractions.POST, "/"+operation)
	info.SetStreamContentAndContentType(body, "application/json")
	return a.send(ctx, operation, info)
}

// request starts a request about the application. It is not left to the SDK's
// builders: they are in a package of a hundred files that is needed for nothing else.
func (a *Application) request(method abstractions.HttpMethod, rest string) *abstractions.RequestInformation {
	info := abstractions.NewRequestInformation()
	info.Method = method
	info.UrlTemplate = "{+baseurl}/applications(appId='{appId}')" + rest
	info.PathParameters = map[string]string{"baseurl": a.client.cloud.baseURL(), "appId": a.appID}
	info.Headers.TryAdd("Accept", "application/json")
	return info
}

func (a *Application) send(ctx context.Context, operation string, info *abstractions.RequestInformation) (answer.Answer, error) {
	if !directory.IsID(a.appID) {
		return answer.Answer{}, unsent(operation, errAppID)
	}
	return a.client.send(ctx, operation, info)
}

// unsent is the error of a call that ended before it was sent.
func unsent(operation string, err error) *directory.Error {
	return &directory.Error{Operation: operation, NotDone: true, Err: err}
}
