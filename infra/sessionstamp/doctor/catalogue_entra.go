package doctor

import "github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"

var entraWords = map[string]words{
	"tenant_mismatch": {
		problem: language.Text{En: "You are signed in to tenant {signedIn}, and the stack serves {tenant}: nothing of Entra was judged.",
			Ja: "サインイン先はテナント {signedIn} ですが、スタックの対象は {tenant} です。Entra 側は判定していません。"},
		cure:    language.Text{En: "Sign in to the stack's tenant, or look at another stack with --stack.", Ja: "スタックのテナントにサインインするか、--stack で別のスタックを指定してください。"},
		command: "sessionstamp doctor{of} --tenant {tenant}",
	},
	"app_missing": {
		problem: language.Text{En: "The {app} ({client}) is not in the tenant: its functions can't sign in, and nobody is served.",
			Ja: "{app} ({client}) がテナントにありません。関数がサインインできず、処理が止まっています。"},
		cure: language.Text{En: "Let setup make it anew.", Ja: "setup で作り直してください。"}, command: "sessionstamp setup{of}",
	},
	"app_deleted": {
		problem: language.Text{En: "The {app} ({client}) was deleted: its functions can't sign in, and nobody is served.",
			Ja: "{app} ({client}) が削除されています。関数がサインインできず、処理が止まっています。"},
		cure: language.Text{En: "Restore it within 30 days: Microsoft Entra admin center > App registrations > Deleted applications.",
			Ja: "30 日以内に復元してください: Microsoft Entra 管理センター > アプリの登録 > 削除済みのアプリケーション。"},
	},
	"principal_missing": {
		problem: language.Text{En: "The {app} has no service principal in the tenant: its functions get no token.",
			Ja: "{app}のサービス プリンシパルがテナントになく、関数がトークンを取得できません。"},
		cure: language.Text{En: "Let setup make it.", Ja: "setup で作成してください。"}, command: "sessionstamp setup{of}",
	},
	"app_disabled": {
		problem: language.Text{En: "Somebody has disabled the {app}: its functions get no token.", Ja: "{app}が無効になっており、関数がトークンを取得できません。"},
		cure: language.Text{En: "Find out why; then Microsoft Entra admin center > Enterprise applications > {client} > Properties > Enabled for users to sign-in: Yes.",
			Ja: "理由を確認のうえ、Microsoft Entra 管理センター > エンタープライズ アプリケーション > {client} > プロパティ > 「ユーザーのサインインが有効になっていますか?」を「はい」にしてください。"},
	},
	"permission_missing": {
		problem: language.Text{En: "The {app} was not granted {role}, so that its functions can't do their work.", Ja: "{app}に {role} が付与されておらず、関数が処理を実行できません。"},
		cure: language.Text{En: permissions + "add it (application permission), Grant admin consent.",
			Ja: permissionsJa + "アプリケーションの許可として追加し、管理者の同意を与えてください。"},
	},
	"reader_can_revoke": {
		problem: language.Text{En: "The {app} may sign out everybody ({role}), which the stamper app alone should be able to do.",
			Ja: "{app}が {role} を持ち、全員をサインアウトできます。この権限はスタンプ用アプリだけに必要です。"},
		cure: language.Text{En: permissions + "revoke admin consent, and remove it.", Ja: permissionsJa + "管理者の同意を取り消し、削除してください。"},
	},
	"issuer_changed": {
		problem: language.Text{En: "The app trusts {before}, and the AWS account's issuer is {issuer} now: no function can sign in, and nobody is stamped.",
			Ja: "アプリが信頼する発行者は {before} ですが、AWS アカウントの発行者は {issuer} です。どの関数もサインインできず、誰にもスタンプが付きません。"},
		cure: language.Text{En: "Write the new issuer into each federated credential: App registrations > Certificates & secrets > Federated credentials.",
			Ja: "各フェデレーション資格情報に新しい発行者を設定してください: アプリの登録 > 証明書とシークレット > フェデレーション資格情報。"},
	},
	"trust_missing": {
		problem: language.Text{En: "The {app} does not trust the {function}, which therefore can't sign in.", Ja: "{app}が {function} を信頼していないため、{function} はサインインできません。"},
		cure: language.Text{En: trusts + ": add issuer {issuer}, subject {subject}, audience {audience}.",
			Ja: trustsJa + ": 発行者 {issuer}、サブジェクト {subject}、対象ユーザー {audience} を追加してください。"},
	},
	"trust_wrong_issuer": {
		problem: language.Text{En: "The {app} trusts the {function} from the wrong issuer ({hasIssuer}), so that it can't sign in.", Ja: "{app}の {function} 用の資格情報は発行者が誤っており ({hasIssuer})、サインインできません。"},
		cure: language.Text{En: trusts + " > {name}: issuer {issuer}.",
			Ja: trustsJa + " > {name}: 発行者を {issuer} にしてください。"},
	},
	"trust_wrong_subject": {
		problem: language.Text{En: "The {app} trusts another role ({hasSubject}) in place of the {function}'s, which therefore can't sign in.",
			Ja: "{app}が {function} のロールではなく別のロール ({hasSubject}) を信頼しているため、{function} はサインインできません。"},
		cure: language.Text{En: trusts + ": add subject {subject}. Remove {name} if nothing else needs it.",
			Ja: trustsJa + ": サブジェクト {subject} を追加し、{name} は不要なら削除してください。"},
	},
	"trust_wrong_audience": {
		problem: language.Text{En: "The {app} trusts the {function} for the audience of another cloud ({hasAudience}), so that it can't sign in.",
			Ja: "{app}の {function} 用の資格情報は、対象ユーザーが別のクラウドのもの ({hasAudience}) で、サインインできません。"},
		cure: language.Text{En: trusts + " > {name}: audience {audience}.",
			Ja: trustsJa + " > {name}: 対象ユーザーを {audience} にしてください。"},
	},
	"credential_none": {
		problem: language.Text{En: "The {app} has no credential of the kind that is stored: no function can sign in.", Ja: "{app}に、保存済みのものに対応する資格情報がなく、どの関数もサインインできません。"},
		cure:    language.Text{En: "Make a new one.", Ja: "新しく作成してください。"}, command: "sessionstamp credential renew{of}",
	},
	"credential_expired": {
		problem: language.Text{En: "The credential of the {app} ended on {end}: no function can sign in, and nobody is stamped.",
			Ja: "{app}の資格情報は {end} に期限が切れました。どの関数もサインインできず、誰にもスタンプが付きません。"},
		cure: language.Text{En: "Renew it.", Ja: "更新してください。"}, command: "sessionstamp credential renew{of}",
	},
	"credential_ends": {
		problem: language.Text{En: "The credential of the {app} ends on {end}; from then on nobody will be stamped.", Ja: "{app}の資格情報は {end} に期限が切れ、以後は誰にもスタンプが付かなくなります。"},
		cure:    language.Text{En: "Renew it before.", Ja: "それまでに更新してください。"}, command: "sessionstamp credential renew{of}",
	},
	"principal_credential": {
		problem: language.Text{En: "Somebody can sign in as the {app} by a credential of its service principal, which the portal does not show (key {key}).",
			Ja: "{app}のサービス プリンシパルに、ポータルに表示されない資格情報があり、それを持つ人は{app}としてサインインできます (キー {key})。"},
		cure:    language.Text{En: "Find out who has stored it, and delete it.", Ja: "誰が追加したか確認し、削除してください。"},
		command: "az ad sp credential delete --id {client} {which}",
	},
	"app_owned": {
		problem: language.Text{En: "The {app} has owners ({owners}): whoever is one can add a secret to it and sign in as it.",
			Ja: "{app}に所有者がいます ({owners} 件)。所有者はシークレットを追加し、{app}としてサインインできます。"},
		cure: language.Text{En: registration + "Owners, and Enterprise applications > {client} > Owners: remove them.",
			Ja: registrationJa + "所有者、およびエンタープライズ アプリケーション > {client} > 所有者: 削除してください。"},
	},
	"no_federated_domain": {
		problem: language.Text{En: "The tenant has no federated domain (any more): nobody is there to be stamped.", Ja: "テナントにフェデレーション ドメインがなく、スタンプの対象者がいません。"},
		cure: language.Text{En: "If that was not meant, federate the domain again; if it was, remove sessionstamp.",
			Ja: "意図しない場合は、ドメインを再度フェデレーションしてください。意図したものなら、sessionstamp を削除できます。"},
		command: "sessionstamp setup{of} --undo --plan",
	},
	"named_domain_unknown": {
		problem: language.Text{En: "FederatedDomains names {domain}, which the tenant does not have: its users are not served.", Ja: "FederatedDomains の {domain} はテナントにないため、対象になりません。"},
		cure:    language.Text{En: "Correct the name, or leave the list empty for all federated domains.", Ja: "名前を直すか、空にして全フェデレーション ドメインを対象にしてください。"},
		command: "sessionstamp setup{of}",
	},
	"named_domain_managed": {
		problem: language.Text{En: "FederatedDomains names {domain}, which is not a verified federated domain (any more): its users are not served.",
			Ja: "FederatedDomains の {domain} は検証済みのフェデレーション ドメインではないため、そのユーザーは対象になりません。"},
		cure:    language.Text{En: "Take it off the list, or federate it.", Ja: "一覧から外すか、フェデレーションしてください。"},
		command: "sessionstamp setup{of}",
	},
	"group_hidden": {
		problem: language.Text{En: "Excluded groups hide their members ({ids}): sessionstamp can't see whom to spare, and stamps nobody.",
			Ja: "除外グループのメンバーシップが非表示です ({ids})。除外する人を確認できないため、誰にもスタンプを付けません。"},
		cure:    language.Text{En: "Name a group without HiddenMembership in ExcludedGroups.", Ja: "ExcludedGroups には HiddenMembership でないグループを指定してください。"},
		command: "sessionstamp setup{of}",
	},
	"new_users_lack_stamp": {
		problem: language.Text{En: "Users created in the last days have no stamp ({without} of {all}): it does not work for them.",
			Ja: "最近作成された {all} 人のうち {without} 人にスタンプがなく、機能していません。"},
		cure:    language.Text{En: "See why for one of them: sessionstamp why USER. What stands above comes first.", Ja: "上の項目を先に直し、1 人について sessionstamp why USER で原因を確認してください。"},
		command: "sessionstamp users --since 7d",
	},
	"permission_beyond": {
		problem: language.Text{En: "The {app} was granted {role}, which it does not need.", Ja: "{app}に、不要な {role} が付与されています。"},
		cure:    language.Text{En: permissions + "revoke admin consent, and remove it.", Ja: permissionsJa + "管理者の同意を取り消し、削除してください。"},
	},
	"trust_stranger": {
		problem: language.Text{En: "Somebody else can sign in as the {app}: the federated credential {name} trusts {hasSubject} of {hasIssuer}.",
			Ja: "{app}として第三者がサインインできます。フェデレーション資格情報 {name} が {hasIssuer} の {hasSubject} を信頼しています。"},
		cure: language.Text{En: "Find out whose it is; then " + trusts + ": delete it.",
			Ja: "用途を確認し、不要なら削除してください: " + trustsJa + "。"},
	},
	"credential_orphaned": {
		problem: language.Text{En: "The {app} has a credential of ours with which nobody signs in (key {key}).", Ja: "{app}に、使われていない sessionstamp の資格情報があります (キー {key})。"},
		cure:    language.Text{En: registration + "Certificates & secrets: delete it.", Ja: registrationJa + "証明書とシークレット: 削除してください。"},
	},
	"credential_needless": {
		problem: language.Text{En: "Whoever has them can sign in as the {app} by stored credentials, which it does not need (keys {keys}).",
			Ja: "{app}に、不要なシークレットまたは証明書があり、それを持つ人はサインインできます (キー {keys})。"},
		cure: language.Text{En: "Find out whose they are; then " + registration + "Certificates & secrets: delete them.",
			Ja: "用途を確認し、不要なら削除してください: " + registrationJa + "証明書とシークレット。"},
	},
	"excluded_user_unknown": {
		problem: language.Text{En: "ExcludedUsers names object IDs that are no users ({ids}): nobody is spared by them.", Ja: "ExcludedUsers に、該当するユーザーのない ID があります ({ids})。誰も除外されません。"},
		cure:    language.Text{En: "Correct them, or take them off the list.", Ja: "ID を直すか、一覧から外してください。"}, command: "sessionstamp setup{of}",
	},
	"excluded_group_unknown": {
		problem: language.Text{En: "ExcludedGroups names object IDs that are no groups ({ids}): sessionstamp can't see whom to spare, and stamps nobody.",
			Ja: "ExcludedGroups に、該当するグループのない ID があります ({ids})。除外する人を確認できないため、誰にもスタンプを付けません。"},
		cure: language.Text{En: "Correct them, or take them off the list.", Ja: "ID を直すか、一覧から外してください。"}, command: "sessionstamp setup{of}",
	},
	"excluded_group_empty": {
		problem: language.Text{En: "Excluded groups have no members ({ids}): nobody is spared by them.", Ja: "除外グループにメンバーがいません ({ids})。誰も除外されません。"},
		cure:    language.Text{En: "Add the members that you mean: Microsoft Entra admin center > Groups.", Ja: "必要なメンバーを追加してください: Microsoft Entra 管理センター > グループ。"},
	},
	"not_needed": {
		problem: language.Text{En: "No member of a federated domain lacks a stamp: you may not need sessionstamp.", Ja: "フェデレーション ドメインにスタンプのない人はいません。sessionstamp は不要かもしれません。"},
		cure:    language.Text{En: "See whether new users get theirs.", Ja: "新しいユーザーに付いているか確認してください。"}, command: "sessionstamp check",
	},
}
