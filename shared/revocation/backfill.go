package revocation

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Mode says what becomes of existing users without a stamp, whom the cure signs
// out of a session they are in the middle of.
type Mode string

// The modes.
const (
	// ModeReport counts and lists them, and touches nobody but new users.
	ModeReport Mode = "report"
	// ModeEnforce stamps them too, within hours and ceilings.
	ModeEnforce Mode = "enforce"
)

// Backfill are the rules by which existing users are stamped.
type Backfill struct {
	Mode     Mode
	Hours    Hours
	Ceilings Ceilings
}

// DefaultBackfill touches no existing user.
var DefaultBackfill = Backfill{Mode: ModeReport, Ceilings: DefaultCeilings}

// Validate reports every fault.
func (b Backfill) Validate() error {
	var faults []error
	if b.Mode != ModeReport && b.Mode != ModeEnforce {
		faults = append(faults, fmt.Errorf("backfill mode %q is not one of %s, %s", b.Mode, ModeReport, ModeEnforce))
	}
	return errors.Join(append(faults, b.Hours.Validate(), b.Ceilings.Validate())...)
}

// Hours are the daily window in which existing users may be signed out, by the
// clock on the wall of one place: "22:00" to "05:00" in "Asia/Tokyo". The zero
// value is all day.
type Hours struct {
	// From and To are minutes after midnight, From included, To not; a window
	// whose To is before its From goes over midnight.
	From, To int
	// Place is the time zone. Where its clock is put back, an hour that comes
	// twice counts twice; where it is put forward, the one left out does not.
	Place *time.Location
}

const minutesADay = 24 * 60

// ParseHours reads a window "22:00-05:00" in a time zone of the IANA database.
// An empty window is all day.
func ParseHours(window, place string) (Hours, error) {
	if window == "" {
		return Hours{}, nil
	}
	var fromHour, fromMinute, toHour, toMinute int
	if n, err := fmt.Sscanf(window, "%2d:%2d-%2d:%2d", &fromHour, &fromMinute, &toHour, &toMinute); err != nil || n != 4 {
		return Hours{}, fmt.Errorf("hours %q: want HH:MM-HH:MM, such as 22:00-05:00", window)
	}
	plain := fmt.Sprintf("%02d:%02d-%02d:%02d", fromHour, fromMinute, toHour, toMinute)
	if plain != window || strings.Count(window, "-") > 1 || fromMinute > 59 || toMinute > 59 {
		return Hours{}, fmt.Errorf("hours %q: want HH:MM-HH:MM, such as 22:00-05:00", window)
	}
	location, err := time.LoadLocation(place)
	if err != nil || place == "" || place == "Local" { // which is wherever the program runs
		return Hours{}, fmt.Errorf("time zone %q: want a name of the IANA database, such as Asia/Tokyo or Europe/Berlin", place)
	}
	h := Hours{From: fromHour*60 + fromMinute, To: toHour*60 + toMinute, Place: location}
	return h, h.Validate()
}

// Validate reports a window that is none.
func (h Hours) Validate() error {
	switch {
	case h == Hours{}:
		return nil
	case h.Place == nil:
		return errors.New("hours need a time zone")
	case h.From < 0 || h.To < 0 || h.From >= minutesADay || h.To > minutesADay:
		return fmt.Errorf("hours from minute %d to minute %d are not within a day", h.From, h.To)
	case h.From == h.To:
		return errors.New("hours begin when they end: leave them empty for all day, or use mode report for never")
	}
	return nil
}

// Contain tells whether t is within the window.
func (h Hours) Contain(t time.Time) bool {
	if h.Place == nil {
		return true
	}
	local := t.In(h.Place)
	minute := local.Hour()*60 + local.Minute()
	if h.From < h.To {
		return h.From <= minute && minute < h.To
	}
	return minute >= h.From || minute < h.To
}

