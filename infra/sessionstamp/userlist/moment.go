package userlist

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

// A reader of times knows what a file leaves open.
type clock struct {
	// zone is that of times that name none.
	zone *time.Location
	// dayFirst tells that 3/11/2026 is of November.
	dayFirst bool
}

var (
	yearFirst = regexp.MustCompile(`^(\d{4}) ?[-/.年] ?(\d{1,2}) ?[-/.月] ?(\d{1,2}) ?日?`)
	yearLast  = regexp.MustCompile(`^(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})`)
	packed    = regexp.MustCompile(`^(\d{4})(\d{2})(\d{2})(?:[T ]?(\d{2})(\d{2})(\d{2}))?(\D.*)?$`)
	weekday   = regexp.MustCompile(`\(?[日月火水木金土]曜日?\)?|\([日月火水木金土]\)|^(?i:sun|mon|tue|wed|thu|fri|sat)[a-z]*[, ] ?`)
	ofDay     = regexp.MustCompile(`^[T, ]*(午前|午後|(?i:AM|PM))? ?(\d{1,2}) ?[:時] ?(\d{1,2}) ?分?(?::?(\d{1,2})(?:[.,]\d{1,9})? ?秒?)? ?((?i:AM|PM))?`)
	zoneName  = regexp.MustCompile(`^\(?(?i:(Z|UTC|GMT|JST))?\)? ?(?:([+-])(\d{1,2}):?(\d{2})?)?(?: ?\([^()]*\))?$`)
	serial    = regexp.MustCompile(`^\d{5}\.\d+$`)
	epoch     = regexp.MustCompile(`^\d{10}(?:\d{3}|\.\d+)?$`)
)

// parse reads a time as providers, Excel and people write it. It is in whole seconds, and
// the latest that the text can mean: the end of a minute without seconds, since a stamp of
// that minute may be older than what happened.
func (c clock) parse(text string) (time.Time, problem) {
	text = strings.TrimSpace(norm.NFKC.String(text))
	switch {
	case epoch.MatchString(text):
		seconds, err := strconv.ParseInt(text[:10], 10, 64)
		return time.Unix(seconds, 0).UTC(), wrong(err == nil)
	case serial.MatchString(text):
		return c.excel(text)
	}
	year, month, day, rest, key := c.date(weekday.ReplaceAllString(text, ""))
	if key != "" {
		return time.Time{}, key
	}
	hour, minute, second, rest, key := timeOfDay(rest)
	if key != "" {
		return time.Time{}, key
	}
	zone, ok := zoneOf(rest, c.zone)
	if !ok {
		return time.Time{}, badTime
	}
	at := latestOf(time.Date(year, time.Month(month), day, hour, minute, second, 0, zone))
	// time.Date makes the 31st of November the first of December.
	if y, m, d := at.Date(); y != year || int(m) != month || d != day {
		return time.Time{}, badTime
	}
	return at.UTC(), ""
}

func wrong(ok bool) problem {
	if ok {
		return ""
	}
	return badTime
}

// latestOf is the second of two hours that clocks show alike when summer ends.
func latestOf(at time.Time) time.Time {
	later := at.Add(time.Hour)
	if later.Hour() == at.Hour() && later.Day() == at.Day() {
		return later
	}
	return at
}

// excel reads a day counted from the end of 1899, as Excel shows a time without a format.
func (c clock) excel(text string) (time.Time, problem) {
	const secondsOfDay = 24 * 60 * 60
	days, err := strconv.ParseFloat(text, 64)
	second := int(days*secondsOfDay + 0.5)
	return latestOf(time.Date(1899, time.December, 30+second/secondsOfDay, 0, 0, second%secondsOfDay, 0, c.zone)).UTC(), wrong(err == nil)
}

