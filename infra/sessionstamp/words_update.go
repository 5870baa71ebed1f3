package main

import "github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"

// updateWords are what version and update say.
var updateWords = language.Catalogue{
	"version.functions":    {En: "The functions for AWS Lambda are inside.", Ja: "AWS Lambda の関数を内蔵しています。"},
	"version.no_functions": {En: "No functions are inside: this is no release.", Ja: "関数を内蔵していません (リリース版ではありません)。"},

	"update.from":       {En: "The stack runs %s. This command brings %s. What has changed:", Ja: "実行中のバージョン: %s、このコマンドのバージョン: %s。変更点 (英語):"},
	"update.unknown":    {En: "an unknown version", Ja: "不明"},
	"update.no_changes": {En: "Nothing that CHANGELOG.md tells of.", Ja: "CHANGELOG.md に記載された変更はありません。"},
	"update.keeps": {
		En: "Settings and stored data stay as they are, and nobody is missed meanwhile.",
		Ja: "設定と保存済みのデータは引き継がれます。更新中に作成されたユーザーも漏れません。",
	},
	"update.moved": {En: "%s is called %s now: %s", Ja: "パラメーター %s は %s に変わりました: %s"},
	"update.gone":  {En: "There is no setting %s any more; it was: %s", Ja: "パラメーター %s は廃止されました (現在の値: %s)。"},
	"update.trust": {
		En: "New: what your identity provider reports (signals). The app that reads has to trust the function %s first: sessionstamp setup adds that in Entra. Until then all else works, and no signal is acted upon.",
		Ja: "新機能: プロバイダーが報告するパスワード変更など (シグナル)。使うには読み取り用アプリが関数 %s を信頼する必要があり、sessionstamp setup が Entra に追加します。それまでシグナルは処理されませんが、ほかの動作に影響はありません。",
	},
	"hint.setup_trust": {En: "lets the app trust it", Ja: "信頼を追加"},
	"update.question":  {En: "Deploy it? [y/N] ", Ja: "デプロイしますか? [y/N] "},
	"update.begins":    {En: "CloudFormation changes the stack. That takes some minutes.", Ja: "CloudFormation がスタックを更新しています。数分かかります。"},
	"update.same":      {En: "It is the same version: the stack %s runs %s already.", Ja: "同じバージョンです。スタック %s はすでに %s です。"},
	"update.done":      {En: "The stack %s runs %s now; before, it ran %s.", Ja: "スタック %s を %s に更新しました (更新前: %s)。"},
	"hint.setup_anew":  {En: "deploys it again", Ja: "もう一度デプロイ"},
	"hint.update":      {En: "asks once, and deploys it", Ja: "確認後にデプロイ"},

	"use.unasked_update": {
		En: "Nobody can be asked here: add --yes to deploy, or --plan to see what would change.",
		Ja: "対話できない環境です。デプロイするには --yes を、変更点だけを見るには --plan を付けてください。",
	},
	"use.newer": {
		En: "The stack runs %s, which is newer than this command (%s): get the newer command first.",
		Ja: "実行中のバージョン %s は、このコマンド (%s) より新しいものです。新しいコマンドを入手してください。",
	},
	"update.no_functions": {
		En: "This command has no functions in it to deploy: get a release, or in a checkout run make build and call it there.",
		Ja: "このコマンドはデプロイ用の関数を内蔵していません。リリース版を入手するか、リポジトリで make build を実行し、その中で実行してください。",
	},
	"update.stopped": {
		En: "Stopped. What CloudFormation has begun it ends by itself, or takes back. See how it is: %s",
		Ja: "中止しました。CloudFormation が開始済みの更新は、そのまま完了するかロールバックされます。状態の確認: %s",
	},
	"update.failed": {
		En: "The stack is in the state %s: %s — what ran before is not lost; see sessionstamp doctor, then update again.",
		Ja: "スタックの状態は %s です: %s — 以前のバージョンは失われていません。sessionstamp doctor で確認し、もう一度更新してください。",
	},
	"update.sam": {
		En: "SAM could not deploy, and the stack is as before: %s",
		Ja: "SAM でデプロイできませんでした。スタックは以前のままです: %s",
	},
}

// updateHelps are what --help says of update.
var updateHelps = language.Catalogue{
	"update.use":   same("update [--plan] [--yes] [--stack NAME] [--region R] [--profile P]"),
	"update.short": {En: "brings the deployment to this command's version", Ja: "デプロイをこのコマンドのバージョンに更新"},
	"update.long": {
		En: "It says which version runs, which one this command brings, and what has changed between them; asks once, and deploys with the settings that the stack has. You sign in to AWS as usual, and not to Entra. It needs the AWS SAM CLI. If CloudFormation cannot finish, it goes back to what ran before.",
		Ja: "実行中のバージョン、このコマンドのバージョン、その間の変更点を表示し、確認後に現在の設定のままデプロイします。AWS には通常の方法でサインインします。Entra へのサインインは不要です。AWS SAM CLI が必要です。更新に失敗すると、CloudFormation が元の状態に戻します。",
	},
	"update.examples": same("  sessionstamp update --plan\n  sessionstamp update\n  sessionstamp status"),
	"update.plan":     {En: "only say what would change", Ja: "変更点の表示のみ"},
}
