package explain

import "github.com/sessionstamp/sessionstamp/shared/stamp"

// commandStamp stamps one user.
const commandStamp = "sessionstamp stamp " + UserName

// leftBecause are the reasons for which sessionstamp leaves a user without a stamp alone,
// and the command that goes against it, empty where something has to change first.
var leftBecause = map[stamp.Reason]struct {
	text    Text
	command string
}{
	stamp.ReasonExisting: {Text{
		"the account is older than 72 hours, and those are stamped by a person only",
		"作成から 72 時間を過ぎており、自動では付きません",
	}, commandStamp},
	stamp.ReasonExcluded: {Text{
		"an exclusion protects the user; sessionstamp never stamps excluded users, whoever asks",
		"除外の対象です。除外されたユーザーには、誰が依頼してもスタンプを付けません",
	}, ""},
	stamp.ReasonReadBackPending: {Text{
		"sessionstamp has made the call, and will see in some minutes whether it worked",
		"呼び出しは済んでおり、数分後に結果を確認します",
	}, commandStamp},
	stamp.ReasonForbidden: {Text{
		"Microsoft Graph refused the call: User.RevokeSessions.All is missing, or a role protects the user, and only a higher one may sign the user out",
		"Microsoft Graph が呼び出しを拒否しました。User.RevokeSessions.All がないか、ユーザーがロールで保護されており、より上位のロールが必要です",
	}, commandStamp},
	stamp.ReasonRefused: {Text{
		"Microsoft Graph refused the call for this user as wrong",
		"Microsoft Graph がこのユーザーへの呼び出しを不正な要求として拒否しました",
	}, commandStamp},
	stamp.ReasonStillEmpty: {Text{
		"Microsoft Graph accepted two calls, and still shows no stamp; try once more, then open a case with Microsoft",
		"Microsoft Graph は呼び出しを 2 回受け付けましたが、スタンプはまだ空です。もう一度試し、変わらなければ Microsoft サポートに問い合わせてください",
	}, commandStamp},
}

// phrases are parts of sentences.
var phrases = map[string]Text{
	"every time":      {"every time", "毎回"},
	"every hour":      {"every hour", "1 時間ごとに"},
	"every hours":     {"every {n} hours", "{n} 時間ごとに"},
	"every days":      {"every {n} days", "{n} 日ごとに"},
	"interval unread": {"regularly (how often was not read)", "一定の間隔 (未確認) で"},
	"each unread":     {"from time to time", "定期的な"},
	"asks both":       {"first factor and MFA", "第 1 要素と MFA"},
	"asks MFA":        {"MFA only", "MFA のみ"},
	"policy name":     {"\"{name}\"", "「{name}」"},
	"policy both":     {"\"{name}\" ({id})", "「{name}」({id})"},
	"no name":         {"(no name)", "(名前なし)"},
	"no reason":       {"Entra gives no reason", "Entra からの理由の記載なし"},
	"MFA enabled":     {"enabled", "有効"},
	"MFA enforced":    {"enforced", "強制"},

	"who unknown":      {"not known: nothing is recorded here", "不明 (記録がありません)"},
	"who other":        {"not sessionstamp; the audit log tells who revoked the sessions", "sessionstamp ではありません (誰がセッションを取り消したかは監査ログで確認できます)"},
	"who ours":         {"sessionstamp", "sessionstamp (自動)"},
	"who notification": {"sessionstamp, for a new user, when Microsoft Graph told of it", "sessionstamp (新規ユーザーの通知による)"},
	"who sweep":        {"sessionstamp, for a new user whom the sweep found", "sessionstamp (定期巡回で新規ユーザーを検出)"},
	"who person":       {"sessionstamp, because a person asked", "sessionstamp (管理者の依頼による)"},
}
