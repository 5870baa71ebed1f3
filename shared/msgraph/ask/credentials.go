package ask

import (
	"context"
	"encoding/base64"
	"slices"
	"time"

	abstractions "github.com/microsoft/kiota-abstractions-go"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/ask/reply"
)

// AddPassword makes a client secret of that name, which is good until end, and returns it: it
// is told this once. Of app, ID is needed. Errors are *directory.Error: unless NotDone is set,
// there may be a secret that nobody knows; remove the one of that name. Message is Graph's text,
// which tells of a policy of the tenant. See [addPassword].
//
// [addPassword]: https://learn.microsoft.com/graph/api/application-addpassword
func (c *Client) AddPassword(ctx context.Context, app directory.App, name string, end time.Time) (keyID string, secret directory.Secret, err error) {
	var made reply.NewPassword
	body := map[string]any{"passwordCredential": map[string]any{"displayName": name, "endDateTime": end.UTC()}}
	err = settle(ctx, func() error {
		got, err := c.write(ctx, opAddPassword, abstractions.POST, body, "/applications/{app}/addPassword", "app", app.ID)
		made, err = single(got, err, reply.Password)
		return err
	})
	return made.KeyID, made.Secret, err
}

// RemovePassword deletes a client secret. One that is not there is no error. Of app, ID is
// needed. Errors are *directory.Error. See [removePassword].
//
// [removePassword]: https://learn.microsoft.com/graph/api/application-removepassword
func (c *Client) RemovePassword(ctx context.Context, app directory.App, keyID string) error {
	return settle(ctx, func() error {
		found, err := c.application(ctx, "/applications/{app}", "app", app.ID)
		has := func(held directory.AppCredential) bool { return held.KeyID == keyID && !held.Certificate }
		if err != nil || !slices.ContainsFunc(found.Credentials, has) {
			return gone(err)
		}
		_, err = c.write(ctx, opRemovePassword, abstractions.POST, map[string]string{"keyId": keyID}, "/applications/{app}/removePassword", "app", app.ID)
		return err
	})
}

// AddCertificate adds a certificate, in DER. One that is there already is no error. Of app, ID
// is needed. Errors are *directory.Error. Nobody else should change the certificates meanwhile:
// Graph takes them all at once. See [Add a certificate].
//
// [Add a certificate]: https://learn.microsoft.com/graph/applications-how-to-add-certificate
func (c *Client) AddCertificate(ctx context.Context, app directory.App, name string, der []byte) error {
	key := base64.StdEncoding.EncodeToString(der)
	return c.changeKeys(ctx, app, func(keys []reply.Key) []any {
		if slices.ContainsFunc(keys, func(k reply.Key) bool { return k.Key == key }) {
			return nil
		}
		return append(whole(keys), map[string]string{"type": "AsymmetricX509Cert", "usage": "Verify", "displayName": name, "key": key})
	})
}

// RemoveCertificate deletes a certificate. One that is not there is no error. All else is as
// with [Client.AddCertificate].
func (c *Client) RemoveCertificate(ctx context.Context, app directory.App, keyID string) error {
	return gone(c.changeKeys(ctx, app, func(keys []reply.Key) []any {
		kept := slices.DeleteFunc(slices.Clone(keys), func(k reply.Key) bool { return k.KeyID == keyID })
		if len(kept) == len(keys) {
			return nil
		}
		return whole(kept)
	}))
}

// whole are keys as Graph has told them.
func whole(keys []reply.Key) []any {
	all := make([]any, len(keys))
	for i, k := range keys {
		all[i] = k.Whole
	}
	return all
}

// changeKeys replaces the app's certificates by what change makes of them, unless that is nil.
func (c *Client) changeKeys(ctx context.Context, app directory.App, change func([]reply.Key) []any) error {
	return settle(ctx, func() error {
		got, err := c.get(ctx, opGetApp, "/applications/{app}?$select=keyCredentials", "app", app.ID)
		keys, err := single(got, err, reply.Keys)
		if err != nil {
			return err
		}
		changed := change(keys)
		if changed == nil {
			return nil
		}
		_, err = c.write(ctx, opUpdateApp, abstractions.PATCH, map[string]any{"keyCredentials": changed}, "/applications/{app}", "app", app.ID)
		return err
	})
}
