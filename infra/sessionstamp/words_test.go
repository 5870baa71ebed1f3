package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/census"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/doctor"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/job"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/shared/aws/stack"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/ask"
	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

// composed are the keys that the code puts together.
func composed() (keys []language.Key) {
	for _, verdict := range census.Verdicts() {
		keys = append(keys, language.Key("verdict."+verdict))
	}
	for _, source := range []stamp.Source{stamp.SourceNotification, stamp.SourceSweep, stamp.SourcePerson, stamp.SourceSignal} {
		keys = append(keys, language.Key("source."+source))
	}
	for _, mode := range []stack.SignalMode{stack.SignalsOff, stack.SignalsReported, stack.SignalsEnforced} {
		keys = append(keys, language.Key("status.signals_"+mode), language.Key("setup.signals_"+mode))
	}
	for _, key := range []language.Key{"release.reached", "release.done", "release.already"} {
		keys = append(keys, operation{order: sweep.OrderReleaseSignals}.words(key))
	}
	for _, state := range []stamp.State{stamp.StateClaimed, stamp.StateCalled, stamp.StateStamped, stamp.StateCannotFix} {
		keys = append(keys, language.Key("state."+state))
	}
	keys = slices.AppendSeq(keys, maps.Values(refusals))
	for _, verb := range []job.Verb{job.Stamp, job.SignOut, job.Restamp} {
		for _, kind := range []string{"%s.nobody", "%s.due", "%s.done", "%s.called", "%s.stopped", "%s.left", "%s.not_handed", "hint.%s", "use.unasked_%s"} {
			keys = append(keys, language.Key(fmt.Sprintf(kind, verb)))
		}
	}
	for _, class := range []job.Class{
		job.Stamped, job.Guest, job.Emergency, job.Managed, job.FailedBefore, job.NotFound, job.Unclear, several, "recent", "since", "doubled", "excluded_name", "excluded_pattern", "excluded_group",
	} {
		keys = append(keys, language.Key("class."+class))
	}
	for _, reason := range []stamp.Reason{
		stamp.ReasonForbidden, stamp.ReasonRefused, stamp.ReasonStillEmpty, stamp.ReasonKnownCannotFix, stamp.ReasonGaveUp, stamp.ReasonInvalid,
	} {
		keys = append(keys, language.Key("failed."+reason))
	}
	for _, event := range []string{eventStamped, eventDry, eventConfirmed} {
		keys = append(keys, language.Key("watch."+event))
	}
	for _, kind := range []signal.Kind{signal.PasswordChanged, signal.UserDisabled, signal.SessionsRevoked} {
		keys = append(keys, language.Key("cause."+kind))
	}
	for _, reason := range append(slices.Clone(unheeded), "excluded", "existing", "not_found") {
		keys = append(keys, language.Key("unheeded."+reason))
	}
	for _, kind := range []signal.SourceKind{signal.KindWebhook, signal.KindOkta, signal.KindSSF} {
		keys = append(keys, language.Key("listen.paste_"+kind))
	}
	keys = append(keys, "watch."+eventReported, "watch."+eventSufficient)
	for _, g := range doctor.Groups() {
		keys = append(keys, language.Key("doctor.group_"+g))
	}
	for _, do := range doctor.Actions() {
		keys = append(keys, language.Key("doctor.do_"+do))
	}
	keys = append(keys, setupKeys()...)
	return append(keys, "column.domain", "column.month", "release.look_signals", "use.unasked_release_signals", "signed_in.browser", "signed_in.device", "signed_in.az")
}

// TestWords: every sentence has both languages, every sentence that the code asks for is
// there, and none is there for nothing.
func TestWords(t *testing.T) {
	t.Parallel()
	for _, fault := range append(words.Faults(), helps.Faults()...) {
		t.Error(fault)
	}
	asked := composed()
	for _, match := range keys().FindAllStringSubmatch(code(t), -1) {
		asked = append(asked, language.Key(match[1]+match[2]))
	}
	for _, key := range asked {
		if words[key] == (language.Text{}) && helps[key] == (language.Text{}) {
			t.Errorf("%s is asked for, and not there", key)
		}
	}
	for key := range words {
		if key, _ := strings.CutSuffix(string(key), ".one"); !slices.Contains(asked, language.Key(key)) {
			t.Errorf("nobody asks for %s", key)
		}
	}
}

