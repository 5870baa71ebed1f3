package main

import (
	"strings"
	"testing"

	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
)

// TestEmergency: who orders for many leaves an emergency access account alone; who names it
// does not.
func TestEmergency(t *testing.T) {
	t.Parallel()
	const account = "BreakGlass1@" + corp
	onSite(t, 3, msgraphtest.Options{}, allRights, func(t *testing.T, s *site) {
		id := s.AddUser(msgraphtest.NewUser{UPN: account})
		for _, c := range []struct {
			args   string
			status int
			says   string
		}{
			{"check", wrong, "Next: sessionstamp setup --plan"},
			{"check", wrong, "! " + account + " looks like an emergency access account"},
			{"users", fine, "sessionstamp stamp --all --dry-run who would"},
			{"stamp --all --dry-run", fine, "emergency access accounts 1. ! " + account + " looks like an emergency access account, and is left alone: name it to include it"},
			{"stamp --all --dry-run", fine, "Next: sessionstamp stamp --all stamps"},
			{"signout --domain " + corp + " --dry-run --expect 4", wrongUse, "3"},
			{"stamp --all --yes", fine, "3 stamped"},
			{"stamp --all --yes", fine, "and is left alone"},
			{"check", wrong, "Everybody else has a stamp. You don't need this. Next: sessionstamp users"},
			{"why " + account, wrong, "! This looks like an emergency access account: it is best excluded, and left without a stamp."},
			{"why " + account + " --message", wrong, "best excluded"},
			{"stamp " + account + " --dry-run", fine, "! " + account + " looks like an emergency access account 1 person will be stamped"},
			{"stamp " + account + " --yes", fine, "1 stamped"},
		} {
			status, stdout, stderr := s.play(t.Context(), strings.Fields(c.args)...)
			said := strings.Join(strings.Fields(stdout+stderr), " ")
			if status != c.status || !strings.Contains(said, c.says) {
				t.Errorf("%s: exit status %d, want %d; want %q in: %s", c.args, status, c.status, c.says, stdout+stderr)
			}
		}
		s.want(1, append(s.ids, id)...)
	})
}

// TestLanguageStays: whoever asks for a language goes on in it, and in the tenant's cloud.
func TestLanguageStays(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"check --demo --lang=en --cloud=china": "sessionstamp users --lang en --cloud china --demo",
		"check --demo --lang=ja":               "sessionstamp users --lang ja --demo", "stamp --all --dry-run --demo --lang=en": "sessionstamp stamp --all --lang en --demo",
	} {
		if _, stdout, stderr := play(t.Context(), nil, strings.Fields(args)...); !strings.Contains(stdout, want) {
			t.Errorf("%s: want %q in: %s%s", args, want, stdout, stderr)
		}
	}
}
