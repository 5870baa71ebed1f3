package identity_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/aws/identity"
	"github.com/sessionstamp/sessionstamp/shared/aws/ststest"
)

const (
	issuer   = "https://3f0c1a2b-4d5e-4f60-8a9b-0c1d2e3f4a5b.tokens.sts.global.api.aws"
	role     = "arn:aws:iam::123456789012:role/sessionstamp-revoker"
	audience = "api://AzureADTokenExchange"
)

// client is the real client of the SDK, whose requests go to transport.
func client(transport http.RoundTripper, change func(*sts.Options)) *sts.Client {
	o := sts.Options{
		Region:      "eu-central-1",
		Credentials: credentials.NewStaticCredentialsProvider("id", "key", "session"),
		HTTPClient:  &http.Client{Transport: transport},
		Retryer:     aws.NopRetryer{},
	}
	if change != nil {
		change(&o)
	}
	return sts.New(o)
}

// source returns a source over that client.
func source(transport http.RoundTripper) *identity.Source {
	return identity.NewSource(client(transport, nil), audience)
}

// A token is asked of the region, for Entra, in the one algorithm that Entra takes,
// and for five minutes.
func TestToken(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 1, 10, 0, 0, 0, time.UTC)
	server := ststest.New(ststest.Options{Issuer: issuer, Subject: role, Now: func() time.Time { return now }})
	token, err := source(server).Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []ststest.Request{{Host: "sts.eu-central-1.amazonaws.com", Audience: []string{audience}, Algorithm: "RS256", Seconds: 300}}
	if diff := cmp.Diff(want, server.Requests()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	var claims jwt.RegisteredClaims
	if _, _, err := jwt.NewParser().ParseUnverified(token, &claims); err != nil {
		t.Fatal(err)
	}
	if claims.Issuer != issuer || claims.Subject != role || claims.Audience[0] != audience || !claims.ExpiresAt.Equal(now.Add(5*time.Minute)) {
		t.Errorf("claims %+v", claims)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, code, message, says string
		status                    int
	}{
		{"switched off", identity.CodeDisabled, "Outbound web identity federation is not enabled.", "aws iam enable-outbound-web-identity-federation", 403},
		{"not allowed", identity.CodeDenied, "User: " + role + " is not authorized to perform: sts:GetWebIdentityToken", "allow the function's role sts:GetWebIdentityToken", 403},
		{"escalation", identity.CodeEscalation, "too long", "ends too soon", 403},
		{"too large", identity.CodeTooLarge, "too many tags", "remove some", 400},
		{"expired", identity.CodeExpired, "The security token included in the request is expired", "has expired", 403},
		{"region not enabled", identity.CodeInvalid, "The security token included in the request is invalid", "enabled", 403},
		{"throttled", "Throttling", "Rate exceeded", "nothing needs to be done", 400},
		{"throttled by another name", "RequestLimitExceeded", "Rate exceeded", "nothing needs to be done", 400},
		{"failure", "InternalFailure", "We encountered an internal error.", "nothing needs to be done", 500},
		{"out of service", "ServiceUnavailable", "Service is unavailable.", "nothing needs to be done", 503},
		{"another", "ValidationError", "1 validation error detected", "see what AWS says", 400},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := ststest.New(ststest.Options{Issuer: issuer, Subject: role})
			server.Refuse(tt.status, tt.code, tt.message)
			token, err := source(server).Token(t.Context())
			e, ok := errors.AsType[*identity.Error](err)
			if !ok || token != "" || e.Code != tt.code || e.ErrorCode() != tt.code {
				t.Fatalf("token %q, error %v", token, err)
			}
			if !strings.Contains(e.Error(), tt.says) || !strings.Contains(e.Error(), tt.message) {
				t.Errorf("error %q does not say %q", e, tt.says)
			}
			if n := len(server.Requests()); n != 1 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

// The SDK's own type is still there for who looks for it.
func TestRefusalIsTyped(t *testing.T) {
	t.Parallel()
	server := ststest.New(ststest.Options{Issuer: issuer, Subject: role})
	server.Refuse(403, identity.CodeDisabled, "not enabled")
	_, err := source(server).Token(t.Context())
	if _, ok := errors.AsType[*types.OutboundWebIdentityFederationDisabledException](err); !ok {
		t.Errorf("error %v", err)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// unreachable fails as a network does that leads nowhere.
var unreachable = roundTrip(func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF })

// silent never answers, as where a function in a VPC has no way out.
var silent = roundTrip(func(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
})

// Where no answer came, what there is to do depends on how far the request got.
func TestNoAnswer(t *testing.T) {
	t.Parallel()
	ended := func(ctx context.Context) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		return ctx, cancel
	}
	hurried := func(ctx context.Context) (context.Context, context.CancelFunc) {
		return context.WithTimeout(ctx, time.Second)
	}
	garbled := roundTrip(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("<html")), Request: r}, nil
	})
	for name, tt := range map[string]struct {
		transport roundTrip
		context   func(context.Context) (context.Context, context.CancelFunc)
		change    func(*sts.Options)
		says      string
		is        error // nil for any
	}{
		"unreachable":      {unreachable, context.WithCancel, nil, "NAT gateway", io.ErrUnexpectedEOF},
		"silent":           {silent, hurried, nil, "has not answered in time; if that goes on, see that the function may open HTTPS connections", context.DeadlineExceeded},
		"given up":         {silent, ended, nil, "was given up", context.Canceled},
		"no region":        {unreachable, context.WithCancel, func(o *sts.Options) { o.Region = "" }, "AWS_REGION", nil},
		"credentials fail": {unreachable, context.WithCancel, func(o *sts.Options) { o.Credentials = broken }, "runs as a role", errBroken},
		"not of AWS":       {garbled, context.WithCancel, nil, "did not come from STS", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := tt.context(t.Context())
				defer cancel()
				token, err := identity.NewSource(client(tt.transport, tt.change), audience).Token(ctx)
				e, ok := errors.AsType[*identity.Error](err)
				if !ok || token != "" || e.Code != "" || !strings.Contains(e.Step, tt.says) || tt.is != nil && !errors.Is(err, tt.is) {
					t.Errorf("got %v, want one that says %q", err, tt.says)
				}
			})
		})
	}
}

var errBroken = errors.New("nobody gives credentials")

// broken is where credentials should come from.
var broken = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
	return aws.Credentials{}, errBroken
})

func TestNoToken(t *testing.T) {
	t.Parallel()
	empty := roundTrip(func(r *http.Request) (*http.Response, error) {
		body := `<GetWebIdentityTokenResponse><GetWebIdentityTokenResult/></GetWebIdentityTokenResponse>`
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	})
	token, err := source(empty).Token(t.Context())
	if _, ok := errors.AsType[*identity.Error](err); !ok || token != "" {
		t.Errorf("empty: %q, %v", token, err)
	}
}
