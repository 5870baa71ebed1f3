package e2e

import (
	"maps"
	"path"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/sessionstamp/sessionstamp/infra/e2e/awstest"
)

// turned gives the stack a status.
func turned(status, reason string) func(*patient) func() {
	return func(p *patient) func() { return p.becomes(status, reason) }
}

var stackFaults = []fault{
	{name: "outbound federation is off", id: "federation_off", make: func(p *patient) func() {
		p.aws.SetFederation(false)
		return func() { p.aws.SetFederation(true) }
	}},
	{name: "there is no such stack", id: "stack_missing", make: func(p *patient) func() {
		p.args = []string{"--stack", "elsewhere"}
		return func() { p.args = nil }
	}},
	{name: "nothing is deployed yet", id: "not_deployed", also: []string{"federation_to_come", "not_needed"}, make: func(p *patient) func() {
		p.aws.SetFederation(false)
		stacks := p.formation.stacks
		p.formation.stacks = nil
		return func() {
			p.aws.SetFederation(true)
			p.formation.stacks = stacks
		}
	}},
	{name: "the stack was never deployed", id: "stack_never_stood", make: turned("ROLLBACK_COMPLETE", "AADSTS700213: no matching federated identity record")},
	{name: "the last update was undone", id: "stack_update_undone", make: turned("UPDATE_ROLLBACK_COMPLETE", "The role is not there")},
	{name: "an update can't be undone", id: "stack_update_stuck", make: turned("UPDATE_ROLLBACK_FAILED", "The role is not there")},
	{name: "a removal has failed", id: "stack_delete_failed", make: turned("DELETE_FAILED", "The bucket is not empty")},
	{name: "the stack is being changed", id: "stack_busy", make: turned("UPDATE_IN_PROGRESS", "")},
	{name: "two stacks serve one tenant", id: "stacks_same_tenant", also: []string{"app_shared"}, make: func(p *patient) func() {
		twin := *p.deployment()
		twin.name, twin.id = "sessionstamp-too", twin.id+"-too"
		p.formation.stacks = append(p.formation.stacks, &twin)
		return func() { p.formation.stacks = p.formation.stacks[:1] }
	}},
}

// off disables a schedule.
func off(id string) func(*patient) func() {
	return func(p *patient) func() {
		disabled := maps.Clone(p.stack.properties(id))
		disabled["State"] = "DISABLED"
		p.put("scheduler", "/schedules/"+p.stack.ref(id), disabled)
		return nil // it is mended
	}
}

// gone has a resource be what there is not.
func gone(id, physical string) func(*patient) func() {
	return func(p *patient) func() { return p.lost(id, physical) }
}

// protected sets whether the table can be deleted, and recoverable whether it can be restored.
func (p *patient) protected(on bool) {
	p.call("DynamoDB_20120810.UpdateTable", object{"TableName": p.stack.ref("Table"), "DeletionProtectionEnabled": on})
}

func (p *patient) recoverable(on bool) {
	p.call("DynamoDB_20120810.UpdateContinuousBackups", object{"TableName": p.stack.ref("Table"),
		"PointInTimeRecoverySpecification": object{"PointInTimeRecoveryEnabled": on}})
}

// figure is what AWS measures for a while.
func (p *patient) figure(metric string, value float64) (undo func()) {
	p.lambda.Measure(metric, value)
	return func() { p.lambda.Measure(metric, 0) }
}

