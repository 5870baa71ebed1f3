package main

import "github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"

// accessWords are those of permissions and policy, besides the sheet of package access.
var accessWords = language.Catalogue{
	"sheet.title":       {En: "sessionstamp: sheet for internal approval (%s)", Ja: "sessionstamp 導入承認用の説明資料 (%s)"},
	"sheet.purpose":     {En: "1. What it is for", Ja: "1. 目的"},
	"sheet.people":      {En: "2. Who needs which right, and for how long", Ja: "2. 誰に、どの権限が、いつまで必要か"},
	"sheet.permissions": {En: "3. The apps and their permissions at Microsoft Graph", Ja: "3. アプリと Microsoft Graph のアクセス許可"},
	"sheet.apps": {
		En: "Application permissions, as https://learn.microsoft.com/graph/permissions-reference lists them. The reader watches and changes nothing about users; the stamper alone can sign them out. AWS vouches for both, and no secret is stored (web-identity). With a stored certificate or client secret one app holds all.",
		Ja: "アクセス許可の種類は「アプリケーションの許可」です (https://learn.microsoft.com/graph/permissions-reference)。reader (読み取り用アプリ) は監視だけを行い、ユーザーを変更できません。ユーザーをサインアウトできるのは stamper (スタンプ用アプリ) だけです。どちらも AWS が発行するトークンでサインインし、シークレットは保存しません (web-identity)。証明書かクライアント シークレットを保存する方式では、1 つのアプリがすべてのアクセス許可を持ちます。",
	},
	"sheet.can":      {En: "4. What the apps can do", Ja: "4. アプリにできること"},
	"sheet.cannot":   {En: "5. What the apps cannot do", Ja: "5. アプリにできないこと"},
	"sheet.stores":   {En: "6. What is stored where, and for how long", Ja: "6. 何をどこに、いつまで保存するか"},
	"sheet.leaves":   {En: "7. What leaves the tenant", Ja: "7. テナントの外に出るデータ"},
	"sheet.stop":     {En: "8. How to stop it at once", Ja: "8. すぐに止める方法"},
	"sheet.remove":   {En: "9. How to remove it", Ja: "9. 削除する方法"},
	"sheet.right":    {En: "Right: ", Ja: "権限: "},
	"sheet.duration": {En: "How long: ", Ja: "期間: "},
	"sheet.why":      {En: "Why: ", Ja: "理由: "},
	"sheet.allows":   {En: "Allows: ", Ja: "できること: "},
	"sheet.not":      {En: "Not: ", Ja: "できないこと: "},
	"sheet.smaller":  {En: "Smaller: ", Ja: "より小さい権限: "},
	"sheet.what":     {En: "What: ", Ja: "内容: "},
	"hint.sheet":     {En: "to print, or to attach", Ja: "印刷や申請書への添付用"},
	"hint.policy":    {En: "the IAM policy of who deploys", Ja: "デプロイ担当者の IAM ポリシー"},

	"policy.deploy": {
		En: "For those who deploy: stack %s, region %s, account %s. It can widen the rights of the functions' roles: give it for the work only.",
		Ja: "デプロイ担当者用: スタック %s、リージョン %s、アカウント %s。関数のロールの権限を広げられるため、作業の間だけ付与してください。",
	},
	"policy.operator": {
		En: "For those who operate: stack %s, region %s, account %s. It can sign people out, by an order to the queue.",
		Ja: "運用担当者用: スタック %s、リージョン %s、アカウント %s。キューへの指示でユーザーをサインアウトできます。",
	},
	"policy.signals": {
		En: "For those who add, test and remove sources of signals: stack %s, region %s, account %s. Who holds a source's secret can have people signed out.",
		Ja: "シグナルの送信元を追加、テスト、削除する人用 (スタック %s、リージョン %s、アカウント %s)。送信元のシークレットがあれば、ユーザーをサインアウトさせることができます。",
	},
	"policy.helpdesk": {
		En: "For the helpdesk: stack %s, region %s, account %s. It only reads.",
		Ja: "ヘルプデスク用: スタック %s、リージョン %s、アカウント %s。読み取りのみです。",
	},
	"policy.console": {
		En: "Paste it: IAM console > Policies > Create policy > JSON. A KMS key of your own (KmsKeyArn) needs its key policy besides.",
		Ja: "IAM コンソール > ポリシー > ポリシーの作成 > JSON に貼り付けてください。自社の KMS キー (KmsKeyArn) を使う場合は、キーポリシーの設定も必要です。",
	},
	"hint.narrow":      {En: "only there, with your own", Ja: "自社のリージョンとアカウントに限定"},
	"hint.permissions": {En: "the sheet for approval", Ja: "承認用の説明資料"},
	"use.policy": {
		En: "Say for whom: sessionstamp policy %s.",
		Ja: "誰のためのポリシーかを指定してください: sessionstamp policy %s",
	},
}

// accessHelps are what --help says of them.
var accessHelps = language.Catalogue{
	"permissions.use":   same("permissions"),
	"permissions.short": {En: "the sheet for internal approval", Ja: "社内承認 (稟議) 用の説明資料"},
	"permissions.long": {
		En: "It tells, to be printed or attached: who needs which right for how long, what the apps can and cannot do and why, what is stored where, what leaves the tenant, how to stop and to remove it. It signs in nowhere. -o json has it in both languages, -o csv the permissions of the apps.",
		Ja: "印刷や添付のための資料です。誰にどの権限がいつまで必要か、アプリにできることとできないこと、データの保存先と期間、外に出るデータ、停止と削除の方法をまとめます。サインインはしません。-o json には両方の言語、-o csv にはアプリのアクセス許可が入ります。",
	},
	"permissions.examples": same("  sessionstamp permissions\n  sessionstamp permissions --lang ja > sheet.txt\n  sessionstamp policy deploy"),

	"policy.use":   same("policy deploy|operator|signals|helpdesk [--stack NAME] [--region R] [--account A]"),
	"policy.short": {En: "the AWS policy of who deploys or operates", Ja: "デプロイや運用に必要な IAM ポリシー"},
	"policy.long": {
		En: "It prints a policy of AWS IAM as JSON, as small as the work allows, bound to the names of one stack. deploy: setup, updates, removal. operator: status, history, pause, resume, release, sweep, doctor, and a person's orders. signals: the sources that report password changes. helpdesk: status and history; it only reads. It signs in nowhere. Without --region and --account the policy holds for all.",
		Ja: "作業に必要な最小限の IAM ポリシーを、1 つのスタックの名前に限定した JSON で出力します。deploy は設定、更新、削除用。operator は status、history、pause、resume、release、sweep、doctor と手動の指示用。signals はシグナルの送信元の管理用。helpdesk は status と history 用で、読み取りのみです。サインインはしません。--region と --account を省略すると、すべてに適用されます。",
	},
	"policy.examples": same("  sessionstamp policy deploy --region eu-central-1 --account 111122223333\n  sessionstamp policy operator -o json > operator.json\n  sessionstamp policy helpdesk -o csv"),

	"flag.policy-stack":   {En: "the stack's name, else sessionstamp", Ja: "スタックの名前 (既定は sessionstamp)"},
	"flag.policy-region":  {En: "only this region", Ja: "このリージョンだけ"},
	"flag.policy-account": {En: "only this account", Ja: "このアカウントだけ"},
}
