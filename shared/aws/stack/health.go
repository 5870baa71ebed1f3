package stack

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/sessionstamp/sessionstamp/shared/aws/account"
)

// TableSettings are those of the table that keep what is in it.
type TableSettings struct {
	// Protected: deletion protection is on. Recoverable: point-in-time recovery is.
	Protected, Recoverable bool
}

// TableSettings looks at the table. Where it is gone the error is [ErrNoResource].
func (s *Stack) TableSettings(ctx context.Context) (t TableSettings, err error) {
	name, err := s.resource("Table")
	if err != nil {
		return t, err
	}
	client := dynamodb.NewFromConfig(s.account.Config())
	is, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	if err != nil {
		return t, explain(err)
	}
	t.Protected = aws.ToBool(is.Table.DeletionProtectionEnabled)
	backups, err := client.DescribeContinuousBackups(ctx, &dynamodb.DescribeContinuousBackupsInput{TableName: &name})
	if err != nil {
		return t, explain(err)
	}
	if d := backups.ContinuousBackupsDescription; d != nil && d.PointInTimeRecoveryDescription != nil {
		t.Recoverable = d.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus == dynamodbtypes.PointInTimeRecoveryStatusEnabled
	}
	return t, nil
}

// KeyState is the [state] of the stack's own KMS key, such as "Enabled"; "" where it has
// none.
//
// [state]: https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
func (s *Stack) KeyState(ctx context.Context) (string, error) {
	key := s.Parameters["KmsKeyArn"]
	if key == "" {
		return "", nil
	}
	is, err := kms.NewFromConfig(s.account.Config()).DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &key})
	if err != nil {
		return "", account.Explain(err)
	}
	return string(is.KeyMetadata.KeyState), nil
}

// Secrets are the ARNs of the secrets that the stack needs, by the names "clientState" and
// "credential"; the second is there only where one is stored.
func (s *Stack) Secrets() map[string]string {
	arns := map[string]string{"clientState": s.Resources["ClientStateSecret"]}
	if stored := s.Parameters["CredentialSecretArn"]; stored != "" {
		arns["credential"] = stored
	}
	return arns
}

// SecretDeleted tells whether a secret is scheduled for deletion. Where it is gone the error
// is [ErrNoResource].
func (s *Stack) SecretDeleted(ctx context.Context, arn string) (bool, error) {
	if arn == "" {
		return false, fmt.Errorf("%w: a secret", ErrNoResource)
	}
	is, err := secretsmanager.NewFromConfig(s.account.Config()).DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &arn})
	if err != nil {
		return false, explain(err)
	}
	return is.DeletedDate != nil, nil
}

// Receivers counts who gets the alarms: the confirmed ones, and those who have been asked and
// have not answered ([ListSubscriptionsByTopic]).
//
// [ListSubscriptionsByTopic]: https://docs.aws.amazon.com/sns/latest/api/API_ListSubscriptionsByTopic.html
func (s *Stack) Receivers(ctx context.Context) (confirmed, pending int, err error) {
	topic := s.Resources["AlarmTopic"]
	if to := s.Parameters["AlarmsTo"]; strings.HasPrefix(to, "arn:") {
		topic = to
	}
	if topic == "" {
		return 0, 0, fmt.Errorf("%w: AlarmTopic", ErrNoResource)
	}
	pages := sns.NewListSubscriptionsByTopicPaginator(sns.NewFromConfig(s.account.Config()), &sns.ListSubscriptionsByTopicInput{TopicArn: &topic})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return confirmed, pending, account.Explain(err)
		}
		for _, one := range page.Subscriptions {
			switch arn := aws.ToString(one.SubscriptionArn); {
			case strings.HasPrefix(arn, "arn:"):
				confirmed++
			case arn == "PendingConfirmation":
				pending++
			}
		}
	}
	return confirmed, pending, nil
}

// Figures are what AWS itself has measured.
type Figures struct {
	// Errors are the invocations that failed, by the logical names of the functions.
	Errors map[string]int
	// Faults are the requests that the API has answered with 5xx.
	Faults int
	// Oldest is how long the oldest request has been waiting at most, in the last quarter of
	// an hour.
	Oldest time.Duration
}

// A measure is one metric of AWS.
type measure struct {
	namespace, name, dimension, value, stat string
	since                                   time.Duration
}

// Figures reads them: errors of the last hour, faults of the last day.
func (s *Stack) Figures(ctx context.Context, now time.Time) (f Figures, err error) {
	queue := s.Resources["NotificationQueue"] // its URL
	measures := []measure{
		{"AWS/ApiGateway", "5xx", "ApiId", s.Resources["Api"], "Sum", 24 * time.Hour},
		{"AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", queue[strings.LastIndex(queue, "/")+1:], "Maximum", 15 * time.Minute},
	}
	names := s.FunctionNames()
	for _, logical := range names {
		measures = append(measures, measure{"AWS/Lambda", "Errors", "FunctionName", s.Resources[logical], "Sum", time.Hour})
	}
	values, err := s.measured(ctx, measures, now)
	if err != nil {
		return f, err
	}
	f = Figures{Errors: make(map[string]int), Faults: int(values[0]), Oldest: time.Duration(values[1]) * time.Second}
	for i, logical := range names {
		f.Errors[logical] = int(values[2+i])
	}
	return f, nil
}

// measured reads each in pieces of five minutes, and sums them up or takes the largest. What
// was never sent is 0.
func (s *Stack) measured(ctx context.Context, measures []measure, now time.Time) ([]float64, error) {
	const piece = 5 * 60
	in := &cloudwatch.GetMetricDataInput{StartTime: aws.Time(now.Add(-24 * time.Hour)), EndTime: &now}
	for i, m := range measures {
		if m.value == "" {
			continue // it is gone, and others say so
		}
		in.MetricDataQueries = append(in.MetricDataQueries, m.query(i, piece))
	}
	results, err := s.metricData(ctx, in)
	if err != nil {
		return nil, err
	}
	values := make([]float64, len(measures))
	for _, result := range results {
		i, err := strconv.Atoi(strings.TrimPrefix(aws.ToString(result.Id), "m"))
		if err == nil && i < len(values) {
			values[i] = measures[i].add(values[i], result, now)
		}
	}
	return values, nil
}

// query asks for the metric in pieces of so many seconds, by a number.
func (m measure) query(number int, piece int32) types.MetricDataQuery {
	return types.MetricDataQuery{
		Id: aws.String(fmt.Sprintf("m%d", number)), Label: &m.name,
		MetricStat: &types.MetricStat{Period: &piece, Stat: &m.stat, Metric: &types.Metric{
			Namespace: &m.namespace, MetricName: &m.name, Dimensions: []types.Dimension{{Name: &m.dimension, Value: &m.value}},
		}},
	}
}

// metricData reads all pages. Where nothing is asked it makes no call.
func (s *Stack) metricData(ctx context.Context, in *cloudwatch.GetMetricDataInput) (all []types.MetricDataResult, _ error) {
	pages := cloudwatch.NewGetMetricDataPaginator(cloudwatch.NewFromConfig(s.account.Config()), in)
	for len(in.MetricDataQueries) > 0 && pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, account.Explain(err)
		}
		all = append(all, page.MetricDataResults...)
	}
	return all, nil
}

// add counts what is young enough.
func (m measure) add(value float64, result types.MetricDataResult, now time.Time) float64 {
	for i, at := range result.Timestamps {
		switch {
		case i >= len(result.Values) || at.Before(now.Add(-m.since)):
		case m.stat == "Sum":
			value += result.Values[i]
		default:
			value = max(value, result.Values[i])
		}
	}
	return value
}
