package userlist

import (
	"cmp"
	"io"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

// LogOptions say how a log is read.
type LogOptions struct {
	// Column is the heading of the column that names users, "" for one that is known.
	Column string
	// Containing keeps only lines in which one of these texts stands; none: all lines.
	Containing []string
	// Zone is that of times that name none.
	Zone *time.Location
	// Now and MaxAge bound the times: what is yet to come is refused, what is older is dropped.
	Now    time.Time
	MaxAge time.Duration
}

// A Log is what a provider's log says of users.
type Log struct {
	// Changes are the users, each with the latest time, in the order of their first lines.
	Changes []Change
	// Column is the heading under which they stand.
	Column string
	// Lines counts all below the headings; Kept those that Containing has kept; Failed and
	// Old those of them that say that nothing happened, or that happened too long ago.
	Lines, Kept, Failed, Old int
	// Kinds are the operations of those that were kept, the most frequent first; none if no
	// column tells.
	Kinds []Kind
	// Zoned tells that Zone was used.
	Zoned bool
}

// A Change is one user's.
type Change struct {
	User
	// At is when it happened, UTC, in whole seconds.
	At time.Time
}

// A Kind is one kind of operation.
type Kind struct {
	Name  string
	Lines int
	// Counts tells that it clearly is the change of a password, or that a user was disabled.
	Counts bool
}

// Others tells whether some lines are clearly about something else.
func (l Log) Others() bool {
	return slices.ContainsFunc(l.Kinds, func(k Kind) bool { return !k.Counts })
}

// ReadLog reads a log to its end, a file as for [Read] with headings above it. The error is
// a [*Refused] if a person must mend the file, or read it in another way.
func ReadLog(r io.Reader, o LogOptions) (Log, error) {
	return read(r, func(lines []string, problems *Refused) Log {
		l := logReader{options: o, records: split(lines, problems), kinds: make(map[string]int), at: make(map[string]int)}
		if !l.records.next() || !l.choose() {
			if len(problems.Problems) == 0 {
				problems.add(0, "", nobody)
			}
			return l.log
		}
		l.collect()
		return l.log
	})
}

// A logReader reads the lines below the headings.
type logReader struct {
	options LogOptions
	records *records
	columns logColumns
	log     Log
	rows    []row
	kinds   map[string]int
	at      map[string]int // the place among the changes, by name in lower case
}

// A row is what is kept of a line until the whole file tells how days are written.
type row struct {
	user User
	line int
	time string
}

// choose finds the columns by the current row.
func (l *logReader) choose() bool {
	headings := slices.Clone(l.records.cells)
	columns, key := chooseLog(headings, l.options.Column)
	if key != "" {
		l.records.refuse(key)
		return false
	}
	l.columns, l.records.column, l.log.Column = columns, columns.user, columns.user.heading
	return true
}

func (l *logReader) collect() {
	for l.records.next() {
		if l.log.Lines++; !l.contains() {
			continue
		}
		l.log.Kept++
		if l.failed() {
			l.log.Failed++
			continue
		}
		if len(l.columns.kinds) > 0 {
			l.kinds[strings.Join(l.cellsOf(l.columns.kinds), " ")]++
		}
		user, named := l.records.user()
		if !named {
			continue
		}
		text := l.cell(l.columns.time)
		if l.columns.clock >= 0 {
			text += " " + l.cell(l.columns.clock)
		}
		line, _ := l.records.csv.FieldPos(0)
		l.rows = append(l.rows, row{user: user, line: line, time: text})
	}
	for name, n := range l.kinds {
		l.log.Kinds = append(l.log.Kinds, Kind{Name: name, Lines: n, Counts: counts(name)})
	}
	slices.SortFunc(l.log.Kinds, func(a, b Kind) int {
		return cmp.Or(cmp.Compare(b.Lines, a.Lines), cmp.Compare(a.Name, b.Name))
	})
	l.date()
}

// cell is that of the current row; short rows end before empty ones.
func (l *logReader) cell(column int) string {
	if column < len(l.records.cells) {
		return l.records.cells[column]
	}
	return ""
}

func (l *logReader) cellsOf(columns []int) (cells []string) {
	for _, column := range columns {
		cells = append(cells, l.cell(column))
	}
	return cells
}

func folded(text string) string { return strings.ToLower(norm.NFKC.String(text)) }

// contains tells whether a person wants the current row.
func (l *logReader) contains() bool {
	all := folded(strings.Join(l.records.cells, "\t"))
	return len(l.options.Containing) == 0 || slices.ContainsFunc(l.options.Containing, func(text string) bool {
		return strings.Contains(all, folded(text))
	})
}

// failed tells whether the current row says that nothing happened.
func (l *logReader) failed() bool {
	return slices.ContainsFunc(l.cellsOf(l.columns.results), func(result string) bool {
		return folded(result) == "ng" || hasAny(folded(result), failures)
	})
}

// date reads the times, once all of them are known.
func (l *logReader) date() {
	zone := l.columns.zone
	c := clock{zone: cmp.Or(zone, l.options.Zone)}
	dayFirst, monthFirst, open := l.order()
	if c.dayFirst = dayFirst; open != nil && dayFirst == monthFirst {
		l.records.problems.add(open.line, open.time, dayOrMonth)
		return
	}
	other := clock{zone: time.FixedZone("", 1), dayFirst: dayFirst} // reads another time where none is named
	for _, r := range l.rows {
		at, key := c.parse(r.time)
		if key == "" && at.After(l.options.Now) && at.Second() == 59 && !at.Add(-59*time.Second).After(l.options.Now) {
			at = l.options.Now.UTC().Truncate(time.Second) // the minute has not ended
		}
		if key == "" && at.After(l.options.Now) {
			key = future
		}
		if key != "" {
			l.records.problems.add(r.line, r.time, key)
			continue
		}
		if without, _ := other.parse(r.time); zone == nil && !without.Equal(at) {
			l.log.Zoned = true
		}
		if l.options.Now.Sub(at) > l.options.MaxAge {
			l.log.Old++
			continue
		}
		l.add(Change{r.user, at})
	}
}

// order tells whether some row can have the day first only, or the month first only, and
// returns one that can have both.
func (l *logReader) order() (dayFirst, monthFirst bool, open *row) {
	const months = 12
	for i := range l.rows {
		switch first, second, found := numbers(l.rows[i].time); {
		case !found || first == second:
		case first > months:
			dayFirst = true
		case second > months:
			monthFirst = true
		default:
			open = &l.rows[i]
		}
	}
	return dayFirst, monthFirst, open
}

// add takes a change, unless a later one of the user is known.
func (l *logReader) add(c Change) {
	key := strings.ToLower(c.Name)
	place, known := l.at[key]
	switch {
	case !known:
		l.at[key] = len(l.log.Changes)
		l.log.Changes = append(l.log.Changes, c)
	case c.At.After(l.log.Changes[place].At):
		l.log.Changes[place].At = c.At
	}
}
