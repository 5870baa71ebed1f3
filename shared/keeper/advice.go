package keeper

// Cause is why a run failed. Causes are codes, like findings.
type Cause string

// The causes. The table of advice says what each means.
const (
	CauseNoConsent          Cause = "no_consent"
	CauseQuota              Cause = "quota"
	CauseNotificationURL    Cause = "notification_url"
	CauseGroups             Cause = "groups"
	CauseRefused            Cause = "refused"
	CauseSecretWrong        Cause = "secret_wrong"
	CauseSecretExpired      Cause = "secret_expired"
	CauseCertificateWrong   Cause = "certificate_wrong"
	CauseCertificateTime    Cause = "certificate_time"
	CauseCredentialUnread   Cause = "credential_unread" //nolint:gosec // a code, no credential
	CauseAppUnknown         Cause = "app_unknown"
	CauseTenantUnknown      Cause = "tenant_unknown"
	CauseAppDisabled        Cause = "app_disabled"
	CauseNoServicePrincipal Cause = "no_service_principal"
	CauseFederation         Cause = "federation"
	CauseFederationKey      Cause = "federation_key"
	CauseFederationOff      Cause = "federation_off"
	CauseWebIdentity        Cause = "web_identity"
	CauseClock              Cause = "clock"
	CauseSignIn             Cause = "sign_in"
	CauseThrottled          Cause = "throttled"
	CauseUnreachable        Cause = "graph_unreachable"
	CauseUnwell             Cause = "graph_unwell"
	CauseUnsettled          Cause = "unsettled"
	CauseStore              Cause = "store"
	CauseClientState        Cause = "client_state"
	CauseSweep              Cause = "sweep"
	CauseBusy               Cause = "busy"
	CauseTime               Cause = "time"
	CauseInternal           Cause = "internal"
)

// certificates is where a person finds the app's credentials.
const certificates = "Open {portal}, go to App registrations > the app > Certificates & secrets"

// newSecret says how a new client secret gets from Entra to AWS.
const newSecret = certificates + ", make a new client secret, and store its value (not its secret ID) with aws secretsmanager put-secret-value, as the JSON that infra/docs/deploy.md shows."

// again is what to try where another program may use the same app.
const again = "Wait five minutes and try again; if it happens every time, another program uses the same app registration and needs one of its own."

