// Package setup takes a tenant and an AWS account from nothing to a running deployment. What
// is to be done is a [Plan], made of what was read and what a person wishes; [Run] does it in
// steps that each look first, so that a run which broke off anywhere goes on with the next
// one; [Undo] takes everything away again. It links no SDK: whoever runs it brings the [World].
package setup

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// A Deployment is where sessionstamp runs: no two have the same.
type Deployment struct {
	// Stack is the name of the CloudFormation stack. Partition is "aws", "aws-cn" or
	// "aws-us-gov", Account 12 digits, Region such as "ap-northeast-1".
	Stack, Partition, Account, Region string
}

// The functions that sign in to Entra, by the part of their names that the stack adds.
const (
	stamper = "stamper"
	keeper  = "keeper"
	sweeper = "sweeper"
	// resolver is there where signals are not off.
	resolver = "resolver"
)

// signalsOff is the SignalMode of a stack that listens to no provider.
const signalsOff = "off"

// Role returns the ARN of a function's role: the subject of its tokens. template.yaml names
// the roles, so it is known before there is a stack.
func (d Deployment) Role(function string) string {
	return fmt.Sprintf("arn:%s:iam::%s:role/%s-%s-%s", d.Partition, d.Account, d.Stack, function, d.Region)
}

// UniqueName returns the name by which Entra finds the app of a role: "reader" or "stamper".
func (d Deployment) UniqueName(role string) string {
	return fmt.Sprintf("sessionstamp-%s-%s-%s-%s", d.Stack, d.Account, d.Region, role)
}

// SecretName is that of the secret in Secrets Manager that holds the app's client secret.
func (d Deployment) SecretName() string { return d.Stack + "/entra" }

// longestStack keeps a credential's name within the [90 characters] that Graph does not
// shorten.
//
// [90 characters]: https://learn.microsoft.com/graph/api/resources/keycredential
const longestStack = 40

// credentials is how the names of our credentials begin. Several stacks may share an app.
func (d Deployment) credentials() string {
	sum := sha256.Sum256([]byte(d.Account + "/" + d.Region + "/" + d.Stack))
	return fmt.Sprintf("sessionstamp %.*s %x ", longestStack, d.Stack, sum[:4])
}

// Ours tells whether the command has made a credential of that displayName for this
// deployment.
func (d Deployment) Ours(name string) bool { return strings.HasPrefix(name, d.credentials()) }

// CredentialName is one for a new credential, different each time.
func (d Deployment) CredentialName() string {
	return d.credentials() + strings.ToLower(rand.Text()[:8])
}

// The permissions of Graph that the apps are granted.
const (
	readUsers   = "User.Read.All"
	readDomains = "Domain.Read.All"
	readGroups  = "GroupMember.Read.All"
	revoke      = "User.RevokeSessions.All"
)

// An App is an app registration as it is to be.
type App struct {
	// Parameter is that of the template that takes the client ID.
	Parameter               string
	UniqueName, DisplayName string
	// Rights are all that it is granted, and Trusts whom it trusts instead of a secret.
	Rights []string
	Trusts []directory.FederatedCredential
	// Used tells that the deployment signs in as it already.
	Used bool
}

// Facts are what was read before the plan.
type Facts struct {
	// Tenant is the zero one where the person has no right in Entra, AWS where the person
	// has none in AWS.
	Tenant Tenant
	AWS    Account
}

// A Tenant is what Graph shows.
type Tenant struct {
	// ID is a lower-case GUID, Cloud the name of the cloud, and Audience whom tokens are
	// addressed to that are exchanged there.
	ID, Cloud, Audience string
	// Person is the object id of who is signed in, "" for an app.
	Person  string
	Domains []directory.Domain
	Users   []directory.User
	// Groups are what was found by each name or ID of [Wishes.ExcludedGroups].
	Groups map[string][]directory.Group
	// Apps are those that there are already, by UniqueName.
	Apps map[string]directory.App
}

