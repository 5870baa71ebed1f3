package main

import "github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"

// deploymentWords are what every verb says that needs a deployment.
var deploymentWords = language.Catalogue{
	"use.no_demo": {
		En: "The demonstration has no deployment: leave --demo out.",
		Ja: "デモにはデプロイがありません。--demo を外してください。",
	},
	"use.no_region": {
		En: "No AWS region is set, or what is set is no region: write --region (such as ap-northeast-1), or set AWS_REGION.",
		Ja: "AWS リージョンが設定されていないか、正しくありません。--region (ap-northeast-1 など) を指定するか、環境変数 AWS_REGION を設定してください。",
	},
	"use.region": {
		En: "--%[1]s does not take %[2]q: write the name of an AWS region, such as ap-northeast-1.",
		Ja: "--%[1]s に %[2]q は指定できません。ap-northeast-1 のような AWS リージョンの名前を指定してください。",
	},
	"use.other_tenant": {
		En: "The deployment %s serves the tenant %s, and you are signed in to %s: name another --stack, or sign in with --tenant.",
		Ja: "デプロイ %s の対象はテナント %s ですが、サインイン先は %s です。--stack で別のデプロイを指定するか、--tenant でサインイン先を指定してください。",
	},
	"use.other_stack": {
		En: "There is no stack %s in %s of account %s. Those of sessionstamp are: %s. Name one with --stack.",
		Ja: "アカウント %[3]s の %[2]s にスタック %[1]s はありません。sessionstamp のスタックは次のとおりです: %[4]s。--stack で指定してください。",
	},
	"use.foreign_stack": {
		En: "The stack %s is not one of sessionstamp's: name another with --stack.",
		Ja: "スタック %s は sessionstamp のものではありません。--stack で別のスタックを指定してください。",
	},
	"fail.no_stack": {
		En: "There is no stack %s in %s of account %s (region from %s), nor another of sessionstamp's: see that region and account are the right ones, or make it: sessionstamp setup",
		Ja: "アカウント %[3]s の %[2]s (リージョンの指定元: %[4]s) にスタック %[1]s はなく、sessionstamp のほかのスタックもありません。リージョンとアカウントを確認するか、作成してください: sessionstamp setup",
	},
	"fail.stack_state": {
		En: "The stack %s is in the state %s, and takes no orders: wait until its operation ends, or see sessionstamp doctor",
		Ja: "スタック %s は %s の状態のため、操作できません。処理が終わるのを待つか、sessionstamp doctor で確認してください。",
	},
	"fail.stack_failed": {
		En: "The stack %s is in the state %s, and takes no orders: %s — see sessionstamp doctor",
		Ja: "スタック %s は %s の状態のため、操作できません: %s — sessionstamp doctor で確認してください。",
	},
	"fail.no_resource": {
		En: "The stack is not whole (%s): deploy it again, and see sessionstamp doctor",
		Ja: "スタックのリソースが足りません (%s)。もう一度デプロイし、sessionstamp doctor で確認してください。",
	},
	"fail.function": {
		En: "The function %s failed: %s",
		Ja: "関数 %s が失敗しました: %s",
	},
	"fail.aws_credentials": {
		En: "You are not signed in to AWS: run aws configure sso once, or name a profile with --profile.",
		Ja: "AWS にサインインしていません。aws configure sso を一度実行するか、--profile でプロファイルを指定してください。",
	},
	"fail.aws_profile": {
		En: "The AWS profile %s does not sign you in: aws configure list-profiles shows those that there are.",
		Ja: "AWS プロファイル %s ではサインインできません。aws configure list-profiles で一覧を確認してください。",
	},
	"fail.aws_expired": {
		En: "Your AWS session has expired: run aws sso login (or get new credentials), then this command again.",
		Ja: "AWS のセッションの有効期限が切れています。aws sso login を実行 (または認証情報を再取得) してから、もう一度実行してください。",
	},
	"fail.aws_expired_profile": {
		En: "Your AWS session has expired: run aws sso login --profile %s, then this command again.",
		Ja: "AWS のセッションの有効期限が切れています。aws sso login --profile %s を実行してから、もう一度実行してください。",
	},
	"fail.aws_invalid": {
		En: "AWS does not know your credentials: see AWS_ACCESS_KEY_ID or the profile, and that the account has this region enabled.",
		Ja: "AWS が認証情報を認識できません。AWS_ACCESS_KEY_ID またはプロファイルと、アカウントでこのリージョンが有効かを確認してください。",
	},
	"fail.aws_forbidden": {
		En: "AWS does not let you do this: your role lacks %s. sessionstamp policy operator prints all the rights that it takes.",
		Ja: "AWS の権限がありません。ロールに %s が必要です。必要な権限の一覧は sessionstamp policy operator で表示できます。",
	},
	"fail.aws_forbidden_deploy": {
		En: "AWS does not let you do this: your role lacks %s. sessionstamp policy deploy prints all the rights that it takes.",
		Ja: "AWS の権限がありません。ロールに %s が必要です。必要な権限の一覧は sessionstamp policy deploy で表示できます。",
	},
	"fail.aws": {
		En: "AWS refused a call (%s): try again, and see sessionstamp doctor",
		Ja: "AWS が要求を拒否しました (%s)。もう一度実行し、sessionstamp doctor で確認してください。",
	},
	"fail.aws_throttled": {
		En: "AWS is asked too often in this account: try again in a minute.",
		Ja: "このアカウントから AWS への要求が多すぎます。1 分後にもう一度実行してください。",
	},
	"fail.aws_unreachable": {
		En: "AWS did not answer: see the network, the proxy in HTTPS_PROXY if there is one, and the name of the region.",
		Ja: "AWS から応答がありません。ネットワーク、必要なら HTTPS_PROXY のプロキシ、リージョン名を確認してください。",
	},
}