// advice says for every cause what is wrong and what to do, one sentence each. Its
// readers have never seen this program's code.
var advice = map[Cause]struct{ problem, step string }{
	CauseNoConsent: {
		"{app} has no admin consent for an application permission that it needs.",
		"Open {portal}, go to App registrations > the app > API permissions, add what is missing of the permissions that infra/docs/deploy.md lists, choose \"Grant admin consent\", and try again after five minutes.",
	},
	CauseQuota: {
		"Microsoft Graph admits no more subscriptions: {message}.",
		"Remove subscriptions that other programs have made in tenant {tenant} and no longer need (an app may have 100 of them, a tenant 1,000), and try again.",
	},
	CauseNotificationURL: {
		"The notification URL did not answer Microsoft Graph's validation request: {message}.",
		"Run curl -i -X POST -H 'Content-Length: 0' '{url}?validationToken=hello' from outside your network: it must answer 200 and the one word hello within ten seconds, without signing in and past any firewall; then try again.",
	},
	CauseGroups: {
		"A group in ExcludedGroups does not exist, or it hides its members (HiddenMembership), so that it would exclude nobody.",
		"See in brackets which group it is, name another one in ExcludedGroups, and deploy again.",
	},
	CauseRefused: {
		"Microsoft Graph refused the request: {message}.",
		"Compare the notification URL {url} with your deployment, and if it is right, open an issue with the text in brackets.",
	},
	CauseSecretWrong: {
		"Microsoft Entra does not know the client secret of {app}.",
		newSecret,
	},
	CauseSecretExpired: {
		"The client secret of {app} has expired.",
		newSecret,
	},
	CauseCertificateWrong: {
		"Microsoft Entra does not accept the certificate of {app}.",
		certificates + " > Certificates, and if the certificate {certificate} is not there, upload the one that is in Secrets Manager; if it is there, wait ten minutes, because a new one is not known everywhere at once.",
	},
	CauseCertificateTime: {
		"The certificate of {app} has expired, or is not valid yet.",
		"Make a new certificate as infra/docs/deploy.md shows, upload it at {portal} under App registrations > the app > Certificates & secrets > Certificates, and store it with its private key with aws secretsmanager put-secret-value.",
	},
	CauseCredentialUnread: {
		"Secrets Manager gave no client secret or certificate with which {app} could sign in.",
		"See what the text in brackets says about the secret, compare it with the JSON that infra/docs/deploy.md shows, check that the role of the function may read it, and try again.",
	},
	CauseAppUnknown: {
		"Tenant {tenant} does not know {app}.",
		"Compare the deployment's tenant id and client id with the overview page of the app registration at {portal}, and deploy again with the right ones.",
	},
	CauseTenantUnknown: {
		"Microsoft Entra does not know tenant {tenant}.",
		"Compare the deployment's tenant id with the overview page at {portal}, and check that the right national cloud is set.",
	},
	CauseAppDisabled: {
		"Tenant {tenant} has disabled {app}.",
		"Open {portal}, go to Enterprise applications > the app > Properties, find out why it is disabled, set \"Enabled for users to sign-in?\" to Yes, and try again after five minutes.",
	},
	CauseNoServicePrincipal: {
		"Tenant {tenant} has no service principal of {app}.",
		"Run az ad sp create --id {client}, choose \"Grant admin consent\" at {portal} under App registrations > the app > API permissions, and try again after five minutes.",
	},
	CauseFederation: {
		"No federated credential of {app} trusts the token of the AWS role.",
		certificates + " > Federated credentials, see that there is one for other issuers with the issuer {issuer}, the subject {subject} and the audience {audience}, letter by letter, and try again after ten minutes, because a new one is not known everywhere at once.",
	},
	CauseFederationKey: {
		"Microsoft Entra could not verify the token of the AWS role with which {app} signs in.",
		"Try again in half an hour, because Entra can take that long to hear of a new issuer or of new keys; if it goes on, open the issuer {issuer} with /.well-known/openid-configuration behind it in a browser, and open an issue with what it shows and the text in brackets.",
	},
	CauseFederationOff: {
		"The AWS account gives no tokens with which {app} could sign in, because outbound web identity federation is switched off.",
		"Have an administrator of the AWS account run, once for the account, aws iam enable-outbound-web-identity-federation, and try again.",
	},
	CauseWebIdentity: {
		"AWS gave no token with which {app} could sign in.",
		"Do what the text in brackets says; if in doubt, check that the role of the function has the policy of the template, which allows sts:GetWebIdentityToken, and try again.",
	},
	CauseClock: {
		"Microsoft Entra took what {app} signs in with for expired or not yet valid, although it was made just now.",
		"Try again after five minutes; if it happens every time, open an issue with the text in brackets.",
	},
	CauseSignIn: {
		"Microsoft Entra did not let {app} sign in.",
		"If there is an AADSTS number in brackets, look it up at https://login.microsoftonline.com/error; then search the sign-in log at {portal} under Service principal sign-ins.",
	},
	CauseThrottled: {
		"Microsoft has no room for more requests of {app} at the moment.",
		again,
	},
	CauseUnreachable: {
		"No answer came from Microsoft Graph or from Microsoft Entra's token endpoint.",
		"Check that the functions may open HTTPS connections to the internet (functions in a VPC need a NAT gateway) and that https://status.cloud.microsoft reports no incident, and try again.",
	},
	CauseUnwell: {
		"Microsoft Graph or Microsoft Entra failed to carry out the request.",
		"Wait until https://status.cloud.microsoft reports no incident, and try again.",
	},
	CauseUnsettled: {
		"Microsoft Graph knows a subscription of {app} on users that it does not list yet.",
		again,
	},
	CauseStore: {
		"The table in which sessionstamp keeps its records could not be read or written.",
		"Check in CloudFormation that the table exists and that the keeper's role may read and write it, and try again.",
	},
	CauseClientState: {
		"The secret by which the webhook recognises Microsoft Graph's notifications could not be read.",
		"Check in Secrets Manager that the secret exists and is not empty, and that the keeper's role may read it, and try again.",
	},
	CauseSweep: {
		"The subscription is in order, but the keeper could not order a sweep for the users whose notifications were lost.",
		"Check in CloudFormation that the table exists and that the keeper's role may write it; the next run orders the sweep by itself.",
	},
	CauseBusy: {
		"Another run of the keeper is at work and does not end.",
		"Wait five minutes and try again.",
	},
	CauseTime: {
		"The keeper ran out of time.",
		"Try again, and if it happens every time, look in the keeper's log for the calls that took long.",
	},
	CauseInternal: {
		"Something happened for which sessionstamp has no advice.",
		"Open an issue with the text in brackets.",
	},
}
