package screen

import (
	"slices"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
)

// sample is how much was done when.
type sample struct {
	at   time.Time
	done int
}

// pace remembers the last half minute: Graph slows us down and lets us go again, and the
// average since the beginning would promise too much or too little. There is one sample a
// second. The first is the oldest, and the last the newest time at which more was done.
type pace []sample

const (
	window = 30 * time.Second
	// trusted is how long we look before we promise an end.
	trusted = 2 * time.Second
)

// see adds a sample, and forgets those before the window but one.
func (p pace) see(now time.Time, done int) pace {
	for len(p) > 2 && now.Sub(p[1].at) > window {
		p = p[1:]
	}
	last := p[len(p)-1]
	if done <= last.done {
		return p
	}
	if len(p) > 1 && last.at.Sub(p[len(p)-2].at) < time.Second {
		p = p[:len(p)-1]
	}
	return append(slices.Clone(p), sample{now, done})
}

// rate returns how many are done a second, 0 if that is not known yet, and how long
// nothing was done.
func (p pace) rate(now time.Time) (perSecond float64, quiet time.Duration) {
	first, last := p[0], p[len(p)-1]
	quiet = now.Sub(last.at)
	if passed := now.Sub(first.at); passed >= trusted {
		perSecond = float64(last.done-first.done) / passed.Seconds()
	}
	return perSecond, quiet
}

// remaining is how long the rest takes at this rate, 0 if that is not known.
func remaining(c Count, rate float64) time.Duration {
	const longest = 1000 * 24 * time.Hour // more than that is no promise
	if rate <= 0 {
		return 0
	}
	seconds := float64(c.Total-c.Done) / rate
	return time.Duration(min(seconds, longest.Seconds()) * float64(time.Second))
}

// Duration writes a time rounded up, so that nobody waits longer than we said: seconds
// below a minute, else minutes.
func Duration(l language.Language, d time.Duration) string {
	up := func(unit time.Duration) int { return int((d + unit - 1) / unit) }
	switch minutes := up(time.Minute); {
	case d <= 59*time.Second:
		return Words.Say(l, inSeconds, up(time.Second))
	case minutes < 60:
		return Words.Say(l, inMinutes, minutes)
	default:
		return Words.Say(l, inHours, minutes/60, minutes%60)
	}
}

// Clock writes when something ends, with the date if it is not today.
func Clock(now, end time.Time) string {
	if now.Format(time.DateOnly) == end.Format(time.DateOnly) {
		return end.Format("15:04")
	}
	return end.Format("2006-01-02 15:04")
}
