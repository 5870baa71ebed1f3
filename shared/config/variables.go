package config

// Names of the environment variables.
const (
	tenantID             = "TENANT_ID"
	stackName            = "STACK_NAME"
	metricsNamespace     = "METRICS_NAMESPACE"
	tableName            = "TABLE_NAME"
	notificationQueueURL = "NOTIFICATION_QUEUE_URL"
	clientStateSecretARN = "CLIENT_STATE_SECRET_ARN"
	clientID             = "CLIENT_ID"
	cloud                = "CLOUD"
	authMode             = "AUTH_MODE"
	credentialSecretARN  = "CREDENTIAL_SECRET_ARN" //nolint:gosec // the name of a variable
	notificationURL      = "NOTIFICATION_URL"
	federatedDomains     = "FEDERATED_DOMAINS"
	excludedUsers        = "EXCLUDED_USERS"
	excludedUPNPatterns  = "EXCLUDED_UPN_PATTERNS"
	excludedGroups       = "EXCLUDED_GROUPS"
	newUserWindowHours   = "NEW_USER_WINDOW_HOURS"
	stampsPerDay         = "STAMPS_PER_DAY"
	dryRun               = "DRY_RUN"
)

// meanings are what the variables stand for.
var meanings = map[string]string{
	tenantID:             "the directory (tenant) ID",
	stackName:            "the name of the stack",
	metricsNamespace:     "the CloudWatch namespace of the metrics",
	tableName:            "the DynamoDB table",
	notificationQueueURL: "the SQS queue of users to look at",
	clientStateSecretARN: "the secret that notifications are recognised by",
	clientID:             "the application (client) ID of the app registration",
	cloud:                "the national cloud that the tenant is in",
	authMode:             "how the app signs in to Entra",
	credentialSecretARN:  "the secret that holds the app's certificate or client secret",
	notificationURL:      "the address that Microsoft Graph sends notifications to",
	federatedDomains:     "the federated domains, empty to ask the tenant",
	excludedUsers:        "the object IDs of users who are never signed out",
	excludedUPNPatterns:  "the patterns of user principal names that are never signed out",
	excludedGroups:       "the object IDs of groups whose members are never signed out",
	newUserWindowHours:   "for how many hours a user counts as new",
	stampsPerDay:         "how many users may be stamped automatically in 24 hours",
	dryRun:               "whether everything is decided and nobody is signed out",
}
