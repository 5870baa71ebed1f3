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
	"github.com/aws/smithy-go"
	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/aws/identity"
	"github.com/sessionstamp/sessionstamp/shared/aws/ststest"
)

const (
	issuer   = "https://3f0c1a2b-4d5e-4f60-8a9b-0c1d2e3f4a5b.tokens.sts.global.api.aws"
	role     = "arn:aws:iam::123456789012:role/sessionstamp-stamper"
	audience = "api://AzureADTokenExchange"
)

// source returns a source over the real client of the SDK, whose requests go to
// transport.
func source(transport http.RoundTripper) *identity.Source {
	return identity.NewSource(sts.New(sts.Options{
		Region:      "eu-central-1",
		Credentials: credentials.NewStaticCredentialsProvider("id", "key", "session"),
		HTTPClient:  &http.Client{Transport: transport},
		Retryer:     aws.NopRetryer{},
	}), audience)
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
	want := []ststest.Request{{Host: "sts.eu-central-1.amazonaws.com", Audience: audience, Algorithm: "RS256", Seconds: 300}}
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
		{"switched off", "OutboundWebIdentityFederationDisabledException", "Outbound web identity federation is not enabled.", "aws iam enable-outbound-web-identity-federation", 403},
		{"not allowed", "AccessDenied", "User: " + role + " is not authorized to perform: sts:GetWebIdentityToken", "allow the function's role sts:GetWebIdentityToken", 403},
		{"too large", "JWTPayloadSizeExceededException", "too many tags", "remove some", 400},
		{"region not enabled", "InvalidClientTokenId", "The security token included in the request is invalid", "enabled", 403},
		{"throttled", "RequestLimitExceeded", "Rate exceeded", "nothing needs to be done", 400},
		{"failure", "InternalFailure", "We encountered an internal error.", "nothing needs to be done", 500},
		{"another", "ValidationError", "1 validation error detected", "see what AWS says", 400},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := ststest.New(ststest.Options{Issuer: issuer, Subject: role})
			server.Refuse(tt.status, tt.code, tt.message)
			token, err := source(server).Token(t.Context())
			said, ok := errors.AsType[smithy.APIError](err)
			if !ok || token != "" || said.ErrorCode() != tt.code {
				t.Fatalf("token %q, error %v", token, err)
			}
			if !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), tt.message) {
				t.Errorf("error %q does not say %q", err, tt.says)
			}
			if n := len(server.Requests()); n != 1 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Where no answer came, that is an error too.
func TestNoAnswer(t *testing.T) {
	t.Parallel()
	answers := func(body string) roundTrip {
		return func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
		}
	}
	unreachable := roundTrip(func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF })
	silent := roundTrip(func(r *http.Request) (*http.Response, error) { // as in a VPC without a way out
		<-r.Context().Done()
		return nil, r.Context().Err()
	})
	for name, tt := range map[string]struct {
		transport roundTrip
		says      string
		is        error // nil for any
	}{
		"unreachable": {unreachable, "NAT gateway", io.ErrUnexpectedEOF},
		"silent":      {silent, "NAT gateway", context.DeadlineExceeded},
		"not of AWS":  {answers("<html"), "see what AWS says", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				token, err := source(tt.transport).Token(ctx)
				if err == nil || token != "" || !strings.Contains(err.Error(), tt.says) || tt.is != nil && !errors.Is(err, tt.is) {
					t.Errorf("got %v, want one that says %q", err, tt.says)
				}
			})
		})
	}
}