// date reads the day at the beginning of a text.
func (c clock) date(text string) (year, month, day int, rest string, key problem) {
	if m := yearFirst.FindStringSubmatch(text); m != nil {
		return atoi(m[1]), atoi(m[2]), atoi(m[3]), text[len(m[0]):], ""
	}
	if m := yearLast.FindStringSubmatch(text); m != nil {
		month, day = atoi(m[1]), atoi(m[2])
		if c.dayFirst {
			month, day = day, month
		}
		return atoi(m[3]), month, day, text[len(m[0]):], ""
	}
	if m := packed.FindStringSubmatch(text); m != nil {
		rest = m[7]
		if m[4] != "" {
			rest = " " + m[4] + ":" + m[5] + ":" + m[6] + rest
		}
		return atoi(m[1]), atoi(m[2]), atoi(m[3]), rest, ""
	}
	return named(text)
}

// How English writes a day: Nov 29, 2026 or 29-Nov-2026.
var (
	monthName    = regexp.MustCompile(`^([A-Za-z]{3})[a-z]*\.?[ -](\d{1,2}),?[ -](\d{4})`)
	dayThenMonth = regexp.MustCompile(`^(\d{1,2})[ -]([A-Za-z]{3})[a-z]*\.?,?[ -](\d{4})`)
)

func named(text string) (year, month, day int, rest string, key problem) {
	var name string
	if m := monthName.FindStringSubmatch(text); m != nil {
		name, day, year, rest = m[1], atoi(m[2]), atoi(m[3]), text[len(m[0]):]
	} else if m := dayThenMonth.FindStringSubmatch(text); m != nil {
		name, day, year, rest = m[2], atoi(m[1]), atoi(m[3]), text[len(m[0]):]
	}
	at, err := time.Parse("Jan", name)
	return year, int(at.Month()), day, rest, wrong(err == nil)
}

func atoi(digits string) int {
	n, _ := strconv.Atoi(digits) // the patterns take digits only
	return n
}

// timeOfDay reads the time at the beginning of a text. Without seconds it is the end of the
// minute.
func timeOfDay(text string) (hour, minute, second int, rest string, key problem) {
	m := ofDay.FindStringSubmatch(text)
	if m == nil {
		if strings.TrimSpace(text) == "" {
			return 0, 0, 0, "", noClock
		}
		return 0, 0, 0, "", badTime
	}
	hour, minute, second = atoi(m[2]), atoi(m[3]), atoi(m[4])
	if m[4] == "" {
		second = 59
	}
	half := strings.ToUpper(m[1] + m[5])
	switch afternoon := half == "PM" || half == "午後"; {
	case half == "":
	case hour > 12:
		return 0, 0, 0, "", badTime
	default:
		hour %= 12
		if afternoon {
			hour += 12
		}
	}
	const hours, sixty = 24, 60
	return hour, minute, second, strings.TrimSpace(text[len(m[0]):]), wrong(hour < hours && minute < sixty && second < sixty)
}

// zoneOf reads a zone, of which only those are known by name that mean one thing everywhere.
func zoneOf(text string, usual *time.Location) (*time.Location, bool) {
	m := zoneName.FindStringSubmatch(text)
	switch {
	case text == "":
		return usual, true
	case m == nil, m[1]+m[2] == "":
		return nil, false
	case m[2] != "":
		const hour, minute, furthest = 60 * 60, 60, 14
		offset := atoi(m[3])*hour + atoi(m[4])*minute
		if m[2] == "-" {
			offset = -offset
		}
		return time.FixedZone("", offset), atoi(m[3]) <= furthest
	case strings.EqualFold(m[1], "JST"):
		return tokyo, true
	}
	return time.UTC, true
}

var tokyo = time.FixedZone("JST", 9*60*60)

// zoneOfHeading is the zone in a heading such as "Date (ASIA / TOKYO)", nil for none.
func zoneOfHeading(heading string) *time.Location {
	_, name, _ := strings.Cut(strings.TrimSuffix(plain(heading), ")"), "(")
	if name == "asia/tokyo" {
		name = "jst"
	}
	if zone, ok := zoneOf(strings.ToUpper(name), nil); ok {
		return zone
	}
	return nil
}

// numbers are the first two of 3/11/2026, of which one may tell that it is the day.
func numbers(text string) (first, second int, found bool) {
	m := yearLast.FindStringSubmatch(strings.TrimSpace(norm.NFKC.String(text)))
	if m == nil {
		return 0, 0, false
	}
	return atoi(m[1]), atoi(m[2]), true
}
