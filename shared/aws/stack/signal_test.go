package stack

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// TestSignalMode: a stack from before there were signals, and one that has them off, lack the
// functions.
func TestSignalMode(t *testing.T) {
	t.Parallel()
	for mode, want := range map[string]SignalMode{"": SignalsOff, "off": SignalsOff, "later": SignalsOff, "report": SignalsReported, "enforce": SignalsEnforced} {
		s := &Stack{Parameters: map[string]string{"SignalMode": mode}}
		if mode == "" {
			s.Parameters = nil
		}
		listens := slices.Contains(s.FunctionNames(), "ResolverFunction")
		if got := s.SignalMode(); got != want || listens != (want != SignalsOff) {
			t.Errorf("%q: %s, %v", mode, got, s.FunctionNames())
		}
	}
}

// TestSignalSecrets finds the secrets of the stack's sources, and nobody else's.
func TestSignalSecrets(t *testing.T) {
	t.Parallel()
	s, config := inMoto(t)
	client := secretsmanager.NewFromConfig(config)
	one, two, gone := strings.Repeat("1", 32), strings.Repeat("2", 32), strings.Repeat("3", 32)
	for _, name := range []string{
		"s/signal/" + two, "s/signal/" + one, "s/signal/" + gone, "s/signal/by-hand", "s/entra", "S/signal/" + one, "s2/signal/" + one, "other/s/signal/" + one,
	} {
		must(client.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: &name, SecretString: aws.String("x")}))(t)
	}
	must(client.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: aws.String("s/signal/" + gone)}))(t)
	if got := must(s.SignalSecrets(t.Context()))(t); !slices.Equal(got, []string{one, two}) {
		t.Errorf("found %v", got)
	}
	if err := s.account.DeleteSecret(t.Context(), SignalSecret("s", one)); err != nil {
		t.Error(err)
	}
	if got := must(s.SignalSecrets(t.Context()))(t); !slices.Equal(got, []string{two}) {
		t.Errorf("left %v", got)
	}
}

// TestSignalQueues adds both up.
func TestSignalQueues(t *testing.T) {
	t.Parallel()
	s, config := inMoto(t)
	client := sqs.NewFromConfig(config)
	for logical, n := range map[string]int{"SignalQueue": 2, "UrgentSignalQueue": 1, "SignalDeadLetterQueue": 4} {
		if _, _, err := s.SignalQueues(t.Context()); !errors.Is(err, ErrNoResource) {
			t.Errorf("not all are there: %v", err)
		}
		url := must(client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &logical}))(t).QueueUrl
		s.Resources[logical] = *url
		for range n {
			must(client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("{}")}))(t)
		}
	}
	waiting, dead, err := s.SignalQueues(t.Context())
	if err != nil || waiting.Sum() != 3 || dead.Sum() != 4 {
		t.Errorf("%+v wait, %+v are dead, %v", waiting, dead, err)
	}
}
