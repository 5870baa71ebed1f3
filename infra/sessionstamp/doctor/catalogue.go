package doctor

import (
	"maps"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
)

// words are what a rule says: what is wrong for whom, and what ends it.
type words struct {
	problem, cure language.Text
	command       string
}

// catalogue holds the words of every rule, by its id.
var catalogue = func() map[string]words {
	all := make(map[string]words)
	for _, part := range []map[string]words{machineWords, stackWords, entraWords, awsWords, alarmWords, signalWords, stateWords} {
		maps.Copy(all, part)
	}
	return all
}()

// The beginnings of places in consoles.
const (
	registration   = "Microsoft Entra admin center > App registrations > {client} > "
	registrationJa = "Microsoft Entra 管理センター > アプリの登録 > {client} > "
	permissions    = registration + "API permissions: "
	permissionsJa  = registrationJa + "API のアクセス許可: "
	trusts         = registration + "Certificates & secrets > Federated credentials"
	trustsJa       = registrationJa + "証明書とシークレット > フェデレーション資格情報"
)

// What ends the faults of which a function's log tells.
var (
	keeperSays  = language.Text{En: "The keeper's log says why.", Ja: "原因は keeper のログを確認してください。"}
	sweeperSays = language.Text{En: "The sweeper's log says why.", Ja: "原因は sweeper のログを確認してください。"}
	stamperSays = language.Text{En: "The stamper's log says why.", Ja: "原因はスタンプ用関数のログを確認してください。"}
	webhookSays = language.Text{En: "The webhook's log says why.", Ja: "原因は webhook のログを確認してください。"}
)

// logOf is the command that shows a function's log of the last hours, such as "6h".
func logOf(function, since string) string {
	return "aws logs tail /aws/lambda/{stack}-" + function + " --region {region} --since " + since
}

var machineWords = map[string]words{
	"clock_off": {
		problem: language.Text{En: "This machine's clock is {minutes} minutes {way}, so that Entra and AWS refuse your sign-in.",
			Ja: "このマシンの時計が {minutes} 分{way}いるため、Entra と AWS がサインインを拒否します。"},
		cure: language.Text{En: "Set the clock, best by a time server.", Ja: "時計を合わせてください (時刻サーバーとの同期を推奨)。"},
	},
	"file_unreadable": {
		problem: language.Text{En: "The file in which this machine notes whom it has stamped can't be read.",
			Ja: "このマシンの記録ファイルを読み取れません。"},
		cure: language.Text{En: "Move it away, or bring it back from a backup; history names the file.",
			Ja: "ファイルを移動するか、バックアップから復元してください。ファイル名は次のコマンドで確認できます。"},
		command: "sessionstamp history",
	},
	"sam_missing": {
		problem: language.Text{En: "The AWS SAM CLI is not installed here: setup and update can't deploy from this machine.",
			Ja: "AWS SAM CLI がないため、このマシンからは setup と update でデプロイできません。"},
		cure:    language.Text{En: "Install it, or go to AWS CloudShell, which has it.", Ja: "インストールするか、導入済みの AWS CloudShell を使ってください。"},
		command: "{install}",
	},
	"command_older": {
		problem: language.Text{En: "This command is older ({command}) than the stack ({version}): it may not understand what it reads there.",
			Ja: "このコマンド ({command}) はスタック ({version}) より古く、スタックの情報を正しく読み取れないことがあります。"},
		cure: language.Text{En: "Use the command of the release that is deployed.", Ja: "デプロイ済みのリリースと同じ版のコマンドを使ってください。"},
	},
	"command_newer": {
		problem: language.Text{En: "The stack is of an older release ({version}) than this command ({command}).",
			Ja: "スタック ({version}) は、このコマンド ({command}) より古いリリースです。"},
		cure:    language.Text{En: "Update it when it suits you.", Ja: "ご都合のよいときに更新してください。"},
		command: "sessionstamp update{of}",
	},
	"file_locked": {
		problem: language.Text{En: "Another sessionstamp on this machine is using the local file, such as watch.",
			Ja: "このマシンで別の sessionstamp (watch など) がローカル ファイルを使用中です。"},
		cure: language.Text{En: "Nothing, if that is meant.", Ja: "意図したものなら、対処は不要です。"},
	},
}

