package main

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// The values of flags are of types of our own, so that what is wrong with one can be said
// in the person's language: [flagError] shows by Type what could be written.

// errValue is for pflag, and is never shown.
var errValue = errors.New("no such value")

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
		return errValue
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

func (number) Type() string { return "0|1|2…" }

// since is a moment of the past: a day, the beginning of a month, or some days ago.
type since struct {
	to  *time.Time
	now func() time.Time
}

func (s since) Set(text string) error {
	at, ok := parseSince(text, s.now())
	if !ok {
		return errValue
	}
	*s.to = at
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
			return at, !at.After(now)
		}
	}
	return time.Time{}, false
}

// flagError says what is wrong with the flags.
func flagError(err error) error {
	switch e := err.(type) { //nolint:errorlint // pflag wraps none of them
	case *pflag.NotExistError:
		return misuse("use.flag", dashed(e.GetSpecifiedName()))
	case *pflag.ValueRequiredError:
		return misuse("use.no_value", e.GetFlag().Name, typeOf(e.GetFlag()))
	case *pflag.InvalidValueError:
		return misuse("use.value", e.GetFlag().Name, e.GetValue(), typeOf(e.GetFlag()))
	case *pflag.InvalidSyntaxError:
		return misuse("use.flag", e.GetSpecifiedFlag())
	}
	return misuse("use.flag", err.Error())
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
