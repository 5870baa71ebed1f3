// Package config reads what an administrator has chosen for a deployment from
// the environment variables of its functions, which the template sets.
//
// All faults are told at once, each by the name of the variable and by what it
// means. What was set instead is not told, since it may be a secret that somebody
// put in the wrong place.
package config

import (
	"math"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// A setting is an environment variable, and what it means in an administrator's words.
type setting struct{ name, meaning string }

var (
	tenantID          = setting{"TENANT_ID", "the directory (tenant) ID"}
	stackName         = setting{"STACK_NAME", "the name of the stack"}
	metricsNamespace  = setting{"METRICS_NAMESPACE", "the CloudWatch namespace of the metrics"}
	tableName         = setting{"TABLE_NAME", "the DynamoDB table"}
	notificationQueue = setting{"NOTIFICATION_QUEUE_URL", "the SQS queue of users to look at"}
	clientStateSecret = setting{"CLIENT_STATE_SECRET_ARN", "the secret that notifications are recognised by"}
	clientID          = setting{"CLIENT_ID", "the application (client) ID of the app registration"}
	stamperClientID   = setting{"STAMPER_CLIENT_ID", "the application (client) ID of the app that the stamper signs in as"}
	cloud             = setting{"CLOUD", "the national cloud that the tenant is in"}
	authMode          = setting{"AUTH_MODE", "how the app signs in to Entra"}
	credentialSecret  = setting{"CREDENTIAL_SECRET_ARN", "the secret that holds the app's certificate or client secret"}
	notificationURL   = setting{"NOTIFICATION_URL", "the address that Microsoft Graph sends notifications to"}
	federatedDomains  = setting{"FEDERATED_DOMAINS", "the federated domains to serve, empty for all"}
	excludedUsers     = setting{"EXCLUDED_USERS", "the object IDs of users who are never signed out"}
	excludedPatterns  = setting{"EXCLUDED_UPN_PATTERNS", "the patterns of user principal names that are never signed out"}
	excludedGroups    = setting{"EXCLUDED_GROUPS", "the object IDs of groups whose members are never signed out"}
	newUserWindow     = setting{"NEW_USER_WINDOW_HOURS", "for how many hours a user counts as new"}
	stampsPerDay      = setting{"STAMPS_PER_DAY", "how many users may be stamped automatically in 24 hours"}
	signalMode        = setting{"SIGNAL_MODE", "what becomes of what identity providers report"}
	signalQueue       = setting{"SIGNAL_QUEUE_URL", "the SQS queue of signals"}
	signalURL         = setting{"SIGNAL_URL", "the address below which identity providers send signals"}
	urgentSignalQueue = setting{"URGENT_SIGNAL_QUEUE_URL", "the SQS queue of signals that go first"}
	dryRun            = setting{"DRY_RUN", "whether everything is decided and nobody is signed out"}
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
	// FederatedDomains are the only ones served, with what is below them. None: all.
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

// Receiver is the configuration of the receiver function, for signals.
type Receiver struct {
	Stack
	// Table is the name of the DynamoDB table, and the queues are URLs.
	Table, SignalQueue, UrgentSignalQueue string
}

// Worker is the configuration of the stamper, the sweeper and the resolver function.
type Worker struct {
	Stack
	App
	Users
}

// Keeper is the configuration of the keeper function. It holds the settings of the others
// too, to refuse a deployment in which one of them could not work.
type Keeper struct {
	Worker
	// ClientStateSecret is an ARN.
	ClientStateSecret string
	// NotificationURL is where Graph sends notifications.
	NotificationURL string
	// SignalURL ends with a slash: with the id of a source behind it, it is where that sends
	// signals. It is empty where the signal mode is off.
	SignalURL string
}

// ReadWebhook reads the configuration of the webhook function. The error is of type
// [Faults].
func ReadWebhook(lookup Lookup) (Webhook, error) {
	r := &reader{lookup: lookup}
	c := Webhook{
		Stack:             r.stack(),
		NotificationQueue: r.queue(),
		ClientStateSecret: r.arn(clientStateSecret),
	}
	return c, r.err()
}

// ReadReceiver reads the configuration of the receiver function. The error is of type
// [Faults].
func ReadReceiver(lookup Lookup) (Receiver, error) {
	r := &reader{lookup: lookup}
	c := Receiver{
		Stack: r.stack(), Table: r.required(tableName),
		SignalQueue:       r.address(signalQueue, "https://", "http://"),
		UrgentSignalQueue: r.address(urgentSignalQueue, "https://", "http://"),
	}
	return c, r.err()
}

// ReadWorker reads the configuration of the stamper, the sweeper or the resolver function. clouds are
// the names of the national clouds there are. The error is of type [Faults].
func ReadWorker(lookup Lookup, clouds []string) (Worker, error) {
	r := &reader{lookup: lookup}
	return r.worker(clouds), r.err()
}

// ReadKeeper reads the configuration of the keeper function, and with it the settings of
// all others. clouds and error are as with [ReadWorker].
func ReadKeeper(lookup Lookup, clouds []string) (Keeper, error) {
	r := &reader{lookup: lookup}
	c := Keeper{
		Worker:            r.worker(clouds),
		ClientStateSecret: r.arn(clientStateSecret),
		NotificationURL:   r.address(notificationURL, "https://"),
	}
	if mode, _ := lookup(signalMode.name); mode != "off" {
		c.SignalURL = r.address(signalURL, "https://")
	}
	r.checkGUID(stamperClientID) // for the stamper, which has it as its CLIENT_ID
	r.checkSize()
	return c, r.err()
}

func (r *reader) stack() Stack {
	return Stack{Tenant: r.guid(tenantID), Name: r.required(stackName), Namespace: r.required(metricsNamespace)}
}

func (r *reader) queue() string { return r.address(notificationQueue, "https://", "http://") }

func (r *reader) worker(clouds []string) Worker {
	return Worker{Stack: r.stack(), App: r.app(clouds), Users: r.users()}
}

func (r *reader) app(clouds []string) App {
	var modes []string
	for _, mode := range directory.AuthModes() {
		modes = append(modes, string(mode))
	}
	app := App{
		ClientID: r.guid(clientID),
		Cloud:    r.choice(cloud, clouds...),
		Mode:     directory.AuthMode(r.choice(authMode, modes...)),
	}
	// For an unknown mode it is also unknown whether there is a secret.
	if app.Mode.Stored() {
		app.CredentialSecret = r.arn(credentialSecret)
	}
	return app
}

// maxWindow is the longest window for new users, in hours: a week, as in template.yaml.
const maxWindow = 168

func (r *reader) users() Users {
	policy := stamp.DefaultPolicy
	policy.NewUserWindow = time.Duration(r.number(newUserWindow, 1, maxWindow)) * time.Hour
	policy.EnforceSignals = r.choice(signalMode, "off", "report", "enforce") == "enforce"
	policy.Exclusions = stamp.Exclusions{IDs: r.ids(excludedUsers), Patterns: r.patterns()}
	return Users{
		Table:             r.required(tableName),
		NotificationQueue: r.queue(),
		FederatedDomains:  r.domains(),
		ExcludedGroups:    r.groups(),
		Policy:            policy,
		StampsPerDay:      r.number(stampsPerDay, 0, math.MaxInt32),
		DryRun:            r.choice(dryRun, "true", "false") == "true",
	}
}
