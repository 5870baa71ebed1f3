package keeper

// Cause is why a run failed. Causes are codes, like findings.
type Cause string

// The causes. The table of advice says what each means.
const (
	CauseNoConsent        Cause = "no_consent"
	CauseNotificationURL  Cause = "notification_url"
	CauseGroups           Cause = "groups"
	CauseDomains          Cause = "domains"
	CauseRefused          Cause = "refused"
	CauseSecretWrong      Cause = "secret_wrong"
	CauseCertificateWrong Cause = "certificate_wrong"
	CauseCertificateTime  Cause = "certificate_time"
	CauseCredentialUnread Cause = "credential_unread" //nolint:gosec // a code, no credential
	CauseAppUnknown       Cause = "app_unknown"
	CauseAppDisabled      Cause = "app_disabled"
	CauseFederation       Cause = "federation"
	CauseFederationKey    Cause = "federation_key"
	CauseWebIdentity      Cause = "web_identity"
	CauseSignIn           Cause = "sign_in"
	CauseThrottled        Cause = "throttled"
	CauseUnreachable      Cause = "graph_unreachable"
	CauseUnwell           Cause = "graph_unwell"
	CauseStore            Cause = "store"
	CauseClientState      Cause = "client_state"
	CauseBusy             Cause = "busy"
	CauseInternal         Cause = "internal"
)

// advice says for every cause what is wrong and what to do, in one sentence each, before
// the details in brackets. Its readers have never seen this program's code.
var advice = map[Cause]string{
	CauseNoConsent: "The {app} has no admin consent for an application permission that it needs (Microsoft Graph says: {message}). " +
		"Open {portal}, go to App registrations > the app > API permissions, add what is missing of the permissions that infra/docs/deploy.md lists, choose \"Grant admin consent\", and try again after five minutes.",
	CauseNotificationURL: "The notification URL did not answer Microsoft Graph's validation request: {message}. " +
		"Run curl -i -X POST -H 'Content-Length: 0' '{url}?validationToken=hello' from outside your network: it must answer 200 and the one word hello within ten seconds, without signing in and past any firewall; then try again.",
	CauseGroups: "A group in ExcludedGroups does not exist, or it hides its members (HiddenMembership), so that it would exclude nobody. " +
		"See in brackets which group it is, name another one in ExcludedGroups, and deploy again.",
	CauseDomains: "FederatedDomains names a domain that would serve nobody. " +
		"See in brackets which one it is, compare it with az rest --url 'https://graph.microsoft.com/v1.0/domains?$select=id,authenticationType,isVerified', and deploy again with the right name or with none.",
	CauseRefused: "Microsoft Graph refused the request: {message}. " +
		"Compare the notification URL {url} with your deployment, and if it is right, open an issue with the text in brackets.",
	CauseSecretWrong: "Microsoft Entra does not know the client secret of the {app}, or the secret has expired. " +
		"Open {portal}, go to App registrations > the app > Certificates & secrets, make a new client secret, and store its value (not its secret ID) with aws secretsmanager put-secret-value, as the JSON that infra/docs/deploy.md shows.",
	CauseCertificateWrong: "Microsoft Entra does not accept the certificate of the {app}. " +
		"Open {portal}, go to App registrations > the app > Certificates & secrets > Certificates, and if the certificate with the thumbprint in brackets is not there, upload the one that is in Secrets Manager; if it is there, wait ten minutes, because a new one is not known everywhere at once.",
	CauseCertificateTime: "The certificate of the {app} has expired, or is not valid yet. " +
		"Make a new certificate as infra/docs/deploy.md shows, upload it at {portal} under App registrations > the app > Certificates & secrets > Certificates, and store it with its private key with aws secretsmanager put-secret-value.",
	CauseCredentialUnread: "Secrets Manager gave no client secret or certificate with which the {app} could sign in. " +
		"See what the text in brackets says about the secret, compare it with the JSON that infra/docs/deploy.md shows, check that the role of the function may read it, and try again.",
	CauseAppUnknown: "Microsoft Entra knows no tenant {tenant}, or that tenant has no service principal of the {app}. " +
		"Compare the deployment's tenant id, client id and cloud with the overview page of the app registration at {portal}, and deploy again with the right ones; if they are right, run az ad sp create --id {client}, and choose \"Grant admin consent\" under App registrations > the app > API permissions.",
	CauseAppDisabled: "Tenant {tenant} has disabled the {app}. " +
		"Open {portal}, go to Enterprise applications > the app > Properties, find out why it is disabled, set \"Enabled for users to sign-in?\" to Yes, and try again after five minutes.",
	CauseFederation: "No federated credential of the {app} trusts the token of the AWS role. " +
		"Open {portal}, go to App registrations > the app > Certificates & secrets > Federated credentials, see that there is one for other issuers with the issuer, the subject and the audience in brackets, letter by letter, and try again after ten minutes, because a new one is not known everywhere at once.",
	CauseFederationKey: "Microsoft Entra could not verify the token of the AWS role with which the {app} signs in. " +
		"Try again in half an hour, because Entra can take that long to hear of a new issuer or of new keys; if it goes on, open the issuer in brackets with /.well-known/openid-configuration behind it in a browser, and open an issue with what it shows and the text in brackets.",
	CauseWebIdentity: "AWS gave no token with which the {app} could sign in. " +
		"Do what the text in brackets says, which is mostly that an administrator of the AWS account runs, once, aws iam enable-outbound-web-identity-federation; if in doubt, check that the role of the function has the policy of the template, which allows sts:GetWebIdentityToken, and try again.",
	CauseSignIn: "Microsoft Entra did not let the {app} sign in. " +
		"If there is an AADSTS number in brackets, look it up at https://login.microsoftonline.com/error; then search the sign-in log at {portal} under Service principal sign-ins.",
	CauseThrottled: "Microsoft has no room for more requests of the {app} at the moment. " +
		"Wait five minutes and try again; if it happens every time, another program uses the same app registration and needs one of its own.",
	CauseUnreachable: "No answer came from Microsoft Graph or from Microsoft Entra's token endpoint. " +
		"Check that the functions may open HTTPS connections to the internet (functions in a VPC need a NAT gateway) and that https://status.cloud.microsoft reports no incident, and try again.",
	CauseUnwell: "Microsoft Graph or Microsoft Entra failed to carry out the request. " +
		"Wait until https://status.cloud.microsoft reports no incident, and try again.",
	CauseStore: "The table in which sessionstamp keeps its records could not be read or written. " +
		"Check in CloudFormation that the table exists and that the keeper's role may read and write it; the next run does what is left to do.",
	CauseClientState: "The secret by which the webhook recognises Microsoft Graph's notifications could not be read. " +
		"Check in Secrets Manager that the secret exists and is not empty, and that the keeper's role may read it, and try again.",
	CauseBusy: "Another run of the keeper is at work, or Microsoft Graph knows a subscription of the {app} on users that it does not list. " +
		"Wait five minutes and try again; if it happens every time, another program uses the same app registration and needs one of its own.",
	CauseInternal: "Something happened for which sessionstamp has no advice. " +
		"Open an issue with the text in brackets.",
}
