package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/text/encoding/japanese"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/goldentest"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// ofProvider is a log as a provider exports it for Excel in Japan.
const ofProvider = "日時,操作,ユーザー,結果\r\n" +
	"2026/11/28 9:15,パスワード変更,naoki.hayashi@example.co.jp,成功\r\n" +
	"2026/11/28 9:20,サインオン,taro.sato@example.co.jp,成功\r\n" +
	"2026/11/27 18:01,パスワード変更,taro.sato@example.co.jp,成功\r\n" +
	"2026/11/27 18:00,パスワード変更,taro.sato@example.co.jp,失敗\r\n" +
	"2026/11/26 10:00,パスワードリセット,admin1@td0d0d0d0.onmicrosoft.com,成功\r\n" +
	"2026/11/25 10:00,パスワード変更,suzki@example.co.jp,成功\r\n" +
	"2026/11/01 10:00,パスワード変更,sakura.shimizu@example.co.jp,成功\r\n"

// logFile writes a log in Shift_JIS.
func logFile(t *testing.T, text string) string {
	t.Helper()
	encoded, err := japanese.ShiftJIS.NewEncoder().String(text)
	name := filepath.Join(t.TempDir(), "log.csv")
	if err == nil {
		err = os.WriteFile(name, []byte(encoded), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// TestRestampScreens are those of a log: the preview, the order, and why one is refused.
func TestRestampScreens(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		log    string
		args   []string
		answer string
		status int
	}{
		"preview": {ofProvider, []string{"--containing", "パスワード", "--dry-run"}, "", wrong}, // somebody is not there
		"run":     {ofProvider, []string{"--containing", "パスワード", "--time-zone", "Asia/Tokyo"}, "2", wrong},
		"others":  {ofProvider, []string{"--dry-run"}, "", wrongUse},
		"future":  {strings.ReplaceAll(ofProvider, "11/28", "11/29"), []string{"--containing", "パスワード", "--time-zone", "Pacific/Pago_Pago", "--dry-run"}, "", wrongUse},
	} {
		for _, l := range languages() {
			t.Run(name+"."+string(l), func(t *testing.T) {
				t.Parallel()
				log, stdin := logFile(t, c.log), strings.NewReader(c.answer+"\n")
				if c.answer == "" {
					log, stdin = "-", strings.NewReader(c.log)
				}
				synctest.Test(t, func(t *testing.T) {
					began := time.Now()
					status, stdout, stderr := play(t.Context(), func(p *program) {
						p.Now = func() time.Time { return at.Add(time.Since(began)) }
						p.Person, p.Stdin = c.answer != "", stdin
					}, append([]string{"restamp", "--from", log, "--demo", "--lang", string(l)}, c.args...)...)
					if question := words.Say(l, "order.type"); c.answer != "" {
						stderr = strings.Replace(stderr, question, question+c.answer+"\n", 1)
					}
					if status != c.status {
						t.Errorf("exit status %d, want %d", status, c.status)
					}
					goldentest.Compare(t, "restamp-"+name+"."+string(l)+".txt", stderr+stdout)
					checkScreen(t, stderr)
					checkScreen(t, stdout)
				})
			})
		}
	}
}

// stampedAt adds users who have a stamp of some age, and returns a log in which the password
// of each was changed two hours ago.
func (s *site) stampedAt(ages ...time.Duration) (ids []string, log string) {
	log = "timestamp,upn\n"
	for i, age := range ages {
		set := s.now().Add(-age)
		upn := fmt.Sprintf("p%d@%s", i, corp)
		ids = append(ids, s.AddUser(msgraphtest.NewUser{UPN: upn, Created: s.now().Add(-1000 * time.Hour), Stamp: &set}))
		log += s.now().Add(-2*time.Hour).Format(time.RFC3339) + "," + upn + "\n"
	}
	return ids, log
}

// TestRestamp: who has been stamped since is left alone, to the second; the others are signed
// out once, however often it is broken off and given again.
func TestRestamp(t *testing.T) {
	t.Parallel()
	onSite(t, 0, msgraphtest.Options{}, allRights, func(t *testing.T, s *site) {
		ids, text := s.stampedAt(500*time.Hour, 2*time.Hour+time.Second, 2*time.Hour, time.Hour)
		var lines strings.Builder
		for i := range 60 {
			old := s.now().Add(-300 * time.Hour)
			ids = append(ids, s.AddUser(msgraphtest.NewUser{UPN: fmt.Sprintf("q%d@%s", i, corp), Created: s.now().Add(-1000 * time.Hour), Stamp: &old}))
			_, _ = fmt.Fprintf(&lines, "%s,q%d@%s\n", s.now().Add(-time.Hour).Format(time.RFC3339), i, corp)
		}
		// The second name of a user, and a later time.
		_, _ = fmt.Fprintf(&lines, "%s,%s\n", s.now().Add(-90*time.Minute).Format(time.RFC3339), ids[2])
		log := logFile(t, text+lines.String())
		if status, _, stderr := s.play(t.Context(), "restamp", "--from", log, "--yes", "--expect", "64"); status != wrongUse || !strings.Contains(stderr, "it would be 63") {
			t.Errorf("exit status %d, %s", status, stderr)
		}
		ctx, stop := context.WithCancel(t.Context())
		time.AfterFunc(1500*time.Millisecond, stop)
		if status, stdout, stderr := s.play(ctx, "restamp", "--from", log, "--yes", "--expect", "63"); status != wrong || !strings.Contains(stdout+stderr, "restamp --continue") {
			t.Fatalf("exit status %d: %s%s", status, stderr, stdout)
		}
		if status, stdout, stderr := s.play(t.Context(), "restamp", "--continue", "--yes"); status != fine || !strings.Contains(stdout, "stamped again") {
			t.Fatalf("exit status %d: %s%s", status, stderr, stdout)
		}
		s.want(1, slices.Concat(ids[:3], ids[4:])...)
		s.want(0, ids[3])
		if status, stdout, stderr := s.play(t.Context(), "restamp", "--from", log, "--yes", "--expect", "0"); status != fine || !strings.Contains(stdout, "stamped since then 64") {
			t.Errorf("given again: exit status %d: %s%s", status, stderr, stdout)
		}
	})
}

// TestRestampStack: the deployment is asked for stamps that are not older than the log tells,
// as a person asks.
func TestRestampStack(t *testing.T) {
	t.Parallel()
	onCrew(t, 0, func(t *testing.T, k *crew) {
		ids, log := k.stampedAt(500*time.Hour, time.Hour)
		status, stdout, stderr := k.run(t.Context(), nil, "restamp", "--from", logFile(t, log), "--yes", "--expect", "1", "--stack", "sessionstamp", "--reason", "reset")
		if status != fine || !strings.Contains(stdout, "1 stamped again, and read back.") {
			t.Fatalf("exit status %d: %s%s", status, stderr, stdout)
		}
		if asked := k.asked[ids[0]]; len(k.asked) != 1 || !asked.NotBefore.Equal(at.Add(-2*time.Hour+stamp.DefaultPolicy.ClockSkew)) {
			t.Errorf("asked for %v", slices.Collect(maps.Keys(k.asked)))
		}
	})
}

// TestRestampRefused: what cannot be meant is refused before anybody signs in.
func TestRestampRefused(t *testing.T) {
	t.Parallel()
	log := logFile(t, ofProvider)
	for line, want := range map[string]string{
		"":                                    "restamp --from FILE",
		"--from " + log + " --continue":       "leave out",
		"--containing x":                      "restamp --from FILE",
		"--from " + log + " --dry-run":        "サインオン",
		"--from nowhere.csv --dry-run":        "cannot be read",
		"--from " + log + " --time-zone Mars": "Mars",
		"--from " + log + " --dry-run --user-column Wer": "--user-column",
		"--from " + log + " --containing 変更":             "--yes --expect N",
		"--from " + log + " --containing 変更 --yes":       "needs --expect N",
	} {
		status, _, stderr := play(t.Context(), func(p *program) { p.Env = environment([]string{"HOME=" + filepath.Dir(log)}) }, append([]string{"restamp"}, strings.Fields(line)...)...)
		if status != wrongUse || !strings.Contains(strings.ReplaceAll(stderr, "\n  ", " "), want) {
			t.Errorf("%s: exit status %d, %s", line, status, stderr)
		}
	}
}
