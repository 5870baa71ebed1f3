package rotation

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Why a step can't be done.
var (
	errAborted  = errors.New("the step broke off")
	errOff      = errors.New("rotation is switched off for this secret")
	errUnknown  = errors.New("the secret has no version of this id")
	errNotStage = errors.New("the version is neither AWSPENDING nor AWSCURRENT: its rotation is over, or was let go of")
	errNoStep   = errors.New("rotation has no such step")
	errEmpty    = errors.New("the version has no value: createSecret has not succeeded")
)

// run is one step of one rotation.
type run struct {
	*Rotator
	event Event
	began time.Time

	secret Description
	report report
}

// now is the calendar's time, as Graph and Secrets Manager write it.
func (r *run) now() time.Time { return r.Now().UTC().Truncate(time.Second) }

// displayName is the name of a credential that is made for this rotation.
func (r *run) displayName() string { return r.nameFor(r.event.Token) }

// nameFor is the name of a credential that is made for the rotation with a token.
func (r *run) nameFor(token string) string {
	return cut(owner(r.Stack, r.secret.ARN)+token, maxDisplayName)
}

func (r *run) step(ctx context.Context) error {
	promoted, err := r.admit(ctx)
	if err != nil {
		return err
	}
	if promoted && r.event.Step != FinishSecret {
		r.report.outcome = outcomeAlready
		return nil
	}
	switch r.event.Step {
	case CreateSecret:
		return r.create(ctx)
	case SetSecret:
		return r.set(ctx)
	case TestSecret:
		return r.test(ctx)
	case FinishSecret:
		return r.finish(ctx, promoted)
	}
	return eventFault(fmt.Errorf("%q: %w", r.event.Step, errNoStep))
}

// admit makes sure that Secrets Manager is rotating this version, and tells whether
// the version is current already.
func (r *run) admit(ctx context.Context) (promoted bool, err error) {
	r.secret, err = r.SecretsManager.DescribeSecret(ctx, r.event.SecretID)
	if err != nil {
		return false, secretsFault("DescribeSecret", err)
	}
	stages, known := r.secret.Stages[r.event.Token]
	switch {
	case !r.secret.RotationEnabled:
		return false, settingsFault(errOff, "Switch it on, or stop the schedule that calls this function.")
	case !known:
		return false, eventFault(errUnknown)
	case slices.Contains(stages, stageCurrent):
		return true, nil
	case !slices.Contains(stages, stagePending):
		return false, eventFault(errNotStage)
	}
	return false, nil
}

// create stores a new value, unless there is one already.
func (r *run) create(ctx context.Context) error {
	_, err := r.pending(ctx)
	if !errors.Is(err, errEmpty) {
		return err
	}
	if err := r.clearPending(ctx); err != nil {
		return err
	}
	value, err := r.Kind.create(ctx, r)
	if err != nil {
		return err
	}
	err = r.SecretsManager.PutSecretValue(ctx, r.event.SecretID, r.event.Token, value)
	if errors.Is(err, ErrExists) {
		// Somebody was faster, or an earlier attempt shows only now. What we have made
		// is nobody's, and finishSecret removes it.
		_, err = r.pending(ctx)
		return err
	}
	return secretsFault("PutSecretValue", err)
}

// clearPending takes AWSPENDING from other versions. Secrets Manager begins no rotation
// while another has it, but somebody may have attached it since, and what stands in for
// Secrets Manager may not look.
// (https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html)
func (r *run) clearPending(ctx context.Context) error {
	for _, id := range r.versionIDs() {
		if id == r.event.Token || !r.secret.isPending(id) {
			continue
		}
		if err := r.moveStage(ctx, stagePending, id, ""); err != nil {
			return err
		}
		r.secret = r.secret.cleared(id)
		r.report.cleared = append(r.report.cleared, id)
	}
	return nil
}

// pending reads the new version, and lets go of one that can't come to anything.
func (r *run) pending(ctx context.Context) (Version, error) {
	v, err := r.read(ctx)
	if err != nil {
		return Version{}, err
	}
	if err := r.Kind.check(r, v); err != nil {
		return Version{}, r.abandon(ctx, err)
	}
	return v, nil
}

// read reads the new version.
func (r *run) read(ctx context.Context) (Version, error) {
	v, err := r.version(ctx, r.event.Token)
	if errors.Is(err, ErrNotFound) {
		return Version{}, errEmpty
	}
	return v, err
}

// test proves the pending version. When rotation is set up without beginning at once,
// Secrets Manager calls for this step alone, with a copy of the current version that it
// takes away again
// (https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html).
// Then it is the current one that is proved, as it is, and nothing is made or let go of.
// A version without a value is refused even so: its value may only be late to show, and
// what was not proved must not be promoted.
func (r *run) test(ctx context.Context) error {
	v, err := r.read(ctx)
	if err != nil {
		return err
	}
	why := r.Kind.check(r, v)
	proved := why == nil
	if proved {
		why = r.Kind.test(ctx, r, v)
		if !errors.Is(why, errRemoved) {
			return why
		}
	}
	copied, err := r.isCurrent(ctx, v)
	switch {
	case err != nil:
		return errors.Join(why, err)
	case !copied:
		return r.abandon(ctx, why)
	case proved:
		return why
	}
	return r.Kind.test(ctx, r, v)
}

