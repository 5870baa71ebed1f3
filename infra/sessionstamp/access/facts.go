package access

import "github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"

var purpose = []language.Text{
	{
		En: "Users of federated domains who lack one timestamp (signInSessionsValidFromDateTime, the stamp) are asked to sign in to Microsoft 365 every 12 hours. sessionstamp sets it once for each new user, by Microsoft Graph's own call, before the first sign-in.",
		Ja: "フェデレーション ドメインのユーザーのうち、ある日時 (signInSessionsValidFromDateTime、以下「スタンプ」) が空の人は、12 時間ごとに Microsoft 365 への再サインインを求められます。sessionstamp は、新しいユーザーの最初のサインインより前に、Microsoft Graph の標準の呼び出しでこれを 1 回だけ設定します。",
	},
	{
		En: "It runs in your own AWS account, and signs in to your own tenant. Nobody else takes part in it.",
		Ja: "自社の AWS アカウントで動作し、自社のテナントだけにサインインします。AWS と Microsoft のほかに関与する事業者はありません。",
	},
}

var people = []Person{
	{
		At:  "entra",
		Who: language.Text{En: "who sets it up (sessionstamp setup)", Ja: "Entra の設定を行う人 (sessionstamp setup)"},
		Right: language.Text{
			En: "the roles Privileged Role Administrator and Cloud Application Administrator; or Global Administrator alone",
			Ja: "特権ロール管理者とクラウド アプリケーション管理者の両方のロール (またはグローバル管理者)",
		},
		Duration: language.Text{
			En: "once, for half an hour; again to remove it, and to renew a stored credential. Activating the roles for that time (PIM) is enough",
			Ja: "設定時に 1 回、30 分程度。削除時と、保存した資格情報の更新時にも必要です。PIM による一時的な有効化で足ります",
		},
		Why: language.Text{
			En: "makes two app registrations, a reader and a stamper, and consents to their permissions. Microsoft Graph Command Line Tools asks this person for Application.ReadWrite.All and AppRoleAssignment.ReadWrite.All: consent for this person only, not on behalf of the organization",
			Ja: "2 つのアプリ (読み取り用の reader とスタンプ用の stamper) を登録し、アクセス許可に管理者の同意を与えます。サインイン時に Microsoft Graph Command Line Tools が Application.ReadWrite.All と AppRoleAssignment.ReadWrite.All を求めます。「組織の代理として同意する」はオフのまま、自分の分だけ同意してください",
		},
	},
	{
		At:  "entra",
		Who: language.Text{En: "the helpdesk (check, users, why, report)", Ja: "ヘルプデスク (check、users、why、report)"},
		Right: language.Text{
			En: "a role that may read users, such as Global Reader; delegated User.Read.All and Domain.Read.All",
			Ja: "ユーザーを読み取れるロール (グローバル閲覧者など)、委任されたアクセス許可 User.Read.All、Domain.Read.All",
		},
		Duration: language.Text{En: "as long as it helps users", Ja: "対応業務の期間"},
		Why:      language.Text{En: "finds out why a user is prompted; changes nothing", Ja: "再サインインの原因を調べます。変更はできません"},
	},
	{
		At:  "entra",
		Who: language.Text{En: "who stamps or signs out by hand (stamp, signout)", Ja: "手動でスタンプやサインアウトを行う人 (stamp、signout)"},
		Right: language.Text{
			En: "a role that may revoke sessions, such as User Administrator; also delegated User.RevokeSessions.All",
			Ja: "セッションを取り消せるロール (ユーザー管理者など)、委任されたアクセス許可 User.RevokeSessions.All を追加",
		},
		Duration: language.Text{En: "for the work, such as one evening", Ja: "作業の間だけ (一晩など)"},
		Why: language.Text{
			En: "cures those who are here already; each is signed out once. Not needed for new users",
			Ja: "既存のユーザーに付けます。対象者は 1 回サインアウトされます。新しいユーザーには不要です",
		},
	},
	{
		At:    "aws",
		Who:   language.Text{En: "who deploys (setup, update, removal)", Ja: "デプロイする人 (設定、更新、削除)"},
		Right: language.Text{En: "the policy of: sessionstamp policy deploy", Ja: "IAM ポリシー: sessionstamp policy deploy の出力"},
		Duration: language.Text{
			En: "for each of these, half an hour; not in between",
			Ja: "それぞれの作業時に 30 分程度。普段は不要です",
		},
		Why: language.Text{
			En: "makes the stack, with the roles of its functions. Whoever writes roles can widen them: bound them by a permissions boundary (PermissionsBoundaryArn) if your rules ask for it",
			Ja: "スタックと関数のロールを作成します。ロールを作成できる人は権限を広げられるため、必要ならアクセス許可の境界 (PermissionsBoundaryArn) で制限してください",
		},
	},
	{
		At:       "aws",
		Who:      language.Text{En: "who operates (status, pause, resume, release, sweep, stamp)", Ja: "運用する人 (status、pause、resume、release、sweep、stamp)"},
		Right:    language.Text{En: "the policy of: sessionstamp policy operator", Ja: "IAM ポリシー: sessionstamp policy operator の出力"},
		Duration: language.Text{En: "as long as it runs", Ja: "稼働している間"},
		Why: language.Text{
			En: "answers alarms, stops and goes on. An order to the queue can sign people out",
			Ja: "アラームに対応し、停止と再開を行います。キューへの指示でユーザーをサインアウトすることもできます",
		},
	},
	{
		At:    "aws",
		Who:   language.Text{En: "who lets a provider report password changes (signal)", Ja: "プロバイダーのシグナルを設定する人 (signal)"},
		Right: language.Text{En: "the policy of: sessionstamp policy signals", Ja: "IAM ポリシー: sessionstamp policy signals の出力"},
		Duration: language.Text{
			En: "to add, test or remove a source; not in between",
			Ja: "送信元の追加、テスト、削除の間だけ。普段は不要です",
		},
		Why: language.Text{
			En: "makes a source's secret and writes the list of sources. Whoever holds such a secret can have users of the source's domains signed out, if SignalMode is enforce",
			Ja: "送信元のシークレットを作成し、送信元の一覧を書き込みます。SignalMode が enforce の場合、シークレットを持つ人は、その送信元のドメインのユーザーをサインアウトさせることができます",
		},
	},
	{
		At:       "aws",
		Who:      language.Text{En: "the helpdesk (status, history)", Ja: "ヘルプデスク (status、history)"},
		Right:    language.Text{En: "the policy of: sessionstamp policy helpdesk", Ja: "IAM ポリシー: sessionstamp policy helpdesk の出力"},
		Duration: language.Text{En: "as long as it helps users", Ja: "対応業務の期間"},
		Why:      language.Text{En: "reads only, and no secret", Ja: "読み取りのみ。シークレットは読み取れません"},
	},
}

