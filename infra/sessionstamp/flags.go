package main

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/text/unicode/norm"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
)

// The values of flags are of types of our own, so that what is wrong with one can be said
// in the person's language: [flagError] shows by Type what could be written.

// A valueError is why a value is not taken: the key of a sentence about the flag's name,
// the value and what the flag takes.
type valueError language.Key

// Error is for pflag, and is never shown.
func (e valueError) Error() string { return string(e) }

const (
	errValue    = valueError("use.value")
	errNumber   = valueError("use.number")
	errFuture   = valueError("use.future")
	errInterval = valueError("use.interval")
	errRegion   = valueError("use.region")
	errTwice    = valueError("use.twice")
	errDashed   = valueError("use.dashed_value")
)

// given is a flag's value, and sees how the flag was given. Where two values would
// contradict each other, or the next flag would be taken for the value, pflag lets it be.
type given struct {
	pflag.Value
	flag *pflag.Flag
	args []string
	set  bool
}

// watchOver makes each flag that takes a value a given one.
func watchOver(flags *pflag.FlagSet, args []string) {
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Value.Type() != "bool" {
			f.Value = &given{Value: f.Value, flag: f, args: args}
		}
	})
}

// Set implements [pflag.Value].
func (g *given) Set(value string) error {
	_, repeats := g.Value.(texts)
	switch {
	case g.eatsFlag(value):
		return errDashed
	case g.set && !repeats:
		return errTwice
	}
	g.set = true
	return g.Value.Set(value)
}

// eatsFlag tells whether a value that looks like a flag stands as an argument of its own. A
// number below 0 has its own sentence, and - alone is a file.
func (g *given) eatsFlag(value string) bool {
	if _, isNumber := g.Value.(number); isNumber || value == "-" || !strings.HasPrefix(value, "-") {
		return false
	}
	for i, arg := range g.args[:max(0, len(g.args)-1)] {
		if (arg == "--"+g.flag.Name || arg == "-"+g.flag.Shorthand) && g.args[i+1] == value {
			return true
		}
	}
	return false
}

// choice is a flag that has one of a few values.
type choice struct {
	to *string
	of []string
}

func (c choice) Set(text string) error {
	if !slices.Contains(c.of, text) {
		return errValue
	}
	*c.to = text
	return nil
}

func (c choice) String() string {
	if c.to == nil {
		return ""
	}
	return *c.to
}

func (c choice) Type() string { return strings.Join(c.of, "|") }

// number is a count, 0 or more.
type number struct{ to *int }

func (n number) Set(text string) error {
	value, err := strconv.Atoi(text)
	if err != nil || value < 0 {
		return errNumber
	}
	*n.to = value
	return nil
}

func (n number) String() string {
	if n.to == nil {
		return ""
	}
	return strconv.Itoa(*n.to)
}

func (number) Type() string { return "N" }

// since is a moment of the past: a day, the beginning of a month, or some days ago.
type since struct {
	to   *time.Time
	said *string // as it was written
	now  func() time.Time
}

func (s since) Set(text string) error {
	now := s.now()
	at, ok := parseSince(text, now)
	switch {
	case !ok:
		return errValue
	case at.After(now):
		return errFuture
	}
	*s.to, *s.said = at, text
	return nil
}

func (s since) String() string { return "" }

func (since) Type() string { return "2026-10-01|2026-10|30d" }