// An Account is what AWS shows.
type Account struct {
	ID, Partition, Region string
	// RegionFrom tells where the region was found: "--region", "AWS_REGION", a file.
	RegionFrom string
	// Caller is the ARN of whoever is signed in.
	Caller string
	// Issuer is that of the account's tokens, "" where outbound federation is off.
	Issuer string
	// Concurrency is how many functions may run at once, 0 where that cannot be read.
	Concurrency int
	// Stack is the one of the wished name; its Status is "" where there is none.
	Stack Stack
	// Others are the tenants that other stacks of sessionstamp's serve in this account and
	// region, by the stacks' names.
	Others map[string]string
	// Leftovers are what earlier stacks of that name have left.
	Leftovers []Leftover
	// Streams are the names of the sources whose transmitters hold a stream of ours. They are
	// read where [Wishes.SignalsOff].
	Streams []string
}

// A Stack is CloudFormation's.
type Stack struct {
	ID string
	// Status is as in "CREATE_COMPLETE".
	Status string
	// Ours tells that its description begins as that of template.yaml.
	Ours bool
	// Version is that of the sessionstamp that was deployed.
	Version                   string
	Parameters, Outputs, Tags map[string]string
	// Failure is the first sentence in its events that tells of one.
	Failure string
	// At is the resource that CloudFormation is at, by its logical name, "" for none.
	At string
}

// Elsewhere tells whether the stack is for another tenant than that of an ID.
func (s Stack) Elsewhere(tenant string) bool {
	is := s.Parameters[tenantID]
	return is != "" && tenant != "" && !strings.EqualFold(is, tenant)
}

// Renamed are the names that parameters had in earlier versions, by which an old stack has
// their values.
var Renamed = map[string][]string{alarmsTo: {"AlarmTopicArn", "AlarmEmail"}}

// parameter returns a value that the stack has, be it by an earlier name.
func (s Stack) parameter(name string) (value string, known bool) {
	if value, known = s.Parameters[name]; known {
		return value, true
	}
	for _, old := range Renamed[name] {
		if s.Parameters[old] != "" {
			return s.Parameters[old], true
		}
	}
	return "", false
}

// A Leftover is what outlives a stack, since it tells why each person was signed out.
type Leftover struct {
	Kind Kind
	Name string
	// Empty tells that nothing is in it, so that nothing is lost with it.
	Empty bool
}

// Kind is what kind of thing is left.
type Kind string

// The kinds there are.
const (
	Table Kind = "table" // of DynamoDB
	Log   Kind = "log"   // a log group of CloudWatch
)

// Mandate is which part of a setup is to be done.
type Mandate int

// Two people may share the work: the one of AWS begins and ends it, the one of Entra acts
// between.
const (
	Whole     Mandate = iota
	AWSFirst          // lets AWS vouch, and asks the person of Entra
	EntraHalf         // makes the apps, and answers
	AWSLast           // deploys
)

// Wishes are what a person has said.
type Wishes struct {
	Mandate Mandate
	Stack   string
	// Flags and File are values of the template's parameters, by their names. Flags come
	// before the file.
	Flags, File map[string]string
	// Excluded are users by object ID, user principal name or pattern, in addition to those that
	// the deployment excludes; or "none" alone, which takes all away. ExcludedGroups are object
	// IDs or names; or "none" alone.
	Excluded, ExcludedGroups []string
	// Apps is how many there are to be: 1, which does all, or 2; 0 for as many as the
	// deployment has, and 2 without one.
	Apps int
	// Request and Answer are what the other person has sent.
	Request Request
	Answer  Answer
	// Version is that of the functions to deploy.
	Version string
}

// SignalsOff tells whether a person wishes that the deployment listens to no provider.
func (w Wishes) SignalsOff() bool {
	return cmp.Or(w.Flags[signalMode], w.File[signalMode]) == signalsOff
}

// none empties a list that the deployment has.
const none = "none"

// A Problem is a sentence of the command's catalogue, by its key without "setup.problem.", and
// the arguments of the sentence.
type Problem struct {
	Key  string
	Args []any
}

func problem(key string, args ...any) Problem { return Problem{key, args} }

// federated returns the names of the domains that users can be stamped in.
func (t Tenant) federated() (names []string) {
	for _, d := range t.Domains {
		if d.Federated && d.Verified {
			names = append(names, d.Name)
		}
	}
	return names
}

// matching returns how many users an exclusion protects.
func (t Tenant) matching(e stamp.Exclusions) (n int) {
	for _, u := range t.Users {
		if _, ok := e.Match(u); ok {
			n++
		}
	}
	return n
}

// lag is how long Entra may take to know an issuer that it meets for the first time.
const lag = 30 * time.Minute
