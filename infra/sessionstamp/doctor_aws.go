package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/doctor"
	"github.com/sessionstamp/sessionstamp/shared/aws/account"
	"github.com/sessionstamp/sessionstamp/shared/aws/stack"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

// accountAsker is what the doctor asks of an account.
type accountAsker interface {
	Issuer(ctx context.Context) (string, error)
	Stacks(ctx context.Context) ([]*stack.Stack, error)
}

// inAccount asks AWS.
type inAccount struct{ *account.Account }

// Stacks lists all of sessionstamp's.
func (a inAccount) Stacks(ctx context.Context) ([]*stack.Stack, error) {
	return stack.List(ctx, a.Account)
}

// stackAsker is what the doctor asks of a stack, and has it do.
type stackAsker interface {
	Function(ctx context.Context, logical string) (stack.Function, error)
	Trigger(ctx context.Context, logical string) (state string, err error)
	Schedule(ctx context.Context, logical string) (state string, err error)
	Queues(ctx context.Context) (requests, dead stack.Waiting, err error)
	SignalQueues(ctx context.Context) (waiting, dead stack.Waiting, err error)
	SignalSecrets(ctx context.Context) (sources []string, err error)
	Figures(ctx context.Context, now time.Time) (stack.Figures, error)
	KeyState(ctx context.Context) (string, error)
	TableSettings(ctx context.Context) (stack.TableSettings, error)
	SecretDeleted(ctx context.Context, arn string) (bool, error)
	Alarms(ctx context.Context) ([]stack.Alarm, error)
	Receivers(ctx context.Context) (confirmed, pending int, err error)
	Memory(ctx context.Context) (stack.Memory, error)
	Sums(ctx context.Context, from, to time.Time, names ...string) (map[string]float64, error)
	Logs(ctx context.Context, function string, since time.Time, pattern string, limit int) (records []stack.Record, more bool, err error)

	EnableSchedule(ctx context.Context, logical string) error
	ProtectTable(ctx context.Context) error
	Order(ctx context.Context, o sweep.Order) (sweep.Report, error)
}

// The functions that sign in to Entra, by our names.
var signers = []string{"stamper", "keeper", "sweeper", "resolver"}

// deploymentOf is what CloudFormation says of a stack, and what follows from its name and place.
func deploymentOf(a *account.Account, s *stack.Stack) doctor.Deployment {
	d := doctor.Deployment{
		Found: true, Name: s.Name, Status: s.Status, Failure: s.Failure, Created: s.Created, Version: s.Version,
		Tenant: s.Parameters["TenantId"], Reader: s.Parameters["ClientId"], Stamper: s.Parameters["StamperClientId"],
		Mode: directory.AuthMode(s.Parameters["AuthMode"]), Audience: s.Outputs["TokenAudience"],
		Domains: entriesOf(s, "FederatedDomains"), Groups: entriesOf(s, "ExcludedGroups"),
		DryRun: observes(s), SignalMode: string(s.SignalMode()), Subjects: make(map[string]string), Apps: make(map[string]string),
	}
	if d.Stamper == d.Reader {
		d.Stamper = "" // one app does all
	}
	named := deploymentIn(a, s.Name)
	for _, function := range signers {
		d.Subjects[function] = named.Role(function)
	}
	for _, role := range []string{"reader", "stamper"} {
		d.Apps[role] = named.UniqueName(role)
	}
	return d
}

func (c *call) gatherAWS(ctx context.Context, x examined, e *doctor.Evidence) {
	issuer, err := x.aws.Issuer(ctx)
	e.Issuer = answered(issuer, err)
	all, err := x.aws.Stacks(ctx)
	stacks := make([]doctor.Deployment, len(all))
	for i, s := range all {
		stacks[i] = deploymentOf(x.account, s)
	}
	e.Stacks = answered(stacks, err)
	if x.stack != nil {
		gatherStack(ctx, x, e)
	}
}

// storedName is the name of the credential that a stack's secret holds. Who may not read the
// secret does not learn it.
func storedName(ctx context.Context, a *account.Account, s *stack.Stack) string {
	if !directory.AuthMode(s.Parameters["AuthMode"]).Stored() {
		return ""
	}
	text, _ := a.SecretValue(ctx, s.Parameters["CredentialSecretArn"], account.Current)
	stored, _ := account.ParseStored(text)
	return stored.Name
}