var can = []language.Text{
	{
		En: "The stamper can sign any user of the tenant out, administrators too. Graph knows no narrower right. The program does so to new members of federated domains without a stamp, in 24 hours at most 200 users or a fifth of the members if that is more (StampsPerDay), never to excluded ones, and to others only when a person orders it.",
		Ja: "stamper は、管理者を含むテナントの任意のユーザーをサインアウトできます (Graph にこれより狭い権限はありません)。プログラムが自動で行うのは、フェデレーション ドメインのスタンプのない新しいメンバーだけで、24 時間に 200 人かメンバーの 5 分の 1 の多い方まで (StampsPerDay)、除外したユーザーには行いません。それ以外は担当者が指示した場合だけです。",
	},
	{
		En: "A provider that you register can report that a password was changed or a user disabled. Then that user is signed out again, if SignalMode is enforce (usually it is report, which only writes it down): in 24 hours at most as many users as above, never excluded ones, and only in the domains that the source may speak for.",
		Ja: "登録したプロバイダーは、パスワードの変更やユーザーの無効化を報告 (シグナル) できます。SignalMode が enforce の場合、対象のユーザーをサインアウトします (既定の report では記録のみ)。24 時間の上限は上記と同じ人数で、除外したユーザーと、送信元に許可していないドメインのユーザーには行いません。",
	},
	{
		En: "Both apps can read every user's profile (names, addresses, phone numbers, job titles) and the domains. The program asks for the seven properties above.",
		Ja: "どちらのアプリも、全ユーザーのプロファイル (氏名、メール アドレス、電話番号、役職など) とドメインを読み取れます。プログラムが取得するのは上記の 7 項目だけです。",
	},
	{
		En: "Who administers the AWS account can act as the apps.",
		Ja: "AWS アカウントの管理者は、これらのアプリになりすまして同じ操作ができます。",
	},
}

