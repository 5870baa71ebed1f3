package revocation

import (
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

func TestBackoff(t *testing.T) {
	t.Parallel()
	for attempt := range 20 {
		least := min(2*time.Second<<min(attempt, 9), MaxDelay)
		most := min(least+least/4, MaxDelay)
		seen := make(map[time.Duration]bool)
		for n := range 50 {
			r := Request{User: fmt.Sprint(n), Attempt: attempt}
			got := backoff(r)
			if got < least || got > most {
				t.Errorf("attempt %d: %s, want %s to %s", attempt, got, least, most)
			}
			if again := backoff(r); again != got {
				t.Errorf("attempt %d: %s, and then %s", attempt, got, again)
			}
			seen[got] = true
		}
		if least < MaxDelay && len(seen) < 40 {
			t.Errorf("attempt %d: 50 users come back at %d times", attempt, len(seen))
		}
	}
	if got := backoff(Request{Attempt: math.MaxInt}); got != MaxDelay {
		t.Errorf("the longest backoff is %s, want %s", got, MaxDelay)
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	r := Request{User: "u", Attempt: 2}
	asked := &directory.Error{StatusCode: 429, RetryAfter: 7 * time.Second}
	tests := []struct {
		name string
		err  error
		want time.Duration
	}{
		{"as asked", asked, 7 * time.Second},
		{"as asked, wrapped", fmt.Errorf("read: %w", asked), 7 * time.Second},
		{"not asked", &directory.Error{StatusCode: 429}, backoff(r)},
		{"another error", errors.New("reset"), backoff(r)},
		{"no error", nil, backoff(r)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := retryAfter(tt.err, r); got != tt.want {
				t.Errorf("retryAfter = %s, want %s", got, tt.want)
			}
		})
	}
}
