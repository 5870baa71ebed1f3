package stack

import (
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/sessionstamp/sessionstamp/shared/aws/account"
	"github.com/sessionstamp/sessionstamp/shared/aws/mototest"
)

// must is what a test takes for granted.
func must[T any](value T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// inMoto is a stack of which there is nothing yet.
func inMoto(t *testing.T) (*Stack, aws.Config) {
	t.Helper()
	endpoint := mototest.Start(t)
	a := must(account.Open(t.Context(), account.Options{Env: func(name string) string {
		return map[string]string{
			"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "no-secret", "AWS_ENDPOINT_URL": endpoint,
			"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
		}[name]
	}}))(t)
	return &Stack{Name: "s", Parameters: map[string]string{}, Resources: map[string]string{}, account: a}, a.Config()
}

// TestKeptSafe looks at what keeps the records, and switches it on.
func TestKeptSafe(t *testing.T) {
	t.Parallel()
	s, config := inMoto(t)
	s.Resources["Table"] = "table"
	if _, err := s.TableSettings(t.Context()); !errors.Is(err, ErrNoResource) {
		t.Errorf("without a table: %v", err)
	}
	must(dynamodb.NewFromConfig(config).CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("table"), BillingMode: dynamodbtypes.BillingModePayPerRequest,
		AttributeDefinitions: []dynamodbtypes.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: "S"}},
		KeySchema:            []dynamodbtypes.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: "HASH"}},
	}))(t)
	if got := must(s.TableSettings(t.Context()))(t); got != (TableSettings{}) {
		t.Errorf("a new table: %+v", got)
	}
	if err := s.ProtectTable(t.Context()); err != nil || !must(s.TableSettings(t.Context()))(t).Protected {
		t.Errorf("not protected: %v", err)
	}

	client := kms.NewFromConfig(config)
	if state := must(s.KeyState(t.Context()))(t); state != "" {
		t.Errorf("no key is %s", state)
	}
	key := must(client.CreateKey(t.Context(), &kms.CreateKeyInput{}))(t).KeyMetadata
	s.Parameters["KmsKeyArn"] = *key.Arn
	must(client.DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: key.KeyId}))(t)
	if state := must(s.KeyState(t.Context()))(t); state != "Disabled" {
		t.Errorf("the key is %s", state)
	}

	secrets := secretsmanager.NewFromConfig(config)
	arn := *must(secrets.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String("cs"), SecretString: aws.String("x")}))(t).ARN
	before := must(s.SecretDeleted(t.Context(), arn))(t)
	must(secrets.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: &arn}))(t)
	if after := must(s.SecretDeleted(t.Context(), arn))(t); before || !after {
		t.Errorf("deleted before %t, after %t", before, after)
	}
	for _, gone := range []string{"", "nothing"} {
		if _, err := s.SecretDeleted(t.Context(), gone); !errors.Is(err, ErrNoResource) {
			t.Errorf("%q: %v", gone, err)
		}
	}
}

// TestHeard: who gets the alarms, of the stack's topic or of another.
func TestHeard(t *testing.T) {
	t.Parallel()
	s, config := inMoto(t)
	if _, _, err := s.Receivers(t.Context()); !errors.Is(err, ErrNoResource) {
		t.Errorf("without a topic: %v", err)
	}
	client := sns.NewFromConfig(config)
	for name, keep := range map[string]func(string){
		"ours": func(arn string) { s.Resources["AlarmTopic"] = arn }, "theirs": func(arn string) { s.Parameters["AlarmsTo"] = arn },
	} {
		topic := must(client.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: &name}))(t).TopicArn
		keep(*topic)
		if name == "ours" {
			continue
		}
		must(client.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: topic, Protocol: aws.String("sqs"), Endpoint: aws.String("arn:aws:sqs:us-east-1:123456789012:q")}))(t)
	}
	if confirmed, pending, err := s.Receivers(t.Context()); confirmed != 1 || pending != 0 || err != nil {
		t.Errorf("theirs: %d, %d, %v", confirmed, pending, err)
	}
	delete(s.Parameters, "AlarmsTo")
	if confirmed, pending, err := s.Receivers(t.Context()); confirmed+pending != 0 || err != nil {
		t.Errorf("ours: %d, %d, %v", confirmed, pending, err)
	}
}

// TestEnableSchedule changes nothing of a schedule but that it is on.
func TestEnableSchedule(t *testing.T) {
	t.Parallel()
	s, config := inMoto(t)
	client := scheduler.NewFromConfig(config)
	s.Resources["KeeperSchedule"] = "keeper"
	must(client.CreateSchedule(t.Context(), &scheduler.CreateScheduleInput{
		Name: aws.String("keeper"), State: schedulertypes.ScheduleStateDisabled, Description: aws.String("why"), ScheduleExpression: aws.String("rate(15 minutes)"),
		FlexibleTimeWindow: &schedulertypes.FlexibleTimeWindow{Mode: "OFF"},
		Target:             &schedulertypes.Target{Arn: aws.String("arn:aws:lambda:us-east-1:123456789012:function:f"), RoleArn: aws.String("arn:aws:iam::123456789012:role/r"), Input: aws.String("{}")},
	}))(t)
	if err := s.EnableSchedule(t.Context(), "KeeperSchedule"); err != nil {
		t.Fatal(err)
	}
	is := must(client.GetSchedule(t.Context(), &scheduler.GetScheduleInput{Name: aws.String("keeper")}))(t)
	if is.State != "ENABLED" || *is.Description != "why" || *is.ScheduleExpression != "rate(15 minutes)" || *is.Target.Input != "{}" {
		t.Errorf("%+v", is)
	}
	if err := s.EnableSchedule(t.Context(), "SweeperSchedule"); !errors.Is(err, ErrNoResource) {
		t.Errorf("a schedule that there is not: %v", err)
	}
}

// TestMeasured: each counts over its own time.
func TestMeasured(t *testing.T) {
	t.Parallel()
	now := time.Now()
	result := types.MetricDataResult{
		Timestamps: []time.Time{now.Add(-2 * time.Hour), now.Add(-20 * time.Minute), now.Add(-5 * time.Minute), now}, Values: []float64{100, 3, 4},
	}
	for want, m := range map[float64]measure{107: {stat: "Sum", since: 3 * time.Hour}, 7: {stat: "Sum", since: time.Hour}, 4: {stat: "Maximum", since: time.Hour}} {
		if got := m.add(0, result, now); got != want {
			t.Errorf("%+v: got %g, want %g", m, got, want)
		}
	}
}