func parseSince(text string, now time.Time) (at time.Time, ok bool) {
	if days, counted := strings.CutSuffix(text, "d"); counted {
		const longest = 100 * 366
		n, err := strconv.Atoi(days)
		return now.AddDate(0, 0, -n), err == nil && n > 0 && n <= longest
	}
	for _, layout := range []string{time.DateOnly, "2006-01"} {
		if at, err := time.ParseInLocation(layout, text, now.Location()); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

// flagError says what is wrong with the flags.
func (c *call) flagError(cmd *cobra.Command, err error) error {
	switch e := err.(type) { //nolint:errorlint // pflag wraps none of them
	case *pflag.NotExistError:
		return c.unknownFlag(cmd, e.GetSpecifiedName(), e.GetSpecifiedShortnames())
	case *pflag.ValueRequiredError:
		return misuse("use.no_value", e.GetFlag().Name, e.GetFlag().Value.Type())
	case *pflag.InvalidValueError:
		f := e.GetFlag()
		if name, one := oneDash(c.Args, f.Shorthand+e.GetValue()); one && cmd.Flag(name) != nil {
			return misuse("use.two_dashes", "-"+name, name)
		}
		key := errValue
		errors.As(e, &key) // what is none is strconv's, about true and false
		return misuse(language.Key(key), f.Name, e.GetValue(), typeOf(f))
	case *pflag.InvalidSyntaxError:
		return misuse("use.flag", e.GetSpecifiedFlag())
	}
	return misuse("use.flag", err.Error())
}

// unknownFlag names the flag that was probably meant. Letters are those behind one dash.
func (c *call) unknownFlag(cmd *cobra.Command, name, letters string) error {
	written := dashed(name)
	if whole, one := oneDash(c.Args, letters); one {
		if name, written = whole, "-"+whole; cmd.Flag(name) != nil {
			return misuse("use.two_dashes", written, name)
		}
	}
	if like := flagLike(cmd, name); like != "" {
		return misuse("use.flag_like", written, like)
	}
	return misuse("use.flag", written)
}

// oneDash returns the name of a flag that was written as -all. Of it pflag, which takes
// each letter for a flag, tells the end.
func oneDash(args []string, end string) (name string, found bool) {
	for _, arg := range args {
		letters, dash := strings.CutPrefix(arg, "-")
		if dash && len(letters) > 1 && letters[0] != '-' && end != "" && strings.HasSuffix(letters, end) {
			name, _, _ = strings.Cut(letters, "=")
			return name, true
		}
	}
	return "", false
}

// otherNames are what other programs call our flags.
var otherNames = map[string][]string{
	"dry-run": {"whatif", "preview", "noop"}, "yes": {"force", "confirm"}, "lang": {"language"}, "tenant": {"tenantid"},
	"plan": {"dry-run", "whatif", "preview", "noop"}, "output": {"format"}, "exclude": {"except"}, "file": {"csv"},
}

// flagLike returns a flag whose name is almost the one given. Cobra knows how alike the
// names of verbs are, so they are made verbs.
func flagLike(cmd *cobra.Command, name string) string {
	const shortest = 3 // any two letters are alike
	names := &cobra.Command{SuggestionsMinimumDistance: 2}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		names.AddCommand(&cobra.Command{Use: f.Name, SuggestFor: otherNames[f.Name], Run: func(*cobra.Command, []string) {}})
	})
	if like := names.SuggestionsFor(norm.NFKC.String(name)); len(name) >= shortest && len(like) > 0 {
		return like[0]
	}
	return ""
}

func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

// typeOf tells what a flag takes, as its help does.
func typeOf(f *pflag.Flag) string {
	if f.Value.Type() == "bool" {
		return "true|false"
	}
	return f.Value.Type()
}

// texts is a flag that may be given several times; like names what it takes.
type texts struct {
	to   *[]string
	like string
}

func (t texts) Set(text string) error {
	if text = strings.TrimSpace(text); text == "" {
		return errValue
	}
	*t.to = append(*t.to, text)
	return nil
}

func (texts) String() string { return "" }

func (t texts) Type() string { return t.like }

// text is a flag that takes anything but nothing.
type text struct {
	to   *string
	like string
}

func (t text) Set(value string) error {
	if value = strings.TrimSpace(value); value == "" {
		return errValue
	}
	*t.to = value
	return nil
}

func (text) String() string { return "" }

func (t text) Type() string { return t.like }