// keys finds a text that can only be a key, since it begins as one, or that is handed to say.
func keys() *regexp.Regexp {
	var kinds []string
	for key := range words {
		if kind, _, is := strings.Cut(string(key), "."); is {
			kinds = append(kinds, kind)
		}
	}
	slices.Sort(kinds)
	kinds = append(slices.Compact(kinds), "flag", "flags", "title")
	return regexp.MustCompile(`"((?:` + strings.Join(kinds, "|") + `)\.[a-z_0-9-]*[a-z0-9])"|\.say\("([a-z_0-9]+)"`)
}

// code is the source of this package, but for catalogues and tests.
func code(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") || strings.HasPrefix(file, "words") || file == "helps.go" {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}

// TestHelps: each verb and each flag is explained in both languages.
func TestHelps(t *testing.T) {
	t.Parallel()
	for _, l := range languages() {
		root := (&call{lang: l}).root()
		for _, cmd := range append([]*cobra.Command{root}, root.Commands()...) {
			for _, text := range []string{cmd.Use, cmd.Short, cmd.Long, cmd.Example} {
				if cmd.Name() != "help" && (text == "" || strings.HasPrefix(text, "(")) {
					t.Errorf("%s, %s: %q", cmd.Name(), l, text)
				}
			}
			cmd.Flags().VisitAll(func(f *pflag.Flag) {
				if f.Usage == "" || strings.HasPrefix(f.Usage, "(") {
					t.Errorf("%s --%s, %s: %q", cmd.Name(), f.Name, l, f.Usage)
				}
			})
		}
	}
}

// TestHelpOfHelp: who is lost in the help finds the beginning.
func TestHelpOfHelp(t *testing.T) {
	t.Parallel()
	_, want, _ := play(t.Context(), nil)
	for _, args := range [][]string{{"help"}, {"help", "help"}, {"help", "--help"}, {"-h"}} {
		if status, got, _ := play(t.Context(), nil, args...); status != fine || got != want {
			t.Errorf("%q: exit status %d, %s", args, status, got)
		}
	}
}

func TestExplainGraph(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err  directory.Error
		want language.Key
	}{
		"lost":         {directory.Error{Operation: "listUsers", Err: errors.New("reset")}, "fail.no_answer"},
		"no token":     {directory.Error{Operation: directory.Token, StatusCode: 401, Code: "AADSTS50000"}, "fail.sign_in"},
		"old secret":   {directory.Error{Operation: directory.Token, StatusCode: 401, Code: "AADSTS7000222"}, "fail.secret"},
		"wrong key":    {directory.Error{Operation: directory.Certificate, Err: errors.New("no key")}, "fail.certificate"},
		"Entra silent": {directory.Error{Operation: directory.Token}, "fail.no_answer"},
		"no right":     {directory.Error{Operation: "listUsers", StatusCode: 403}, "fail.forbidden"},
		"no role":      {directory.Error{Operation: "grantAppRole", StatusCode: 403}, "fail.forbidden_apps"},
		"no consent":   {directory.Error{Operation: directory.Token, Code: "AADSTS65001"}, "fail.consent"},
		"throttled":    {directory.Error{Operation: "listUsers", StatusCode: 429}, "fail.throttled"},
		"broken":       {directory.Error{Operation: "listUsers", StatusCode: 500}, "fail.graph"},
	} {
		if got := explain(&c.err); got.key != c.want || got.status != wrong {
			t.Errorf("%s: got %s", name, got.key)
		}
	}
}

// TestUnconsented: nobody is led to consent for everybody to what manages apps.
func TestUnconsented(t *testing.T) {
	t.Parallel()
	refused := error(&directory.Error{Operation: directory.Token, Code: "AADSTS65001"})
	for permission, want := range map[string]string{
		ask.ManageApps: "(AADSTS65001): run it again, and accept for yourself", readUsers: "(AADSTS65001): ask an administrator",
	} {
		if got := sentence(language.English, unconsented(refused, []string{permission})); !strings.Contains(got, want) {
			t.Errorf("%s: %s", permission, got)
		}
	}
}
