package stack

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/sessionstamp/sessionstamp/shared/aws/account"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

// FunctionFailed is the error of a function that ran, and failed.
type FunctionFailed struct {
	// Function is its name in the template, such as "SweeperFunction".
	Function string
	// Message is the text of its error, which says what to do.
	Message string
}

// Error is the function's text.
func (f *FunctionFailed) Error() string { return f.Message }

// Order gives the sweeper an order, and waits for its report: up to 15 minutes. The order
// is sent once; if the answer is lost, it may have been carried out. Orders may be repeated.
func (s *Stack) Order(ctx context.Context, o sweep.Order) (sweep.Report, error) {
	const function = "SweeperFunction"
	name, err := s.resource(function)
	if err != nil {
		return sweep.Report{}, err
	}
	client := lambda.NewFromConfig(s.account.Config(), func(o *lambda.Options) { o.Retryer = aws.NopRetryer{} })
	answer, err := client.Invoke(ctx, &lambda.InvokeInput{FunctionName: &name, Payload: []byte(o)})
	if err != nil {
		return sweep.Report{}, account.Explain(err)
	}
	if answer.FunctionError != nil {
		var said struct{ ErrorMessage string }
		_ = json.Unmarshal(answer.Payload, &said) // without a text its kind has to do
		return sweep.Report{}, &FunctionFailed{function, cmp.Or(account.Plain(said.ErrorMessage), *answer.FunctionError)}
	}
	var report sweep.Report
	if err := json.Unmarshal(answer.Payload, &report); err != nil {
		return sweep.Report{}, fmt.Errorf("report of the sweeper: %w", err)
	}
	return report, nil
}