var resourceFaults = []fault{
	{name: "the webhook is gone", id: "function_missing", make: func(p *patient) func() {
		name := p.stack.ref("WebhookFunction")
		f := p.lambda.Function(name)
		p.lambda.Remove(name)
		return func() { p.lambda.Put(name, f) }
	}},
	{name: "the stamper can't run", id: "function_failed", make: func(p *patient) func() {
		return p.function("StamperFunction", func(f *awstest.Function) {
			f.Configuration["State"], f.Configuration["StateReason"] = "Failed", "The role defined for the function cannot be assumed by Lambda."
		})
	}},
	{name: "the keeper's reserved concurrency is 0", id: "function_stopped", make: func(p *patient) func() {
		return p.function("KeeperFunction", func(f *awstest.Function) { f.Concurrency = new(int) })
	}},
	{name: "the keeper fails", id: "function_errors", make: func(p *patient) func() { return p.figure("Errors "+p.stack.ref("KeeperFunction"), 4) }},
	{name: "the trigger is disabled", id: "source_off", make: func(p *patient) func() {
		enable := func(on bool) {
			p.put("lambda", "/2015-03-31/event-source-mappings/"+p.stack.ref("NotificationEventSource"), object{"Enabled": on})
		}
		enable(false)
		return func() { enable(true) }
	}},
	{name: "the trigger is gone", id: "source_missing", make: gone("NotificationEventSource", uuid.NewString())},
	{name: "the keeper's schedule is disabled", id: "schedule_off", fixed: true, make: off("KeeperSchedule")},
	{name: "the sweeper's schedule is disabled", id: "schedule_off", fixed: true, make: off("SweeperSchedule")},
	{name: "the sweeper's schedule is gone", id: "schedule_missing", make: gone("SweeperSchedule", "gone")},
	{name: "the queue is gone", id: "queue_missing", make: gone("NotificationQueue", "https://sqs.eu-central-1.amazonaws.com/123456789012/gone")},
	{name: "the table is gone", id: "table_missing", make: gone("Table", "sessionstamp-Table-GONE")},
	{name: "the table can be deleted", id: "table_unprotected", fixed: true, make: func(p *patient) func() {
		p.protected(false)
		return nil
	}},
	{name: "the table can't be restored", id: "table_unrecoverable", make: func(p *patient) func() {
		p.recoverable(false)
		return func() { p.recoverable(true) }
	}},
	{name: "the key is disabled", id: "key_disabled", make: func(p *patient) func() {
		key := object{"KeyId": path.Base(p.deployment().stack.given["KmsKeyArn"])}
		p.call("TrentService.DisableKey", key)
		return func() { p.call("TrentService.EnableKey", key) }
	}},
	{name: "the key will be deleted", id: "key_deleted", make: func(p *patient) func() {
		key := p.key()
		p.call("TrentService.ScheduleKeyDeletion", object{"KeyId": path.Base(key)})
		return p.parameter("KmsKeyArn", key)
	}},
	{name: "the secret will be deleted", id: "secret_deleted", make: func(p *patient) func() {
		secret := object{"SecretId": p.stack.ref("ClientStateSecret")}
		p.call("secretsmanager.DeleteSecret", secret)
		return func() { p.call("secretsmanager.RestoreSecret", secret) }
	}},
	{name: "the secret is gone", id: "secret_missing", make: gone("ClientStateSecret", "arn:aws:secretsmanager:eu-central-1:123456789012:secret:gone-AbCdEf")},
	{name: "a notification has waited for an hour", id: "queue_old", make: func(p *patient) func() {
		queue := p.stack.ref("NotificationQueue")
		p.call("AmazonSQS.SendMessage", object{"QueueUrl": queue, "MessageBody": "{}", "DelaySeconds": 900})
		undo := p.figure("ApproximateAgeOfOldestMessage "+p.stack.attribute("NotificationQueue", "QueueName"), 3600)
		return func() {
			p.call("AmazonSQS.PurgeQueue", object{"QueueUrl": queue})
			undo()
		}
	}},
	{name: "requests were given up", id: "dead_letters", make: func(p *patient) func() {
		dead := p.stack.ref("DeadLetterQueue")
		p.call("AmazonSQS.SendMessage", object{"QueueUrl": dead, "MessageBody": "{}"})
		return func() { p.call("AmazonSQS.PurgeQueue", object{"QueueUrl": dead}) }
	}},
	{name: "the API fails", id: "api_faults", make: func(p *patient) func() { return p.figure("5xx "+p.stack.ref("Api"), 3) }},
	{name: "the API refuses too many requests", id: "api_throttled", make: func(p *patient) func() {
		stream := object{"logGroupName": p.stack.ref("ApiLogGroup"), "logStreamName": "one"}
		p.call("Logs_20140328.CreateLogStream", stream)
		events := maps.Clone(stream)
		events["logEvents"] = []any{object{"timestamp": time.Now().UnixMilli(), "message": `{"status":"429"}`}}
		p.call("Logs_20140328.PutLogEvents", events)
		return func() { p.call("Logs_20140328.DeleteLogStream", stream) }
	}},
	{name: "nobody hears the alarms", id: "alarms_unheard", make: func(p *patient) func() {
		p.ask("sns", "CreateTopic", object{"Name": "unheard"})
		return p.parameter("AlarmsTo", awstest.ARN("sns", "unheard"))
	}},
	{name: "an alarm is muted", id: "alarms_muted", make: func(p *patient) func() {
		alarm := object{"AlarmNames": []any{p.stack.ref("SweepAlarm")}}
		p.ask("monitoring", "DisableAlarmActions", alarm)
		return func() { p.ask("monitoring", "EnableAlarmActions", alarm) }
	}},
}

// alarmFaults let each alarm ring that the stack has.
func alarmFaults() (all []fault) {
	for _, name := range []string{"subscription", "sweep", "missed", "needs-attention", "dead-letters", "age", "api-faults", "stamper-errors", "flood", "volume"} {
		all = append(all, fault{name: "the alarm " + name + " rings", id: "alarm_" + strings.ReplaceAll(name, "-", "_"), make: func(p *patient) func() {
			turn := func(state string) {
				p.ask("monitoring", "SetAlarmState", object{"AlarmName": stackName + "-" + name, "StateValue": state, "StateReason": "a test"})
			}
			turn("ALARM")
			return func() { turn("OK") }
		}})
	}
	return all
}