// gatherStack asks about everything in the stack.
func gatherStack(ctx context.Context, x examined, e *doctor.Evidence) {
	figures, unmeasured := x.asks.Figures(ctx, e.Now)
	e.Functions = functionsOf(ctx, x, figures)
	e.Switches = switchesOf(ctx, x)
	e.Queue = queueOf(ctx, x, figures, unmeasured)
	key, err := x.asks.KeyState(ctx)
	e.Key = answered(key, err)
	table, err := x.asks.TableSettings(ctx)
	e.Table = found(doctor.Table{Name: x.stack.Resources["Table"], Found: true, Protected: table.Protected, Recovered: table.Recoverable},
		doctor.Table{Name: x.stack.Resources["Table"]}, err)
	e.Secrets = secretsOf(ctx, x)
	e.Alarms = alarmsOf(ctx, x)
	confirmed, pending, err := x.asks.Receivers(ctx)
	e.Receivers = answered(doctor.Receivers{Confirmed: confirmed, Pending: pending}, err)
	throttled, _, err := x.asks.Logs(ctx, "Api", e.Now.Add(-24*time.Hour), `{ $.status = "429" }`, mostRecords)
	e.Front = answered(doctor.Front{Faults: figures.Faults, Throttled: len(throttled)}, errors.Join(unmeasured, err))
	memory, err := x.asks.Memory(ctx)
	e.Keeper, e.Sweep, e.Brake = answered(memory.Keeper, err), answered(memory.Sweep, err), answered(memory.Brake, err)
	e.Signals = answered(memory.Signals, err)
	if x.stack.SignalMode() != stack.SignalsOff {
		waiting, dead, err := x.asks.SignalQueues(ctx)
		e.SignalQueue = found(doctor.Queue{Found: true, Waiting: waiting.Sum(), Dead: dead.Sum(), DeadARN: x.queueARN("SignalDeadLetterQueue")}, doctor.Queue{}, err)
		secrets, err := x.asks.SignalSecrets(ctx)
		e.SignalSecrets = answered(secrets, err)
	}
	e.Attention = attentionOf(ctx, x, e.Now)
	if x.stack.SignalMode() != stack.SignalsOff {
		e.Refused = refusedOf(ctx, x, e.Now)
	}
	e.Traffic = trafficOf(ctx, x, e.Now)
}

// found is an answer also where the resource is gone.
func found[T any](is, gone T, err error) doctor.Answer[T] {
	if errors.Is(err, stack.ErrNoResource) {
		return doctor.Asked(gone)
	}
	return answered(is, err)
}

func partName(logical string) string {
	return strings.ToLower(strings.TrimSuffix(strings.TrimSuffix(logical, "Function"), "Schedule"))
}

func functionsOf(ctx context.Context, x examined, figures stack.Figures) doctor.Answer[[]doctor.Function] {
	var all []doctor.Function
	for _, logical := range x.stack.FunctionNames() {
		f, err := x.asks.Function(ctx, logical)
		is := doctor.Function{
			Name: partName(logical), Found: true, State: f.State, LastUpdate: f.Updated, Why: strings.TrimSpace(f.Reason + " " + f.UpdateReason),
			Stopped: f.Reserved == 0, Errors: figures.Errors[logical],
		}
		one, asked := found(is, doctor.Function{Name: partName(logical)}, err).Get()
		if !asked {
			return doctor.NotAsked[[]doctor.Function](whyNot(err))
		}
		all = append(all, one)
	}
	return doctor.Asked(all)
}

// switchesOf takes what is on the way to be on for on.
func switchesOf(ctx context.Context, x examined) doctor.Answer[[]doctor.Switch] {
	var state string
	var err error
	var all []doctor.Switch
	add := func(function, logical string, on bool) bool {
		queue := ""
		if source, is := strings.CutSuffix(logical, "EventSource"); is && function == "resolver" {
			queue = source + "Queue"
		}
		is := doctor.Switch{Function: function, ID: x.stack.Resources[logical], Found: true, On: on, Queue: queue}
		one, asked := found(is, doctor.Switch{Function: function, Queue: queue}, err).Get()
		all = append(all, one)
		return asked
	}
	triggers := []string{stack.NotificationTrigger}
	if x.stack.SignalMode() != stack.SignalsOff {
		triggers = append(triggers, stack.SignalTriggers()...)
	}
	for i, logical := range triggers {
		function := map[bool]string{true: "stamper", false: "resolver"}[i == 0]
		if state, err = x.asks.Trigger(ctx, logical); !add(function, logical, state != "Disabled" && state != "Disabling") {
			return doctor.NotAsked[[]doctor.Switch](whyNot(err))
		}
	}
	for _, logical := range stack.ScheduleNames() {
		if state, err = x.asks.Schedule(ctx, logical); !add(partName(logical), logical, state != "DISABLED") {
			return doctor.NotAsked[[]doctor.Switch](whyNot(err))
		}
	}
	return doctor.Asked(all)
}

// queueARN knows the ARN of a queue by its URL, which ends with account and name.
func (x examined) queueARN(logical string) string {
	url := x.stack.Resources[logical]
	return fmt.Sprintf("arn:%s:sqs:%s:%s:%s", x.account.Partition, x.account.Region, x.account.ID, url[strings.LastIndex(url, "/")+1:])
}

