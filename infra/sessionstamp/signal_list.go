package main

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/shared/aws/stack"
	"github.com/sessionstamp/sessionstamp/shared/signal"
)

// listedSources is the JSON of signal list. Mode is "off", "report" or "enforce".
type listedSources struct {
	Stack   string         `json:"stack"`
	Mode    string         `json:"mode"`
	Sources []listedSource `json:"sources"`
}

// listedSource is one, without its secret. Stream is "enabled", "paused" or "disabled" for a
// stream that is made.
type listedSource struct {
	ID              string            `json:"id"`
	Name            string            `json:"name"`
	Kind            signal.SourceKind `json:"kind"`
	Provider        signal.Provider   `json:"provider,omitempty"`
	Issuer          string            `json:"issuer,omitempty"`
	Domains         []string          `json:"domains"`
	SessionsRevoked bool              `json:"sessionsRevoked"`
	URL             string            `json:"url"`
	Added           string            `json:"added"`
	Heard           string            `json:"heard,omitempty"`
	Silent          bool              `json:"silent"`
	Stream          string            `json:"stream,omitempty"`
}

func (c *call) signalListVerb() *cobra.Command {
	var d deployment
	cmd := c.verb("signal-list", func(cmd *cobra.Command, _ []string) error { return c.listSignals(cmd.Context(), d) })
	d.flags(c, cmd, usualStack)
	return cmd
}

// listSignals works with SignalMode off as well: sources may be left from before.
func (c *call) listSignals(ctx context.Context, d deployment) error {
	s, err := c.stack(ctx, d)
	if err != nil {
		return err
	}
	known, err := s.Registry(ctx)
	if err != nil {
		return err
	}
	return c.show(c.signalsView(d, s, known))
}

func (c *call) signalsView(d deployment, s *stack.Stack, known signal.Registry) view {
	sources := sorted(s, known)
	v := view{before: []line{c.signalsLine(s, len(sources))}, table: screen.Table{Columns: []screen.Column{
		{Title: c.say("column.signal")}, {Title: c.say("column.kind")}, {Title: c.say("column.domain")}, {Title: c.say("column.heard")}, {Title: c.say("column.stream")},
	}}}
	all := c.sourceList(s, sources...)
	for i, one := range sources {
		l := all.Sources[i]
		v.table.Rows = append(v.table.Rows, []string{one.Name, l.sort(), strings.Join(one.Domains, ", "), c.heardAt(one), l.Stream})
		if l.Silent {
			v.after = append(v.after, marked("! "+c.say("signal.silent", one.Name), screen.Notice))
		}
	}
	v.object, v.sheet = all, all.sheet()
	v.next = []hint{{"signal add --help", "hint.signal_add"}}
	switch {
	case s.SignalURL() == "":
		v.next = []hint{{"setup --signals report" + d.given(), "hint.signals_on"}}
	case len(sources) > 0:
		v.next = append([]hint{{d.on("test", sources[0].Name), "hint.signal_test"}, {"history --signals" + d.named(), "hint.signals"}}, v.next...)
	}
	return v
}

// signalsLine says what becomes of signals.
func (c *call) signalsLine(s *stack.Stack, sources int) line {
	switch {
	case s.SignalURL() == "":
		return line{text: c.say("signal.nobody_listens", s.Name), colour: screen.Notice}
	case sources == 0:
		return line{text: c.say("signal.none", s.Name)}
	}
	return c.modeLine(s)
}

// sorted are the sources by their names.
func sorted(s *stack.Stack, known signal.Registry) (sources []source) {
	for id, r := range known.Sources {
		sources = append(sources, source{r, id, s})
	}
	slices.SortFunc(sources, func(a, b source) int { return strings.Compare(a.Name+a.id, b.Name+b.id) })
	return sources
}

func (c *call) sourceList(s *stack.Stack, sources ...source) listedSources {
	all := listedSources{s.Name, string(s.SignalMode()), []listedSource{}}
	for _, one := range sources {
		all.Sources = append(all.Sources, c.described(one))
	}
	return all
}

func (c *call) described(s source) listedSource {
	l := listedSource{
		ID: s.id, Name: s.Name, Kind: s.Kind, Domains: s.Domains, SessionsRevoked: s.SessionsRevoked, URL: s.url(),
		Added: moment(s.Added), Heard: moment(s.Heard), Silent: s.Silent(c.Now()),
	}
	if s.Kind == signal.KindSSF {
		l.Provider, l.Issuer, l.Stream = s.Stream.Provider, s.Stream.Issuer, s.Stream.Status
	}
	return l
}

// sort is what a person calls the kind.
func (l listedSource) sort() string {
	if l.Provider != "" && l.Provider != signal.OtherSSF {
		return string(l.Kind) + " " + string(l.Provider)
	}
	return string(l.Kind)
}

func (c *call) heardAt(s source) string {
	if s.Heard.IsZero() {
		return c.say("signal.never")
	}
	return c.when(s.Heard)
}

func (l listedSources) sheet() screen.Table {
	var t screen.Table
	for _, title := range []string{"stack", "mode", "id", "name", "kind", "provider", "domains", "sessionsRevoked", "url", "added", "heard", "silent", "stream"} {
		t.Columns = append(t.Columns, screen.Column{Title: title})
	}
	for _, s := range l.Sources {
		t.Rows = append(t.Rows, []string{
			l.Stack, l.Mode, s.ID, s.Name, string(s.Kind), string(s.Provider), strings.Join(s.Domains, " "),
			strconv.FormatBool(s.SessionsRevoked), s.URL, s.Added, s.Heard, strconv.FormatBool(s.Silent), s.Stream,
		})
	}
	return t
}