// Ceilings bound how many existing users are signed out. Reaching one stops the
// backfill until a person lifts it; new users never wait for it. A ceiling of
// zero lets nobody through.
type Ceilings struct {
	// PerRun is the most from one lifting to the next.
	PerRun int
	// PerHour is the most in any hour.
	PerHour int
	// Share is the most from one lifting to the next as a part of the tenant's
	// members, from 0 to 1. While the members have not been counted, it lets
	// nobody through.
	Share float64
}

// DefaultCeilings let a mistake reach few.
var DefaultCeilings = Ceilings{PerRun: 200, PerHour: 200, Share: 0.05}

// Validate reports ceilings that make no sense.
func (c Ceilings) Validate() error {
	if c.PerRun < 0 || c.PerHour < 0 || c.Share < 0 || c.Share > 1 {
		return fmt.Errorf("ceilings must not be negative, and a share lies between 0 and 1: per run %d, per hour %d, share %g", c.PerRun, c.PerHour, c.Share)
	}
	return nil
}

// BackfillState is how far the backfill of a tenant has come.
type BackfillState struct {
	// Tenant is the key; Version counts the writes, 0 for never written.
	Tenant  string
	Version int64
	// Run counts the existing users let through since the last lifting.
	Run int
	// Recent counts them by ten minutes, oldest first, for a little over an
	// hour.
	Recent []Slot
	// Members is the number of the tenant's members, as the last full sweep
	// counted them.
	Members int
	// Stopped tells which ceiling was reached, "" for none, and StoppedAt when.
	Stopped   Reason
	StoppedAt time.Time
	// Lifted is when a person last lifted the ceilings.
	Lifted time.Time
}

// A Slot counts the existing users let through in ten minutes.
type Slot struct {
	Start time.Time
	Count int
}

const slotLength = 10 * time.Minute

// slotMemory is how long a slot counts: for the last one let through in it an
// hour, and the time for which a call may follow its being let through, so that
// the ceiling holds for the calls as well.
const slotMemory = time.Hour + 2*slotLength

// Take asks to let n existing users through at now. It returns how many may
// pass and the state to be stored before they do.
func (s BackfillState) Take(n int, c Ceilings, now time.Time) (granted int, next BackfillState) {
	next = s.forget(now)
	if next.Stopped != "" {
		return 0, next
	}
	granted = n
	for _, ceiling := range []struct {
		room   int
		reason Reason
	}{
		{c.PerRun - next.Run, ReasonCeilingRun},
		{c.PerHour - next.lastHour(), ReasonCeilingHour},
		{int(c.Share*float64(next.Members)) - next.Run, ReasonCeilingShare},
	} {
		if ceiling.room < granted {
			granted = max(ceiling.room, 0)
			next.Stopped, next.StoppedAt = ceiling.reason, now
		}
	}
	next.count(granted, now)
	return granted, next
}

// forget drops the slots that count no more.
func (s BackfillState) forget(now time.Time) BackfillState {
	s.Recent = slices.DeleteFunc(slices.Clone(s.Recent), func(slot Slot) bool {
		return now.Sub(slot.Start) >= slotMemory
	})
	return s
}

func (s BackfillState) lastHour() int {
	n := 0
	for _, slot := range s.Recent {
		n += slot.Count
	}
	return n
}

func (s *BackfillState) count(n int, now time.Time) {
	if n == 0 {
		return
	}
	s.Run += n
	start := now.Truncate(slotLength)
	if last := len(s.Recent) - 1; last >= 0 && s.Recent[last].Start.Equal(start) {
		s.Recent[last].Count += n
		return
	}
	s.Recent = append(s.Recent, Slot{Start: start, Count: n})
}

// Lift starts a new run at now: what a person does who has seen that the users
// stamped so far were the right ones. Those of the last hour still count for the
// hour.
func (s BackfillState) Lift(now time.Time) BackfillState {
	s = s.forget(now)
	s.Run, s.Stopped, s.StoppedAt, s.Lifted = 0, "", time.Time{}, now
	return s
}
