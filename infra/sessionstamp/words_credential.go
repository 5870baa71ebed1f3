package main

import "github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"

// credentialWords are what credential renew says.
var credentialWords = language.Catalogue{
	"renew.client_secret": {En: "client secret", Ja: "クライアント シークレット"},
	"renew.certificate":   {En: "certificate", Ja: "証明書"},
	"renew.named":         {En: "%s (%s, ends %s)", Ja: "%s (%s、有効期限 %s)"},
	"renew.nothing_stored": {
		En: "The stack %s signs in by web identity: AWS vouches for it, no credential is stored, and there is nothing to renew.",
		Ja: "スタック %s は Web ID でサインインしています。AWS が身元を証明し、資格情報は保存されていないため、更新は不要です。",
	},
	"renew.app": {
		En: "The stack %s signs in by a %s of the app %s.",
		Ja: "スタック %[1]s は、アプリ %[3]s の%[2]sでサインインしています。",
	},
	"renew.now":         {En: "The stored one ends on %s, in %s days.", Ja: "保存されている資格情報の有効期限: %s (あと %s 日)"},
	"renew.now_ended":   {En: "The stored one ended on %s: nobody can sign in with it.", Ja: "保存されている資格情報は %s に期限切れになり、サインインできません。"},
	"renew.now_endless": {En: "When the stored one ends is not known.", Ja: "保存されている資格情報の有効期限は不明です。"},
	"renew.now_none":    {En: "None is stored yet.", Ja: "資格情報はまだ保存されていません。"},
	"renew.new": {
		En: "A new one will be added that ends on %s, in %s days. It is used once Entra has taken it; until then the stored one stays.",
		Ja: "新しい資格情報 (有効期限 %s、%s 日間) を追加します。Entra で使えることを確認してから切り替え、それまでは現在のものを使い続けます。",
	},
	"renew.goes_on": {
		En: "An earlier run was broken off. The credential that it has added, which ends on %s, will be proved and used.",
		Ja: "前回の更新が中断しています。追加済みの資格情報 (有効期限 %s) を確認し、切り替えます。",
	},
	"renew.cleans": {
		En: "An earlier run was broken off at its end: the new one is in use, and what was left over will be removed.",
		Ja: "前回の更新が中断しています。新しいものは使用中のため、残りを削除します。",
	},
	"renew.removes": {En: "Then removed from the app: %s", Ja: "その後アプリから削除: %s"},
	"renew.others":  {En: "Left alone, because sessionstamp did not add them: %s", Ja: "sessionstamp が追加したものではないため残す資格情報: %s"},
	"renew.others_why": {
		En: "If nothing uses them now, delete them in the Entra admin center: App registrations, Certificates & secrets.",
		Ja: "ほかで使われていなければ、Entra 管理センターの [アプリの登録] → [証明書とシークレット] で削除してください。",
	},
	"renew.drops":       {En: "Gives up what an earlier run has stored and that cannot be used", Ja: "前回保存され、使えない資格情報を破棄しています"},
	"renew.adds":        {En: "Adds a new one to the app, and stores it beside the one in use", Ja: "アプリに新しい資格情報を追加し、現在のものと並べて保存しています"},
	"renew.proves":      {En: "Signs in with it until Entra knows it everywhere (may take minutes)", Ja: "Entra 全体に反映されるまでサインインを試しています (数分かかることがあります)"},
	"renew.promotes":    {En: "Makes it the one that the functions read", Ja: "関数が使う資格情報を切り替えています"},
	"renew.settles":     {En: "Ends the rotation in Secrets Manager", Ja: "Secrets Manager のローテーションを完了しています"},
	"renew.removes_one": {En: "Removes one that is not used any more from the app", Ja: "使われなくなった資格情報をアプリから削除しています"},
	"renew.done":        {En: "The new %s is stored and proved. It ends on %s.", Ja: "新しい%sを保存し、サインインできることを確認しました。有効期限: %s"},
	"renew.taken_up": {
		En: "The functions take it up by themselves: nothing has to be deployed.",
		Ja: "関数は自動的に新しい資格情報を使います。デプロイは不要です。",
	},
	"renew.removed": {En: "Removed from the app: %s", Ja: "アプリから削除: %s"},
	"renew.again": {
		En: "The deployment goes on with what is stored. Run it again: it goes on, or cleans up: %s",
		Ja: "デプロイは保存済みの資格情報で動作し続けます。もう一度実行すると、続行または後片付けをします: %s",
	},
	"hint.renew": {En: "renews it", Ja: "更新を実行"},

	"use.credential": {
		En: "What is to be done with the credential? Write: sessionstamp credential renew",
		Ja: "資格情報に対する操作を指定してください: sessionstamp credential renew",
	},
	"use.days": {
		En: "--days takes %s to %s: an alarm rings 30 days before the end, and Entra makes none for more than two years.",
		Ja: "--days には %s から %s を指定してください。期限の 30 日前にアラームが鳴り、2 年を超えるものは作成できません。",
	},
	"use.unasked_renew": {
		En: "Nobody is here to be asked: look first with --dry-run, then write --yes.",
		Ja: "確認の入力ができません。--dry-run で内容を確認し、--yes を付けて実行してください。",
	},
	"use.renew_tenant": {
		En: "The stack %s belongs to the tenant %s: leave --tenant out.",
		Ja: "スタック %s のテナントは %s です。--tenant を外してください。",
	},
	"fail.renew_no_app": {
		En: "The tenant has no app with the client ID %s: see that nobody has deleted it. A deleted one can be restored for 30 days.",
		Ja: "クライアント ID %s のアプリがテナントにありません。削除されていないか確認してください。削除後 30 日間は復元できます。",
	},
	"fail.renew_no_secret": {
		En: "Secrets Manager has no secret %s, or it is being deleted: restore it, or deploy with another CredentialSecretArn.",
		Ja: "Secrets Manager にシークレット %s がないか、削除待ちです。復元するか、別の CredentialSecretArn でデプロイしてください。",
	},
	"fail.renew_rotation": {
		En: "Another rotation of the secret is under way, or was broken off: a version that is not sessionstamp's is AWSPENDING. Let it end, or take that stage away with aws secretsmanager update-secret-version-stage.",
		Ja: "シークレットの別のローテーションが進行中か、中断しています (sessionstamp のものではないバージョンが AWSPENDING)。完了を待つか、aws secretsmanager update-secret-version-stage でこのラベルを外してください。",
	},
	"fail.renew_changed": {
		En: "Somebody else renews the credential at the same time, or has just stored another one. Ask who it is, and let them finish.",
		Ja: "ほかの人が同時に資格情報を更新しているか、別の資格情報を保存しました。担当者を確認し、完了を待ってください。",
	},
	"fail.renew_unproved": {
		En: "Entra has not taken the new credential within ten minutes (%s). The one before stays in use.",
		Ja: "10 分以内に Entra で新しい資格情報が使えるようになりませんでした (%s)。現在の資格情報を使い続けます。",
	},
	"fail.renew_refused": {
		En: "Entra does not add such a credential: %s. A policy of your tenant may forbid it, or allow fewer --days.",
		Ja: "Entra がこの資格情報の追加を拒否しました: %s。テナントのポリシーで禁止されているか、--days を短くする必要があります。",
	},
	"fail.renew_stopped": {En: "Stopped in the middle of the renewal.", Ja: "更新の途中で中止しました。"},
}

