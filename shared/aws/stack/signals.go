package stack

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/sessionstamp/sessionstamp/shared/aws/store"
	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/state"
)

// SignalURL is the address that the id of a source follows, "" for a stack that receives no
// signals: of an older version, or with SignalMode off.
func (s *Stack) SignalURL() string { return s.Outputs["SignalUrl"] }

// SignalSecret is the name in Secrets Manager of what a source proves itself by. Those of all
// sources begin with that of "".
func (s *Stack) SignalSecret(source string) string { return s.Name + "/signal/" + source }

// Signals reads which sources there are.
func (s *Stack) Signals(ctx context.Context) (signal.Registry, error) {
	table, err := s.Table()
	if err != nil {
		return signal.Registry{}, err
	}
	return load[signal.Registry](ctx, table, store.NameSignals, s.Tenant())
}

// ChangeSignals changes the registry of sources, as [state.Update] does: the change tells
// whether there is anything to write, and is made again where somebody else was faster. After
// an error the change may have been written or not.
func (s *Stack) ChangeSignals(ctx context.Context, change func(*signal.Registry) bool) error {
	table, err := s.Table()
	if err != nil {
		return err
	}
	return explain(state.Update(ctx, store.NewState[signal.Registry](table, store.NameSignals), s.Tenant(), change))
}

// SignalQueues counts the signals that wait to be resolved, urgent ones too, and those that
// were given up.
func (s *Stack) SignalQueues(ctx context.Context) (waiting, dead Waiting, err error) {
	client := sqs.NewFromConfig(s.account.Config())
	for _, one := range []struct {
		logical string
		to      *Waiting
	}{{"SignalQueue", &waiting}, {"UrgentSignalQueue", &waiting}, {"SignalDeadLetterQueue", &dead}} {
		w, err := s.count(ctx, client, one.logical)
		if err != nil {
			return waiting, dead, err
		}
		one.to.Visible, one.to.Hidden, one.to.Delayed = one.to.Visible+w.Visible, one.to.Hidden+w.Hidden, one.to.Delayed+w.Delayed
	}
	return waiting, dead, nil
}