// ordered has the sweeper carry out an order, and another one afterwards.
func ordered(order, back string) func(*patient) func() {
	return func(p *patient) func() {
		p.invoke("SweeperFunction", order)
		return func() { p.invoke("SweeperFunction", back) }
	}
}

// remembered changes a record of the table.
func remembered(name string, change func(doc object)) func(*patient) func() {
	return func(p *patient) func() { return p.record(name, change) }
}

var stateFaults = []fault{
	{name: "the keeper has never run", id: "keeper_never_ran", make: remembered("keeper", nil)},
	{name: "the sweep has never run", id: "sweep_never_ran", make: remembered("sweep", nil)},
	{name: "the subscription has ended", id: "subscription_expired", make: remembered("keeper", func(doc object) { doc["Expires"] = at(time.Hour) })},
	{name: "the subscription ends soon", id: "subscription_ends", make: remembered("keeper", func(doc object) { doc["Expires"] = at(-24 * time.Hour) })},
	{name: "there is no subscription", id: "subscription_missing", make: remembered("keeper", func(doc object) { delete(doc, "Expires") })},
	{name: "the subscription was taken down", id: "taken_down", make: remembered("keeper", func(doc object) { doc["TakenDown"] = object{"BOOL": true} })},
	{name: "the keeper is stuck", id: "keeper_stuck", make: remembered("keeper", func(doc object) { doc["Claimed"] = at(3 * time.Hour) })},
	{name: "a sweep is owed", id: "sweep_owed", make: remembered("keeper", func(doc object) { doc["SweepOwed"] = object{"BOOL": true} })},
	{name: "the full round is late", id: "full_round_late", fixed: true, make: remembered("sweep", func(doc object) { doc["FullDue"] = at(48 * time.Hour) })},
	{name: "a full round is asked for", id: "full_round_owed", make: remembered("sweep", func(doc object) { delete(doc, "FullDue") })},
	{name: "a pattern excludes nobody", id: "exclusion_unmatched", make: remembered("sweep", func(doc object) {
		doc["Unmatched"] = object{"L": []any{object{"S": "svc-*@" + federated}}}
	})},
	{name: "stamping is paused", id: "paused", make: ordered(`{"pause":true}`, `{"resume":true}`)},
	{name: "the brake is reached", id: "brake_reached", make: remembered("brake", func(doc object) { doc["Reached"] = at(time.Hour) })},
	{name: "the brake of signals is reached", id: "signals_brake_reached", make: remembered("brake", func(doc object) {
		doc["Signals"] = object{"M": object{"Reached": at(time.Hour)}}
	})},
	{name: "a secret of a source is left", id: "signal_secret_orphaned", make: func(p *patient) func() {
		name := stackName + "/signal/" + strings.Repeat("0a", 16)
		p.call("secretsmanager.CreateSecret", object{"Name": name, "SecretString": "{}"})
		return func() {
			p.call("secretsmanager.DeleteSecret", object{"SecretId": name, "ForceDeleteWithoutRecovery": true})
		}
	}},
	{name: "it is only a dry run", id: "dry_run", make: func(p *patient) func() { return p.parameter("DryRun", "true") }},
}

// called is a line by which a function calls a person.
func called(reason string) object {
	return object{"Stack": stackName, "NeedsAttention": 1, "Reason": reason}
}

// counted is a line by which a function counts.
func counted(metrics object) object {
	line := maps.Clone(metrics)
	line["Stack"] = stackName
	line["_aws"] = object{"Timestamp": time.Now().UnixMilli(), "CloudWatchMetrics": []any{object{"Namespace": stackName}}}
	return line
}

// wrote lets a function write lines to its log.
func wrote(id string, lines ...object) func(*patient) func() {
	return func(p *patient) func() { return p.writes(id, lines...) }
}

var logFaults = []fault{
	{name: "the keeper calls for a person", id: "keeper_failed", make: wrote("KeeperFunction", called("keeper_failed"))},
	{name: "Entra refuses the sweeper", id: "sign_in_refused", make: wrote("SweeperFunction", called("sign_in_refused"))},
	{name: "a request waits too long", id: "put_back", make: wrote("StamperFunction", called("put_back"))},
	{name: "a user can't be read", id: "unreadable_user", make: wrote("SweeperFunction", called("unreadable_user"))},
	{name: "Graph delivers what can't be read", id: "malformed_delivery", make: wrote("WebhookFunction", called("malformed_delivery"))},
	{name: "somebody else posts to the webhook", id: "notifications_forged", make: wrote("WebhookFunction", counted(object{"NotificationsForged": 7}))},
	{name: "Graph refuses an administrator's stamp", id: "users_cannot_fix", make: wrote("StamperFunction", object{"reason": "forbidden", "user": aGUID})},
	{name: "no notification comes", id: "notifications_silent", make: wrote("StamperFunction", counted(object{"UsersStamped": 3, "UsersMissed": 3}))},
	{name: "some notifications don't come", id: "notifications_missed", make: wrote("StamperFunction", counted(object{"UsersStamped": 3, "UsersMissed": 1}))},
}
