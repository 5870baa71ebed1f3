package screen

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
)

func TestWords(t *testing.T) {
	t.Parallel()
	for _, fault := range Words.Faults() {
		t.Error(fault)
	}
}

// began is no date that matters: it is never compared with the real clock.
var began = time.Date(2026, 11, 29, 22, 0, 0, 0, time.UTC)

// show plays counts at seconds after the beginning.
func show(on Terminal, in language.Language, steps ...any) string {
	var out strings.Builder
	now := began
	p := NewProgress(&out, on, in, func() time.Time { return now })
	for i := 0; i < len(steps); i += 2 {
		now = began.Add(time.Duration(steps[i].(float64) * float64(time.Second)))
		if c := steps[i+1].(Count); i+2 < len(steps) {
			p.Show(c)
		} else {
			p.End(c)
		}
	}
	return out.String()
}

// The line is drawn over itself, and blanks cover what was longer before.
func TestProgressOnTerminal(t *testing.T) {
	t.Parallel()
	on := Terminal{Columns: 80, Live: true, Colours: true}
	steps := []any{0.05, Count{1, 0, 361}, 0.1, Count{1, 0, 361}, 5.0, Count{100, 0, 361}, 5.05, Count{101, 0, 361}, 16.0, Count{291, 2, 361}, 27.0, Count{291, 2, 361}, 30.2, Count{361, 2, 361}}
	want := strings.Join([]string{"",
		"1 of 361  ░░░░░░░░░░  0 failed",
		"100 of 361  ██░░░░░░░░  0 failed  20.0/s  about 14 s left",
		"291 of 361  ████████░░  2 failed  18.2/s  about 4 s left ",
		"291 of 361  ████████░░  2 failed  nothing done for 11 s ",
		"361 of 361  ██████████  2 failed  in 31 s              \n",
	}, "\r")
	if diff := cmp.Diff(want, show(on, language.English, steps...)); diff != "" {
		t.Error(diff)
	}
	got := show(on, language.Japanese, steps...)
	for _, part := range []string{"291 / 361 人  ████████░░  失敗 2 人  18.2 人/秒  残り約 4 秒", "11 秒 進んでいません", "所要 31 秒"} {
		if !strings.Contains(got, part) {
			t.Errorf("got %q, want %q in it", got, part)
		}
	}
}

