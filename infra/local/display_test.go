package main

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// most is the progress of the largest run, and more than can be of the rest.
var most = progress{expected: 104_000, created: 104_000, due: 104_000, revoked: 104_000, confirmed: 104_000, waiting: 208_000, forged: 104_000, throttled: 104_000, died: 104_000}

// checkWidth checks that a terminal of 80 columns shows every line of text whole.
func checkWidth(t *testing.T, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if n := utf8.RuneCountInString(line); n >= 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

// sized is a size that does not change.
func sized(columns, rows int) func() (int, int, error) {
	return func() (int, int, error) { return columns, rows, nil }
}

// TestDisplayFits looks at what would be shown without any cutting, and at all that
// is told.
func TestDisplayFits(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	for _, d := range []display{&screen{w: &out, size: sized(1000, 1000)}, lines{&out}} {
		d.show(most, 1090*time.Second)
		for _, text := range []string{
			beginFirst(maxUsers), endFirst(maxUsers, 0), endFirst(maxUsers, maxUsers), beginSecond(maxUsers), deliversAgain, repaired,
			endSecond(maxUsers, 0), endSecond(maxUsers, maxUsers), beginThird(maxUsers), endThird,
		} {
			d.tell(text)
		}
	}
	fmt.Fprintf(&out, intro, demoQuota, defaultUsers)
	shown := regexp.MustCompile(`\r|\x1b\[(\d+A|J)`).ReplaceAllString(out.String(), "")
	if !strings.Contains(shown, "104000") || !strings.Contains(shown, "100000 more users appear.") {
		t.Errorf("not what was to be measured:\n%s", shown)
	}
	checkWidth(t, shown)
}

// TestScreenLeavesNothingBehind plays what is redrawn to terminals of several sizes.
func TestScreenLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		size  func() (int, int, error)
		width int
		drawn int // lines that are redrawn
	}{
		"usual":        {sized(80, 24), 80, 7},
		"wide":         {sized(200, 50), 200, 7},
		"narrow":       {sized(30, 24), 30, 7},
		"flat":         {sized(80, 4), 80, 3},
		"without size": {sized(0, 0), 80, 7},
		"unknown":      {func() (int, int, error) { return 0, 0, errors.New("not a terminal") }, 80, 7},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			s := &screen{w: &out, size: test.size}
			s.tell("First act")
			s.show(progress{}, 0)
			s.show(most, time.Second)
			s.tell("Second act")
			for range 5 {
				s.show(most, time.Second)
			}
			got := replay(out.String(), test.width)
			if len(got) != 2+test.drawn {
				t.Fatalf("%d lines, want 2 that are told and %d that are redrawn:\n%s", len(got), test.drawn, strings.Join(got, "\n"))
			}
			if diff := cmp.Diff([]string{"First act", "Second act", "  created    104000"}, []string{got[0], got[1], got[2][:19]}); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// replay returns what stands on a terminal of so many columns that was sent text.
func replay(text string, columns int) []string {
	var shown []string
	for line := range strings.Lines(text) {
		if codes, rest, erased := strings.Cut(line, "\x1b[J"); erased {
			var up int
			if _, err := fmt.Sscanf(codes, "\r\x1b[%dA", &up); err != nil {
				return []string{fmt.Sprintf("not understood: %q", codes)}
			}
			shown, line = shown[:max(len(shown)-up, 0)], rest
		}
		runes := []rune(strings.TrimSuffix(line, "\n"))
		for len(runes) > columns {
			shown, runes = append(shown, string(runes[:columns])), runes[columns:]
		}
		shown = append(shown, string(runes))
	}
	return shown
}

func TestSentences(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ got, says string }{
		{beginFirst(1), "First act: 1 user appears, on a bad day."},
		{beginFirst(2), "First act: 2 users appear, on a bad day."},
		{beginSecond(5), "5 more users appear."},
		{endSecond(0, 0), "found 0 users in scope of whom no notification told."},
		{endSecond(1, 0), "found 1 user in scope of whom no notification told.\n            That one is stamped."},
		{endSecond(17, 0), "found 17 users in scope of whom no notification told.\n            All are stamped."},
		{endSecond(17, 3), "found 17 users in scope of whom no notification told.\n            In scope and not stamped yet: 3."},
	} {
		if !strings.Contains(test.got, test.says) {
			t.Errorf("%q does not say %q", test.got, test.says)
		}
	}
}
