package setup

import (
	"context"
	"slices"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// owned judges who could come by the rights of an app that is there before its deployment: an
// owner adds a credential to it, and one of the service principal's own signs in as it. Of an
// app that the deployment uses doctor tells.
func (p *Plan) owned(f Facts) (problems []Problem) {
	p.Person = f.Tenant.Person
	for i := range p.Apps {
		app := &p.Apps[i]
		found := f.Tenant.Apps[app.UniqueName]
		app.Used = p.Exists && found.ClientID == f.AWS.Stack.Parameters[app.Parameter]
		if app.Used {
			continue
		}
		if slices.ContainsFunc(found.Owners, func(id string) bool { return id != p.Person }) {
			problems = append(problems, problem("app_owners", app.UniqueName))
		}
		if slices.ContainsFunc(found.Credentials, func(c directory.AppCredential) bool { return c.OfPrincipal }) {
			problems = append(problems, problem("app_principal", app.UniqueName, found.ClientID))
		}
	}
	return problems
}

// disown takes the app from whom Entra has made its owner, since they have made it: see
// [Object ownership]. It goes after the other steps, when Entra's servers know of it. Another
// owner of an app that is used was chosen by a person.
//
// [Object ownership]: https://learn.microsoft.com/entra/fundamentals/users-default-permissions#object-ownership
func (r *runner) disown(app App) step {
	var owners []string
	return step{
		"owners", app.DisplayName,
		func(ctx context.Context) (bool, error) {
			found, err := r.fresh(ctx, app)
			owners = slices.DeleteFunc(slices.Clone(found.Owners), func(id string) bool { return app.Used && id != r.plan.Person })
			return len(owners) == 0, err
		},
		func(ctx context.Context) error {
			return each(ctx, r.apps[app.UniqueName], owners, r.Directory.Disown)
		},
	}
}
