package doctor

import (
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/keeper"
	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

// Evidence is all that is known, in the vendors' words. Whoever fills it in leaves a piece
// as it is, or says why it could not be asked for: see [NotAsked]. Values that a vendor adds
// one day are kept as they come, and match no rule.
type Evidence struct {
	// Now is the moment of the question, in the person's time zone.
	Now time.Time
	// Command is the version of this command, as package bundle has it.
	Command string
	// System is this machine's runtime.GOOS.
	System string
	// Stack is the name of the stack that is looked at, and Named tells that the person has
	// written it.
	Stack string
	Named bool
	// Given are the flags by which a command means the same stack, with a blank before each.
	Given string

	// Clock is how far this machine's clock is ahead of the vendors', below 0 where it is
	// behind.
	Clock Answer[time.Duration]
	// SAM tells whether the command sam is there.
	SAM Answer[bool]
	// File is the state of the local file.
	File Answer[FileState]

	// Account is who is signed in to AWS.
	Account Answer[Account]
	// Issuer is that of the account's outbound federation, empty where it is off.
	Issuer Answer[string]
	// Stacks are all of ours in the account and region.
	Stacks Answer[[]Deployment]
	// Deployment is the stack. All that follows is of it.
	Deployment Answer[Deployment]
	Functions  Answer[[]Function]
	Switches   Answer[[]Switch]
	Queue      Answer[Queue]
	// Key is the KeyState of the stack's own KMS key, empty where it has none.
	Key       Answer[string]
	Table     Answer[Table]
	Secrets   Answer[[]Secret]
	Alarms    Answer[[]Alarm]
	Receivers Answer[Receivers]
	Front     Answer[Front]

	// SignedIn is the id of the tenant that the person has signed in to.
	SignedIn Answer[string]
	// Reader and Stamper are the apps. Where one app does all, it is the Reader.
	Reader, Stamper Answer[App]
	Domains         Answer[[]directory.Domain]
	Excluded        Answer[Excluded]
	Users           Answer[Users]

	// SignalQueue is both queues of what providers report, Signals are the sources, and
	// SignalSecrets the ids of those that have a secret.
	SignalQueue   Answer[Queue]
	Signals       Answer[signal.Registry]
	SignalSecrets Answer[[]string]

	// The records of the stack's table. One never written is empty.
	Keeper Answer[keeper.Record]
	Sweep  Answer[sweep.Checkpoint]
	Brake  Answer[stamp.BrakeState]
	// Attention counts the reasons of the last 24 hours for which a person was called, by the
	// code that the functions log.
	Attention Answer[map[string]int]
	// Refused are the ids of the sources of signals of which the receiver has refused a post in
	// the last 24 hours, as far as its log tells.
	Refused []string
	Traffic Answer[Traffic]
}

// FileState is how the local file stands.
type FileState string

// The states of the file.
const (
	FileFine    FileState = "fine" // or not there
	FileLocked  FileState = "locked"
	FileDamaged FileState = "damaged"
)

// Account is who is signed in to AWS. Trouble is what keeps anybody from being so.
type Account struct {
	ID, Region string
	Trouble    Trouble
	// Profile is the one that the person has named, "" for none.
	Profile string
}

// Trouble is why AWS can't be asked.
type Trouble string

// The troubles.
const (
	NoCredentials      Trouble = "no_credentials"
	NoProfile          Trouble = "no_profile" // the one named in Account does not sign in
	ExpiredCredentials Trouble = "expired"
	InvalidCredentials Trouble = "invalid" // AWS does not know them
	NoRegion           Trouble = "no_region"
)

// Deployment is a stack.
type Deployment struct {
	Found bool
	// Name and Status are CloudFormation's, and Failure is the first that failed, in its
	// words.
	Name, Status, Failure string
	Created               time.Time
	Version               string
	// Tenant, Reader and Stamper are the ids in its parameters; Stamper is empty where one
	// app does all.
	Tenant, Reader, Stamper string
	// Apps are the unique names that setup gives to the apps of this stack, by "reader" and
	// "stamper".
	Apps map[string]string
	Mode directory.AuthMode
	// Credential is the name at the app of the credential that is stored, "" where that is not
	// known.
	Credential string
	// Audience is that of the federated credentials, and Subjects their subjects, by the name
	// of the function.
	Audience string
	Subjects map[string]string
	// Domains are those that FederatedDomains names, and Groups those of ExcludedGroups.
	Domains, Groups []string
	DryRun          bool
	// SignalMode is "off", "report" or "enforce", "" where it is not known.
	SignalMode string
}

// Function is a Lambda function of the stack. Name is our name of it: "webhook", "stamper",
// "keeper", "sweeper", "receiver" or "resolver".
type Function struct {
	Name  string
	Found bool
	// State and LastUpdate are State and LastUpdateStatus of its [configuration], and Why the
	// reason of the one that failed.
	//
	// [configuration]: https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html
	State, LastUpdate, Why string
	// Stopped tells that its reserved concurrency is 0.
	Stopped bool
	// Errors are its invocations of the last hour that failed.
	Errors int
}

// Switch is what starts a function: an event source mapping of stamper or resolver, or the
// schedule of keeper or sweeper. ID is its UUID or name.
type Switch struct {
	Function, ID string
	Found, On    bool
	// Queue is the logical name of the queue that it empties, of the resolver's two.
	Queue string
}

// Queue is how the notifications wait.
type Queue struct {
	Found bool
	// Oldest is how long the oldest has been waiting, and Waiting how many are.
	Oldest  time.Duration
	Waiting int
	// Dead are those given up, and DeadARN the queue in which they are.
	Dead    int
	DeadARN string
}

// Table is the DynamoDB table.
type Table struct {
	Name                        string
	Found, Protected, Recovered bool // Recovered: point-in-time recovery is on
}

// Secret is one of Secrets Manager that the stack needs. Name is our name of it:
// "clientState" or "credential".
type Secret struct {
	Name, ARN string
	Found     bool
	// Deleted tells that it is scheduled for deletion.
	Deleted bool
}

// Alarm is one of CloudWatch. Name is what follows the stack's name.
type Alarm struct {
	Name         string
	Rings, Muted bool
	Since        time.Time
}

// Receivers counts the subscriptions of the topic for alarms. Pending ones have been asked,
// and have not answered.
type Receivers struct{ Confirmed, Pending int }

// Front is what the API has answered in the last 24 hours.
type Front struct{ Faults, Throttled int }

// App is an app registration, or what became of it.
type App struct {
	directory.App
	State AppState
}

// AppState is whether an app is there.
type AppState string

// The states of an app.
const (
	AppFound   AppState = "found"
	AppMissing AppState = "missing"
	// AppDeleted can be restored for 30 days.
	AppDeleted AppState = "deleted"
)

// Excluded are the object ids in the settings that protect nobody.
type Excluded struct {
	// Users and Groups are not in the tenant; Empty groups have no member, and Hidden ones do
	// not show them.
	Users, Groups, Empty, Hidden []string
}

// Users are the members of federated domains.
type Users struct {
	// Without have no stamp.
	Without int
	// New and NewWithout are those who were created while the stack was there, an hour ago at
	// least and seven days at most.
	New, NewWithout int
}

// Traffic is what came in the last seven days.
type Traffic struct {
	// Missed are the users of whom only the sweep told, and Stamped all who were stamped.
	Missed, Stamped int
	// Forged are notifications without our secret.
	Forged int
	// CannotFix are users whom Graph does not let us stamp.
	CannotFix int
	// Excluded are reports of excluded users by providers.
	Excluded int
}
