package main

import "github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"

// whyWords are those of why, besides the sentences of package explain.
var whyWords = language.Catalogue{
	"why.asking": {
		En: "Asking Graph about this user: some five seconds.",
		Ja: "Graph に照会しています (約 5 秒)。",
	},
	"why.created": {En: "created %s", Ja: "作成 %s"},
	"why.fact":    {En: "%s: %s", Ja: "%s: %s"},
	"why.fine":    {En: "No cause in: %s", Ja: "原因なし: %s"},
	"why.mark":    {En: "· ", Ja: "・"},
	"why.main":    {En: "Main cause: ", Ja: "主な原因: "},
	"why.rule":    {En: " (%s, %s)", Ja: " (%s、%s)"},
	"why.certain": {En: "certain", Ja: "確実"},
	"why.high":    {En: "high", Ja: "確度: 高"},
	"why.medium":  {En: "medium", Ja: "確度: 中"},
	"why.low":     {En: "low", Ja: "確度: 低"},
	"why.info":    {En: "info", Ja: "参考"},
	"why.tell":    {En: "Message for the user:", Ja: "ユーザーへの案内文:"},
	"why.emergency": {
		En: "This looks like an emergency access account: it is best excluded, and left without a stamp.",
		Ja: "緊急アクセス用アカウントの可能性があります。スタンプを付けず、除外しておくことをお勧めします。",
	},
	"why.no_message": {
		En: "Your administrator is looking into this.",
		Ja: "管理者側で確認しています。",
	},
	"why.policy": {
		En: "change the policy \"%s\": Microsoft Entra admin center > Entra ID > Conditional Access > Policies > Session",
		Ja: "ポリシー「%s」を変更: Microsoft Entra 管理センター > Entra ID > 条件付きアクセス > ポリシー > セッション",
	},
	"why.policies": {
		En: "find and change the policy: Microsoft Entra admin center > Entra ID > Conditional Access > Policies",
		Ja: "該当するポリシーを変更: Microsoft Entra 管理センター > Entra ID > 条件付きアクセス > ポリシー",
	},
	"why.twelve_hours": {
		En: "If the error says \"inactive for 12:00:00\", that is what an empty stamp looks like. To find out, run: sessionstamp why USER",
		Ja: "エラーに「inactive for 12:00:00」とあれば、スタンプがない場合の症状です。sessionstamp why USER で確認してください。",
	},
	"why.more":      {En: "More: %s", Ja: "詳細: %s"},
	"why.not_asked": {En: "%s: not asked, because %s", Ja: "%s: 未確認。%s"},
	"why.no_right": {
		En: "the right is missing: grant %s.",
		Ja: "アクセス許可がありません。%s を付与してください。",
	},
	"why.no_licence": {
		En: "the tenant has no %s licence.",
		Ja: "テナントに %s のライセンスがありません。",
	},
	"why.failed":    {En: "the call failed (%s): try again.", Ja: "呼び出しに失敗しました (%s)。もう一度実行してください。"},
	"why.unread":    {En: "it could not be read: try again.", Ja: "読み取れませんでした。もう一度実行してください。"},
	"why.no_ledger": {En: "this machine has stamped nobody in this tenant.", Ja: "このマシンからこのテナントにスタンプを付けたことがありません。"},
	"why.not_in_graph": {
		En: "Not in Graph: \"Stay signed in?\", remembered MFA, idle session timeouts, primary refresh tokens.",
		Ja: "Graph では確認できない項目: 「サインインの状態を維持しますか?」、MFA の記憶、アイドル セッション タイムアウト、プライマリ更新トークン。",
	},
	"why.unknown_code": {
		En: "sessionstamp does not know this code. Microsoft's page tells what it means.",
		Ja: "sessionstamp の一覧にないコードです。意味は Microsoft のページで確認してください。",
	},

	"fact.member":      {En: "member", Ja: "メンバー"},
	"fact.guest":       {En: "guest", Ja: "ゲスト"},
	"fact.enabled":     {En: "enabled", Ja: "有効"},
	"fact.disabled":    {En: "disabled", Ja: "無効"},
	"fact.enforced":    {En: "enforced", Ja: "強制"},
	"fact.no_risk":     {En: "none", Ja: "なし"},
	"fact.at_risk":     {En: "at risk", Ja: "リスクあり"},
	"fact.compromised": {En: "confirmed compromised", Ja: "セキュリティ侵害を確認済み"},
	"fact.remediated":  {En: "remediated", Ja: "修復済み"},
	"fact.dismissed":   {En: "dismissed", Ja: "無視"},
	"fact.safe":        {En: "confirmed safe", Ja: "安全であることを確認済み"},
	"fact.stamped":     {En: "stamp of %s", Ja: "スタンプ %s"},
	"fact.federated":   {En: "(federated)", Ja: "(フェデレーション)"},
	"fact.managed":     {En: "(managed)", Ja: "(マネージド)"},
	"fact.on":          {En: "on", Ja: "有効"},
	"fact.off":         {En: "off", Ja: "無効"},
	"fact.policies":    {En: "applied: %d, with a sign-in frequency: %d", Ja: "適用 %d 件、うちサインインの頻度あり %d 件"},
	"fact.sign_ins":    {En: "%d in %d days", Ja: "%[2]d 日間に %[1]d 件"},

	"hint.cure":     {En: "ends the 12 hours", Ja: "12 時間の制限を解消"},
	"hint.together": {En: "together with the policy", Ja: "ポリシー変更とあわせて"},
	"hint.all":      {En: "everything", Ja: "すべて表示"},
	"hint.rights":   {En: "asks for rights", Ja: "権限を追加"},
	"hint.why":      {En: "explains one user", Ja: "ユーザーについて調べる方法"},

	"use.why_user": {
		En: "%q is no user principal name: write it whole, such as taro.yamada@example.co.jp. A mail address or an object id will do as well.",
		Ja: "%q では特定できません。taro.yamada@example.co.jp のように、ユーザー プリンシパル名を @ 以降も含めて入力してください。メール アドレスやオブジェクト ID も使えます。",
	},
	"use.why_nobody": {
		En: "Say about whom: sessionstamp why name@domain, or an object id, or AADSTS50058.",
		Ja: "対象を指定してください。例: sessionstamp why 名前@ドメイン (オブジェクト ID や AADSTS50058 も可)。",
	},
}