var cannot = []language.Text{
	{En: "read mail, calendars, chats or files", Ja: "メール、予定表、チャット、ファイルの読み取り"},
	{En: "read or set passwords or MFA methods, or sign in as a user", Ja: "パスワードや MFA の認証方法の読み取りと設定、ユーザーとしてのサインイン"},
	{En: "create, change, disable or delete users", Ja: "ユーザーの作成、変更、無効化、削除"},
	{En: "change groups, roles, licences, policies or domains", Ja: "グループ、ロール、ライセンス、ポリシー、ドメインの変更"},
	{En: "read sign-in or audit logs", Ja: "サインイン ログや監査ログの読み取り"},
	{En: "give themselves rights or credentials", Ja: "自分自身への権限や資格情報の追加"},
}

var stores = []Store{
	{
		Where: language.Text{En: "Table (DynamoDB)", Ja: "テーブル (DynamoDB)"},
		What:  language.Text{En: "object ids, times, states, the brake's count", Ja: "オブジェクト ID、日時、状態、24 時間の人数"},
		Until: language.Text{
			En: "400 days a user; backups of 35 days; it stays when the stack is removed",
			Ja: "各ユーザーの記録は 400 日、バックアップは 35 日。スタックの削除後も残ります",
		},
	},
	{
		Where: language.Text{En: "Stamper's log (CloudWatch Logs)", Ja: "stamper のログ (CloudWatch Logs)"},
		What:  language.Text{En: "who was stamped and why, by object id", Ja: "スタンプの記録と理由 (オブジェクト ID)"},
		Until: language.Text{En: "400 days, also when the stack is removed", Ja: "400 日。スタックの削除後も残ります"},
	},
	{
		Where: language.Text{En: "Other logs", Ja: "その他のログ"},
		What: language.Text{
			En: "runs of webhook, keeper, sweeper, receiver and resolver; the addresses (IP) that called the API",
			Ja: "webhook、keeper、sweeper、receiver、resolver の実行記録、API の呼び出し元 IP アドレス",
		},
		Until: language.Text{En: "90 days", Ja: "90 日"},
	},
	{
		Where: language.Text{En: "Queues (SQS)", Ja: "キュー (SQS)"},
		What:  language.Text{En: "object ids that wait", Ja: "処理待ちのオブジェクト ID"},
		Until: language.Text{En: "4 days; dead letters 14 days", Ja: "4 日 (デッドレターは 14 日)"},
	},
	{
		Where: language.Text{En: "Queues of signals (SQS)", Ja: "シグナルのキュー (SQS)"},
		What: language.Text{
			En: "whom a provider named, as it names users: a user principal name, an address or an id",
			Ja: "プロバイダーが報告したユーザー (ユーザー プリンシパル名、メール アドレス、または ID)",
		},
		Until: language.Text{En: "a day; dead letters 4 days", Ja: "1 日 (デッドレターは 4 日)"},
	},
	{
		Where: language.Text{En: "Secrets Manager", Ja: "Secrets Manager"},
		What: language.Text{
			En: "a random value that proves Graph's notifications; for each source of signals what it proves itself by; with web-identity no credential of the apps at all",
			Ja: "Graph からの通知であることを確かめるための乱数、シグナルの送信元ごとのシークレット。web-identity ならアプリの資格情報は保存しません",
		},
		Until: language.Text{En: "until the stack is removed", Ja: "スタックの削除まで"},
	},
	{
		Where: language.Text{En: "Settings of the functions", Ja: "関数の設定"},
		What: language.Text{
			En: "tenant id, app ids, exclusions: patterns that you write may hold names",
			Ja: "テナント ID、アプリの ID、除外の設定 (パターンに名前が含まれることがあります)",
		},
		Until: language.Text{En: "until the stack is removed", Ja: "スタックの削除まで"},
	},
	{
		Where: language.Text{En: "Alarms (SNS)", Ja: "アラームの通知先 (SNS)"},
		What:  language.Text{En: "the e-mail address that you give", Ja: "指定したメール アドレス"},
		Until: language.Text{En: "until the stack is removed", Ja: "スタックの削除まで"},
	},
	{
		Where: language.Text{En: "A person's machine", Ja: "担当者の PC"},
		What: language.Text{
			En: "object ids, times, typed reasons and exclusions; a report holds names",
			Ja: "オブジェクト ID、日時、入力した理由と除外。レポートには氏名が入ります",
		},
		Until: language.Text{En: "until that person deletes it", Ja: "本人が削除するまで"},
	},
}

