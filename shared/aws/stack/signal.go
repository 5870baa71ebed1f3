package stack

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/sessionstamp/sessionstamp/shared/aws/account"
	"github.com/sessionstamp/sessionstamp/shared/aws/secrets"
	"github.com/sessionstamp/sessionstamp/shared/aws/store"
	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/state"
)

// SignalMode is what becomes of what providers report.
type SignalMode string

// The modes of the parameter SignalMode.
const (
	SignalsOff      SignalMode = "off"
	SignalsReported SignalMode = "report"
	SignalsEnforced SignalMode = "enforce"
)

// SignalMode is the stack's. One that was deployed before there were signals has them off.
func (s *Stack) SignalMode() SignalMode {
	switch mode := SignalMode(s.Parameters["SignalMode"]); mode {
	case SignalsReported, SignalsEnforced:
		return mode
	case SignalsOff:
	}
	return SignalsOff
}

// SignalTriggers are the logical names of what feeds the resolver from its two queues.
func SignalTriggers() []string { return []string{"SignalEventSource", "UrgentSignalEventSource"} }

// SignalQueues counts the signals that wait in both queues, and those that were given up.
func (s *Stack) SignalQueues(ctx context.Context) (waiting, dead Waiting, err error) {
	client := sqs.NewFromConfig(s.account.Config())
	counts := make([]Waiting, 3)
	for i, logical := range []string{"SignalQueue", "UrgentSignalQueue", "SignalDeadLetterQueue"} {
		if counts[i], err = s.count(ctx, client, logical); err != nil {
			return waiting, dead, err
		}
	}
	own, urgent := counts[0], counts[1]
	return Waiting{own.Visible + urgent.Visible, own.Hidden + urgent.Hidden, own.Delayed + urgent.Delayed}, counts[2], nil
}

// SignalSecrets returns the ids of the sources that have a secret. It is what a stack of that
// name has left, too.
func SignalSecrets(ctx context.Context, a *account.Account, name string) (ids []string, err error) {
	prefix := SignalSecret(name, "")
	names, err := a.SecretNames(ctx, prefix)
	for _, found := range names {
		if id := found[len(prefix):]; signal.IsSource(id) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, err
}

// SignalSecrets are those of this stack.
func (s *Stack) SignalSecrets(ctx context.Context) ([]string, error) {
	return SignalSecrets(ctx, s.account, s.Name)
}

// SignalSecret is the name of the secret of a source.
func SignalSecret(stack, source string) string { return secrets.SignalName(stack, source) }

// SignalURL is the address that the id of a source follows, "" for a stack that receives no
// signals: of an older version, or with SignalMode off.
func (s *Stack) SignalURL() string { return s.Outputs["SignalUrl"] }

// Registry reads which sources there are.
func (s *Stack) Registry(ctx context.Context) (signal.Registry, error) {
	table, err := s.Table()
	if err != nil {
		return signal.Registry{}, err
	}
	return load[signal.Registry](ctx, table, store.NameSignals, s.Tenant())
}

// ChangeRegistry changes the registry of sources, as [state.Update] does: the change tells
// whether there is anything to write, and is made again where somebody else was faster. After
// an error the change may have been written or not.
func (s *Stack) ChangeRegistry(ctx context.Context, change func(*signal.Registry) bool) error {
	table, err := s.Table()
	if err != nil {
		return err
	}
	return explain(state.Update(ctx, store.NewState[signal.Registry](table, store.NameSignals), s.Tenant(), change))
}
