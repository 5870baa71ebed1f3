package stamp

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/state"
)

// BrakeState is what the brakes remember of a tenant. Its own tally is of new users.
type BrakeState struct {
	Tally
	// Signals is the tally of users who are stamped again for what a provider reports.
	Signals Tally
	// Members is how many members of federated domains the last full round has counted.
	Members int
	// Paused is when a person stopped all stamping, approved requests included; zero:
	// it goes on.
	Paused time.Time
}

// A Tally is one brake's count.
type Tally struct {
	// Hours counts the automatic stamps by the hour in which they were made (its start,
	// Unix seconds), for the last 24 hours.
	Hours map[int64]int
	// Reached is when somebody was stopped by the limit; zero: the brake is open.
	Reached time.Time
	// Released is when a person last released it.
	Released time.Time
}

// ErrPaused is why nothing is granted while a person has paused the stamping.
var ErrPaused = errors.New("the stamping is paused")

// Brake stops all automatic stamping of a tenant, over all workers, once the limit of 24
// hours is reached, until a person releases it. It keeps a mistake, ours or an
// administrator's, from signing out the company. What providers report has a brake of its
// own ([Brake.OfSignals]), with the same limit: neither uses up the other's.
type Brake struct {
	store   state.Store[BrakeState]
	limit   int
	signals bool
}

const (
	brakeSpan = 24 * time.Hour
	// The limit where none was set: enough for the new users of a usual day, or for a
	// fifth of the members.
	leastLimit  = 200
	memberShare = 5
)

// NewBrake makes a brake for that many stamps in 24 hours; 0 stands for the larger of 200
// and a fifth of the members.
func NewBrake(store state.Store[BrakeState], limit int) *Brake {
	return &Brake{store: store, limit: limit}
}

// OfSignals returns the brake for what providers report. Pause, members and limit are
// those of b.
func (b *Brake) OfSignals() *Brake {
	other := *b
	other.signals = true
	return &other
}

// tally is the brake's own part of the state.
func (b *Brake) tally(s *BrakeState) *Tally {
	t := &s.Tally
	if b.signals {
		t = &s.Signals
	}
	if t.Hours == nil {
		t.Hours = make(map[int64]int)
	}
	return t
}

// Take counts n calls before they are made. It grants as many as the limit leaves; if
// that is not all, the brake is reached and grants nothing more until its release. After
// an error, which may be [ErrPaused], no call may be made at all: whoever calls for
// approved requests only asks with n = 0.
func (b *Brake) Take(ctx context.Context, tenant string, n int, now time.Time) (granted int, err error) {
	var paused bool
	err = b.update(ctx, tenant, func(s *BrakeState) bool {
		t := b.tally(s)
		granted, paused = 0, !s.Paused.IsZero()
		if n == 0 || paused || !t.Reached.IsZero() {
			return false
		}
		t.forget(now)
		granted = min(n, max(0, b.limitOf(*s)-t.Taken(now)))
		if granted < n {
			t.Reached = now
		}
		t.Hours[hourOf(now)] += granted
		return true
	})
	switch {
	case err != nil:
		return 0, err
	case paused:
		return 0, ErrPaused
	}
	return granted, nil
}

// GiveBack takes back n of the calls that were counted at taken, and certainly did
// nothing. Where a release has cleared the count since, there is nothing to take back.
func (b *Brake) GiveBack(ctx context.Context, tenant string, n int, taken time.Time) error {
	return b.update(ctx, tenant, func(s *BrakeState) bool {
		t := b.tally(s)
		if !t.Released.Before(taken) {
			return false
		}
		hour := hourOf(taken)
		t.Hours[hour] = max(0, t.Hours[hour]-n)
		return true
	})
}

// Release opens the brake, by a person's order. The count begins anew, else the next
// call would reach the limit again.
func (b *Brake) Release(ctx context.Context, tenant string, now time.Time) error {
	return b.update(ctx, tenant, func(s *BrakeState) bool {
		t := b.tally(s)
		t.Reached, t.Released = time.Time{}, now
		clear(t.Hours)
		return true
	})
}

// ReleaseSignals is Release of [Brake.OfSignals].
func (b *Brake) ReleaseSignals(ctx context.Context, tenant string, now time.Time) error {
	return b.OfSignals().Release(ctx, tenant, now)
}

// Pause stops all stamping, by a person's order, until [Brake.Resume]. Batches that are
// granted already end within the minute of their calls.
func (b *Brake) Pause(ctx context.Context, tenant string, now time.Time) error {
	return b.update(ctx, tenant, func(s *BrakeState) bool {
		if !s.Paused.IsZero() {
			return false
		}
		s.Paused = now
		return true
	})
}

// Resume ends a pause. What the brake has counted stays.
func (b *Brake) Resume(ctx context.Context, tenant string) error {
	return b.update(ctx, tenant, func(s *BrakeState) bool {
		paused := !s.Paused.IsZero()
		s.Paused = time.Time{}
		return paused
	})
}

// SetMembers tells the brake how many members of federated domains there are.
func (b *Brake) SetMembers(ctx context.Context, tenant string, n int) error {
	return b.update(ctx, tenant, func(s *BrakeState) bool {
		changed := s.Members != n
		s.Members = n
		return changed
	})
}

// State tells how the brake stands, and its limit.
func (b *Brake) State(ctx context.Context, tenant string) (s BrakeState, limit int, err error) {
	item, err := b.store.Load(ctx, tenant)
	if err != nil {
		return BrakeState{}, 0, fmt.Errorf("read the brake: %w", err)
	}
	return item.Doc, b.limitOf(item.Doc), nil
}

func (b *Brake) limitOf(s BrakeState) int {
	if b.limit > 0 {
		return b.limit
	}
	return max(leastLimit, s.Members/memberShare)
}

// update changes the state. The change tells whether there is anything to write.
func (b *Brake) update(ctx context.Context, tenant string, change func(*BrakeState) bool) error {
	if err := state.Update(ctx, b.store, tenant, change); err != nil {
		return fmt.Errorf("change the brake: %w", err)
	}
	return nil
}

// forget drops the hours that are over for longer than a day.
func (t *Tally) forget(now time.Time) {
	oldest := hourOf(now.Add(-brakeSpan))
	maps.DeleteFunc(t.Hours, func(hour int64, n int) bool { return hour < oldest || n == 0 })
}

// Taken is how many automatic stamps count at now against the limit.
func (t Tally) Taken(now time.Time) (sum int) {
	for hour, n := range t.Hours {
		if hour >= hourOf(now.Add(-brakeSpan)) {
			sum += n
		}
	}
	return sum
}

func hourOf(t time.Time) int64 { return t.Truncate(time.Hour).Unix() }