var leaves = []language.Text{
	{
		En: "From your tenant to your AWS account, in the region that you choose: the seven properties above. User principal names stay in memory while a batch is handled; table and logs hold no names, and of the queues only those of signals.",
		Ja: "テナントから、選択したリージョンの自社 AWS アカウントへ: 上記の 7 項目。ユーザー プリンシパル名は処理中のメモリだけにあり、テーブルとログに氏名は残りません。キューでは、シグナルのキューだけに残ります。",
	},
	{
		En: "To anybody else: nothing. No telemetry, no licence server, no update that comes by itself.",
		Ja: "それ以外の第三者へ: なし。利用状況の送信、ライセンス サーバー、自動更新はありません。",
	},
	{
		En: "Connections: from AWS to graph.microsoft.com and login.microsoftonline.com (in national clouds theirs), from Microsoft Graph to one HTTPS address of API Gateway. With signals: from your provider to the same address, and from AWS to a transmitter that you name.",
		Ja: "通信: AWS から graph.microsoft.com と login.microsoftonline.com (各国のクラウドでは、それに相当するエンドポイント) へ、Microsoft Graph から API Gateway の HTTPS アドレス 1 つへ。シグナルを使う場合は、プロバイダーから同じアドレスへ、AWS から指定したトランスミッターへ。",
	},
}

var stop = []language.Text{
	{
		En: "sessionstamp pause: nobody is stamped or signed out any more, whoever has ordered it; a batch whose calls have begun ends within a minute. sessionstamp resume goes on; who has become older than NewUserWindowHours (72) meanwhile waits for a person.",
		Ja: "sessionstamp pause: 担当者の指示によるものも含め、以後は誰もサインアウトされません (実行中の処理は 1 分以内に終わります)。再開は sessionstamp resume です。停止中に作成から NewUserWindowHours (72 時間) を過ぎた人には自動では付かず、担当者の指示が必要です。",
	},
	{
		En: "Without AWS: Entra admin center > Enterprise applications > the stamper > Properties > Enabled for users to sign-in: No. Tokens that were issued before work for up to 75 minutes.",
		Ja: "AWS を操作せずに止める場合: Microsoft Entra 管理センター > エンタープライズ アプリケーション > stamper > プロパティ > 「ユーザーのサインインが有効になっていますか?」を「いいえ」。発行済みのトークンは最長 75 分間有効です。",
	},
}

var remove = []language.Text{
	{
		En: "sessionstamp setup --undo: Graph's subscription first, then the stack, then the two app registrations with their consent.",
		Ja: "sessionstamp setup --undo: Graph のサブスクリプション、スタック、2 つのアプリの登録 (同意を含む) の順に削除します。",
	},
	{
		En: "The table and the stamper's log stay, since they say why each person was signed out: delete them by hand when your retention rules allow it. Users keep their stamps, which is harmless.",
		Ja: "サインアウトの理由の記録として、テーブルと stamper のログは残ります。社内で定めた保存期間を過ぎたら、手動で削除してください。ユーザーのスタンプも残りますが、害はありません。",
	},
}
