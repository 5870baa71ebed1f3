package main

import "github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"

// operateWords are what pause, resume, release and sweep say, and history of a stack.
var operateWords = language.Catalogue{
	"pause.done": {
		En: "Paused: nobody is stamped until you resume, neither new users, nor those whom you order, nor those whom a provider reports.",
		Ja: "一時停止しました。再開するまで、新しいユーザー、担当者が指定した人、プロバイダーのシグナルの対象者のいずれにもスタンプを付けません。",
	},
	"pause.waits": {
		En: "Calls that have begun end within a minute. Requests wait (now %s); whoever is new no longer when you resume (NewUserWindowHours, usually 72) waits for a person.",
		Ja: "実行中の処理は 1 分以内に終わります。以後の要求は保留されます (現在 %s 件)。再開時に「新しいユーザー」の期間 (NewUserWindowHours、既定 72 時間) を過ぎた人は、担当者の対応待ちになります。",
	},
	"pause.already": {
		En: "It is paused already, since %s. Requests that wait: %s.",
		Ja: "すでに一時停止しています (%s から)。保留中の要求: %s 件",
	},
	"resume.done": {
		En: "It goes on, after a pause since %s. Requests that waited, now worked off within 15 minutes: %s.",
		Ja: "再開しました (%s から停止していました)。保留中の要求 %s 件は 15 分以内に処理されます。",
	},
	"resume.already": {En: "It is not paused: there is nothing to resume.", Ja: "一時停止していないため、再開は不要です。"},
	"resume.braked": {
		En: "But the brake, reached at %s, still holds new users back.",
		Ja: "ただし、%s に上限に達したため、新しいユーザーへのスタンプは止まったままです。",
	},
	"resume.braked_signals": {
		En: "But the brake of signals, reached at %s, holds back whom providers report.",
		Ja: "ただし、%s にシグナルの上限に達したため、シグナルによるサインアウトは止まったままです。",
	},
	"release.reached_signals": {
		En: "The brake of signals was reached at %s: %s users were signed out in 24 hours for what providers reported (limit %s). Requests that wait: %s.",
		Ja: "%s にシグナルの上限に達しました。24 時間にシグナルでサインアウトした人数: %s 人 (上限 %s 人)、待機中の要求: %s 件",
	},
	"release.done_signals": {
		En: "The brake of signals is released: it counts from 0 again, and stops at %[2]s. Requests that waited, now tried again within 15 minutes: %[1]s.",
		Ja: "シグナルの上限による停止を解除しました。人数は 0 から数え直します (上限 %[2]s 人)。待機中の要求 %[1]s 件は 15 分以内に再試行されます。",
	},
	"release.already_signals": {
		En: "The brake of signals holds nobody back (%s signed out in 24 hours, limit %s): there is nothing to release.",
		Ja: "シグナルの上限には達していないため (24 時間で %s 人、上限 %s 人)、解除は不要です。",
	},
	"release.reached": {
		En: "The brake was reached at %s: %s users were stamped in 24 hours (limit %s). Requests that wait: %s.",
		Ja: "%s に上限に達しました。24 時間にスタンプを付けた人数: %s 人 (上限 %s 人)、待機中の要求: %s 件",
	},
	"release.look": {En: "Who they were: %s", Ja: "処理済みのユーザーの確認: %s"},
	"release.look_signals": {
		En: "Who was stamped, who waits: %s",
		Ja: "対象者と待機者の確認: %s",
	},
	"release.question": {En: "Were they the right ones, and is it to go on? [y/N] ", Ja: "対象者に問題がなければ再開します。よろしいですか? [y/N] "},
	"release.done": {
		En: "The brake is released: it counts from 0 again, and stops at %[2]s. Requests that waited, now tried again within 15 minutes: %[1]s.",
		Ja: "上限による停止を解除しました。人数は 0 から数え直します (上限 %[2]s 人)。待機中の要求 %[1]s 件は 15 分以内に再試行されます。",
	},
	"release.already": {
		En: "The brake holds nobody back (%s stamped in 24 hours, limit %s): there is nothing to release.",
		Ja: "上限には達していないため (24 時間で %s 人、上限 %s 人)、解除は不要です。",
	},
	"release.paused": {
		En: "But it is paused since %s: nobody is stamped until you resume.",
		Ja: "ただし、%s から一時停止中です。再開するまで誰にもスタンプを付けません。",
	},
	"use.unasked_release": {
		En: "Nobody is here to be asked: see who was stamped (sessionstamp history --stack NAME), then write --yes.",
		Ja: "対話入力ができないため、確認できません。対象者を確認し (sessionstamp history --stack NAME)、--yes を付けて実行してください。",
	},
	"use.unasked_release_signals": {
		En: "Nobody is here to be asked: see who was stamped and who waits (sessionstamp history --signals --stack NAME), then write --yes.",
		Ja: "対話入力ができないため、確認できません。対象者と待機者を確認し (sessionstamp history --signals --stack NAME)、--yes を付けて実行してください。",
	},
	"fail.order_given": {
		En: "No answer came. The order was given and may have been carried out: see sessionstamp status. It may be given again.",
		Ja: "応答を受け取れませんでした。指示は送信済みで、実行された可能性があります。sessionstamp status で確認してください。もう一度実行しても問題ありません。",
	},

	"hint.release_signals": {En: "if these are right", Ja: "問題がなければ解除"},

	"sweep.begins": {En: "Looks at everybody: up to 15 minutes …", Ja: "全員を確認しています (最長 15 分) …"},
	"sweep.done":   {En: "Everybody was looked at. Queued, to be stamped within minutes: %s", Ja: "全員を確認しました。キューに入れた人 (数分以内に処理): %s 人"},
	"sweep.goes_on": {
		En: "The time was up before everybody was looked at; the next sweep goes on from here within the hour. Queued so far: %s",
		Ja: "時間内に全員を確認できませんでした。続きは 1 時間以内に次の巡回で確認します。これまでにキューに入れた人: %s 人",
	},
	"sweep.paused": {
		En: "It is paused: the sweep has looked at nobody, and begins when you resume.",
		Ja: "一時停止中のため確認していません。再開すると確認を始めます。",
	},
	"sweep.counts": {
		En: "Members of federated domains: %s, without a stamp: %s",
		Ja: "フェデレーション ドメインのメンバー: %s 人、うちスタンプなし: %s 人",
	},
	"sweep.existing": {
		En: "Older ones without a stamp, who wait for you: %s. Stamp them: sessionstamp stamp --all%s",
		Ja: "スタンプのない既存のユーザー (判断待ち): %s 人。付けるには: sessionstamp stamp --all%s",
	},
	"sweep.unmatched": {
		En: "The exclusion %s protects nobody: correct it, or leave it out.",
		Ja: "除外 %s に該当する人がいません。修正するか外してください。",
	},
	"sweep.would":     {En: "%s people would be stamped. Nothing was changed.", Ja: "スタンプの対象: %s 人。何も変更していません。"},
	"sweep.would.one": {En: "1 person would be stamped. Nothing was changed.", Ja: "スタンプの対象: 1 人。何も変更していません。"},
	"sweep.everybody": {En: "Everybody in the tenant, in managed domains too:", Ja: "テナントの全員 (マネージド ドメインを含む):"},
	"sweep.cut": {
		En: "The time was up before everybody was looked at: the numbers are too small.",
		Ja: "時間内に全員を確認できなかったため、人数は途中までです。",
	},
	"decided.new":           {En: "would be stamped: new, and no stamp", Ja: "対象: 新規でスタンプなし"},
	"decided.existing":      {En: "wait for you: created earlier", Ja: "判断待ち: 既存のユーザー"},
	"decided.stamped":       {En: "have a stamp", Ja: "スタンプあり"},
	"decided.excluded":      {En: "excluded", Ja: "除外"},
	"decided.not_federated": {En: "not federated", Ja: "フェデレーションではない"},
	"decided.guest":         {En: "guests", Ja: "ゲスト"},
	"decided.not_member":    {En: "neither member nor guest", Ja: "メンバーでもゲストでもない"},
	"column.decided":        {En: "What", Ja: "判定"},
	"column.where":          {En: "Where", Ja: "ドメイン"},
	"hint.ids":              {En: "with object ids", Ja: "オブジェクト ID 付き"},

	"history.stack": {
		En: "Stamped by the stack %[1]s since %[3]s: %[2]s",
		Ja: "スタック %[1]s が %[3]s 以降にスタンプを付けたユーザー: %[2]s 人",
	},
	"history.stack.one": {
		En: "The stack %s has stamped %s person since %s.",
		Ja: "スタック %[1]s が %[3]s 以降にスタンプを付けたユーザー: %[2]s 人",
	},
	"history.stack_not": {
		En: "The stack %s has not stamped %s since %s.",
		Ja: "スタック %s が %[3]s 以降に %[2]s にスタンプを付けた記録はありません。",
	},
	"history.cut": {
		En: "The log holds more than is read at once: the newest are missing. Write a later --since.",
		Ja: "ログが多いため、新しい分を読み取れていません。--since に後の日付を指定してください。",
	},
	"use.stack_history": {
		En: "--orders is about this machine, and goes without --stack.",
		Ja: "--orders はこのマシンの記録です。--stack と一緒には指定できません。",
	},
	"use.needs_stack": {
		En: "--%s goes with --stack NAME, which says which deployment is meant.",
		Ja: "--%s は --stack NAME (対象のデプロイ) と一緒に指定してください。",
	},
}
