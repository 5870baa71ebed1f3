package subscription

// federatedStep says what a federated credential must be, whichever part of it is
// wrong: there may be others that are not ours to change.
const federatedStep = "Open {portal}, go to App registrations > the app > Certificates & secrets > Federated credentials, see that there is one for other issuers with the issuer {issuer} and the subject {subject} and the audience {audience}, letter by letter (step 3 of README.md has the command that makes it), and try again after ten minutes, because a new one is not known everywhere at once."

// valueStep and certificateStep say how a new credential gets from Entra to AWS.
const (
	valueStep       = "Open {portal}, go to App registrations > the app > Certificates & secrets, make a new client secret, and store its value (not its secret ID) with aws secretsmanager put-secret-value, as the JSON that step 3 of README.md shows."
	certificateStep = "Make a new certificate as step 3 of README.md shows, upload it at {portal} under App registrations > the app > Certificates & secrets > Certificates, and store it with its private key with aws secretsmanager put-secret-value."
	storedStep      = "See what the text in brackets says about the secret in Secrets Manager, compare it with the JSON that step 3 of README.md shows, check that the role of the function may read it, and try again."
)

// advice says for every cause what is wrong and what to do, one sentence each.
// The texts are read by people who have never seen this program's code.
var advice = map[Cause]struct{ problem, step string }{
	CauseNoConsent: {
		"Microsoft Graph refused the subscription because {app} has no admin consent for the application permission User.Read.All.",
		"Open {portal}, go to App registrations > the app > API permissions, add Microsoft Graph > Application permissions > User.Read.All, choose \"Grant admin consent\", and try again after five minutes.",
	},
	CauseQuota: {
		"Microsoft Graph admits no more subscriptions: {message}.",
		"Remove subscriptions that other programs have made in tenant {tenant} and no longer need (an app may have 100 of them, a tenant 1,000), and try again.",
	},
	CauseNotificationURL: {
		"The notification URL did not answer Microsoft Graph's validation request: {message}.",
		"Run curl -i -X POST -H 'Content-Length: 0' '{url}?validationToken=hello' from outside your network (and the same with {lifecycle}): it must answer 200 and the one word hello within ten seconds, without signing in and past any firewall; then try again.",
	},
	CauseRefused: {
		"Microsoft Graph refused the request: {message}.",
		"Compare the notification URL {url} with your deployment, and if it is right, open an issue with the text in brackets.",
	},
	CauseSecretWrong: {
		"Microsoft Entra does not know the client secret that {app} signs in with.",
		valueStep,
	},
	CauseSecretExpired: {
		"The client secret that {app} signs in with has expired.",
		valueStep,
	},
	CauseSecretUnread: {
		"Secrets Manager gave no client secret that {app} could sign in with.",
		storedStep,
	},
	CauseCertificateWrong: {
		"Microsoft Entra does not accept the certificate that {app} signs in with.",
		"Open {portal}, go to App registrations > the app > Certificates & secrets > Certificates, and if the certificate {certificate} is not there, upload the one that is in Secrets Manager; if it is there, wait ten minutes, because a new one is not known everywhere at once.",
	},
	CauseCertificateTime: {
		"The certificate that {app} signs in with has expired.",
		certificateStep,
	},
	CauseCertificateEarly: {
		"The certificate that {app} signs in with is not good yet.",
		"Wait until the time at which, by the text in brackets, it begins to be good, and try again.",
	},
	CauseCertificateUnread: {
		"Secrets Manager gave no certificate that {app} could sign in with.",
		storedStep,
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
	CauseNotConsented: {
		"No administrator has consented to the permissions of {app}.",
		"Open {portal}, go to App registrations > the app > API permissions, add what is missing there of the permissions that step 2 of README.md lists, choose \"Grant admin consent\", and try again after five minutes.",
	},
	CauseFederation: {
		"No federated credential of {app} trusts the token of the AWS role that it signs in with.",
		federatedStep,
	},
	CauseFederationIssuer: {
		"No federated credential of {app} has the issuer of the AWS role's token.",
		federatedStep,
	},
	CauseFederationSubject: {
		"No federated credential of {app} has the subject of the AWS role's token, upper and lower case included.",
		federatedStep,
	},
	CauseFederationAudience: {
		"No federated credential of {app} has the audience of the AWS role's token.",
		federatedStep,
	},
	CauseFederationKey: {
		"Microsoft Entra could not verify the token of the AWS role that {app} signs in with.",
		"Try again in half an hour, because Entra can take that long to hear of a new issuer or of new keys; if it goes on, open the issuer {issuer} with /.well-known/openid-configuration behind it in a browser, and open an issue with what it shows and the text in brackets.",
	},
	CauseFederationOff: {
		"The AWS account gives no tokens that {app} could sign in with, because outbound web identity federation is switched off.",
		"Have an administrator of the AWS account run, once for the account, aws iam enable-outbound-web-identity-federation, and try again.",
	},
	CauseWebIdentity: {
		"AWS gave no token that {app} could sign in with.",
		"Do what the text in brackets says; in doubt, check that the role of the function has the policy of the template, which allows sts:GetWebIdentityToken, and try again.",
	},
	CauseClock: {
		"Microsoft Entra took what {app} signs in with for expired or for not yet good, although it was made just now.",
		"Try again after five minutes; if it happens every time, open an issue with the text in brackets, because AWS sets the clocks of functions and nobody else can.",
	},
	CauseSignIn: {
		"Microsoft Entra did not let {app} sign in.",
		"Look the AADSTS number in brackets up at https://login.microsoftonline.com/error, and search the sign-in log at {portal} for it under Service principal sign-ins.",
	},
	CauseSignInThrottled: {
		"Microsoft Entra has no room for more sign-ins of {app} at the moment.",
		"Wait five minutes and try again; if it happens every time, another program uses the same app registration and needs one of its own.",
	},
	CauseSignInUnwell: {
		"Microsoft Entra's token endpoint failed when {app} asked for a token.",
		"Wait until https://status.cloud.microsoft reports no incident of Microsoft Entra, and try again.",
	},
	CauseThrottled: {
		"Microsoft Graph has no room for more requests of {app} at the moment.",
		"Wait five minutes and try again; if it happens every time, another program uses the same app registration and needs one of its own.",
	},
	CauseUnreachable: {
		"No answer came from Microsoft Graph or from Microsoft Entra's token endpoint.",
		"Check that the functions may open HTTPS connections to the internet (functions in a VPC need a NAT gateway) and that https://status.cloud.microsoft reports no incident, and try again.",
	},
	CauseUnwell: {
		"Microsoft Graph failed to carry out the request.",
		"Wait until https://status.cloud.microsoft reports no incident of Microsoft Graph, and try again.",
	},
	CauseUnsettled: {
		"Microsoft Graph knows a subscription of {app} on users that it does not list yet.",
		"Wait five minutes and try again; if it happens every time, another program uses the same app registration and needs one of its own.",
	},
	CauseNotAsAsked: {
		"Microsoft Graph made a subscription on users that does not report their creation, though that was asked for.",
		"Wait five minutes and try again; if it happens every time, open an issue with the app's subscriptions as GET https://graph.microsoft.com/v1.0/subscriptions shows them.",
	},
	CauseStore: {
		"The table in which sessionstamp keeps its records could not be read or written.",
		"Check in CloudFormation that the table exists and that the keeper's role may read and write it, and try again.",
	},
	CauseClientState: {
		"The secret by which Microsoft Graph's notifications are recognised could not be read, or is none.",
		"Check in Secrets Manager that the secret exists, has 1 to 128 characters, and that the keeper's role may read it, and try again.",
	},
	CauseSweep: {
		"The subscription is in order, but no search could be ordered for the users whose notifications were lost.",
		"Check in CloudFormation that the table exists and that the keeper's role may write it; the next run orders the search by itself.",
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
		"Something happened that sessionstamp has no advice for.",
		"Open an issue with the text in brackets.",
	},
}
