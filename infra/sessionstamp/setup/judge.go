package setup

import (
	"maps"
	"regexp"
	"slices"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/bundle"
	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// minConcurrency is how many functions run at once when all have work: two stampers, and one
// of each other. Signals wait.
const minConcurrency = 5

// longestRole is how many characters the name of an IAM role has at most
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html).
const longestRole = 64

// where judges the place of the deployment.
func (p *Plan) where(f Facts) (problems []Problem) {
	longest := p.Stack + "-schedule-" + p.Region
	switch stack := f.AWS.Stack; {
	case p.Region == "" || p.Account == "":
		problems = append(problems, problem("no_region"))
	case !regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]*$`).MatchString(p.Stack):
		problems = append(problems, problem("stack_name", p.Stack))
	case len(longest) > longestRole:
		problems = append(problems, problem("stack_long", p.Stack, len(p.Stack)-(len(longest)-longestRole)))
	case stack.Status != "" && !stack.Ours:
		problems = append(problems, problem("stack_other", p.Stack))
	case p.Exists && stack.Elsewhere(p.Tenant):
		problems = append(problems, problem("tenant_other", p.Stack, stack.Parameters[tenantID], p.Tenant))
	case p.Exists && bundle.Behind(p.Version, stack.Version):
		problems = append(problems, problem("newer", stack.Version, p.Version))
	}
	if n := f.AWS.Concurrency; n > 0 && n < minConcurrency {
		problems = append(problems, problem("concurrency", n, minConcurrency))
	}
	for _, left := range f.AWS.Leftovers {
		if left.Kind == Log && !left.Empty && !p.Exists {
			problems = append(problems, problem("log_left", left.Name))
		}
	}
	return problems
}

// entra judges tenant and apps. Whoever may register apps may have taken the unique name before
// us: who could sign in as such an app must not come by its rights.
func (p *Plan) entra(f Facts) (problems []Problem) {
	if f.Tenant.Domains != nil && len(f.Tenant.federated()) == 0 {
		problems = append(problems, problem("not_federated"))
	}
	if id := f.Tenant.ID; id != "" && !directory.IsID(id) { // an app may sign in by the name of a tenant
		problems = append(problems, problem("value", tenantID, id, guid))
	}
	for _, app := range p.Apps {
		if !p.Exists && slices.ContainsFunc(f.Tenant.Apps[app.UniqueName].Credentials, p.stored) {
			problems = append(problems, problem("app_credentials", app.UniqueName))
		}
	}
	return append(problems, shared(f.Tenant.Apps, p.stranger)...)
}

// stored tells whether another has stored a credential. Where we make no secret all are of
// others, whatever their names; where we do, those with our names are removed before the app
// gets its rights.
func (p *Plan) stored(c directory.AppCredential) bool {
	return !c.OfPrincipal && (!p.Ours(c.Name) || c.Certificate || p.Mode == directory.AuthWebIdentity)
}

// stranger tells whether another than the functions' roles signs in by a federated credential.
// Another issuer calls anybody what it wants. Those of AWS vouch for their own account alone, so
// one that the account has no more is replaced.
func (p *Plan) stranger(f directory.FederatedCredential) bool {
	return p.Deployment.stranger(f) || f.Issuer != p.Issuer && !issuers.MatchString(f.Issuer)
}

func (d Deployment) stranger(f directory.FederatedCredential) bool {
	return !slices.Contains([]string{d.Role(stamper), d.Role(keeper), d.Role(sweeper), d.Role(resolver)}, f.Subject)
}

// shared finds the apps that a stranger signs in to as well.
func shared(apps map[string]directory.App, stranger func(directory.FederatedCredential) bool) (problems []Problem) {
	for _, name := range slices.Sorted(maps.Keys(apps)) {
		if slices.ContainsFunc(apps[name].Federated, stranger) {
			problems = append(problems, problem("app_other", name))
		}
	}
	return problems
}
