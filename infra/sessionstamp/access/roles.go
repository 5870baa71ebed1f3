package access

// Deploy is for those who set up, update and remove. CloudFormation works with the rights of
// whoever calls it, so they need what its resource types need; AWS tells that under
// handlers.permissions of each type's schema:
// https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html
// Where a resource bears the stack's name, a * stands for the actions of one kind, or the
// policy would be too long for IAM. It includes what status and doctor read.
//
// Two things it cannot bound: an HTTP API has an id and no name of ours, and whoever writes
// the policies of the functions' roles may write anything there. A permissions boundary on
// those roles (PermissionsBoundaryArn) bounds that.
func Deploy(p Place) Policy {
	a := arns(p)
	return policy(append(append(deploySAM(a), deployRuns(a)...), deployKeeps(a)...)...)
}

// deploySAM is what `sam deploy` and `sam delete` call themselves, with SAM's bucket, and what
// setup asks of the account.
func deploySAM(a arns) []Statement {
	const sam = "aws-sam-cli-managed-default"
	return []Statement{
		allow("Stack", "cloudformation:*ChangeSet *Stack DescribeStack* ListStackResources GetTemplate ContinueUpdateRollback *agResource",
			a.stack(), a.of("cloudformation", "stack/"+sam+"/*"),
			// The macro is AWS's: https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-permissions-cloudformation.html
			"arn:"+part(a.Partition)+":cloudformation:"+part(a.Region)+":aws:transform/Serverless-2016-10-31"),
		allow("SamBucket", "s3:CreateBucket ListBucket GetBucket* PutBucket* *EncryptionConfiguration *Object* TagResource", a.global("s3", "", sam+"-*")),
		// What has no resource, or whose resource has no name before it is made. The last line is
		// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging.html
		allow("NoResource", "cloudformation:ListStacks DescribeStacks GetTemplateSummary ValidateTemplate "+
			"iam:GetOutboundWebIdentityFederationInfo EnableOutboundWebIdentityFederation "+
			"lambda:GetAccountSettings ListEventSourceMappings secretsmanager:GetRandomPassword ListSecrets "+
			"cloudwatch:DescribeAlarms GetMetricData kms:DescribeKey dynamodb:ListTables sns:GetSubscriptionAttributes SetSubscriptionAttributes Unsubscribe "+
			"logs:DescribeLogGroups *LogDelivery ListLogDeliveries PutResourcePolicy DescribeResourcePolicies", everything),
		tryTheIssuer(),
	}
}

// tryTheIssuer lets a person find out whether Entra knows the issuer yet.
func tryTheIssuer() Statement {
	return allow("TryTheIssuer", "sts:GetWebIdentityToken", everything).where("ForAllValues:StringLike", "sts:IdentityTokenAudience", "api://AzureADTokenExchange*")
}

// deployRuns is for what runs: functions, their roles, the API, the schedules.
func deployRuns(a arns) []Statement {
	functions := a.named("lambda", "function:")
	apis := "arn:" + part(a.Partition) + ":apigateway:" + part(a.Region) + "::"
	return []Statement{
		allow("Roles", "iam:CreateRole DeleteRole* GetRole* UpdateRole* UpdateAssumeRolePolicy *agRole PutRole* List*RolePolicies", a.roles()),
		allow("PassRoles", "iam:PassRole", a.roles()).where("StringEquals", "iam:PassedToService", "lambda.amazonaws.com", "scheduler.amazonaws.com"),
		// API Gateway makes it once in an account:
		// https://docs.aws.amazon.com/apigateway/latest/developerguide/using-service-linked-roles.html
		allow("ApiServiceRole", "iam:CreateServiceLinkedRole", a.global("iam", part(a.Account), "role/aws-service-role/ops.apigateway.amazonaws.com/*")),
		allow("Functions", "lambda:*Function* GetPolicy *RuntimeManagementConfig AddPermission RemovePermission ListTags *agResource", functions, a.of("lambda", "event-source-mapping:*")),
		allow("EventSource", "lambda:*EventSourceMapping", everything).where("ArnLike", "lambda:FunctionArn", functions),
		allow("Api", "apigateway:GET POST PUT PATCH DELETE *agResource", apis+"/apis", apis+"/apis/*", apis+"/tags/*"),
		allow("Schedules", "scheduler:*Schedule", a.named("scheduler", "schedule/default/")),
	}
}

