package deployment

import (
	"math"
	"slices"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
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

// Webhook is the configuration of the webhook function.
type Webhook struct {
	Stack
	// NotificationQueue and LifecycleQueue are URLs.
	NotificationQueue, LifecycleQueue string
	// ClientStateSecret is an ARN.
	ClientStateSecret string
}

// ReadWebhook reads it. The error is of type [Faults].
func ReadWebhook(lookup Lookup) (Webhook, error) {
	r := &reader{lookup: lookup}
	c := Webhook{
		Stack:             r.stack(),
		NotificationQueue: r.queue(notificationQueueURL),
		LifecycleQueue:    r.queue(lifecycleQueueURL),
		ClientStateSecret: r.arn(clientStateSecretARN),
	}
	return c, r.err()
}

// Keeper is the configuration of the keeper function.
type Keeper struct {
	Stack
	App
	// ClientStateSecret is an ARN.
	ClientStateSecret string
	// Table is the name of the DynamoDB table.
	Table string
	// NotificationURL is where Graph sends notifications of both kinds.
	NotificationURL string
	// DryRun lets nothing be changed.
	DryRun bool
}

// ReadKeeper reads it. clouds are the names of the national clouds there are. The
// error is of type [Faults].
func ReadKeeper(lookup Lookup, clouds []string) (Keeper, error) {
	r := &reader{lookup: lookup}
	c := Keeper{
		Stack:             r.stack(),
		App:               r.app(clouds),
		ClientStateSecret: r.arn(clientStateSecretARN),
		Table:             r.required(tableName),
		NotificationURL:   r.address(notificationURL, "https"),
		DryRun:            r.truth(dryRun),
	}
	return c, r.err()
}

// Rotator is the configuration of the rotator function.
type Rotator struct {
	Stack
	App
	// ClientStateSecret is an ARN.
	ClientStateSecret string
	// Table is the name of the DynamoDB table.
	Table string
}

// ReadRotator reads it. clouds and error are as with [ReadKeeper].
func ReadRotator(lookup Lookup, clouds []string) (Rotator, error) {
	r := &reader{lookup: lookup}
	c := Rotator{
		Stack:             r.stack(),
		App:               r.app(clouds),
		ClientStateSecret: r.arn(clientStateSecretARN),
		Table:             r.required(tableName),
	}
	return c, r.err()
}

// Users is how users are judged, in the revoker and the sweeper alike.
type Users struct {
	// Table is the name of the DynamoDB table, and NotificationQueue a URL.
	Table, NotificationQueue string
	// FederatedDomains are the names of domains. None means to ask the tenant.
	FederatedDomains []string
	// ExcludedGroups are object ids.
	ExcludedGroups []string
	Policy         revocation.Policy
	// ReplicationLag is that of [revocation.Settings] and [sweep.Settings].
	ReplicationLag time.Duration
	// DryRun lets everything be decided and nothing be done.
	DryRun bool
}

// Revoker is the configuration of the revoker function.
type Revoker struct {
	Stack
	App
	Users
}

// Settings are the times that the revoker works by.
func (c Revoker) Settings() revocation.Settings {
	s := revocation.DefaultSettings
	s.ReplicationLag = c.ReplicationLag
	return s
}

// Sweeper is the configuration of the sweeper function.
type Sweeper struct {
	Stack
	App
	Users
}

// Settings are the times that the sweeper works by.
func (c Sweeper) Settings() sweep.Settings {
	s := sweep.DefaultSettings
	s.ReplicationLag = c.ReplicationLag
	return s
}

// ReadRevoker reads the configuration of the revoker function. clouds and error
// are as with [ReadKeeper].
func ReadRevoker(lookup Lookup, clouds []string) (Revoker, error) {
	r := &reader{lookup: lookup}
	c := Revoker{Stack: r.stack(), App: r.app(clouds), Users: r.users()}
	return c, r.err()
}

// ReadSweeper reads the configuration of the sweeper function. clouds and error
// are as with [ReadKeeper].
func ReadSweeper(lookup Lookup, clouds []string) (Sweeper, error) {
	r := &reader{lookup: lookup}
	c := Sweeper{Stack: r.stack(), App: r.app(clouds), Users: r.users()}
	return c, r.err()
}

func (r *reader) stack() Stack {
	return Stack{Tenant: r.guid(tenantID), Name: r.required(stackName), Namespace: r.required(metricsNamespace)}
}

func (r *reader) app(clouds []string) App {
	app := App{ClientID: r.guid(clientID), Cloud: r.choice(cloud, clouds), Mode: r.authMode()}
	// Of a mode that is not known it is not known either whether there is a secret.
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

func (r *reader) queue(name string) string { return r.address(name, "https", "http") }

func (r *reader) users() Users {
	return Users{
		Table:             r.required(tableName),
		NotificationQueue: r.queue(notificationQueueURL),
		FederatedDomains:  r.domains(),
		ExcludedGroups:    r.ids(excludedGroups),
		Policy: revocation.Policy{
			NewUserWindow: r.newUserWindow(),
			Exclusions:    revocation.Exclusions{IDs: r.ids(excludedUsers), Patterns: r.patterns()},
			Backfill:      revocation.Backfill{Mode: r.mode(), Hours: r.hours(), Ceilings: r.ceilings()},
		},
		ReplicationLag: r.lag(),
		DryRun:         r.truth(dryRun),
	}
}

func (r *reader) domains() []string {
	names := r.list(federatedDomains)
	for i, name := range names {
		if _, err := revocation.FixedDomains(name); err != nil {
			r.fault(federatedDomains, "is not valid: entry %d is not a domain such as contoso.com", i+1)
		}
	}
	return names
}

func (r *reader) patterns() []string {
	patterns := r.list(excludedUPNPatterns)
	for i, pattern := range patterns {
		one := revocation.Exclusions{Patterns: []string{pattern}}
		if one.Validate() != nil {
			r.fault(excludedUPNPatterns, "is not valid: entry %d matches nobody; write a whole user principal name, or use * and ? as in svc-*@contoso.com", i+1)
		}
	}
	return patterns
}

// newUserWindow is at most the age at which the sweep recovers a missed user.
func (r *reader) newUserWindow() time.Duration {
	most := int(sweep.DefaultSettings.Recover / time.Hour)
	return time.Duration(r.number(newUserWindowHours, 1, most)) * time.Hour
}

func (r *reader) mode() revocation.Mode {
	words := []string{string(revocation.ModeReport), string(revocation.ModeEnforce)}
	return revocation.Mode(r.choice(backfillMode, words))
}

func (r *reader) hours() revocation.Hours {
	window, place := r.optional(backfillHours), r.optional(backfillTimeZone)
	if window == "" {
		return revocation.Hours{}
	}
	if _, err := revocation.ParseHours("00:00-12:00", place); err != nil { // the fault is not that window's
		r.fault(backfillTimeZone, "is not a name of the IANA database such as Asia/Tokyo or Europe/Berlin")
		place = "UTC" // nor is it in what comes next
	}
	hours, err := revocation.ParseHours(window, place)
	if err != nil {
		r.fault(backfillHours, "is not HH:MM-HH:MM, such as 22:00-05:00, from one time to another")
	}
	return hours
}

func (r *reader) ceilings() revocation.Ceilings {
	return revocation.Ceilings{
		PerRun:  r.number(ceilingPerRun, 0, math.MaxInt32),
		PerHour: r.number(ceilingPerHour, 0, math.MaxInt32),
		Share:   float64(r.number(ceilingSharePercent, 0, 100)) / 100,
	}
}

// lag leaves room for a call, within the longest delay of a queue.
func (r *reader) lag() time.Duration {
	most := int((revocation.MaxDelay - revocation.DefaultSettings.CallTimeout) / time.Second)
	return time.Duration(r.number(replicationLag, 1, most)) * time.Second
}

// Domains makes the cache of federated domains that is configured.
func (u Users) Domains(lister revocation.DomainLister) (*revocation.DomainCache, error) {
	if len(u.FederatedDomains) > 0 {
		return revocation.FixedDomains(u.FederatedDomains...)
	}
	return revocation.NewDomainCache(lister, revocation.DefaultDomainSettings), nil
}

// Groups makes the cache of excluded groups that is configured, nil for none.
func (u Users) Groups(lister revocation.GroupLister) *revocation.GroupCache {
	if len(u.ExcludedGroups) == 0 {
		return nil
	}
	return revocation.NewGroupCache(lister, slices.Clone(u.ExcludedGroups), revocation.DefaultGroupSettings)
}
