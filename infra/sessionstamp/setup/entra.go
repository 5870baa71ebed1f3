package setup

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/wait"
)

// entra are the steps that make the apps.
func (r *runner) entra() (all []step) {
	for _, app := range r.plan.Apps {
		all = append(all, r.app(app))
		if r.plan.Mode != directory.AuthWebIdentity {
			all = append(all, r.secret()) // before the rights: it removes what others have stored under its name
		}
		all = append(all, r.rights(app), r.trust(app))
	}
	for _, app := range r.plan.Apps {
		all = append(all, r.disown(app))
	}
	return all
}

// read reads an app as it is now.
func (r *runner) read(ctx context.Context, app App) (directory.App, bool, error) {
	found, err := r.Directory.App(ctx, app.UniqueName)
	if errors.Is(err, directory.ErrNoApp) {
		return found, false, nil
	}
	if err == nil {
		r.apps[app.UniqueName] = found
		r.plan.set(app.Parameter, found.ClientID)
	}
	return found, err == nil, err
}

// app makes the application and its service principal.
func (r *runner) app(app App) step {
	return step{
		"app", app.DisplayName,
		func(ctx context.Context) (bool, error) {
			found, exists, err := r.read(ctx, app)
			return exists && found.PrincipalID != "", err
		},
		func(ctx context.Context) error {
			made, err := r.Directory.EnsureApp(ctx, directory.App{UniqueName: app.UniqueName, DisplayName: app.DisplayName})
			if err == nil {
				r.apps[app.UniqueName] = made
				r.plan.set(app.Parameter, made.ClientID)
			}
			return err
		},
	}
}

// rights grants what the app lacks.
func (r *runner) rights(app App) step {
	var lacks []string
	return step{
		"rights", app.DisplayName,
		func(ctx context.Context) (bool, error) {
			found, err := r.fresh(ctx, app)
			lacks = slices.DeleteFunc(slices.Clone(app.Rights), func(right string) bool { return slices.Contains(found.Roles, right) })
			return len(lacks) == 0, err
		},
		func(ctx context.Context) error {
			return each(ctx, r.apps[app.UniqueName], lacks, r.Directory.Grant)
		},
	}
}

// trust has the app take the tokens of the functions' roles.
func (r *runner) trust(app App) step {
	var lacks []directory.FederatedCredential
	return step{
		"trust", app.DisplayName,
		func(ctx context.Context) (bool, error) {
			found, err := r.fresh(ctx, app)
			lacks = slices.DeleteFunc(slices.Clone(app.Trusts), func(t directory.FederatedCredential) bool { return slices.Contains(found.Federated, t) })
			return len(lacks) == 0, err
		},
		func(ctx context.Context) error {
			return each(ctx, r.apps[app.UniqueName], lacks, r.Directory.Trust)
		},
	}
}

// each has Entra do something to an app with every one of a list, until it fails.
func each[T any](ctx context.Context, app directory.App, list []T, do func(context.Context, directory.App, T) error) error {
	for _, one := range list {
		if err := do(ctx, app, one); err != nil {
			return err
		}
	}
	return nil
}

// fresh reads an app that was made a moment ago: a server of Entra's may not know it yet. What
// was made then stands for it.
func (r *runner) fresh(ctx context.Context, app App) (directory.App, error) {
	found, exists, err := r.read(ctx, app)
	if err == nil && !exists {
		return r.apps[app.UniqueName], nil
	}
	return found, err
}

// awaited waits until Entra knows the issuer of each app.
func (r *runner) awaited() (all []step) {
	for _, app := range r.plan.Apps {
		all = append(all, step{
			"trusted", app.DisplayName,
			func(context.Context) (bool, error) { return false, nil },
			func(ctx context.Context) error { return r.await(ctx, r.plan.Parameters()[app.Parameter]) },
		})
	}
	return all
}

// What Entra says to a token that an app does not trust. See [error codes].
//
// [error codes]: https://learn.microsoft.com/entra/identity-platform/reference-error-codes
const (
	unknownIssuer    = "AADSTS700211"  // no federated credential has this issuer
	unknownSubject   = "AADSTS700213"  // one has it, and none has this subject
	noMatch          = "AADSTS70021"   // either
	unknownApp       = "AADSTS700016"  // the app is not in the tenant
	unknownPrincipal = "AADSTS7000229" // its service principal is not
)

// await tries an exchange with the token of the person. Entra must refuse it: no app trusts a
// person. It tells by the code whether it knows the issuer.
func (r *runner) await(ctx context.Context, clientID string) error {
	const every = 15 * time.Second
	for end := r.Now().Add(lag); ; {
		token, err := r.Account.WebIdentityToken(ctx, r.plan.Audience)
		if errors.Is(err, ErrForbidden) {
			return errSkipped // the deployment will be tried again instead
		}
		if err != nil {
			return err
		}
		err = r.Exchange(ctx, clientID, token)
		code := codeOf(err)
		switch {
		case err == nil, code == unknownSubject:
			return nil
		case !slices.Contains([]string{unknownIssuer, noMatch, unknownApp, unknownPrincipal, ""}, code), ctx.Err() != nil, r.Now().After(end):
			return err
		}
		r.say(Waits, cmp.Or(code, "no_answer"))
		if err := wait.For(ctx, every); err != nil {
			return err
		}
	}
}