// deploymentHelps are what --help says of these verbs.
var deploymentHelps = language.Catalogue{
	"deployment.verbs": {En: "deployment: ", Ja: "デプロイの運用: "},
	"deployment.long": {
		En: "These verbs are about a deployment in your AWS account: a stack of CloudFormation. --stack names it (sessionstamp, if you say nothing), and --region and --profile say where it is. You sign in to AWS as the aws command does: by a profile, SSO or the environment. stamp, signout, history, why and report take these flags too.",
		Ja: "AWS アカウントのデプロイ (CloudFormation のスタック) を扱うコマンドです。--stack でスタック名 (既定は sessionstamp)、--region と --profile で場所を指定します。AWS には aws コマンドと同じ方法 (プロファイル、SSO、環境変数) でサインインします。stamp、signout、history、why、report でも指定できます。",
	},

	"status.use":   same("status [--stack NAME] [--region R] [--profile P]"),
	"status.short": {En: "does the deployment work, and for whom does it wait?", Ja: "デプロイの稼働状況"},
	"status.long": {
		En: "It reads the stack: its subscription, sweep, brake, queue and alarms, and the three figures that should be zero. You sign in to AWS as usual (profile, SSO, environment), and not to Entra. It changes nothing. The exit status is 1 if something is wrong, or waits for you.",
		Ja: "スタックのサブスクリプション、巡回 (全ユーザーの定期確認)、上限による停止、キュー、アラームと、ゼロであるべき 3 つの数値を読み取ります。AWS には通常の方法 (プロファイル、SSO、環境変数) でサインインします。Entra へのサインインは不要です。変更はしません。問題または要対応の項目があれば終了コードは 1 です。",
	},
	"status.examples": same("  sessionstamp status\n  sessionstamp status --region ap-northeast-1 -o json"),

	"pause.use":   same("pause [--stack NAME] [--region R] [--profile P]"),
	"pause.short": {En: "stops all stamping at once", Ja: "スタンプをすべて一時停止"},
	"pause.long": {
		En: "From now on nobody is stamped: neither new users nor those whom a person has ordered. Requests wait, nothing is missed, and the next deployment does not undo it. Calls of Graph that have begun end within a minute. sessionstamp resume lets it go on.",
		Ja: "新しいユーザーにも、担当者が指定した人にも、スタンプを付けなくなります。要求は保留され、失われません。次のデプロイでも解除されません。実行中の処理は 1 分以内に終わります。再開は sessionstamp resume です。",
	},
	"pause.examples": same("  sessionstamp pause\n  sessionstamp status"),

	"resume.use":   same("resume [--stack NAME] [--region R] [--profile P]"),
	"resume.short": {En: "ends a pause", Ja: "一時停止を解除"},
	"resume.long": {
		En: "Requests that wait are worked off, and the next sweep finds whoever came meanwhile. The count of the brake stays as it is.",
		Ja: "保留中の要求が処理され、停止中に作成されたユーザーは次の巡回で見つかります。24 時間の上限のための人数は、0 に戻りません。",
	},
	"resume.examples": same("  sessionstamp resume\n  sessionstamp status"),

	"release.use":   same("release [--signals] [--yes] [--stack NAME] [--region R] [--profile P]"),
	"release.short": {En: "lets the stamping go on after the brake", Ja: "上限による停止を解除"},
	"release.long": {
		En: "The brake stops new stamps when more users are stamped in 24 hours than you would expect. See who they were (sessionstamp history --stack NAME). It shows the count, asks once, and counts from 0 again.",
		Ja: "24 時間の人数が上限に達すると、新しいスタンプは止まります。対象者を確認し (sessionstamp history --stack NAME)、問題がなければ解除してください。人数を表示し、確認後に解除します。人数は 0 から数え直します。",
	},
	"flag.release-signals": {En: "the brake of what providers report", Ja: "シグナルの上限を解除"},
	"release.examples":     same("  sessionstamp release\n  sessionstamp release --yes"),

	"sweep.use":   same("sweep [--preview] [--stack NAME] [--region R] [--profile P]"),
	"sweep.short": {En: "looks at everybody now", Ja: "全員を今すぐ確認"},
	"sweep.long": {
		En: "The sweeper reads all users and queues those who are new and have no stamp, as it does each night. That takes up to 15 minutes. --preview counts who would be stamped and who would not, and why, and changes nothing.",
		Ja: "毎晩の巡回と同じく全ユーザーを読み取り、スタンプのない新しい人をキューに入れます。最長 15 分かかります。--preview は対象と対象外の人数を理由ごとに示すだけで、変更しません。",
	},
	"sweep.examples": same("  sessionstamp sweep --preview\n  sessionstamp sweep"),

	"flag.stack":           {En: "the deployment", Ja: "デプロイ (スタック名)"},
	"flag.region":          {En: "its AWS region, if yours is another", Ja: "AWS リージョン (既定と異なる場合)"},
	"flag.profile":         {En: "the AWS profile", Ja: "AWS プロファイル"},
	"flag.history-signals": {En: "with --stack: what became of signals", Ja: "--stack と使用: シグナルの処理結果"},
	"flag.history-since":   {En: "with --stack: since then; else 7 days", Ja: "--stack と使用: それ以降 (既定は 7 日間)"},
	"flag.preview":         {En: "counts, and changes nothing", Ja: "人数の確認のみ、変更なし"},
}
