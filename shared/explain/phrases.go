package explain

import "github.com/sessionstamp/sessionstamp/shared/stamp"

// commandStamp stamps one user; the others are for what stands in its way.
const (
	commandStamp   = "sessionstamp stamp " + UserName
	commandRelease = "sessionstamp release"
	commandDoctor  = "sessionstamp doctor"
)

// leftBecause are the reasons for which sessionstamp leaves a user without a stamp alone,
// and the command that changes it, empty where a person has to change a setting first.
var leftBecause = map[stamp.Reason]struct {
	text    Text
	command string
}{
	stamp.ReasonExisting: {Text{
		"the user was more than 72 hours old when sessionstamp first saw the account, so a person decides",
		"sessionstamp が最初に確認した時点で作成から 72 時間を過ぎていたため、管理者の判断待ちです",
	}, commandStamp},
	stamp.ReasonExcluded: {Text{
		"an exclusion protects the user; sessionstamp never stamps excluded users, whoever asks",
		"除外の対象です。除外されたユーザーには、誰が依頼してもスタンプを設定しません",
	}, ""},
	stamp.ReasonDryRun: {Text{
		"the deployment is a dry run; switch DryRun off to have it stamp users",
		"ドライ ランで動作しています。スタンプを設定するには DryRun を無効にしてください",
	}, ""},
	stamp.ReasonBrake: {Text{
		"the brake is on: the limit of 24 hours was reached, and a person must release it",
		"ブレーキが作動しています。24 時間の上限に達したため、管理者による解除が必要です",
	}, commandRelease},
	stamp.ReasonForbidden: {Text{
		"Microsoft Graph refused the call for this user: the app lacks User.RevokeSessions.All",
		"Microsoft Graph がこのユーザーへの呼び出しを拒否しました。アプリに User.RevokeSessions.All のアクセス許可がありません",
	}, commandDoctor},
	stamp.ReasonRefused: {Text{
		"Microsoft Graph refused the call for this user as wrong",
		"Microsoft Graph がこのユーザーへの呼び出しを不正な要求として拒否しました",
	}, commandDoctor},
	stamp.ReasonStillEmpty: {Text{
		"Microsoft Graph accepted two calls, and still shows no stamp; try once more, then open a case with Microsoft",
		"Microsoft Graph は呼び出しを 2 回受け付けましたが、スタンプはまだ空です。もう一度試し、変わらなければ Microsoft サポートに問い合わせてください",
	}, commandStamp},
}

// blanks say why a piece of evidence was not asked for, in one line.
var blanks = map[Reason]Text{
	Unasked: {
		"{name}: not asked, because this run did not ask for it; to ask, grant {grant}.",
		"{name}: 未確認。今回は照会していないためです。照会するには {grant} を付与してください。",
	},
	NoPermission: {
		"{name}: not asked, because the permission is missing; grant {grant}.",
		"{name}: 未確認。アクセス許可がないためです。{grant} を付与してください。",
	},
	NoLicence: {
		"{name}: not asked, because the tenant has no {licence} licence; with one, grant {grant}.",
		"{name}: 未確認。テナントに {licence} のライセンスがないためです。ライセンスがあれば {grant} を付与してください。",
	},
	Failed: {
		"{name}: not asked, because the call failed ({error}); try again. It needs {grant}: grant it if it is missing.",
		"{name}: 未確認。呼び出しに失敗したためです ({error})。もう一度お試しください。必要なアクセス許可は {grant} です。なければ付与してください。",
	},
}

// phrases are parts of sentences.
var phrases = map[string]Text{
	"every time":      {"every time", "毎回"},
	"every hour":      {"every hour", "1 時間ごとに"},
	"every hours":     {"every {n} hours", "{n} 時間ごとに"},
	"every days":      {"every {n} days", "{n} 日ごとに"},
	"interval unread": {"regularly (how often was not read)", "一定の間隔 (未確認) で"},
	"asks both":       {"first factor and MFA", "第 1 要素と MFA"},
	"asks MFA":        {"MFA only", "MFA のみ"},
	"policy name":     {"\"{name}\"", "「{name}」"},
	"policy both":     {"\"{name}\" ({id})", "「{name}」({id}) "},
	"no name":         {"(no name)", "(名前なし)"},
	"no reason":       {"Entra gives no reason", "Entra からの理由の記載なし"},

	"ledger not asked": {"the ledger was not asked", "台帳は照会していません"},
	"ledger nothing":   {"sessionstamp's ledger has no entry", "sessionstamp の台帳に記録がありません"},
	"ledger open":      {"sessionstamp has made the call and is waiting to see the stamp", "sessionstamp が呼び出し済みで、スタンプの反映を確認中です"},
	"ledger left":      {"sessionstamp has left the user alone, as said below", "後述の理由により、sessionstamp は設定していません"},
	"ledger state":     {"the ledger says {state} ({reason})", "台帳の状態は {state} ({reason}) です"},

	"who unknown":      {"not known, the ledger was not asked", "不明 (台帳は照会していません)"},
	"who other":        {"not sessionstamp; the audit log tells who revoked the sessions", "sessionstamp ではありません (誰がセッションを取り消したかは監査ログで確認できます)"},
	"who ours":         {"sessionstamp", "sessionstamp (自動)"},
	"who notification": {"sessionstamp, for a new user, when Microsoft Graph told of it", "sessionstamp (新規ユーザーの通知による)"},
	"who sweep":        {"sessionstamp, for a new user whom the sweep found", "sessionstamp (定期巡回で新規ユーザーを検出)"},
	"who person":       {"sessionstamp, because a person asked", "sessionstamp (管理者の依頼による)"},
}
