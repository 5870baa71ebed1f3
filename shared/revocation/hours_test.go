package revocation_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the zones must be there wherever the tests run

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

func mustHours(t *testing.T, window, place string) revocation.Hours {
	t.Helper()
	h, err := revocation.ParseHours(window, place)
	if err != nil {
		t.Fatalf("ParseHours(%q, %q): %v", window, place, err)
	}
	return h
}

func TestParseHours(t *testing.T) {
	t.Parallel()
	const (
		form = ": want HH:MM-HH:MM, such as 22:00-05:00"
		zone = ": want a name of the IANA database, such as Asia/Tokyo or Europe/Berlin"
	)
	tests := []struct{ window, place, want string }{
		{"22:00-05:00", "Asia/Tokyo", "1320 to 300 in Asia/Tokyo"},
		{"00:00-24:00", "UTC", "0 to 1440 in UTC"},
		{"09:05-09:06", "Europe/Berlin", "545 to 546 in Europe/Berlin"},
		{"23:59-00:00", "America/New_York", "1439 to 0 in America/New_York"},
		{"", "", "all day"},
		{"", "nowhere", "all day"},

		{"22-05", "UTC", `hours "22-05"` + form},
		{"22:00", "UTC", `hours "22:00"` + form},
		{"22:00–05:00", "UTC", `hours "22:00–05:00"` + form},
		{"22:00 - 05:00", "UTC", `hours "22:00 - 05:00"` + form},
		{" 22:00-05:00", "UTC", `hours " 22:00-05:00"` + form},
		{"22:00-05:00\n", "UTC", `hours "22:00-05:00\n"` + form},
		{"22:00-05:000", "UTC", `hours "22:00-05:000"` + form},
		{"9:00-10:00", "UTC", `hours "9:00-10:00"` + form},
		{"22:60-05:00", "UTC", `hours "22:60-05:00"` + form},
		{"22:00-05:99", "UTC", `hours "22:00-05:99"` + form},
		{"-1:00-05:00", "UTC", `hours "-1:00-05:00"` + form},
		{"22:-1-05:00", "UTC", `hours "22:-1-05:00"` + form},
		{"22:00-05:-1", "UTC", `hours "22:00-05:-1"` + form},
		{"+2:00-05:00", "UTC", `hours "+2:00-05:00"` + form},
		{"10:00PM-5:00AM", "UTC", `hours "10:00PM-5:00AM"` + form},
		{"24:00-05:00", "UTC", "hours from minute 1440 to minute 300 are not within a day"},
		{"22:00-24:01", "UTC", "hours from minute 1320 to minute 1441 are not within a day"},
		{"99:00-05:00", "UTC", "hours from minute 5940 to minute 300 are not within a day"},
		{"05:00-05:00", "UTC", "hours begin when they end: leave them empty for all day, or use mode report for never"},
		{"22:00-05:00", "", `time zone ""` + zone},
		{"22:00-05:00", "Local", `time zone "Local"` + zone},
		{"22:00-05:00", "Berlin", `time zone "Berlin"` + zone},
		{"22:00-05:00", "../zone", `time zone "../zone"` + zone},
		{"22:00-05:00", "Tokyo Standard Time", `time zone "Tokyo Standard Time"` + zone},
	}
	for _, tt := range tests {
		h, err := revocation.ParseHours(tt.window, tt.place)
		got := "all day"
		switch {
		case err != nil:
			got = leaktest.Seen(t, err).Error()
		case h.Place != nil:
			got = fmt.Sprintf("%d to %d in %s", h.From, h.To, h.Place)
		}
		if got != tt.want {
			t.Errorf("ParseHours(%q, %q) = %s\nwant %s", tt.window, tt.place, got, tt.want)
		}
	}
}

