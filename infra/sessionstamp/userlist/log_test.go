package userlist_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/userlist"
)

var (
	jst = time.FixedZone("JST", 9*60*60)
	now = time.Date(2026, 11, 29, 12, 0, 30, 0, jst)
)

func options(containing ...string) userlist.LogOptions {
	return userlist.LogOptions{Containing: containing, Zone: jst, Now: now, MaxAge: 14 * 24 * time.Hour}
}

// told writes a log as "name time" for each change, in Japan's time, or why it was refused.
func told(log userlist.Log, err error) (lines []string) {
	if refused, ok := errors.AsType[*userlist.Refused](err); ok {
		for _, line := range strings.Split(refused.In(language.English), "\n") {
			_, why, _ := strings.Cut(line, `": `)
			lines = append(lines, strings.Fields(line)[1]+" "+why[:min(len(why), 24)])
		}
		return lines
	}
	for _, c := range log.Changes {
		lines = append(lines, c.Name+" "+c.At.In(jst).Format("01-02 15:04:05"))
	}
	return lines
}

func TestReadLogTimes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"2026-11-28 09:05:07":                       "11-28 09:05:07",
		"2026-11-28T00:05:07Z":                      "11-28 09:05:07",
		"2026-11-28T00:05:07.123456Z":               "11-28 09:05:07",
		"2026-11-28T09:05:07.9+09:00":               "11-28 09:05:07",
		"2026-11-28T01:05:07+0100":                  "11-28 09:05:07",
		"2026-11-27 19:05:07 -05:00":                "11-28 09:05:07",
		"2026/11/28 9:05":                           "11-28 09:05:59",
		"2026/11/28(土) 9:05:07":                     "11-28 09:05:07",
		"2026年11月28日 9時5分7秒":                        "11-28 09:05:07",
		"2026年11月28日(土曜日) 午後 9:05":                  "11-28 21:05:59",
		"２０２６／１１／２８　０９：０５：０７":                       "11-28 09:05:07",
		"2026.11.28 09:05:07 JST":                   "11-28 09:05:07",
		"2026/11/28 00:05:07 UTC":                   "11-28 09:05:07",
		"2026/11/28 00:05:07 (UTC)":                 "11-28 09:05:07",
		"20261128 090507":                           "11-28 09:05:07",
		"20261128090507":                            "11-28 09:05:07",
		"11/28/2026 9:05:07 AM":                     "11-28 09:05:07",
		"28/11/2026 21:05":                          "11-28 21:05:59",
		"11/28/2026 12:05:07 AM":                    "11-28 00:05:07",
		"Nov 28, 2026, 9:05:07 PM":                  "11-28 21:05:07",
		"Sat, 28 Nov 2026 00:05:07 GMT":             "11-28 09:05:07",
		"Sat Nov 28 2026 09:05:07 GMT+0900 (日本標準時)": "11-28 09:05:07",
		"28-Nov-2026 09:05:07":                      "11-28 09:05:07",
		"1795824307":                                "11-28 09:05:07",
		"1795824307123":                             "11-28 09:05:07",
		"46354.3785532407":                          "11-28 09:05:07",
		"2026-11-29 12:00":                          "11-29 12:00:30", // the minute has not ended
		"2026-11-29 12:00:31":                       "this time is yet to come",
		"2026-11-29 12:01":                          "this time is yet to come",
		"2026-11-28":                                "there is a day and no ti",
		"11/12/2026 10:00:00":                       "nobody can tell the day ",
		"11/11/2026 10:00:00":                       "", // too old, either way
		"2026-11-31 10:00:00":                       "this is no time that can",
		"2026-11-28 25:00:00":                       "this is no time that can",
		"2026-11-28 13:00:00 PM":                    "this is no time that can",
		"2026-11-28 10:00:00 EST":                   "this is no time that can",
		"2026-11-28 10:00:00 +99":                   "this is no time that can",
		"2026-11-28 10:00:00 (日本標準時)":               "this is no time that can",
		"令和8年11月28日 10:00":                          "this is no time that can",
		"yesterday":                                 "this is no time that can",
		"":                                          "this is no time that can",
	} {
		list := told(userlist.ReadLog(strings.NewReader("Time\tUserPrincipalName\n"+text+"\t"+taro+"\n"), options()))
		if got := strings.Join(list, "|"); !strings.HasSuffix(got, want) || want == "" && got != "" {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestReadLog(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file       string
		containing []string
		want       []string
	}{
		"the latest counts, whatever the case": {
			"日時,ユーザー プリンシパル名\n2026-11-27 10:00:00," + taro + "\n2026-11-28 10:00:00,TARO.yamada@example.co.jp\n2026-11-26 10:00:00," + taro + "\n", nil,
			[]string{taro + " 11-28 10:00:00"},
		},
		"a day and a time": {
			cp932("日付,時刻,メールアドレス\n2026/11/28,9:05:07," + taro + "\n"), nil, []string{taro + " 11-28 09:05:07"},
		},
		"whom it was done to, not who did it": {
			"date,userId,対象ユーザー,operation\n2026-11-28 10:00:00," + hanako + "," + taro + ",パスワード変更\n", nil, []string{taro + " 11-28 10:00:00"},
		},
		"only who did it": {"Date,Operation,Actor\n2026-11-28 10:00:00,Reset password," + taro + "\n", nil, []string{"1, the only column of peopl"}},
		"a zone in the heading": {
			"Date (UTC),Mail\n2026-11-28 00:05:07," + taro + "\n", nil, []string{taro + " 11-28 09:05:07"},
		},
		"HENNGE's heading": {
			"日時 (ASIA / TOKYO),メール\n2026-11-28 09:05:07," + taro + "\n", nil, []string{taro + " 11-28 09:05:07"},
		},
		"only the lines with a text": {
			"日時;ユーザー;操作\n2026-11-28 10:00:00;?;ログイン\n2026-11-28 11:00:00;" + taro + ";ﾊﾟｽﾜｰﾄﾞ変更\n", []string{"パスワード", "無効"}, []string{taro + " 11-28 11:00:00"},
		},
		"what has failed, or was long ago": {
			"日時,ユーザー,結果\n2026-11-28 10:00:00," + taro + ",失敗\n2026-11-28 10:00:00," + hanako + ",OK\n2026-11-15 12:00:29," + jiro + ",成功\n2026-11-28 10:00:00," + jiro + ",NG\n",
			nil, []string{hanako + " 11-28 10:00:00"},
		},
		"an id of the line is nobody's": {"id,日時,ユーザー\n1,2026-11-28 10:00:00," + taro + "\n", nil, []string{taro + " 11-28 10:00:00"}},
		"no heading":                    {taro + ",2026-11-28 10:00:00\n", nil, []string{"1, no column is known to na"}},
		"no time":                       {"Mail,Status\n" + taro + ",OK\n", nil, []string{"1, no column is known to ho"}},
		"two times":                     {"Mail,日時,変更日時\n" + taro + ",1,2\n", nil, []string{"1, two headings mean the sa"}},
		"a name that is none":           {"日時,ユーザー\n2026-11-28 10:00:00,taro\n", nil, []string{"2, this is neither a user p"}},
	} {
		got := told(userlist.ReadLog(strings.NewReader(c.file), options(c.containing...)))
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestReadLogDays: one line that can be read in one way tells how all are written.
func TestReadLogDays(t *testing.T) {
	t.Parallel()
	file := "Time,User\n%s 10:00:00," + taro + "\n%s 10:00:00," + hanako + "\n"
	for days, want := range map[[2]string][]string{
		{"1/11/2026", "25/11/2026"}:  {taro + " 11-01 10:00:00", hanako + " 11-25 10:00:00"},
		{"11/27/2026", "11/12/2026"}: {taro + " 11-27 10:00:00", hanako + " 11-12 10:00:00"},
		{"11/27/2026", "27/11/2026"}: {"2, this is no time that can"},
	} {
		o := options()
		o.Now = time.Date(2026, 12, 1, 0, 0, 0, 0, jst)
		o.MaxAge = 100 * 24 * time.Hour
		got := told(userlist.ReadLog(strings.NewReader(fmt.Sprintf(file, days[0], days[1])), o))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%v: %s", days, diff)
		}
	}
}

func TestReadLogCounts(t *testing.T) {
	t.Parallel()
	file := "日時,ユーザー,操作,結果\n" + strings.Repeat("2026-11-28 10:00:00,"+taro+",パスワード変更,成功\n", 3) +
		strings.Repeat("2026-11-28 10:00:00,"+taro+",サインオン,成功\n", 5) + "2026-11-28 10:00:00," + taro + ",ユーザー無効化,失敗\n2026-11-01 10:00:00," + taro + ",ユーザー削除,成功\n"
	log, err := userlist.ReadLog(strings.NewReader(file), options())
	if err != nil {
		t.Fatal(err)
	}
	log.Changes = nil
	want := userlist.Log{
		Column: "ユーザー", Lines: 10, Kept: 10, Failed: 1, Old: 1, Zoned: true,
		Kinds: []userlist.Kind{{"サインオン", 5, false}, {"パスワード変更", 3, true}, {"ユーザー削除", 1, true}},
	}
	if diff := cmp.Diff(want, log); diff != "" || !log.Others() {
		t.Error(diff)
	}
	for operation, counts := range map[string]bool{
		"PASSWORD_CHANGED": true, "Reset user password": true, "管理者によるパスワードのリセット": true, "アカウント停止": true, "Suspend user": true,
		"user.account.update_password": true, "パスワードポリシーの変更": false, "パスワード変更失敗": false, "ユーザー作成": false, "アカウントロック": false,
		"Delete group of users": false, "アカウント停止解除": false, "端末の登録": false, "": false,
	} {
		log, err := userlist.ReadLog(strings.NewReader("日時\tユーザー\t操作\n2026-11-28 10:00:00\t"+taro+"\t"+operation+"\n"), options())
		if err != nil || log.Others() == counts {
			t.Errorf("%q: %t, %v", operation, !counts, err)
		}
	}
}

func FuzzReadLog(f *testing.F) {
	f.Add("日時,ユーザー\n2026/11/28(土) 午後9:05," + taro + "\n")
	f.Add("Time\tUser\n46354.37\t" + taro + "\n3/11/2026 10:00 PM\t" + taro + "\n")
	f.Fuzz(func(t *testing.T, file string) {
		log, err := userlist.ReadLog(strings.NewReader(file), options())
		if refused, ok := errors.AsType[*userlist.Refused](err); err != nil && (!ok || len(refused.Problems) == 0) {
			t.Fatalf("%v", err)
		}
		for _, c := range log.Changes {
			if c.At.After(now) || now.Sub(c.At) > 14*24*time.Hour {
				t.Errorf("a change at %s", c.At)
			}
		}
	})
}