// In a log there is a line every ten seconds, and one at the end.
func TestProgressInLog(t *testing.T) {
	t.Parallel()
	got := show(Terminal{Columns: 80}, language.English, 1.0, Count{20, 0, 3021}, 9.9, Count{200, 0, 3021}, 10.0, Count{200, 0, 3021}, 11.0, Count{220, 0, 3021}, 20.0, Count{400, 1, 3021}, 30.0, Count{420, 1, 3021}, 151.0, Count{3021, 1, 3021})
	want := `200 of 3,021  0 failed  20.0/s  about 3 min left
400 of 3,021  1 failed  20.0/s  about 3 min left
420 of 3,021  1 failed  14.0/s  about 4 min left
3,021 of 3,021  1 failed  in 3 min
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Users who are read are counted after a second, and what is drawn is taken away.
func TestProgressOfReading(t *testing.T) {
	t.Parallel()
	const text = "Reading users: 1,998 …"
	for live, want := range map[bool]string{
		true:  strings.Repeat("\r"+text, 2) + "\r" + strings.Repeat(" ", Width(text)) + "\r",
		false: text + "\n",
	} {
		var out strings.Builder
		now := began
		p := NewProgress(&out, Terminal{Columns: 80, Live: live}, language.English, func() time.Time { return now })
		for _, second := range []float64{0.9, 2, 10} {
			now = began.Add(time.Duration(second * float64(time.Second)))
			p.Show(Count{Done: 1998, Total: Unknown})
		}
		p.Clear()
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Errorf("live %t: %s", live, diff)
		}
	}
}

// The longest line fits, where a console draws a step of the bar in two cells as well.
func TestProgressFits(t *testing.T) {
	t.Parallel()
	for _, columns := range []int{20, 40, 60, 80} {
		for _, in := range []language.Language{language.English, language.Japanese} {
			got := show(Terminal{Columns: columns, Live: true}, in, 9.0, Count{9_999, 9_999, 10_000_000}, 15.0, Count{9_999, 9_999, math.MaxInt32}, 26.0, Count{10_000, 0, 0})
			for line := range strings.SplitSeq(strings.Trim(got, "\r\n"), "\r") {
				if n := Width(line) + strings.Count(line, "█"); n >= columns || n == 0 {
					t.Errorf("%d cells of %d: %q", n, columns, line)
				}
			}
		}
	}
}

func TestBar(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		words, most, want int
	}{{57, 79, 69}, {58, 79, 58}, {79, 79, 79}, {80, 79, 79}} {
		got := withBar([]string{"1 of 2", strings.Repeat("x", c.words-8)}, Count{1, 0, 2}, c.most)
		if Width(got) != c.want {
			t.Errorf("%d cells of words: got %q", c.words, got)
		}
	}
}

func TestRemaining(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		c    Count
		rate float64
		want time.Duration
	}{
		{Count{0, 0, 100}, 20, 5 * time.Second},
		{Count{0, 0, 100}, 0, 0},
		{Count{100, 0, 100}, 20, 0},
		{Count{0, 0, math.MaxInt}, 1e-9, 1000 * 24 * time.Hour},
	} {
		if got := remaining(c.c, c.rate); got != c.want {
			t.Errorf("%v at %g: got %s", c.c, c.rate, got)
		}
	}
}

// Graph holds us for a minute, and lets us go: the promise follows.
func TestPace(t *testing.T) {
	t.Parallel()
	p, done, most := pace{{began, 0}}, 0, 0
	at := func(second float64) time.Time { return began.Add(time.Duration(second * float64(time.Second))) }
	for _, c := range []struct {
		until    float64
		speed    int // for each tenth of a second
		from, to float64
	}{{1, 2, 0, 0}, {60, 2, 19.5, 20.5}, {90, 0, 0, 11}, {125, 1, 9.5, 10.5}, {180, 1, 9.9, 10.1}} {
		for ; at(c.until).After(at(float64(most) / 10)); most++ {
			done += c.speed
			p = p.see(at(float64(most)/10), done)
		}
		if got, _ := p.rate(at(c.until)); got < c.from || got > c.to {
			t.Errorf("after %g s: got %g a second, want %g to %g", c.until, got, c.from, c.to)
		}
		if len(p) > 40 {
			t.Errorf("%d samples are kept", len(p))
		}
	}
	if got := p.see(at(0), done-1); len(got) != len(p) {
		t.Error("a clock or a count that goes back made a sample")
	}
}

func TestDuration(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0 s", time.Millisecond: "1 s", 59 * time.Second: "59 s", 59*time.Second + 1: "1 min", time.Minute + 1: "2 min",
		59*time.Minute + 1: "1 h 0 min", 25*time.Hour + 10*time.Minute: "25 h 10 min", -time.Hour: "0 s",
	} {
		if got := Duration(language.English, max(d, 0)); got != want {
			t.Errorf("%s: got %q, want %q", d, got, want)
		}
	}
	for after, want := range map[time.Duration]string{time.Hour: "23:00", 3 * time.Hour: "2026-11-30 01:00"} {
		if got := Clock(began, began.Add(after)); got != want {
			t.Errorf("after %s: got %s", after, got)
		}
	}
}

func TestTerminal(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		is, escapes bool
		width       int
		env         map[string]string
		want        Terminal
	}{
		"a file":           {width: 40, want: Terminal{Columns: 80}},
		"a wide terminal":  {is: true, escapes: true, width: 200, want: Terminal{80, true, true}},
		"a narrow one":     {is: true, escapes: true, width: 60, want: Terminal{60, true, true}},
		"a sliver":         {is: true, escapes: true, width: 3, want: Terminal{20, true, true}},
		"unknown width":    {is: true, escapes: true, want: Terminal{80, true, true}},
		"NO_COLOR":         {is: true, escapes: true, width: 80, env: map[string]string{"NO_COLOR": "1"}, want: Terminal{80, true, false}},
		"dumb":             {is: true, escapes: true, width: 80, env: map[string]string{"TERM": "dumb"}, want: Terminal{80, false, false}},
		"an old console":   {is: true, width: 80, want: Terminal{80, true, false}},
		"NO_COLOR, a file": {env: map[string]string{"NO_COLOR": "1"}, want: Terminal{Columns: 80}},
	} {
		got := terminal(c.is, c.escapes, c.width, func(name string) string { return c.env[name] })
		if got != c.want {
			t.Errorf("%s: got %+v", name, got)
		}
	}
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got := TerminalOf(f, func(string) string { return "" }); got != (Terminal{Columns: 80}) {
		t.Errorf("a file: got %+v", got)
	}
}

func TestPaint(t *testing.T) {
	t.Parallel()
	on, off := Terminal{Colours: true}, Terminal{Live: true}
	if on.Paint(Good, "✓") != "\x1b[32m✓\x1b[0m" || off.Paint(Good, "✓") != "✓" || on.Paint(Wrong, "") != "" {
		t.Error("the colours are wrong")
	}
}
