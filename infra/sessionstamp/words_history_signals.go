package main

import "github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"

// endedWords are what history --signals says.
var endedWords = language.Catalogue{
	"ended.all": {
		En: "Signals that the stack %s has handled since %s: %s",
		Ja: "スタック %s が %s 以降に処理したシグナル: %s 件",
	},
	"ended.would": {
		En: "Users who were not signed out, since SignalMode was report: %s",
		Ja: "SignalMode が report のため、サインアウトしていないユーザー: %s 人",
	},
	"ended.spared": {
		En: "Reports of excluded users, whose sessions did not end: %s",
		Ja: "除外設定のユーザーのシグナル (セッションは終了していません): %s 件",
	},
	"ended.braked": {
		En: "Users who wait for the brake of signals: %s",
		Ja: "シグナルの上限のため待機中のユーザー: %s 人",
	},
	"column.handled": {En: "Handled", Ja: "日時"},

	"ended.called":     {En: "stamped again", Ja: "再スタンプ"},
	"ended.reported":   {En: "reported only", Ja: "記録のみ"},
	"ended.dry_run":    {En: "observed only", Ja: "判定のみ"},
	"ended.stamped":    {En: "newer stamp", Ja: "スタンプ済み"},
	"ended.excluded":   {En: "excluded", Ja: "除外"},
	"ended.existing":   {En: "newer user", Ja: "発生後に作成"},
	"ended.guest":      {En: "guest", Ja: "ゲスト"},
	"ended.not_member": {En: "no member", Ja: "非メンバー"},
	"ended.managed":    {En: "managed domain", Ja: "マネージド"},
	"ended.not_found":  {En: "not found", Ja: "該当なし"},
	"ended.several":    {En: "several found", Ja: "複数該当"},
	"ended.foreign":    {En: "other domain", Ja: "対象外ドメイン"},
	"ended.log_out":    {En: "log-out", Ja: "ログアウト"},
	"ended.waits":      {En: "waits for the brake", Ja: "上限のため待機中"},
	"ended.removed":    {En: "source removed", Ja: "送信元削除済み"},

	"hint.signals": {En: "what became of signals", Ja: "シグナルの処理結果"},
	"hint.enforce": {En: "lets signals sign out", Ja: "シグナルでサインアウト"},
}
