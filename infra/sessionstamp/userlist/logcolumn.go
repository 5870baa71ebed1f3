package userlist

import (
	"slices"
	"strings"
	"time"
)

// logColumns are where a log has what is read of it.
type logColumns struct {
	user column
	// time holds the day as well, or the day only where clock has the time of day,
	// which else is -1.
	time, clock int
	// kinds and results may be several.
	kinds, results []int
	zone           *time.Location // of the heading; nil: it names none
}

// The headings of logs, as [plain] writes them, without what stands in brackets. They come
// from exports of identity providers, such as
// https://cg-support.isr.co.jp/hc/ja/articles/360000340562 and
// https://support.hdeone.com/hc/ja/articles/26940051722137, and from people.
var (
	targets = []string{
		"対象", "対象ユーザー", "対象ユーザ", "対象者", "対象ユーザーid", "対象アカウント", "操作対象", "操作対象ユーザー", "target", "targetuser", "targetuserid", "targetid",
		"affecteduser", "subject",
	}
	// people are those of whom a log is, where it names nobody besides.
	people = []string{"ユーザー", "ユーザ", "アカウント", "ログインid", "利用者", "user", "account", "loginid", "loginname"}
	actors = []string{
		"操作者", "実行者", "操作ユーザー", "実行ユーザー", "管理者", "管理者id", "actor", "operator", "admin", "administrator", "initiatedby", "performedby",
	}
	times = []string{
		"日時", "操作日時", "発生日時", "実行日時", "変更日時", "登録日時", "記録日時", "ログ日時", "イベント日時", "タイムスタンプ", "timestamp", "datetime", "dateandtime",
		"eventtime", "occurredat", "createdat", "createdon", "published", "loggedat",
	}
	days   = []string{"日付", "操作日", "発生日", "年月日", "date", "day", "eventdate"}
	clocks = []string{"時刻", "時間", "操作時刻", "発生時刻", "time", "timeofday"}
	kinds  = []string{
		"操作", "操作内容", "操作種別", "操作の種類", "イベント", "イベント名", "イベント種別", "アクション", "アクティビティ", "処理", "処理内容", "event", "eventname",
		"eventtype", "action", "actiontype", "operation", "operationtype", "operationname", "activity", "activitytype",
	}
	results = []string{"結果", "操作結果", "状態", "状況", "ステータス", "result", "status", "outcome"}
)

// failures are how a result says that nothing happened, beside NG.
var failures = []string{"失敗", "エラー", "fail", "error", "denied", "拒否"}

func hasAny(text string, parts []string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(text, part) })
}

// counts tells whether an operation clearly is the change of a password, or that a user was
// disabled. A lock is none: any stranger can cause one.
func counts(operation string) bool {
	text := plain(operation)
	if hasAny(text, failures) || hasAny(text, []string{"ポリシー", "policy", "有効期限", "expir", "解除", "unsuspend", "reactivat"}) {
		return false
	}
	password := hasAny(text, []string{"パスワード", "password"})
	changed := hasAny(text, []string{"変更", "リセット", "再設定", "更新", "初期化", "change", "reset", "updat"})
	user := hasAny(text, []string{"ユーザ", "アカウント", "user", "account", "member", "メンバー"})
	ended := hasAny(text, []string{"無効", "停止", "削除", "disabl", "deactivat", "suspend", "delet"})
	return password && changed || user && ended && !password && !hasAny(text, []string{"グループ", "group", "デバイス", "device"})
}

// chooseLog finds the columns of a log. Who did something is never taken for to whom.
func chooseLog(headings []string, asked string) (c logColumns, key problem) {
	find := func(known []string) []int {
		var found []int
		for i, heading := range headings {
			if name, _, _ := strings.Cut(plain(heading), "("); slices.Contains(known, name) {
				found = append(found, i)
			}
		}
		return found
	}
	if c.user, key = chooseUser(headings, asked, find); key != "" {
		return c, key
	}
	c.kinds, c.results, c.clock = find(kinds), find(results), -1
	whole, day, clock := find(times), find(days), find(clocks)
	switch {
	case len(whole) > 1 || len(whole) == 0 && (len(day) > 1 || len(clock) > 1):
		return c, twoColumns
	case len(whole) == 1:
		c.time = whole[0]
	case len(day) == 1 && len(clock) == 1:
		c.time, c.clock = day[0], clock[0]
	case len(day)+len(clock) == 1:
		c.time = append(day, clock...)[0]
	default:
		return c, noTime
	}
	c.zone = zoneOfHeading(headings[c.time])
	return c, ""
}

// chooseUser finds the column of the users: the one that a person asks for, that of the
// targets, or one of those that lists of users have.
func chooseUser(headings []string, asked string, find func([]string) []int) (column, problem) {
	width := len(headings)
	at := func(found []int) (column, problem) {
		if len(found) > 1 {
			return column{}, twoColumns
		}
		return column{heading: headings[found[0]], index: found[0], width: width}, ""
	}
	if asked != "" {
		wanted, _, _ := strings.Cut(plain(asked), "(")
		if found := find([]string{wanted}); len(found) > 0 {
			return at(found)
		}
		return column{}, noColumn
	}
	if found := find(targets); len(found) > 0 {
		return at(found)
	}
	switch known, key := choose(headings); {
	case key != "":
		return column{}, key
	case known.heading != "" && known.ids && plain(known.heading) == "id": // of the line, mostly
		return chooseUser(without(headings, known.index), "", find)
	case known.heading != "":
		return known, ""
	case len(find(people)) > 0:
		return at(find(people))
	case len(find(actors)) > 0:
		return column{}, actorColumn
	}
	return column{}, noColumn
}

// without leaves a heading out, and the others in their places.
func without(headings []string, index int) []string {
	rest := slices.Clone(headings)
	rest[index] = ""
	return rest
}