func TestBackfillValidate(t *testing.T) {
	t.Parallel()
	for _, b := range []revocation.Backfill{
		revocation.DefaultBackfill,
		{Mode: revocation.ModeEnforce, Hours: mustHours(t, "22:00-05:00", "Asia/Tokyo")},
		{Mode: revocation.ModeEnforce, Ceilings: revocation.Ceilings{Share: 1}},
	} {
		if err := b.Validate(); err != nil {
			t.Errorf("Validate = %v, want no fault", err)
		}
	}
	err := revocation.Backfill{
		Mode:     "enforced",
		Hours:    revocation.Hours{From: 60, To: 120},
		Ceilings: revocation.Ceilings{PerRun: -1, Share: 1.5},
	}.Validate()
	want := strings.Join([]string{
		`backfill mode "enforced" is not one of report, enforce`,
		"hours need a time zone",
		"ceilings must not be negative, and a share lies between 0 and 1: per run -1, per hour 0, share 1.5",
	}, "\n")
	if leaktest.Seen(t, err) == nil {
		t.Fatal("Validate found no fault")
	}
	if diff := cmp.Diff(want, leaktest.Seen(t, err).Error()); diff != "" {
		t.Errorf("Validate (-want +got):\n%s", diff)
	}
}

func TestHoursContain(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, window, place string
		at                  string
		want                bool
	}{
		{"no hours are all day", "", "", "2026-11-03T12:00:00Z", true},
		{"the first moment", "09:00-17:00", "UTC", "2026-11-03T09:00:00Z", true},
		{"just before", "09:00-17:00", "UTC", "2026-11-03T08:59:59.999999999Z", false},
		{"the last moment", "09:00-17:00", "UTC", "2026-11-03T16:59:59.999999999Z", true},
		{"the end", "09:00-17:00", "UTC", "2026-11-03T17:00:00Z", false},
		{"over midnight, before it", "22:00-05:00", "UTC", "2026-11-03T22:00:00Z", true},
		{"over midnight, at it", "22:00-05:00", "UTC", "2026-11-04T00:00:00Z", true},
		{"over midnight, the end", "22:00-05:00", "UTC", "2026-11-04T05:00:00Z", false},
		{"until midnight", "22:00-00:00", "UTC", "2026-11-03T23:59:59Z", true},
		{"midnight is not before itself", "22:00-00:00", "UTC", "2026-11-04T00:00:00Z", false},
		{"elsewhere", "22:00-05:00", "Asia/Tokyo", "2026-11-03T13:00:00Z", true},
		{"elsewhere, by the other calendar day", "22:00-05:00", "Asia/Tokyo", "2026-11-03T20:00:00Z", false},
		{"a zone of half hours", "00:00-00:30", "Asia/Kolkata", "2026-11-03T18:30:00Z", true},
		{"a zone of half hours, the end", "00:00-00:30", "Asia/Kolkata", "2026-11-03T19:00:00Z", false},
		{"a moment told in another zone", "22:00-05:00", "Asia/Tokyo", "2026-11-03T08:00:00-05:00", true},
		{"month's end over midnight", "23:00-01:00", "Europe/Berlin", "2026-10-31T23:30:00Z", true},
		{"the leap day", "23:00-01:00", "UTC", "2028-02-29T23:59:00Z", true},
		{"after the leap day", "23:00-01:00", "UTC", "2028-03-01T00:59:59Z", true},

		{"summer time begins: the minute before", "01:30-02:30", "Europe/Berlin", "2026-03-29T00:59:00Z", true},
		{"summer time begins: what would have been 02:00", "01:30-02:30", "Europe/Berlin", "2026-03-29T01:00:00Z", false},
		{"summer time ends: the first 02:15", "02:00-02:30", "Europe/Berlin", "2026-10-25T00:15:00Z", true},
		{"summer time ends: the first 02:45", "02:00-02:30", "Europe/Berlin", "2026-10-25T00:45:00Z", false},
		{"summer time ends: the second 02:15", "02:00-02:30", "Europe/Berlin", "2026-10-25T01:15:00Z", true},
		{"New York, the second 01:15", "01:00-01:30", "America/New_York", "2026-11-01T06:15:00Z", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			at, err := time.Parse(time.RFC3339Nano, tt.at)
			if err != nil {
				t.Fatal(err)
			}
			if got := mustHours(t, tt.window, tt.place).Contain(at); got != tt.want {
				t.Errorf("%s in %s contains %s: %t, want %t", tt.window, tt.place, tt.at, got, tt.want)
			}
		})
	}
}

