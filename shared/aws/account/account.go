// Package account is a person's AWS account, as package config of AWS's SDK finds it: who
// is signed in, in which region and why that one, and what a deployment needs of the
// account. Its errors say what is missing; see [Explain].
package account

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"
)

// Options say which account is meant. Empty ones leave it to the [default chain].
//
// [default chain]: https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
type Options struct {
	// Profile and Region are what the person has named.
	Profile, Region string
	// Env returns a variable of the environment, "" if it is not set. Required.
	Env func(string) string
	// Transport carries all calls but those that get credentials; nil means the SDK's
	// own. With one, no machine's role is asked for.
	Transport http.RoundTripper
}

// Where a region comes from, beside the variables AWS_REGION and AWS_DEFAULT_REGION.
const (
	// FromFlag: [Options].Region.
	FromFlag = "--region"
	// FromProfile: the file ~/.aws/config, in the profile [Account].Profile.
	FromProfile = "~/.aws/config"
)

// An Account is one in which somebody is signed in.
type Account struct {
	// ID has twelve digits. Partition is "aws", "aws-us-gov", "aws-cn" or another.
	ID, Partition string
	// Caller is the ARN of who is signed in.
	Caller string
	// Region is where everything lies. RegionFrom is [FromFlag], [FromProfile] or the
	// name of a variable.
	Region, RegionFrom string
	// Profile is the one that is used, "default" where none was named.
	Profile string

	config aws.Config
}

// regions have names such as ap-northeast-1.
var regions = regexp.MustCompile(`^[a-z]+(-[a-z]+)+-[0-9]+$`)

// Open finds out who is signed in. It guesses no region: without one, or with what cannot be
// one, it returns [ErrNoRegion]. Others are [ErrNoCredentials], [ErrExpired], [ErrInvalid] and
// [ErrUnreachable].
func Open(ctx context.Context, o Options) (*Account, error) {
	a := &Account{Profile: cmp.Or(o.profile(), "default")}
	var err error
	if a.config, err = o.load(ctx); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoCredentials, err)
	}
	if a.Region, a.RegionFrom = a.config.Region, o.regionFrom(); !regions.MatchString(a.Region) {
		return nil, ErrNoRegion
	}
	if _, err := a.config.Credentials.Retrieve(ctx); err != nil {
		return nil, explainCredentials(ctx, a.config.Credentials, err)
	}
	who, err := sts.NewFromConfig(a.config).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return nil, Explain(err)
	}
	a.ID, a.Caller = aws.ToString(who.Account), aws.ToString(who.Arn)
	parsed, err := arn.Parse(a.Caller)
	if err != nil {
		return nil, fmt.Errorf("who is signed in to AWS: %w", err)
	}
	a.Partition = parsed.Partition
	return a, nil
}

// Config is what the clients of AWS's SDK need.
func (a *Account) Config() aws.Config { return a.config }

// profile is what flag or variable say, "" where neither does.
func (o Options) profile() string { return cmp.Or(o.Profile, o.Env("AWS_PROFILE")) }

// regionVariables are those that the SDK reads, the first one first
// (https://docs.aws.amazon.com/sdkref/latest/guide/feature-region.html).
var regionVariables = [...]string{"AWS_REGION", "AWS_DEFAULT_REGION"}

func (o Options) regionFrom() string {
	if o.Region != "" {
		return FromFlag
	}
	for _, name := range regionVariables {
		if o.Env(name) != "" {
			return name
		}
	}
	return FromProfile
}

// region is what flag or variable say, "" where it is the profile's.
func (o Options) region() string {
	return cmp.Or(o.Region, o.Env(regionVariables[0]), o.Env(regionVariables[1]))
}

// load reads what the SDK does, with the environment that o has.
func (o Options) load(ctx context.Context) (aws.Config, error) {
	var with []func(*config.LoadOptions) error
	add := func(option config.LoadOptionsFunc) { with = append(with, option) }
	add(config.WithLogger(logging.Nop{})) // whose lines would stand between those of a screen
	if region := o.region(); region != "" {
		add(config.WithRegion(region))
	}
	if name := o.profile(); name != "" {
		add(config.WithSharedConfigProfile(name))
	}
	if file := o.Env("AWS_CONFIG_FILE"); file != "" {
		add(config.WithSharedConfigFiles([]string{file}))
	}
	if file := o.Env("AWS_SHARED_CREDENTIALS_FILE"); file != "" {
		add(config.WithSharedCredentialsFiles([]string{file}))
	}
	if id := o.Env("AWS_ACCESS_KEY_ID"); id != "" && o.Profile == "" {
		add(config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(id, o.Env("AWS_SECRET_ACCESS_KEY"), o.Env("AWS_SESSION_TOKEN"))))
	}
	if url := o.Env("AWS_ENDPOINT_URL"); url != "" {
		add(config.WithBaseEndpoint(url))
	}
	if o.Transport != nil {
		add(config.WithEC2IMDSClientEnableState(imds.ClientDisabled))
	}
	loaded, err := config.LoadDefaultConfig(ctx, with...)
	switch {
	case o.Transport != nil:
		loaded.HTTPClient = &http.Client{Transport: o.Transport} // as an option it would contradict AWS_CA_BUNDLE
	case loaded.HTTPClient == nil:
		loaded.HTTPClient = awshttp.NewBuildableClient()
	}
	loaded.HTTPClient = whole{loaded.HTTPClient}
	return loaded, err
}

// A whole client sends each request from memory. The SDK closes a body as soon as there is an
// answer, and a closed one has WriteTo return io.EOF, which net/http takes for a failure if it
// has not looked for the end of the body by then, as on a busy machine: it breaks the connection
// in the middle of the answer
// (https://github.com/aws/aws-sdk-go-v2/issues/2737,
// https://github.com/aws/smithy-go/blob/main/transport/http/internal/io/safe.go).
type whole struct{ aws.HTTPClient }

// Do implements [aws.HTTPClient].
func (w whole) Do(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		return w.HTTPClient.Do(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	sent := *r
	sent.Body = io.NopCloser(bytes.NewReader(body))
	return w.HTTPClient.Do(&sent)
}