// isCurrent tells whether a version holds what the current one holds.
func (r *run) isCurrent(ctx context.Context, v Version) (bool, error) {
	current, err := r.version(ctx, r.secret.holder(stageCurrent))
	return current.Value.Reveal() == v.Value.Reveal(), err
}

// abandon lets go of the pending version: as long as it carries AWSPENDING, Secrets
// Manager begins no other rotation.
func (r *run) abandon(ctx context.Context, why error) error {
	if err := r.moveStage(ctx, stagePending, r.event.Token, ""); err != nil {
		return errors.Join(why, err)
	}
	r.report.outcome = outcomeAbandoned
	return settingsFault(fmt.Errorf("the pending version is let go of: %w", why),
		"Nothing is broken. Rotate the secret again, or wait for its schedule.")
}

// set makes the pending version known to whoever must accept it.
func (r *run) set(ctx context.Context) error {
	v, err := r.pending(ctx)
	if err != nil {
		return err
	}
	return r.Kind.set(ctx, r, v)
}

// finish makes the new version current, and then removes what neither it nor the
// previous one holds. A version that is current already is cleaned up after again,
// because the first time may have failed.
func (r *run) finish(ctx context.Context, promoted bool) error {
	read := r.pending
	if promoted {
		r.report.outcome = outcomeAlready
		read = r.read
	}
	v, err := read(ctx)
	if err != nil {
		return err
	}
	if !promoted {
		if err := r.promote(ctx, v); err != nil {
			return err
		}
	}
	return r.Kind.clean(ctx, r, v)
}

// promoteLimit is how long the promotion may take: a version is judged by its age
// before, and must not be much older after.
const promoteLimit = 20 * time.Second

// promote makes the new version current. Secrets Manager takes AWSPENDING from it with
// the same call, and [advises against] doing so with another. Where the label stays,
// it does no harm.
//
// [advises against]: https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
func (r *run) promote(ctx context.Context, v Version) error {
	if err := r.Kind.ready(ctx, r); err != nil {
		return err
	}
	if err := r.Kind.check(r, v); err != nil {
		return r.abandon(ctx, err) // it has aged meanwhile
	}
	limited, cancel := context.WithTimeout(ctx, promoteLimit)
	defer cancel()
	err := r.moveStage(limited, stageCurrent, r.secret.holder(stageCurrent), r.event.Token)
	if err != nil && !r.isPromoted(ctx) {
		return err
	}
	r.secret = r.secret.promoted(r.event.Token)
	return nil
}

// isPromoted tells whether the new version is current for certain. Another call of this
// step may have been faster, or the SDK may have called again after an answer was lost:
// then Secrets Manager refuses what is done already.
func (r *run) isPromoted(ctx context.Context) bool {
	now, err := r.SecretsManager.DescribeSecret(ctx, r.event.SecretID)
	return err == nil && slices.Contains(now.Stages[r.event.Token], stageCurrent)
}

func (r *run) moveStage(ctx context.Context, stage, removeFrom, moveTo string) error {
	return secretsFault("UpdateSecretVersionStage",
		r.SecretsManager.UpdateSecretVersionStage(ctx, r.event.SecretID, stage, removeFrom, moveTo))
}

// version reads a version.
func (r *run) version(ctx context.Context, id string) (Version, error) {
	v, err := r.SecretsManager.GetSecretValue(ctx, r.event.SecretID, id)
	if err != nil {
		return Version{}, secretsFault("GetSecretValue", err)
	}
	v.id, v.stages = id, r.secret.Stages[id]
	return v, nil
}

// inUse reads the versions that somebody may use, other than the new one and those
// that were read already: all that have a label. The current and the previous one have
// a value, even if Secrets Manager does not find it just now. One that is only pending
// is what a rotation has left behind, unless ours is over and it belongs to the next.
// The current one comes first, the previous one next.
func (r *run) inUse(ctx context.Context, read ...string) ([]Version, error) {
	var found []Version
	for _, id := range r.versionIDs() {
		leftover := r.event.Step != FinishSecret && slices.Equal(r.secret.Stages[id], []string{stagePending})
		if id == r.event.Token || leftover || slices.Contains(read, id) {
			continue
		}
		v, err := r.version(ctx, id)
		if errors.Is(err, ErrNotFound) && rank(r.secret.Stages[id]) == rankOther {
			continue // there is nothing that anybody could use
		}
		if err != nil {
			return nil, err
		}
		found = append(found, v)
	}
	slices.SortStableFunc(found, func(a, b Version) int { return rank(a.stages) - rank(b.stages) })
	return found, nil
}

// The ranks of versions.
const (
	rankCurrent = iota
	rankPrevious
	rankOther
)

// rank is the rank of a version with these labels.
func rank(stages []string) int {
	switch {
	case slices.Contains(stages, stageCurrent):
		return rankCurrent
	case slices.Contains(stages, stagePrevious):
		return rankPrevious
	}
	return rankOther
}

// versionIDs are in a fixed order, so that every run makes the same calls.
func (r *run) versionIDs() []string { return slices.Sorted(maps.Keys(r.secret.Stages)) }
