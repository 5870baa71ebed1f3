package config

import (
	"math"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// Stack is what every function knows of its deployment.
type Stack struct {
	// Tenant is the Entra tenant id, a lower-case GUID.
	Tenant string
	// Name is that of the stack, and Namespace that of its metrics in CloudWatch.
	Name, Namespace string
}

// App is how a function signs in to Microsoft Graph.
type App struct {
	// ClientID is that of the app registration, a lower-case GUID.
	ClientID string
	// Cloud is the name of the national cloud.
	Cloud string
	Mode  directory.AuthMode
	// CredentialSecret is the ARN of the secret that holds the credential, "" where
	// none is stored.
	CredentialSecret string
}

// Users is how users are judged, in the stamper and the sweeper alike.
type Users struct {
	// Table is the name of the DynamoDB table, and NotificationQueue a URL.
	Table, NotificationQueue string
	// FederatedDomains are the names of domains. None means to ask the tenant.
	FederatedDomains []string
	// ExcludedGroups are object ids.
	ExcludedGroups []string
	Policy         stamp.Policy
	// StampsPerDay is the brake's limit, 0 for the larger of 200 and a fifth of the
	// members.
	StampsPerDay int
	// DryRun lets everything be decided and nobody be signed out.
	DryRun bool
}

// Webhook is the configuration of the webhook function.
type Webhook struct {
	Stack
	// NotificationQueue is a URL, and ClientStateSecret an ARN.
	NotificationQueue, ClientStateSecret string
}

// Stamper is the configuration of the stamper function.
type Stamper struct {
	Stack
	App
	Users
}

// Sweeper is the configuration of the sweeper function.
type Sweeper struct {
	Stack
	App
	Users
}

// Keeper is the configuration of the keeper function. Users are read only to refuse a
// deployment in which another function could not work.
type Keeper struct {
	Stack
	App
	Users
	// ClientStateSecret is an ARN.
	ClientStateSecret string
	// NotificationURL is where Graph sends notifications.
	NotificationURL string
}

// ReadWebhook reads the configuration of the webhook function. The error is of type
// [Faults].
func ReadWebhook(lookup Lookup) (Webhook, error) {
	r := &reader{lookup: lookup}
	c := Webhook{
		Stack:             r.stack(),
		NotificationQueue: r.queue(),
		ClientStateSecret: r.arn(clientStateSecretARN),
	}
	return c, r.err()
}

// ReadStamper reads the configuration of the stamper function. clouds are the names of
// the national clouds there are. The error is of type [Faults].
func ReadStamper(lookup Lookup, clouds []string) (Stamper, error) {
	r := &reader{lookup: lookup}
	c := Stamper{Stack: r.stack(), App: r.app(clouds), Users: r.users()}
	return c, r.err()
}

// ReadSweeper reads the configuration of the sweeper function. clouds and error are as
// with [ReadStamper].
func ReadSweeper(lookup Lookup, clouds []string) (Sweeper, error) {
	r := &reader{lookup: lookup}
	c := Sweeper{Stack: r.stack(), App: r.app(clouds), Users: r.users()}
	return c, r.err()
}

// ReadKeeper reads the configuration of the keeper function, and with it the settings of
// all others. clouds and error are as with [ReadStamper].
func ReadKeeper(lookup Lookup, clouds []string) (Keeper, error) {
	r := &reader{lookup: lookup}
	c := Keeper{
		Stack:             r.stack(),
		App:               r.app(clouds),
		Users:             r.users(),
		ClientStateSecret: r.arn(clientStateSecretARN),
		NotificationURL:   r.address(notificationURL, "https"),
	}
	r.size()
	return c, r.err()
}

func (r *reader) stack() Stack {
	return Stack{Tenant: r.guid(tenantID), Name: r.required(stackName), Namespace: r.required(metricsNamespace)}
}

func (r *reader) queue() string { return r.address(notificationQueueURL, "https", "http") }

func (r *reader) app(clouds []string) App {
	app := App{ClientID: r.guid(clientID), Cloud: r.choice(cloud, clouds), Mode: r.authMode()}
	// For an unknown mode it is also unknown whether there is a secret.
	if app.Mode.Stored() {
		app.CredentialSecret = r.arn(credentialSecretARN)
	}
	return app
}

func (r *reader) authMode() directory.AuthMode {
	var words []string
	for _, mode := range directory.AuthModes() {
		words = append(words, string(mode))
	}
	return directory.AuthMode(r.choice(authMode, words))
}

// maxWindow is the longest window for new users, in hours: a week, as in template.yaml.
const maxWindow = 168

func (r *reader) users() Users {
	policy := stamp.DefaultPolicy
	policy.NewUserWindow = time.Duration(r.number(newUserWindowHours, 1, maxWindow)) * time.Hour
	policy.Exclusions = stamp.Exclusions{IDs: r.ids(excludedUsers), Patterns: r.patterns()}
	return Users{
		Table:             r.required(tableName),
		NotificationQueue: r.queue(),
		FederatedDomains:  r.domains(),
		ExcludedGroups:    r.ids(excludedGroups),
		Policy:            policy,
		StampsPerDay:      r.number(stampsPerDay, 0, math.MaxInt32),
		DryRun:            r.truth(dryRun),
	}
}

// Domains makes the federated domains that are configured.
func (u Users) Domains(lister stamp.DomainLister) (*stamp.Domains, error) {
	if len(u.FederatedDomains) > 0 {
		return stamp.FixedDomains(u.FederatedDomains...)
	}
	return stamp.NewDomains(lister), nil
}
