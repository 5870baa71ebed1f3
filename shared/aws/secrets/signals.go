package secrets

import (
	"context"
	"errors"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/sessionstamp/sessionstamp/shared/signal"
)

// SignalName is the name of the secret of a stack's source of signals. It ends with no
// hyphen and six characters, which Secrets Manager could take for the end of an ARN.
func SignalName(stack, id string) string { return stack + "/signal/" + id }

// Signals are the secrets of the sources of signals, one each, with the text of a
// [signal.Credential]. They implement the Credentials of package receiver, and are safe for
// concurrent use.
type Signals struct {
	config Config
	stack  string

	mu      sync.Mutex
	readers map[string]*reader[signal.Credential] // by source id
}

// NewSignals makes the Signals of a stack. It asks for nothing yet.
func NewSignals(c Config, stack string) *Signals {
	return &Signals{config: c, stack: stack, readers: make(map[string]*reader[signal.Credential])}
}

// Credential returns that of the source with the id, which must be one of the registry's.
// It caches for five minutes. With fresh it is read again, and not being able to is an
// error. It is [signal.ErrNoCredential] if there is no secret, or it is to be deleted.
func (s *Signals) Credential(ctx context.Context, id string, fresh bool) (signal.Credential, error) {
	return s.reader(id).get(ctx, fresh)
}

func (s *Signals) reader(id string) *reader[signal.Credential] {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.readers[id]
	if r == nil {
		r = &reader[signal.Credential]{Config: s.config, decode: parseCredential, gone: signal.ErrNoCredential}
		r.ARN = SignalName(s.stack, id)
		s.readers[id] = r
	}
	return r
}

var errCredential = errors.New(`it must be JSON of the form {"secrets":["…"]}: remove the source and add it again`)

func parseCredential(text string) (c signal.Credential, err error) {
	if unmarshal(text, &c) != nil || len(c.Secrets) == 0 {
		return signal.Credential{}, errCredential
	}
	return c, nil
}

// isGone tells whether there is no such secret, or it is [scheduled for deletion].
//
// [scheduled for deletion]: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html#API_GetSecretValue_Errors
func isGone(err error) bool {
	_, missing := errors.AsType[*types.ResourceNotFoundException](err)
	_, deleted := errors.AsType[*types.InvalidRequestException](err)
	return missing || deleted
}