// credentialHelps are what --help says.
var credentialHelps = language.Catalogue{
	"credential.use":   same("credential renew [--days N] [--dry-run] [--yes] [--stack NAME]"),
	"credential.short": {En: "renews the stored secret or certificate", Ja: "保存した資格情報を更新"},
	"credential.long": {
		En: "It adds a new client secret or certificate to the app, stores it in Secrets Manager, proves it by signing in, has the functions use it, and removes the one before. Until it is proved the one before stays in use. If it breaks off, run it again. Nothing secret is shown, or written to a file.\nYou sign in to AWS as usual, and to Entra as Application Administrator (Application.ReadWrite.All). In AWS it takes DescribeSecret, GetSecretValue, PutSecretValue and UpdateSecretVersionStage of the secret.",
		Ja: "アプリに新しいクライアント シークレットまたは証明書を追加し、Secrets Manager に保存し、サインインできることを確認してから関数に使わせ、以前のものを削除します。確認が済むまでは以前のものを使い続けます。中断した場合はもう一度実行してください。秘密の値は画面にもファイルにも出力しません。\nAWS には通常の方法で、Entra にはアプリケーション管理者 (Application.ReadWrite.All) でサインインします。AWS の権限: DescribeSecret、GetSecretValue、PutSecretValue、UpdateSecretVersionStage。",
	},
	"credential.examples": same("  sessionstamp credential renew --dry-run\n  sessionstamp credential renew --days 90 --yes"),
	"flag.days":           {En: "how long the new one is good", Ja: "新しい資格情報の有効日数"},
}
