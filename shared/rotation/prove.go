package rotation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// errUnproven is a new credential that is not accepted by all that answered.
var errUnproven = errors.New("the new credential was not accepted often enough in the time there was")

// prove makes attempts until enough in a row have succeeded. It ends when one fails
// for a reason that waiting does not cure, or when the time is up.
func (r *run) prove(ctx context.Context, attempt func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, r.Settings.ProofLimit)
	defer cancel()
	pause, inRow := r.Settings.ProofPause, 0
	for {
		r.report.attempts++
		err := attempt(ctx)
		if err != nil && final(err) {
			return graphFault(opProve, err)
		}
		wait := r.Settings.ProofGap
		if err == nil {
			inRow++
		} else {
			inRow = 0
			wait = max(pause, min(retryAfter(err), r.Settings.ProofPauseMax))
			pause = min(2*pause, r.Settings.ProofPauseMax)
		}
		if inRow == r.Settings.Proofs {
			return nil
		}
		if !r.wait(ctx, wait) {
			return graphFault(opProve, unproven(err))
		}
	}
}

// unproven joins what there is to say when the time is up.
func unproven(last error) error {
	if last == nil {
		return errUnproven
	}
	return fmt.Errorf("%w: %w", errUnproven, last)
}

// wait tells whether there is time to wait for so long, after it has done so.
func (r *run) wait(ctx context.Context, d time.Duration) bool {
	if end, ok := ctx.Deadline(); ok && time.Until(end) < d+r.Settings.DeadlineMargin {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func retryAfter(err error) time.Duration {
	if e, ok := errors.AsType[*directory.Error](err); ok {
		return e.RetryAfter
	}
	return 0
}
