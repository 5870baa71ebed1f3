package stack_test

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/sessionstamp/sessionstamp/shared/aws/account"
	"github.com/sessionstamp/sessionstamp/shared/aws/mototest"
	"github.com/sessionstamp/sessionstamp/shared/aws/stack"
)

// toMoto carries all calls to a server of moto's.
type toMoto struct{ host string }

func (m toMoto) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host = "http", m.host
	return http.DefaultTransport.RoundTrip(r)
}

// TestLeftovers: what a stack of the name has left is found, and only what is empty is
// discarded; tables of others are let be.
func TestLeftovers(t *testing.T) {
	t.Parallel()
	endpoint := mototest.Start(t)
	at, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"AWS_REGION": mototest.Region, "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "no-secret", "HOME": t.TempDir()}
	a, err := account.Open(t.Context(), account.Options{Env: func(name string) string { return env[name] }, Transport: toMoto{at.Host}})
	if err != nil {
		t.Fatal(err)
	}
	tables, logs := dynamodb.NewFromConfig(a.Config()), cloudwatchlogs.NewFromConfig(a.Config())
	for name, owner := range map[string]string{"one-Table-EMPTY": "one", "one-Table-USED": "one", "one-Table-OTHERS": "two", "one-Table-NOBODYS": "", "other": "one"} {
		in := &dynamodb.CreateTableInput{
			TableName: &name, BillingMode: types.BillingModePayPerRequest, DeletionProtectionEnabled: aws.Bool(true),
			AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS}},
			KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}},
		}
		if owner != "" {
			in.Tags = []types.Tag{{Key: aws.String("aws:cloudformation:stack-name"), Value: &owner}}
		}
		if _, err := tables.CreateTable(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	item := map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: "k"}}
	_, errItem := tables.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("one-Table-USED"), Item: item})
	group := aws.String("/aws/lambda/one-stamper")
	_, errGroup := logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: group})
	if err := errors.Join(errItem, errGroup); err != nil {
		t.Fatal(err)
	}
	look := func(want ...stack.Leftover) {
		t.Helper()
		left, err := stack.Leftovers(t.Context(), a, "one")
		slices.SortFunc(left, func(x, y stack.Leftover) int { return strings.Compare(x.Name, y.Name) })
		if err != nil || !slices.Equal(left, want) {
			t.Fatalf("%v, left %+v, want %+v", err, left, want)
		}
	}
	log, empty, used := stack.Leftover{Name: *group, Log: true, Empty: true}, stack.Leftover{Name: "one-Table-EMPTY", Empty: true}, stack.Leftover{Name: "one-Table-USED"}
	look(log, empty, used)
	if err := errors.Join(stack.Discard(t.Context(), a, log), stack.Discard(t.Context(), a, empty)); err != nil {
		t.Fatal(err)
	}
	if err := stack.Discard(t.Context(), a, used); !errors.Is(err, stack.ErrInUse) {
		t.Errorf("a table with something in it: %v", err)
	}
	if _, err := logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: group}); err != nil {
		t.Fatal(err)
	}
	if _, err := logs.CreateLogStream(t.Context(), &cloudwatchlogs.CreateLogStreamInput{LogGroupName: group, LogStreamName: aws.String("s")}); err != nil {
		t.Fatal(err)
	}
	look(stack.Leftover{Name: *group, Log: true}, used)
}
