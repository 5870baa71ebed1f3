package setup

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sessionstamp/sessionstamp/shared/config"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// The parameters of template.yaml.
const (
	tenantID          = "TenantId"
	clientID          = "ClientId"
	stamperClientID   = "StamperClientId"
	authMode          = "AuthMode"
	credentialSecret  = "CredentialSecretArn"
	cloud             = "Cloud"
	federatedDomains  = "FederatedDomains"
	excludedUsers     = "ExcludedUsers"
	excludedPatterns  = "ExcludedUpnPatterns"
	excludedGroups    = "ExcludedGroups"
	newUserWindow     = "NewUserWindowHours"
	stampsPerDay      = "StampsPerDay"
	dryRun            = "DryRun"
	signalMode        = "SignalMode"
	alarmsTo          = "AlarmsTo"
	permissionsBounds = "PermissionsBoundaryArn"
	kmsKey            = "KmsKeyArn"
)

// A parameter is one of template.yaml's that a person may choose, with the template's own
// rule, so that nothing is begun which CloudFormation would refuse. A test compares the two.
type parameter struct {
	// example is one of its values.
	name, value, pattern, example string
	longest                       int // characters, 0 for any number
	least, most                   int // of a number, if most is not 0
}

const (
	guids   = `[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`
	domains = `[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)+`
	upns    = "[^@,;|\\s\"'`\\\\()^$\\[\\]{}][^,;|\\s\"'`\\\\()^$\\[\\]{}]*"
)

func listOf(one string) string { return `^(` + one + `(, ?` + one + `)*)?$` }

// parameters are those that a person may choose, in the order of the template.
var parameters = []parameter{
	{name: federatedDomains, example: "example.co.jp,example.com", pattern: listOf(domains), longest: 400},
	{name: excludedUsers, example: "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0", pattern: listOf(guids), longest: 1479},
	{name: excludedPatterns, example: "svc-*@example.com", pattern: listOf(upns), longest: 500},
	{name: excludedGroups, example: "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0", pattern: listOf(guids), longest: 739},
	{name: newUserWindow, example: "72", value: "72", least: 1, most: 168},
	{name: stampsPerDay, example: "300", value: "0", most: 1_000_000},
	{name: dryRun, example: "true", value: "false", pattern: "^(false|true)$"},
	{name: signalMode, example: "report", value: "report", pattern: "^(off|report|enforce)$"},
	{name: alarmsTo, example: "ops@example.com", pattern: "^([^@\\s:\"'`\\\\]+@[^@\\s:\"'`\\\\]+\\.[^@\\s:\"'`\\\\]+|arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+)?$"},
	{name: permissionsBounds, example: "arn:aws:iam::123456789012:policy/Boundary", pattern: `^(arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[A-Za-z0-9_+=,.@/-]+)?$`},
	{name: kmsKey, example: "arn:aws:kms:ap-northeast-1:123456789012:key/0f1e2d3c", pattern: `^(arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+)?$`},
}

// accepts tells whether the template takes a value.
func (p parameter) accepts(value string) bool {
	if p.most > 0 {
		n, err := strconv.Atoi(value)
		return err == nil && n >= p.least && n <= p.most
	}
	return regexp.MustCompile(p.pattern).MatchString(value) && (p.longest == 0 || utf8.RuneCountInString(value) <= p.longest) &&
		utf8.ValidString(value) && !strings.ContainsFunc(value, unicode.IsControl) // neither TOML nor CloudFormation has these
}

// judge returns what is wrong with a value, in the words that help most.
func (p parameter) judge(value string) []Problem {
	if p.name == excludedPatterns && value != "" {
		for pattern := range strings.SplitSeq(value, ",") {
			one := stamp.Exclusions{Patterns: []string{strings.TrimSpace(pattern)}}
			if err := one.Validate(); err != nil {
				return []Problem{problem("pattern", strings.TrimSpace(pattern))}
			}
		}
	}
	if !p.accepts(value) {
		return []Problem{problem("value", p.name, value, p.example)}
	}
	return nil
}

// variables are the functions' names of the parameters: what the keeper will look at.
var variables = map[string]string{
	"TENANT_ID": tenantID, "CLIENT_ID": clientID, "CLOUD": cloud, "AUTH_MODE": authMode, "CREDENTIAL_SECRET_ARN": credentialSecret,
	"FEDERATED_DOMAINS": federatedDomains, "EXCLUDED_USERS": excludedUsers, "EXCLUDED_UPN_PATTERNS": excludedPatterns,
	"EXCLUDED_GROUPS": excludedGroups, "NEW_USER_WINDOW_HOURS": newUserWindow, "STAMPS_PER_DAY": stampsPerDay, "DRY_RUN": dryRun,
	"SIGNAL_MODE": signalMode,
}

// standIns stand for what is not known before the deployment, and are as long.
var standIns = map[string]string{ //nolint:gosec // names of secrets, and no secret
	"TENANT_ID": guid, "CLIENT_ID": guid, "CLOUD": "global",
	"CREDENTIAL_SECRET_ARN":   "arn:aws:secretsmanager:us-gov-west-1:000000000000:secret:sessionstamp/entra-000000",
	"CLIENT_STATE_SECRET_ARN": "arn:aws:secretsmanager:us-gov-west-1:000000000000:secret:ClientStateSecret-000000000000-000000",
	"NOTIFICATION_URL":        "https://0000000000.execute-api.us-gov-west-1.amazonaws.com/notifications",
	"SIGNAL_URL":              "https://0000000000.execute-api.us-gov-west-1.amazonaws.com/idp/",
	"NOTIFICATION_QUEUE_URL":  "https://sqs.us-gov-west-1.amazonaws.com/000000000000/sessionstamp-NotificationQueue-000000000000",
	"TABLE_NAME":              "sessionstamp-Table-000000000000", "STACK_NAME": "sessionstamp", "METRICS_NAMESPACE": "sessionstamp",
}

const guid = "00000000-0000-0000-0000-000000000000"

// refused is what the keeper would say of these values at deployment.
func refused(values map[string]string) error {
	_, err := config.ReadKeeper(func(name string) (string, bool) {
		value := values[variables[name]]
		if value == "" {
			value = standIns[name]
		}
		return value, true
	}, []string{values[cloud], standIns["CLOUD"]})
	return err
}
