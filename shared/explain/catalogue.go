package explain

// words are what a rule says, and the page that tells more.
type words struct {
	user, admin Text
	link        string
}

const (
	learn           = "https://learn.microsoft.com/"
	sessionLifetime = learn + "entra/identity/conditional-access/concept-session-lifetime"
	prompts         = learn + "entra/identity/authentication/concepts-azure-multi-factor-authentication-prompts-session-lifetime"
	errorCodes      = learn + "entra/identity-platform/reference-error-codes"
	refreshTokenPRT = learn + "entra/identity/devices/concept-primary-refresh-token"
	idpFederation   = learn + "graph/api/resources/internaldomainfederation"
	twelveHourPage  = "https://support.microsoft.com/help/4025960"
)

// catalogue holds the words of every rule and variant, by [rule.key].
var catalogue = map[string]words{
	"X01": {
		admin: Text{"No user has this name or id. Check the spelling; a new user may take some minutes to appear.",
			"該当するユーザーが見つかりません。入力に誤りがないか確認してください。作成直後のユーザーは、表示されるまで数分かかることがあります。"},
	},
	"X02": {
		user: Text{"Your account is switched off. Please ask your administrator.",
			"アカウントが無効になっています。管理者にお問い合わせください。"},
		admin: Text{"Sign-in is blocked for this account (accountEnabled is false, or error 50057). Enable the account if the person is to work.",
			"アカウントのサインインがブロックされています (accountEnabled が false、またはエラー 50057)。利用を再開する場合は、アカウントを有効にしてください。"},
	},
	"X03": {
		user: Text{"You sign in as a guest, so we cannot change how often you are asked. Your own IT staff may be able to; for some organizations 12 hours are fixed.",
			"ゲストとしてご利用のため、サインインの間隔は当社では変更できません。ご所属の組織の設定で変わる場合がありますが、組織によっては 12 時間で固定です。"},
		admin: Text{"The user is a guest. For a guest from another Entra tenant, that tenant decides how often to ask. For a guest of a SAML or WS-Federation provider, 12 hours are by design, and nobody can change them.",
			"ゲスト ユーザーです。別の Entra テナントのゲストなら、サインインの間隔は所属元のテナントで決まります。SAML/WS-Fed IdP フェデレーションのゲストなら、仕様により 12 時間ごとで、変更できません。"},
		link: learn + "entra/external-id/direct-federation",
	},
	"X04": {
		admin: Text{"The user's domain is managed, so no stamp is needed: the 12-hour limit does not apply. Look at the policies.",
			"マネージド ドメインのユーザーです。12 時間の制限は適用されず、スタンプは不要です。ポリシーを確認してください。"},
	},
	"X10": {
		user: Text{"Your administrator is taking care of this. Once that is done, please sign in again once. After that, you will be asked to sign in far less often.",
			"管理者側で対処します。対処後に一度だけサインインし直してください。その後は、サインインを求められる回数が大幅に減ります。"},
		admin: Text{"The user is in a federated domain, and has no stamp. So Entra asks for a sign-in every 12 hours.",
			"フェデレーション ドメインのユーザーですが、スタンプがありません。そのため、12 時間ごとに再サインインを求められます。"},
		link: twelveHourPage,
	},
	"X10 excluded": {
		user: Text{"Your organization leaves your account as it is, so you go on being asked to sign in about every 12 hours. If you would like that to change, please talk to your administrator.",
			"お使いのアカウントは組織の設定で対象外のため、今後も約 12 時間ごとにサインインが必要です。変更を希望する場合は、管理者にご相談ください。"},
		admin: Text{"The user is in a federated domain, and has no stamp. So Entra asks for a sign-in every 12 hours.",
			"フェデレーション ドメインのユーザーですが、スタンプがありません。そのため、12 時間ごとに再サインインを求められます。"},
		link: twelveHourPage,
	},
	"X10b": {
		user: Text{"Your administrator is taking care of this. Once that is done, please sign in again once. If you are asked as often as before, please tell your administrator.",
			"管理者側で対処します。対処後に一度だけサインインし直してください。サインインを求められる回数が減らない場合は、管理者にお知らせください。"},
		admin: Text{"The user is in a federated domain, and has no stamp, but a password change is recorded ({changed}). Microsoft's article does not say which of the two ends the 12-hour limit: stamp the user anyway.",
			"フェデレーション ドメインのユーザーで、スタンプがありません。ただし、パスワードの変更は記録されています ({changed})。12 時間の制限を解消するのがどちらか、Microsoft の記事では明確ではないため、スタンプを付けてください。"},
		link: twelveHourPage,
	},
	"X10b excluded": {
		user: Text{"Your organization leaves your account as it is, so you go on being asked to sign in about every 12 hours. If you would like that to change, please talk to your administrator.",
			"お使いのアカウントは組織の設定で対象外のため、今後も約 12 時間ごとにサインインが必要です。変更を希望する場合は、管理者にご相談ください。"},
		admin: Text{"The user is in a federated domain, and has no stamp, but a password change is recorded ({changed}). Microsoft's article does not say which of the two ends the 12-hour limit.",
			"フェデレーション ドメインのユーザーで、スタンプがありません。ただし、パスワードの変更は記録されています ({changed})。12 時間の制限を解消するのがどちらか、Microsoft の記事では明確ではありません。"},
		link: twelveHourPage,
	},
	"X11": {
		admin: Text{"The sign-in log shows tokens that end after 12 hours (error AADSTS700082 with 12:00:00, or sign-ins about 12 hours apart on the same device to the same app).",
			"サインイン ログに、トークンが 12 時間で失効した記録があります (エラー AADSTS700082 に有効期間 12:00:00 と記録、または同じデバイス・同じアプリで約 12 時間おきにサインイン)。"},
		link: twelveHourPage,
	},
	"X12": {
		admin: Text{"The user has had a stamp since {stamp}, and tokens still end after 12 hours. The cause is elsewhere: look at sign-in frequency policies first, then open a case with Microsoft. Please note the case: the stamp did not help here.",
			"{stamp} からスタンプがありますが、トークンがまだ 12 時間で失効しています。原因は別にあります。まずサインインの頻度のポリシーを確認し、なければ Microsoft サポートに問い合わせてください。スタンプで解消しなかった例として記録してください。"},
		link: twelveHourPage,
	},
	"X13": {
		user: Text{"You were signed out once. After you have signed in again, this is over.",
			"一度だけサインアウトされました。サインインし直せば、以後は続きません。"},
		admin: Text{"The stamp is of {stamp}, within the last 24 hours. It signed the user out once, and the latest error is its effect. Made by: {who}.",
			"24 時間以内 ({stamp}) にスタンプが付き、一度サインアウトされました。直近のエラーはその影響で、一度限りのものです。スタンプを付けた契機: {who}。"},
		link: learn + "graph/api/user-revokesigninsessions",
	},
	"X14": {
		admin: Text{"No stamp yet: {reason}.",
			"スタンプがない理由: {reason}。"},
	},
	"X15": {
		user: Text{"Your account was set right a short time ago. Please sign in once more. After that, you will be asked to sign in far less often.",
			"アカウントの対処が完了しました。一度だけサインインし直してください。その後は、サインインを求められる回数が大幅に減ります。"},
		admin: Text{"The stamp was set at {stamp}. Let the user sign in once more: it counts from the next sign-in on.",
			"スタンプは {stamp} に設定されました。ユーザーが一度サインインし直すと、次のサインインから有効になります。"},
		link: learn + "graph/api/user-revokesigninsessions",
	},
	"X20": {
		user: Text{"Your company's security policy asks for a sign-in {each}. If you would like that to change, please talk to your administrator.",
			"会社のセキュリティ ポリシーにより、{each}サインインが必要です。変更を希望する場合は、管理者にご相談ください。"},
		admin: Text{"The Conditional Access policy {policy} has a sign-in frequency: it asks {interval} ({what}).",
			"条件付きアクセス ポリシー{policy}のサインインの頻度により、{interval}再サインインを求めます (対象: {what})。"},
		link: sessionLifetime,
	},
	"X20 applied": {
		user: Text{"Your company's security policy asks for a sign-in {each}. If you would like that to change, please talk to your administrator.",
			"会社のセキュリティ ポリシーにより、{each}サインインが必要です。変更を希望する場合は、管理者にご相談ください。"},
		admin: Text{"The sign-in log shows that the Conditional Access policy {policy} enforced a sign-in frequency. Open the policy to see how often it asks.",
			"サインイン ログによると、条件付きアクセス ポリシー{policy}のサインインの頻度が適用されています。間隔はポリシーの「セッション」で確認してください。"},
		link: sessionLifetime,
	},
	"X21": {
		user: Text{"Your company's security policy asks for a sign-in every time. If you would like that to change, please talk to your administrator.",
			"会社のセキュリティ ポリシーにより、毎回のサインインが必要です。変更を希望する場合は、管理者にご相談ください。"},
		admin: Text{"The Conditional Access policy {policy} has the sign-in frequency \"Every time\" ({what}). For Microsoft 365 apps Microsoft advises a frequency in hours or days.",
			"条件付きアクセス ポリシー{policy}のサインインの頻度が「毎回」です (対象: {what})。Microsoft 365 のアプリには、時間または日数による頻度の指定を Microsoft は推奨しています。"},
		link: sessionLifetime,
	},
	"X10+X20": {
		user: Text{"Your administrator is taking care of this. After that, you will be asked to sign in less often. Your company's security policy still asks for a sign-in {each}.",
			"管理者側で対処します。対処後は、サインインを求められる回数が減ります。ただし、会社のセキュリティ ポリシーにより、{each}サインインは必要です。"},
		admin: Text{"The stamp alone will not end the prompts: the Conditional Access policy {name} goes on asking {interval}. Change the policy as well if the user is still asked too often.",
			"スタンプを付けても、サインインの要求はなくなりません。条件付きアクセス ポリシー{name}が、{interval}再サインインを求め続けます。それでも多すぎる場合は、ポリシーも見直してください。"},
		link: sessionLifetime,
	},
	"X10+X20 short": {
		user: Text{"Your company's security policy asks for a sign-in {each}. If you would like that to change, please talk to your administrator.",
			"会社のセキュリティ ポリシーにより、{each}サインインが必要です。変更を希望する場合は、管理者にご相談ください。"},
		admin: Text{"The Conditional Access policy {name} asks for a sign-in {interval}. The stamp alone will not end the prompts: change the policy as well.",
			"条件付きアクセス ポリシー{name}が、{interval}再サインインを求めています。スタンプを付けるだけでは、サインインの要求はなくなりません。ポリシーも変更してください。"},
		link: sessionLifetime,
	},
	"X22": {
		user: Text{"Your browser forgets your sign-in when you close it. Your organization wants it so.",
			"組織の設定により、ブラウザーを閉じるとサインインの状態は維持されません。"},
		admin: Text{"The Conditional Access policy {policy} sets the persistent browser session to \"Never persistent\".",
			"条件付きアクセス ポリシー{policy}の永続的なブラウザー セッションが「永続的にしない」に設定されています。"},
		link: sessionLifetime,
	},
	"X23": {
		admin: Text{"The Conditional Access policy {policy} requires token protection, and the user signs in with a device that is not registered, or an app that does not support it.",
			"条件付きアクセス ポリシー{policy}でトークン保護が必須ですが、登録されていないデバイス、または未対応のアプリからサインインしています。"},
		link: learn + "entra/identity/conditional-access/concept-token-protection",
	},
	"X24": {
		user: Text{"Your company's security policy asks for a sign-in {each}. If you would like that to change, please talk to your administrator.",
			"会社のセキュリティ ポリシーにより、{each}サインインが必要です。変更を希望する場合は、管理者にご相談ください。"},
		admin: Text{"The sign-in log shows a sign-in frequency ({codes}); it asks {interval}. The policies were not read: grant Policy.Read.ConditionalAccess to learn which one it is.",
			"サインイン ログにサインインの頻度による失効があります ({codes})。{interval}再サインインを求めています。ポリシーは照会していません。どのポリシーかを調べるには Policy.Read.ConditionalAccess を付与してください。"},
		link: sessionLifetime,
	},
	"X24 asked": {
		user: Text{"Your company's security policy asks for a sign-in {each}. If you would like that to change, please talk to your administrator.",
			"会社のセキュリティ ポリシーにより、{each}サインインが必要です。変更を希望する場合は、管理者にご相談ください。"},
		admin: Text{"The sign-in log shows a sign-in frequency ({codes}); it asks {interval}. None of the policies found has one: it may be for another app, place or device. Open the event in the sign-in log, tab Conditional Access.",
			"サインイン ログにサインインの頻度による失効があります ({codes})。{interval}再サインインを求めています。見つかったポリシーにサインインの頻度の設定はありません。別のアプリ、場所、デバイスを対象とするポリシーの可能性があります。サインイン ログの該当イベントで「条件付きアクセス」タブを確認してください。"},
		link: sessionLifetime,
	},
	"X30": {
		user: Text{"Your organization asks for multifactor authentication from time to time.",
			"組織の設定により、一定時間ごとに多要素認証 (MFA) が必要です。"},
		admin: Text{"MFA has expired by a policy ({codes}). Turn \"Remember MFA on trusted devices\" off where a sign-in frequency is used: the two together ask at unexpected times.",
			"ポリシーにより MFA の有効期限が切れています ({codes})。サインインの頻度を使う場合は「信頼されたデバイスで多要素認証を記憶する」を無効にしてください。併用すると、予期しないタイミングで再サインインを求められます。"},
		link: prompts,
	},
	"X31": {
		admin: Text{"Security defaults are on. They ask for MFA when they see need; how long a session lives can only be set by Conditional Access, with Microsoft Entra ID P1.",
			"セキュリティの既定値群が有効です。必要と判断された場合に MFA が求められます。セッションの有効期間を制御するには、条件付きアクセス (Microsoft Entra ID P1) が必要です。"},
		link: learn + "entra/fundamentals/security-defaults",
	},
	"X32": {
		admin: Text{"Two systems ask for MFA: per-user MFA is \"{state}\" and Conditional Access policies apply. Move the user to Conditional Access and disable per-user MFA.",
			"ユーザーごとの MFA が「{state}」で、条件付きアクセスも適用されており、MFA が二重に管理されています。条件付きアクセスに移行し、ユーザーごとの MFA は無効にしてください。"},
		link: learn + "entra/identity/authentication/howto-mfa-userstates",
	},
	"X33": {
		user: Text{"You are asked twice: by your organization's sign-in page and by Microsoft.",
			"組織のサインイン ページと Microsoft の両方で、認証を求められます。"},
		admin: Text{"The domain's federatedIdpMfaBehavior is rejectMfaByFederatedIdp: Entra asks for its own MFA, whatever the identity provider has done. If the provider does MFA, consider acceptIfMfaDoneByFederatedIdp.",
			"ドメインの federatedIdpMfaBehavior が rejectMfaByFederatedIdp のため、ID プロバイダーで MFA を済ませていても Entra ID の MFA が求められます。プロバイダー側で MFA を行う場合は acceptIfMfaDoneByFederatedIdp を検討してください。"},
		link: idpFederation,
	},
	"X34": {
		admin: Text{"The app \"{app}\" asks often on one device. It may send prompt=login, which Entra passes on to the identity provider as a fresh sign-in (promptLoginBehavior). Ask the app's maker, or consider another promptLoginBehavior.",
			"アプリ「{app}」が同じデバイスで頻繁にサインインを求めています。アプリが prompt=login を送信し、Entra ID が ID プロバイダーに再サインインを要求している可能性があります (promptLoginBehavior)。アプリの提供元に確認するか、promptLoginBehavior の変更を検討してください。"},
		link: learn + "windows-server/identity/ad-fs/operations/ad-fs-prompt-login",
	},
	"X40": {
		user: Text{"Please add your work account to this device. In Windows: Settings > Accounts > Access work or school.",
			"お使いのデバイスに職場アカウントを追加してください。Windows では、設定 > アカウント > 職場または学校へのアクセスで追加できます。"},
		admin: Text{"The user has no registered device and signs in with desktop or mobile apps. Without one there is no primary refresh token (PRT), and no single sign-on among apps.",
			"登録済みデバイスがないまま、デスクトップまたはモバイルのアプリでサインインしています。デバイスの登録がないとプライマリ更新トークン (PRT) が発行されず、アプリ間のシングル サインオンが働きません。"},
		link: refreshTokenPRT,
	},
	"X40 stale": {
		user: Text{"Please add your work account to this device again. In Windows: Settings > Accounts > Access work or school.",
			"お使いのデバイスに職場アカウントを追加し直してください。Windows では、設定 > アカウント > 職場または学校へのアクセスで追加できます。"},
		admin: Text{"All registered devices of the user are disabled, or have not been seen for 90 days, and the user signs in with desktop or mobile apps. Enable the device, or register it again: without one there is no primary refresh token (PRT).",
			"登録済みデバイスがすべて無効、または 90 日以上使われていないまま、デスクトップまたはモバイルのアプリでサインインしています。デバイスを有効にするか、登録し直してください。有効なデバイスがないとプライマリ更新トークン (PRT) が発行されません。"},
		link: refreshTokenPRT,
	},
	"X41": {
		admin: Text{"The user's devices are registered only (Workplace). Unlocking such a device does not renew the session for a sign-in frequency; joined and hybrid joined devices renew it every four hours.",
			"デバイスは登録のみ (Microsoft Entra 登録済み) です。ロックを解除してもサインインの頻度のセッションは更新されません。参加済みまたはハイブリッド参加済みのデバイスでは 4 時間ごとに更新されます。"},
		link: sessionLifetime,
	},
	"X42": {
		admin: Text{"The device could not prove who it is ({codes}). Look at it with dsregcmd /status, and register it again.",
			"デバイス認証に失敗しています ({codes})。dsregcmd /status で状態を確認し、デバイスを登録し直してください。"},
		link: learn + "entra/identity/devices/troubleshoot-device-dsregcmd",
	},
	"X43": {
		user: Text{"Your organization does not allow this device, app or place.",
			"組織の設定により、このデバイス、アプリ、または場所は許可されていません。"},
		admin: Text{"A policy blocked the sign-in ({codes}). This is no matter of how long a session lives: open the event in the sign-in log, tab Conditional Access.",
			"ポリシーによりサインインがブロックされています ({codes})。セッションの有効期間の問題ではありません。サインイン ログの該当イベントで「条件付きアクセス」タブを確認してください。"},
		link: learn + "entra/identity/conditional-access/troubleshoot-conditional-access",
	},
	"X50": {
		admin: Text{"Microsoft Entra ID Protection takes the user for at risk, and asks for it. Investigate the risk, then dismiss it or have the password changed.",
			"Microsoft Entra ID Protection でユーザーのリスクが検出されており、そのため再サインインが求められています。リスクを調査し、無視するか、パスワードを変更してください。"},
		link: learn + "entra/id-protection/howto-identity-protection-investigate-risk",
	},
	"X50 code": {
		admin: Text{"Entra took a sign-in for suspicious ({codes}). Look into Microsoft Entra ID Protection.",
			"サインインが不審と判定されています ({codes})。Microsoft Entra ID Protection を確認してください。"},
		link: learn + "entra/id-protection/howto-identity-protection-investigate-risk",
	},
	"X51": {
		user: Text{"You were asked because your password has changed. After you have signed in on each device, this is over.",
			"パスワードが変更されたためです。各デバイスでサインインし直せば、以後は続きません。"},
		admin: Text{"Sessions ended after a password change or expiry ({codes}). It happens once for each app and device.",
			"パスワードの変更または期限切れにより、セッションが失効しました ({codes})。アプリとデバイスごとに一度だけ発生します。"},
		link: errorCodes,
	},
	"X51 later": {
		user: Text{"You will be asked once more on each device. After that, this is over.",
			"各デバイスで一度だけサインインが必要です。その後は続きません。"},
		admin: Text{"Password or sessions changed at {changed}, after the last sign-in seen. The next use of each app asks once.",
			"最後に確認できたサインインより後の {changed} に、パスワードの変更またはセッションの取り消しがありました。各アプリの次回利用時に一度だけサインインが求められます。"},
		link: learn + "graph/api/user-revokesigninsessions",
	},
	"X60 account": {
		user: Text{"Check the account name and the password. A saved old password or a second account is often the reason.",
			"アカウント名とパスワードを確認してください。保存された古いパスワードや、別のアカウントが原因のことがよくあります。"},
		admin: Text{"Sign-ins fail because of the account ({codes}). Look for saved credentials (Windows Credential Manager) and a second account.",
			"アカウントに起因するサインインの失敗があります ({codes})。保存された資格情報 (Windows の資格情報マネージャー) と、別アカウントの有無を確認してください。"},
		link: errorCodes,
	},
	"X60 seamless": {
		user: Text{"Check that you are signed in to this device with your own account.",
			"お使いのデバイスに、ご自身のアカウントでサインインしているか確認してください。"},
		admin: Text{"Seamless single sign-on fails ({codes}). Check which user is signed in to Windows, and the Kerberos key of AZUREADSSOACC.",
			"シームレス シングル サインオンに失敗しています ({codes})。Windows にサインインしているユーザーと、AZUREADSSOACC の Kerberos キーを確認してください。"},
		link: learn + "entra/identity/hybrid/connect/tshoot-connect-sso",
	},
	"X60 federation": {
		user: Text{"Sign out of other accounts in the browser and try again. If it goes on, tell your administrator.",
			"ブラウザーで他のアカウントからサインアウトして、もう一度お試しください。続く場合は管理者にお知らせください。"},
		admin: Text{"The identity provider's answer does not fit ({codes}). Compare the issuer and signing certificate of the federation, and the user's immutable id (onPremisesImmutableId) at the provider and in Entra.",
			"ID プロバイダーの応答が Entra ID の設定と一致していません ({codes})。フェデレーションの発行者 (issuer) と署名証明書、およびプロバイダー側と Entra ID の immutableId (onPremisesImmutableId) を照合してください。"},
		link: errorCodes,
	},
	"X61": {
		user: Text{"An app asks for permission, not for a sign-in. If you are not sure, ask your administrator.",
			"サインインではなく、アプリがアクセス許可を求めています。不明な場合は管理者にお問い合わせください。"},
		admin: Text{"An app lacks consent ({codes}). Grant it, or tell the user to decline.",
			"アプリへの同意がありません ({codes})。管理者の同意を与えるか、拒否するようユーザーに案内してください。"},
		link: learn + "entra/identity/enterprise-apps/user-admin-consent-overview",
	},
	"X70": {
		user: Text{"Your browser may be losing cookies. Check private mode, settings and extensions.",
			"ブラウザーの Cookie が失われている可能性があります。プライベート モードや、Cookie をブロックする設定・拡張機能を確認してください。"},
		admin: Text{"The browser has no session again and again ({codes}), and \"Stay signed in?\" was never shown. Cookies are cleared or blocked: private mode, a virtual desktop without a kept profile, a browser policy or extension.",
			"ブラウザーにセッションがない状態が繰り返されており ({codes})、「サインインの状態を維持しますか?」の画面も表示されていません。Cookie が削除またはブロックされている可能性があります (プライベート モード、プロファイルを保持しない VDI、ブラウザーのポリシーや拡張機能)。"},
		link: prompts,
	},
	"X80": {
		admin: Text{"The sign-in log holds codes by which an app or provider asks again: {codes}.",
			"サインイン ログに、アプリまたはプロバイダー側の理由で再サインインを求めるコードがあります: {codes}。"},
		link: errorCodes,
	},
	"X81": {
		admin: Text{"Error {code}, which sessionstamp does not know. Entra says: {reason}. See {page}.",
			"sessionstamp の一覧にないエラー {code} です。Entra ID のメッセージ: {reason}。詳細: {page}"},
	},
	"X82": {
		admin: Text{"The sign-in log also holds: {codes}.",
			"サインイン ログには、ほかに次のコードがあります: {codes}。"},
		link: errorCodes,
	},
	"X90": {
		user: Text{"We found nothing wrong with your account in the directory.",
			"ディレクトリ上のアカウントに問題は見つかりませんでした。"},
		admin: Text{"Nothing is wrong in the directory. The sign-in log would tell which app asks, how often and with which code: grant AuditLog.Read.All; the tenant needs Microsoft Entra ID P1.",
			"ディレクトリ上に問題は見つかりませんでした。サインイン ログがあれば、どのアプリが、どの頻度で、どのコードで求めているかがわかります。AuditLog.Read.All を付与してください (Microsoft Entra ID P1 が必要です)。"},
		link: learn + "entra/identity/monitoring-health/concept-sign-ins",
	},
	"X90 other": {
		user: Text{"The cause is not known yet. Your administrator can look further.",
			"原因はまだわかっていません。管理者がさらに確認できます。"},
		admin: Text{"No cause was found in what was looked at. Not looked at: {pieces}.",
			"確認した範囲では、原因は見つかりませんでした。未確認の項目: {pieces}。"},
		link: prompts,
	},
	"X90 more": {
		user: Text{"The cause is not known yet. Your administrator can look further.",
			"原因はまだわかっていません。管理者がさらに確認できます。"},
		admin: Text{"No cause was found in what was looked at. Not looked at: {pieces}. The sign-in log would tell most, which app asks, how often and with which code: grant AuditLog.Read.All; the tenant needs Microsoft Entra ID P1.",
			"確認した範囲では、原因は見つかりませんでした。未確認の項目: {pieces}。最も手がかりになるのはサインイン ログで、どのアプリが、どの頻度で、どのコードで求めているかがわかります。AuditLog.Read.All を付与してください (Microsoft Entra ID P1 が必要です)。"},
		link: learn + "entra/identity/monitoring-health/concept-sign-ins",
	},
	"X91": {
		user: Text{"We found nothing wrong with your account. Please tell your administrator which app asks, when, and on which device.",
			"アカウントに問題は見つかりませんでした。サインインを求められたアプリ、日時、デバイスを管理者にお知らせください。"},
		admin: Text{"Neither the directory nor the sign-in log shows a cause. Check on the device: saved credentials, a second account, a VPN that changes the address; in the tenant: the idle session timeout of Outlook on the web (6 hours) and SharePoint, \"Stay signed in\" switched off in company branding, staged rollout.",
			"ディレクトリにもサインイン ログにも原因は見当たりません。デバイスでは、保存された資格情報、別のアカウント、IP アドレスが変わる VPN を確認してください。テナントでは、Outlook on the web (6 時間) と SharePoint のアイドル セッション タイムアウト、会社のブランドでの「サインインの状態を維持する」の無効化、段階的ロールアウトを確認してください。"},
		link: learn + "microsoft-365/admin/manage/idle-session-timeout-web-apps",
	},
}