func queueOf(ctx context.Context, x examined, figures stack.Figures, unmeasured error) doctor.Answer[doctor.Queue] {
	requests, dead, err := x.asks.Queues(ctx)
	if err == nil {
		err = unmeasured
	}
	return found(doctor.Queue{Found: true, Oldest: figures.Oldest, Waiting: requests.Sum(), Dead: dead.Sum(), DeadARN: x.queueARN("DeadLetterQueue")}, doctor.Queue{}, err)
}

func secretsOf(ctx context.Context, x examined) doctor.Answer[[]doctor.Secret] {
	var all []doctor.Secret
	arns := x.stack.Secrets()
	for _, name := range slices.Sorted(maps.Keys(arns)) {
		arn := arns[name]
		deleted, err := x.asks.SecretDeleted(ctx, arn)
		one, asked := found(doctor.Secret{Name: name, ARN: arn, Found: true, Deleted: deleted}, doctor.Secret{Name: name, ARN: arn}, err).Get()
		if !asked {
			return doctor.NotAsked[[]doctor.Secret](whyNot(err))
		}
		all = append(all, one)
	}
	return doctor.Asked(all)
}

func alarmsOf(ctx context.Context, x examined) doctor.Answer[[]doctor.Alarm] {
	alarms, err := x.asks.Alarms(ctx)
	all := make([]doctor.Alarm, len(alarms))
	for i, a := range alarms {
		all[i] = doctor.Alarm{Name: strings.TrimPrefix(a.Name, x.stack.Name+"-"), Rings: a.Rings(), Muted: a.Muted, Since: a.Since}
	}
	return answered(all, err)
}

// mostRecords is how many records of a log are read at most: more than that is the same news.
const mostRecords = 1000

// attentionOf adds up why the functions have called for a person in the last day.
func attentionOf(ctx context.Context, x examined, now time.Time) doctor.Answer[map[string]int] {
	counts := make(map[string]int)
	for _, function := range x.stack.FunctionNames() {
		records, _, err := x.asks.Logs(ctx, function, now.Add(-24*time.Hour), `{ $.NeedsAttention > 0 }`, mostRecords)
		if err != nil {
			return doctor.NotAsked[map[string]int](whyNot(err))
		}
		for _, r := range records {
			var said struct {
				Reason         string
				NeedsAttention float64
			}
			if json.Unmarshal([]byte(r.Message), &said) == nil {
				counts[said.Reason] += int(said.NeedsAttention)
			}
		}
	}
	return doctor.Asked(counts)
}

// refusalPattern finds, among others, whom the receiver has refused.
const refusalPattern = `{ $.message = "signals received" && $.level = "ERROR" }`

// refusedOf are the ids of the sources whose posts were refused in the last day. A log that
// can't be read is missed elsewhere.
func refusedOf(ctx context.Context, x examined, now time.Time) (ids []string) {
	records, _, _ := x.asks.Logs(ctx, "ReceiverFunction", now.Add(-24*time.Hour), refusalPattern, mostRecords)
	for _, r := range records {
		var said struct {
			Source, Reason string
			Status         int
		}
		if json.Unmarshal([]byte(r.Message), &said) == nil && said.Reason != "" && said.Status != http.StatusServiceUnavailable { // that one comes again
			ids = append(ids, said.Source)
		}
	}
	return ids
}

// troublePattern finds whom Graph does not let us stamp, and whom the settings do not though
// a provider has reported them.
const troublePattern = `{ $.reason = "forbidden" || $.reason = "refused" || $.reason = "still_empty" || ($.reason = "excluded" && $.source = "signal") }`

// trafficOf counts what the last seven days have brought.
func trafficOf(ctx context.Context, x examined, now time.Time) doctor.Answer[doctor.Traffic] {
	since := now.Add(-zerosSpan)
	sums, err := x.asks.Sums(ctx, since, now, missed, "UsersStamped", forged)
	if err != nil {
		return doctor.NotAsked[doctor.Traffic](whyNot(err))
	}
	records, _, err := x.asks.Logs(ctx, "StamperFunction", since, troublePattern, mostRecords)
	excluded, users := make(map[string]bool), make(map[string]bool)
	for _, r := range records {
		var said struct{ User, Reason string }
		switch {
		case json.Unmarshal([]byte(r.Message), &said) != nil || said.User == "":
		case said.Reason == string(stamp.ReasonExcluded):
			excluded[said.User] = true
		default:
			users[said.User] = true
		}
	}
	return answered(doctor.Traffic{
		Missed: int(sums[missed]), Stamped: int(sums["UsersStamped"]), Forged: int(sums[forged]), CannotFix: len(users), Excluded: len(excluded),
	}, err)
}
