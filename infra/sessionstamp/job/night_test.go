package job

import (
	"testing"
	"time"
)

func TestNextNight(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("JST", 9*60*60)
	at := func(day, hour, minute int) time.Time { return time.Date(2026, 11, day, hour, minute, 0, 0, zone) }
	for _, tc := range []struct{ began, want time.Time }{
		{at(3, 2, 0), at(4, 2, 0)},
		{at(3, 12, 0), at(4, 2, 0)},
		{at(3, 20, 0), at(4, 2, 0)},
		{at(3, 20, 1), at(5, 2, 0)}, // made in the evening
		{at(4, 1, 59), at(5, 2, 0)},
		{at(30, 3, 0), at(31, 2, 0)},
	} {
		if got := nextNight(tc.began); !got.Equal(tc.want) {
			t.Errorf("after %s comes %s, want %s", tc.began, got, tc.want)
		}
	}
}