// codeOf returns Entra's code, "" for an error without one.
func codeOf(err error) string {
	if refused, ok := errors.AsType[*directory.Error](err); ok {
		return refused.Code
	}
	return ""
}

// credentialLife is how long a client secret is good.
const credentialLife = 180 * 24 * time.Hour

// secret makes a client secret that goes from Entra into Secrets Manager, past everybody. It
// leaves the one that serves, which may have been renewed or stored by hand since. Those of
// ours that are not stored are known to nobody, and go last.
func (r *runner) secret() step {
	app, kept := r.plan.Apps[0], r.plan.Parameters()[credentialSecret]
	var stored Credential
	var serves bool
	return step{
		"secret", r.plan.SecretName(),
		func(ctx context.Context) (_ bool, err error) {
			if stored, err = r.Vault.Stored(ctx, cmp.Or(kept, r.plan.SecretName())); err != nil {
				return false, err
			}
			r.plan.set(credentialSecret, stored.ARN)
			found, err := r.fresh(ctx, app)
			serves = stored.ARN != "" && (kept != "" && stored.Name == "" || slices.ContainsFunc(found.Credentials,
				func(c directory.AppCredential) bool {
					return c.Name == stored.Name && !c.OfPrincipal && c.End.After(r.Now())
				}))
			return serves && len(r.made(app, stored.Name)) == 0, err
		},
		func(ctx context.Context) (err error) {
			if !serves {
				if stored, err = r.store(ctx, app, cmp.Or(stored.ARN, r.plan.SecretName())); err != nil {
					return err
				}
			}
			return r.unmake(ctx, app, stored.Name)
		},
	}
}

// store makes a client secret, and stores it in a secret that has this name or ARN.
func (r *runner) store(ctx context.Context, app App, id string) (c Credential, err error) {
	c = Credential{Name: r.plan.CredentialName(), End: r.Now().Add(credentialLife)}
	if _, c.Secret, err = r.Directory.AddPassword(ctx, r.apps[app.UniqueName], c.Name, c.End); err != nil {
		return c, err
	}
	c.ARN, err = r.Vault.Store(ctx, id, c)
	r.plan.set(credentialSecret, c.ARN)
	return c, err
}

// made are the client secrets of ours, but the one of that name, by their IDs.
func (r *runner) made(app App, but string) (ids []string) {
	for _, c := range r.apps[app.UniqueName].Credentials {
		if r.plan.Ours(c.Name) && !c.Certificate && !c.OfPrincipal && c.Name != but {
			ids = append(ids, c.KeyID)
		}
	}
	return ids
}

// unmake removes them.
func (r *runner) unmake(ctx context.Context, app App, but string) error {
	return each(ctx, r.apps[app.UniqueName], r.made(app, but), r.Directory.RemovePassword)
}

// unstored removes the client secret of a deployment that needs none any more. What the app
// has tells whether there is one, so it goes last.
func (r *runner) unstored(app App) step {
	return step{
		"forget", r.plan.SecretName(),
		func(ctx context.Context) (bool, error) {
			_, _, err := r.read(ctx, app)
			return len(r.made(app, "")) == 0, err
		},
		func(ctx context.Context) error {
			if err := r.Vault.Forget(ctx, r.plan.SecretName()); err != nil {
				return err
			}
			return r.unmake(ctx, app, "")
		},
	}
}

// tidy takes away what the deployment that runs now needs no more: rights and trusts of ours,
// and the second app where one does all.
func (r *runner) tidy() (all []step) {
	for _, app := range r.plan.Apps {
		all = append(all, r.tidyApp(app))
	}
	if r.plan.Mode == directory.AuthWebIdentity {
		all = append(all, r.unstored(r.plan.Apps[0]))
	}
	if len(r.plan.Apps) == 1 {
		all = append(all, r.remove(App{UniqueName: r.plan.UniqueName(stamper)}))
	}
	return all
}

func (r *runner) tidyApp(app App) step {
	var rights, trusts []string
	return step{
		"tidy", app.DisplayName,
		func(ctx context.Context) (bool, error) {
			found, _, err := r.read(ctx, app)
			rights = slices.DeleteFunc([]string{revoke, readGroups}, func(right string) bool {
				return slices.Contains(app.Rights, right) || !slices.Contains(found.Roles, right)
			})
			trusts = nil
			for _, t := range found.Federated {
				if !slices.ContainsFunc(app.Trusts, func(wanted directory.FederatedCredential) bool { return wanted.Name == t.Name }) {
					trusts = append(trusts, t.Name)
				}
			}
			return len(rights)+len(trusts) == 0, err
		},
		func(ctx context.Context) error {
			if err := each(ctx, r.apps[app.UniqueName], rights, r.Directory.Withdraw); err != nil {
				return err
			}
			return each(ctx, r.apps[app.UniqueName], trusts, r.Directory.Distrust)
		},
	}
}

// remove deletes an app, if it is there.
func (r *runner) remove(app App) step {
	var found directory.App
	return step{
		"remove_app", app.UniqueName,
		func(ctx context.Context) (_ bool, err error) {
			var exists bool
			found, exists, err = r.read(ctx, app)
			return !exists, err
		},
		func(ctx context.Context) error { return r.Directory.DeleteApp(ctx, found) },
	}
}
