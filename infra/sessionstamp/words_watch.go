package main

import "github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"

// watchWords are what watch says.
var watchWords = language.Catalogue{
	"watch.every": {
		En: "Looks for new users every %s, and at everybody each night. Ctrl-C ends it.",
		Ja: "新しいユーザーを %sごとに、全員を毎晩確認します。Ctrl-C で終了します。",
	},
	"watch.dry": {
		En: "Dry run: nobody is signed out, and nothing is stored.",
		Ja: "ドライ ラン: 誰もサインアウトせず、何も保存しません。",
	},
	"watch.person": {
		En: "You signed in yourself: this ends when your session does, and a restart asks you again. For a service, sign in as an app: sessionstamp help flags",
		Ja: "ご自身でサインインしています。セッションが切れると止まり、再起動時には再びサインインが必要です。サービスとして動かす場合はアプリでサインインしてください: sessionstamp help flags",
	},
	"watch.stopped": {
		En: "Stopped. Nothing is half done; the next watch goes on from here.",
		Ja: "停止しました。途中のままの処理はありません。次回はここから続きます。",
	},
	"watch.sum": {
		En: "%s  stamped since the start: %s; in the last 24 hours: %s (limit %s)",
		Ja: "%s  開始後にスタンプを付けた人数: %s 人、直近 24 時間: %s 人 (上限 %s 人)",
	},
	"watch.sum_dry": {
		En: "%s  would be stamped: %s; nobody was signed out",
		Ja: "%s  スタンプを付ける予定: %s 人 (誰もサインアウトしていません)",
	},

	"watch.stamped":     {En: "stamped", Ja: "付けました"},
	"watch.would_stamp": {En: "would stamp", Ja: "付ける予定"},
	"watch.confirmed":   {En: "the stamp is there", Ja: "スタンプを確認しました"},
	"watch.failed":      {En: "could not be stamped: %s", Ja: "付けられません: %s"},
	"watch.after":       {En: ", %s after creation", Ja: " (作成から %s)"},
	"watch.ago":         {En: ", created %s ago", Ja: " (作成から %s)"},
	"watch.days":        {En: "%s days", Ja: "%s 日"},
	"watch.requests_dropped": {
		En: "Requests given up after many failures: %s. See who has no stamp (sessionstamp users), and stamp them: sessionstamp stamp USER",
		Ja: "失敗が続いたため、%s 件の処理をやめました。スタンプのない人を確認し (sessionstamp users)、スタンプを付けてください: sessionstamp stamp USER",
	},
	"watch.brake_reached": {
		En: "The brake holds new stamps back: %s were stamped in 24 hours. See who (sessionstamp history); if that is right, release it: sessionstamp watch --release",
		Ja: "24 時間で上限の %s 人に達したため、新しいスタンプを止めています。対象を確認し (sessionstamp history)、問題がなければ解除してください: sessionstamp watch --release",
	},
	"watch.full_round": {
		En: "looked at everybody: %s members, %s without a stamp",
		Ja: "全員を確認: メンバー %s 人、スタンプなし %s 人",
	},
	"watch.existing": {
		En: "; older, and left to a person (%s): %s",
		Ja: "。うち管理者の判断待ち (作成から 72 時間以上) %s 人: %s",
	},
	"watch.exclusion_unmatched": {
		En: "--exclude no. %s protects nobody: correct it, or leave it out",
		Ja: "%s 番目の --exclude に該当する人がいません。修正するか外してください",
	},
	"watch.stamping_stalled": {
		En: "New users wait, and are tried again: %s",
		Ja: "新しいユーザーに付けられず、再試行しています: %s",
	},
	"watch.no_exclusions": {
		En: "It cannot be told who is in an excluded group, so nobody is stamped: see that each --exclude-group is still there. (%s)",
		Ja: "除外グループのメンバーを確認できないため、誰にも付けていません。--exclude-group のグループがあるか確認してください。(%s)",
	},
	"watch.look_failed":      {En: "The look failed: %s", Ja: "確認できません: %s"},
	"watch.look_works_again": {En: "looks again as usual", Ja: "確認を再開しました"},

	"watch.released": {
		En: "The brake, reached at %s, is released: it counts from 0 again.",
		Ja: "%s から止めていたスタンプを再開できます。24 時間の人数は 0 から数え直します。",
	},
	"watch.not_reached": {
		En: "The brake holds nobody back: there is nothing to release.",
		Ja: "上限には達していないため、解除は不要です。",
	},

	"hint.watch":   {En: "stamps new users as they come", Ja: "新しいユーザーに自動で付ける"},
	"hint.history": {En: "who was stamped", Ja: "スタンプを付けた履歴"},
	"hint.release": {En: "if they are right", Ja: "問題がなければ解除"},

	"use.watch_csv": {
		En: "watch has no end, and no table: leave -o csv out, or write -o json.",
		Ja: "watch は終わりのない出力のため CSV にできません。-o csv を外すか、-o json を指定してください。",
	},
	"use.watch_exclude": {
		En: "--exclude no. %s would protect nobody, or not whom you mean: write name@domain, a pattern such as svc-*@example.com, or an object id.",
		Ja: "%s 番目の --exclude では誰も除外されないか、意図と異なる人が除外されます。名前@ドメイン、svc-*@example.com のようなパターン、またはオブジェクト ID を指定してください。",
	},
	"use.watch_release": {
		En: "--release goes alone: release the brake, then start watch again.",
		Ja: "--release は単独で指定してください。解除してから watch を開始します。",
	},
	"fail.release_busy": {
		En: "A watch is at work on this tenant: stop it, give this command again, and start it.",
		Ja: "このテナントで watch が実行中です。停止してからこのコマンドをもう一度実行し、watch を開始してください。",
	},
}