// TestHoursOfADay counts the minutes of one local day that are within.
func TestHoursOfADay(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, window, place, day string
		want                     time.Duration
	}{
		{"a usual night", "22:00-05:00", "Europe/Berlin", "2026-06-15", 7 * time.Hour},
		{"the night that summer time begins", "22:00-05:00", "Europe/Berlin", "2026-03-29", 6 * time.Hour},
		{"the night that summer time ends", "22:00-05:00", "Europe/Berlin", "2026-10-25", 8 * time.Hour},
		{"around the hour left out", "01:30-03:30", "Europe/Berlin", "2026-03-29", time.Hour},
		{"around the hour that comes twice", "01:30-03:30", "Europe/Berlin", "2026-10-25", 3 * time.Hour},
		{"the hour left out", "02:00-03:00", "America/New_York", "2026-03-08", 0},
		{"the day after", "02:00-03:00", "America/New_York", "2026-03-09", time.Hour},
		{"the hour that comes twice", "01:00-02:00", "America/New_York", "2026-11-01", 2 * time.Hour},
		{"a half hour that comes twice", "01:30-02:00", "Australia/Lord_Howe", "2026-04-05", time.Hour},
		{"a zone of half hours", "23:15-00:45", "Asia/Kolkata", "2026-11-03", 90 * time.Minute},
		{"month's end", "22:00-05:00", "Asia/Tokyo", "2026-10-31", 7 * time.Hour},
		{"the leap day", "23:30-00:30", "UTC", "2028-02-29", time.Hour},
		{"year's end", "23:30-00:30", "UTC", "2026-12-31", time.Hour},
		{"from midnight to midnight", "00:00-24:00", "Europe/Berlin", "2026-10-25", 25 * time.Hour},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := mustHours(t, tt.window, tt.place)
			day, err := time.ParseInLocation(time.DateOnly, tt.day, h.Place)
			if err != nil {
				t.Fatal(err)
			}
			var within time.Duration
			for at := day; at.Before(day.AddDate(0, 0, 1)); at = at.Add(time.Minute) {
				if h.Contain(at.UTC()) {
					within += time.Minute
				}
			}
			if within != tt.want {
				t.Errorf("%s in %s holds %s of %s, want %s", tt.window, tt.place, within, tt.day, tt.want)
			}
		})
	}
}

// Whatever the season, what counts is what a clock on the wall shows.
func TestHoursFollowTheWall(t *testing.T) {
	t.Parallel()
	windows := [][2]string{{"22:00", "05:00"}, {"02:15", "02:45"}, {"00:00", "24:00"}, {"23:30", "00:00"}, {"09:00", "17:30"}}
	places := []string{"UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia", "America/St_Johns"}
	for _, place := range places {
		t.Run(place, func(t *testing.T) {
			t.Parallel()
			for _, w := range windows {
				h := mustHours(t, w[0]+"-"+w[1], place)
				at := time.Date(2027, time.December, 31, 0, 0, 0, 0, time.UTC)
				for end := at.AddDate(1, 2, 0); at.Before(end); at = at.Add(5 * time.Minute) { // 2028 has a leap day
					wall := at.In(h.Place).Format("15:04")
					want := w[0] <= wall && wall < w[1]
					if w[1] < w[0] {
						want = w[0] <= wall || wall < w[1]
					}
					if got := h.Contain(at); got != want {
						t.Fatalf("%s-%s contains %s, which is %s on the wall: %t, want %t", w[0], w[1], at, wall, got, want)
					}
				}
			}
		})
	}
}