var stackWords = map[string]words{
	"credentials_missing": {
		problem: language.Text{En: "You are not signed in to AWS, so that nothing of AWS could be looked at.",
			Ja: "AWS にサインインしていないため、AWS 側を確認できません。"},
		cure:    language.Text{En: "Make a profile once, or name one with --profile.", Ja: "プロファイルを一度設定するか、--profile で指定してください。"},
		command: "aws configure sso",
	},
	"profile_unknown": {
		problem: language.Text{En: "The AWS profile {profile} does not sign you in, so that nothing of AWS could be looked at.",
			Ja: "AWS プロファイル {profile} ではサインインできないため、AWS 側を確認できません。"},
		cure:    language.Text{En: "See which there are.", Ja: "一覧を確認してください。"},
		command: "aws configure list-profiles",
	},
	"credentials_invalid": {
		problem: language.Text{En: "AWS does not know your credentials, so that nothing of AWS could be looked at.",
			Ja: "AWS が認証情報を認識できないため、AWS 側を確認できません。"},
		cure: language.Text{En: "See AWS_ACCESS_KEY_ID or the profile, and that the account has this region enabled.",
			Ja: "AWS_ACCESS_KEY_ID またはプロファイルと、アカウントでこのリージョンが有効かを確認してください。"},
		command: "aws sts get-caller-identity",
	},
	"credentials_expired": {
		problem: language.Text{En: "Your sign-in to AWS has expired, so that nothing of AWS could be looked at.",
			Ja: "AWS へのサインインの有効期限が切れたため、AWS 側を確認できません。"},
		cure: language.Text{En: "Sign in again.", Ja: "サインインし直してください。"}, command: "aws sso login{with}",
	},
	"region_unknown": {
		problem: language.Text{En: "No AWS region is named anywhere, so that nobody knows where to look for the stack.",
			Ja: "AWS リージョンがどこにも指定されていないため、スタックを探せません。"},
		cure:    language.Text{En: "Write --region, or set one for good.", Ja: "--region で指定するか、既定のリージョンを設定してください。"},
		command: "aws configure set region ap-northeast-1",
	},
	"federation_off": {
		problem: language.Text{En: "Outbound federation is off in the AWS account: no function can sign in to Entra, and nobody is stamped.",
			Ja: "AWS アカウントのアウトバウンド ID フェデレーションが無効のため、どの関数も Entra にサインインできず、誰にもスタンプが付きません。"},
		cure: language.Text{En: "Switch it on; afterwards run doctor again, because the issuer may be another one.",
			Ja: "有効にしてください。発行者が変わることがあるため、その後 doctor を再実行してください。"},
		command: "aws iam enable-outbound-web-identity-federation",
	},
	"federation_to_come": {
		problem: language.Text{En: "Outbound federation is off in the AWS account.", Ja: "AWS アカウントのアウトバウンド ID フェデレーションは無効です。"},
		cure:    language.Text{En: "Setup switches it on; it needs iam:EnableOutboundWebIdentityFederation.", Ja: "setup が有効にします (iam:EnableOutboundWebIdentityFederation が必要です)。"},
	},
	"stack_missing": {
		problem: language.Text{En: "There is no stack {stack} in {region}.", Ja: "{region} にスタック {stack} がありません。"},
		cure:    language.Text{En: "Look in another region with --region, or under another name with --stack.", Ja: "--region で別のリージョンを、--stack で別の名前を指定してください。"},
		command: "aws cloudformation describe-stacks --region {region} --query Stacks[].StackName",
	},
	"not_deployed": {
		problem: language.Text{En: "There is no stack {stack} in {region} yet.", Ja: "{region} にスタック {stack} はまだありません。"},
		cure:    language.Text{En: "Set it up; setup shows its plan first.", Ja: "セットアップしてください (先に計画が表示されます)。"},
		command: "sessionstamp setup{of} --plan",
	},
	"stack_never_stood": {
		problem: language.Text{En: "The stack {stack} was never deployed ({status}), and nobody is stamped: {why}",
			Ja: "スタック {stack} のデプロイは完了しておらず ({status})、誰にもスタンプが付きません: {why}"},
		cure:    language.Text{En: "Mend what it says and run setup, which removes the remains and deploys again.", Ja: "原因を取り除いて setup を実行してください。残骸を削除し、デプロイし直します。"},
		command: "sessionstamp setup{of}",
	},
	"stack_update_stuck": {
		problem: language.Text{En: "An update of the stack {stack} failed and could not be undone ({status}): it can't be updated any more. {why}",
			Ja: "スタック {stack} の更新が失敗し、元に戻せていません ({status})。このままでは更新できません。{why}"},
		cure:    language.Text{En: "Mend what it says, then let CloudFormation finish going back.", Ja: "原因を取り除き、ロールバックを続行してください。"},
		command: "aws cloudformation continue-update-rollback --region {region} --stack-name {stack}",
	},
	"stack_delete_failed": {
		problem: language.Text{En: "The stack {stack} is removed by half, and nobody is stamped: {why}", Ja: "スタック {stack} の削除が途中で失敗し、誰にもスタンプが付きません: {why}"},
		cure:    language.Text{En: "Finish the removal, or run setup afterwards to have it again.", Ja: "削除を完了してください。再び使うには、その後 setup を実行します。"},
		command: "sessionstamp setup{of} --undo",
	},
	"stack_update_undone": {
		problem: language.Text{En: "The last update of the stack {stack} failed and was undone; what was there before runs on. {why}",
			Ja: "スタック {stack} の前回の更新は失敗し、元に戻されました。以前の状態で動作しています。{why}"},
		cure:    language.Text{En: "Mend what it says, and update again.", Ja: "原因を取り除き、もう一度更新してください。"},
		command: "sessionstamp update{of}",
	},
	"stack_busy": {
		problem: language.Text{En: "The stack {stack} is being changed right now ({status}); its parts were not judged.",
			Ja: "スタック {stack} は変更中です ({status})。構成要素の一部は判定していません。"},
		cure: language.Text{En: "Wait until it is done, and run doctor again.", Ja: "完了を待って、doctor を再実行してください。"},
	},
	"stacks_same_tenant": {
		problem: language.Text{En: "Other stacks serve the same tenant ({others}): users may be signed out twice, and each has a brake of its own.",
			Ja: "同じテナントを対象とするスタックがほかにもあります ({others})。ユーザーが二重にサインアウトされ、24 時間の上限も別々に数えられます。"},
		cure:    language.Text{En: "Keep one of them, and remove the others one by one.", Ja: "1 つだけ残し、ほかは 1 つずつ削除してください。"},
		command: "sessionstamp setup --undo --stack NAME",
	},
	"app_shared": {
		problem: language.Text{En: "Another stack signs in as the same app ({others}): they take each other's subscription and quota.",
			Ja: "別のスタックが同じアプリでサインインしています ({others})。サブスクリプションとクォータを奪い合います。"},
		cure:    language.Text{En: "Give each stack apps of its own: setup makes them.", Ja: "スタックごとに専用のアプリを用意してください (setup が作成します)。"},
		command: "sessionstamp setup{of} --plan",
	},
}
