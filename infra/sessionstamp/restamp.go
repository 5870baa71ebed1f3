package main

import (
	"context"
	"io"
	"strings"
	"time"
	_ "time/tzdata" // Windows has no zones by these names

	"github.com/spf13/cobra"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/job"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/userlist"
	"github.com/sessionstamp/sessionstamp/shared/signal"
)

// logged is a provider's log, as the flags of restamp name it.
type logged struct {
	from, column string
	containing   []string
	zone         *time.Location // nil: this machine's
	log          userlist.Log
}

// restampVerb is for providers that export a log, and report nothing.
func (c *call) restampVerb() *cobra.Command {
	e := &errand{verb: job.Restamp, expect: -1}
	cmd := c.verb(string(job.Restamp), func(cmd *cobra.Command, _ []string) error { return c.order(cmd.Context(), *e) })
	flags := cmd.Flags()
	flags.Var(text{&e.from, "FILE"}, "from", c.help("flag.log"))
	flags.Var(texts{&e.containing, "TEXT"}, "containing", c.help("flag.containing"))
	flags.Var(text{&e.column, "HEADING"}, "user-column", c.help("flag.user-column"))
	flags.Var(timeZone{&e.zone}, "time-zone", c.help("flag.time-zone"))
	flags.BoolVar(&e.goOn, "continue", false, c.help("flag.continue"))
	flags.Var(number{&e.expect}, "expect", c.help("flag.expect"))
	e.carryingFlags(c, cmd)
	explainElsewhere(cmd, job.SignOut, "afresh", "no-wait", "at", "continue", "exclude", "exclude-group")
	_ = cmd.MarkFlagFilename("from") // it fails only for a flag that there is not
	return cmd
}

// readLog reads the log, if there is one. One that clearly is about other things as well is
// refused, unless the person says which of its lines are meant.
func (c *call) readLog(ctx context.Context, l *logged) (err error) {
	switch {
	case l.from == "" && (len(l.containing) > 0 || l.column != "" || l.zone != nil):
		return misuse("use.continue_alone")
	case l.from == "":
		return nil
	case l.zone == nil:
		l.zone = c.Now().Location()
	}
	l.log, err = readWhole(ctx, c, l.from, func(r io.Reader) (userlist.Log, error) {
		return userlist.ReadLog(r, userlist.LogOptions{
			Column: l.column, Containing: l.containing, Zone: l.zone, Now: c.Now(), MaxAge: signal.MaxAge,
		})
	})
	if err == nil && l.log.Others() && len(l.containing) == 0 {
		return &trouble{status: wrongUse, key: "use.log_others", more: c.kinds(l.log)}
	}
	return err
}

// kinds say how many lines there are of each kind of operation.
func (c *call) kinds(log userlist.Log) (lines []string) {
	const most = 10
	for i, kind := range log.Kinds {
		if i == most {
			return append(lines, c.say("restamp.more_kinds", language.Number(len(log.Kinds)-most)))
		}
		lines = append(lines, c.say("restamp.kind", language.Number(kind.Lines), kind.Name))
	}
	return lines
}

// logged finds the users of a log. Two names of the same user count as one.
func (c *call) logged(ctx context.Context, t tenant, changes []userlist.Change, w *job.Wanted) ([]miss, error) {
	w.Moments = make(map[string]time.Time, len(changes))
	users, at := make([]userlist.User, len(changes)), make(map[userlist.User]time.Time, len(changes))
	for i, change := range changes {
		users[i], at[change.User] = change.User, change.At
	}
	return c.listed(ctx, t, users, func(u userlist.User, id string) {
		if _, known := w.Moments[id]; !known {
			w.Users = append(w.Users, id)
		}
		if at[u].After(w.Moments[id]) {
			w.Moments[id] = at[u]
		}
	})
}

// logLines say what was read of the log, and how.
func (c *call) logLines(m mission) (lines []line) {
	if m.from == "" {
		return nil
	}
	log := m.log
	lines = append(lines, line{text: c.say("restamp.lines", language.Number(log.Lines), language.Number(log.Kept), language.Number(log.Failed), language.Number(log.Old)), hang: 2})
	if len(log.Kinds) == 0 {
		lines = append(lines, line{text: c.say("restamp.no_kinds"), colour: screen.Notice})
	} else if kinds := c.kinds(log); len(kinds) > 0 {
		for i := range kinds {
			kinds[i] = strings.TrimSpace(kinds[i])
		}
		about := line{text: "  " + c.and(kinds), hang: 2}
		if log.Others() {
			about.colour = screen.Notice
		}
		lines = append(lines, about)
	}
	if log.Zoned {
		lines = append(lines, line{text: c.say("restamp.zone", c.zoneName(m.zone))})
	}
	return lines
}

// zoneName is a zone as a person knows it, with what it is now.
func (c *call) zoneName(zone *time.Location) string {
	offset := c.Now().In(zone).Format("-07:00")
	if name := zone.String(); name != "Local" && name != "" {
		return name + " (" + offset + ")"
	}
	return offset
}

// timeZone is a flag that takes a zone by its name in the IANA database.
type timeZone struct{ to **time.Location }

func (z timeZone) Set(name string) error {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return errValue
	}
	*z.to = zone
	return nil
}

func (timeZone) String() string { return "" }

func (timeZone) Type() string { return "Asia/Tokyo" }
