package main

import "github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"

// refusals are the sentences for what Entra says most often when somebody signs in; any
// other code gets fail.sign_in. See [error codes]: they are for people, and no decision
// rests on one.
//
// [error codes]: https://learn.microsoft.com/entra/identity-platform/reference-error-codes
var refusals = map[string]language.Key{ //nolint:gosec // numbers, and no secrets
	"AADSTS65001": "fail.consent", // nobody has consented
	"AADSTS90094": "fail.consent", // an administrator must
	"AADSTS90095": "fail.consent", // and can be asked in the browser
	"AADSTS65004": "fail.consent", // declined

	"authorization_declined": "fail.no_sign_in", // RFC 8628, section 3.5
	"access_denied":          "fail.no_sign_in",
	"expired_token":          "fail.no_sign_in",

	"AADSTS53000":  "fail.policy", // the device is not compliant
	"AADSTS53001":  "fail.policy", // nor joined
	"AADSTS53003":  "fail.policy",
	"AADSTS530003": "fail.policy",

	"AADSTS50020": "fail.other_tenant",
	"AADSTS90072": "fail.other_tenant",
	"AADSTS50034": "fail.other_tenant",
	"AADSTS90002": "fail.other_tenant", // nobody's

	"AADSTS50105": "fail.not_assigned",

	"AADSTS700016":  "fail.client",
	"AADSTS7000218": "fail.client", // not for public clients
	"AADSTS50011":   "fail.client", // http://localhost is no redirect URI of it
	"AADSTS500113":  "fail.client",

	"AADSTS50076":  "fail.again",
	"AADSTS50079":  "fail.again",
	"AADSTS50173":  "fail.again",
	"AADSTS70043":  "fail.again",
	"AADSTS700082": "fail.again",

	"AADSTS7000215": "fail.secret",
	"AADSTS7000222": "fail.secret",
}