// deployKeeps is for what is stored and watched.
func deployKeeps(a arns) []Statement {
	return []Statement{
		allow("Queues", "sqs:CreateQueue DeleteQueue GetQueue* SetQueueAttributes ListQueueTags *agQueue", a.named("sqs", "")),
		allow("Table", "dynamodb:*Table *ContinuousBackups *TimeToLive Describe* GetResourcePolicy ListTagsOfResource *agResource BatchGetItem GetItem Scan", a.named("dynamodb", "table/")),
		allow("Secrets", "secretsmanager:*Secret *SecretValue UpdateSecretVersionStage *agResource", a.secrets()[0], a.of("secretsmanager", "secret:"+a.Stack+"/*")),
		allow("LogGroups", "logs:*LogGroup *RetentionPolicy *KmsKey GetDataProtectionPolicy DescribeIndexPolicies DescribeLogStreams FilterLogEvents ListTagsForResource *agResource",
			append(a.apiLogs(), a.logs())...),
		allow("Topic", "sns:*Topic Get* SetTopicAttributes List* *agResource Subscribe", a.named("sns", "")),
		allow("Watch", "cloudwatch:PutMetricAlarm DeleteAlarms *Dashboard DeleteDashboards ListTagsForResource *agResource",
			a.named("cloudwatch", "alarm:"), a.global("cloudwatch", part(a.Account), "dashboard/"+a.Stack+"-*")),
	}
}

// Operator is for those who run a deployment: status, history, doctor, pause, resume, release,
// sweep, the dead letters, and a person's orders to the queue. An order to the queue signs
// people out. What doctor mends by changing the stack's resources takes Deploy.
func Operator(p Place) Policy {
	a := arns(p)
	queue, dead, signals := a.queue("NotificationQueue"), a.queue("DeadLetterQueue"), a.queue("SignalDeadLetterQueue")
	return policy(append(look(a),
		allow("Order", "lambda:InvokeFunction", a.of("lambda", "function:"+a.Stack+"-sweeper")),
		allow("Stamp", "sqs:SendMessage GetQueueUrl", queue),
		// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
		// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
		allow("Key", "kms:Decrypt GenerateDataKey", a.of("kms", "key/*")).where("StringLike", "kms:ViaService", "sqs.*", "dynamodb.*"),
		allow("Redrive", "sqs:StartMessageMoveTask ListMessageMoveTasks CancelMessageMoveTask ReceiveMessage DeleteMessage", dead, signals),
		allow("Resend", "sqs:SendMessage", a.queue("SignalQueue"), a.queue("UrgentSignalQueue")),
		allow("SignalQueues", "sqs:GetQueueAttributes", a.queue("SignalQueue"), a.queue("UrgentSignalQueue"), signals),
		allow("Settings", "lambda:GetFunctionConfiguration GetFunctionConcurrency", a.named("lambda", "function:")),
		allow("Account", "lambda:GetAccountSettings iam:GetOutboundWebIdentityFederationInfo kms:DescribeKey secretsmanager:ListSecrets", everything),
		tryTheIssuer(),
		allow("Parts", "iam:GetRole scheduler:GetSchedule sns:ListSubscriptionsByTopic dynamodb:DescribeTable DescribeContinuousBackups", a.roles(), a.named("scheduler", "schedule/default/"), a.named("sns", ""), a.table()),
		allow("Secrets", "secretsmanager:DescribeSecret", a.secrets()...),
		allow("ApiLogs", "logs:FilterLogEvents", a.apiLogs()...),
	)...)
}

// Signals is for those who add, test and remove the sources of signals (sessionstamp signal).
// They hold what a provider proves itself by, so a signal of theirs can sign people out. Of the
// table they write the sources alone: see [leading keys].
//
// [leading keys]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
func Signals(p Place) Policy {
	a := arns(p)
	return policy(append(look(a),
		allow("Sources", "secretsmanager:CreateSecret DescribeSecret GetSecretValue PutSecretValue UpdateSecretVersionStage DeleteSecret", a.signals()),
		allow("SignalQueues", "sqs:GetQueueAttributes", a.queue("SignalQueue"), a.queue("UrgentSignalQueue"), a.queue("SignalDeadLetterQueue")),
		allow("ListSecrets", "secretsmanager:ListSecrets", everything),
		allow("Registry", "dynamodb:PutItem", a.table()).where("ForAllValues:StringLike", "dynamodb:LeadingKeys", "*#signals"),
		allow("Key", "kms:Decrypt GenerateDataKey", a.of("kms", "key/*")).where("StringLike", "kms:ViaService", "secretsmanager.*", "dynamodb.*"),
	)...)
}

// Helpdesk is for those who answer users: status, history, why. It only reads, and no secret.
func Helpdesk(p Place) Policy { return policy(look(arns(p))...) }

// look is what status and history read.
func look(a arns) []Statement {
	return []Statement{
		allow("Stack", "cloudformation:DescribeStacks DescribeStackEvents DescribeStackResources ListStackResources", a.stack()),
		allow("NoResource", "cloudformation:ListStacks DescribeStacks cloudwatch:DescribeAlarms GetMetricData", everything),
		allow("Queues", "sqs:GetQueueAttributes", a.queue("NotificationQueue"), a.queue("DeadLetterQueue")),
		allow("Records", "dynamodb:GetItem BatchGetItem", a.table()),
		allow("EventSource", "lambda:GetEventSourceMapping", everything).where("ArnLike", "lambda:FunctionArn", a.named("lambda", "function:")),
		allow("Logs", "logs:FilterLogEvents", a.logs()),
	}
}
