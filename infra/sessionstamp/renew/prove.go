package renew

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/aws/account"
	"github.com/sessionstamp/sessionstamp/shared/wait"
)

// Entra tells all its replicas of a new credential within seconds: [4 to 18 were seen], and
// nothing is promised. Until then one replica may take what the next refuses. So it counts as
// known everywhere when it was taken so many times without a refusal between, so far apart.
//
// [4 to 18 were seen]: https://github.com/microsoftgraph/microsoft-graph-docs/issues/17966
const (
	proofs     = 6
	proofPause = 5 * time.Second
	// patience is how long Entra may take until then.
	patience = 10 * time.Minute
)

// ErrUnproved is wrapped by the last refusal where Entra's patience has ended.
var ErrUnproved = errors.New("the new credential was not taken by Entra in time")

// prove signs in until Entra certainly knows a credential.
func (e *Engine) prove(ctx context.Context, s account.Stored) error {
	end := time.Now().Add(patience)
	for taken := 0; taken < proofs; {
		err := e.SignIn(ctx, s)
		if taken++; err != nil {
			taken = 0
		}
		switch {
		case err != nil && time.Now().After(end):
			return fmt.Errorf("%w: %w", ErrUnproved, err)
		case taken < proofs && wait.For(ctx, proofPause) != nil:
			return ctx.Err()
		}
	}
	return nil
}
