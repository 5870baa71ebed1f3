package account_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/smithy-go"

	"github.com/sessionstamp/sessionstamp/shared/aws/account"
	"github.com/sessionstamp/sessionstamp/shared/aws/mototest"
	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// environment is one in which somebody is signed in to moto, or to nothing that answers.
func environment(t *testing.T, more ...string) func(string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, []byte("[profile tokyo]\nregion = ap-northeast-1\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = no-secret\n[profile bare]\noutput = json\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	set := map[string]string{"AWS_CONFIG_FILE": file, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull}
	for i := 0; i < len(more); i += 2 {
		set[more[i]] = more[i+1]
	}
	return func(name string) string { return set[name] }
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// scripted answers each action of STS, IAM, Lambda by its text, or refuses it by "!" and a
// code; what it does not know is not answered at all.
func scripted(answers map[string]string) roundTripper {
	return func(r *http.Request) (*http.Response, error) {
		action := r.URL.Path
		if r.Body != nil && r.URL.Path == "/" {
			_ = r.ParseForm() // an AWS Query says its action there
			action = r.PostForm.Get("Action")
		}
		text, known := answers[action]
		if !known {
			return nil, errors.New("nobody answers " + action)
		}
		status := http.StatusOK
		if code, refused := strings.CutPrefix(text, "!"); refused {
			code, message, _ := strings.Cut(code, " ")
			status, text = http.StatusForbidden, "<ErrorResponse><Error><Code>"+code+"</Code><Message>"+message+"</Message></Error></ErrorResponse>"
		} else if !strings.HasPrefix(text, "{") {
			text = "<" + action + "Response><" + action + "Result>" + text + "</" + action + "Result></" + action + "Response>"
		}
		return &http.Response{StatusCode: status, Header: http.Header{}, Request: r, Body: io.NopCloser(strings.NewReader(text))}, nil
	}
}

const me = "<Account>123456789012</Account><Arn>arn:aws-us-gov:sts::123456789012:assumed-role/operator/me</Arn>"

// TestOpen: where the region comes from, and what keeps a person out.
func TestOpen(t *testing.T) {
	t.Parallel()
	keys := []string{"AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY", "no-secret"}
	for name, c := range map[string]struct {
		options account.Options
		env     []string
		answer  string
		region  string // and where from
		err     error
	}{
		"flag":             {account.Options{Region: "us-west-2"}, append(keys, "AWS_REGION", "eu-west-1"), me, "us-west-2 --region", nil},
		"variable":         {account.Options{}, append(keys, "AWS_REGION", "eu-west-1", "AWS_DEFAULT_REGION", "eu-west-2"), me, "eu-west-1 AWS_REGION", nil},
		"other variable":   {account.Options{}, append(keys, "AWS_DEFAULT_REGION", "eu-west-2"), me, "eu-west-2 AWS_DEFAULT_REGION", nil},
		"profile":          {account.Options{Profile: "tokyo"}, nil, me, "ap-northeast-1 ~/.aws/config", nil},
		"profile variable": {account.Options{}, []string{"AWS_PROFILE", "tokyo"}, me, "ap-northeast-1 ~/.aws/config", nil},
		"no region":        {account.Options{}, keys, me, "", account.ErrNoRegion},
		"a host":           {account.Options{Region: "us-east-1.example.com"}, keys, me, "", account.ErrNoRegion},
		"a zone":           {account.Options{Region: "ap-northeast-1a"}, keys, me, "", account.ErrNoRegion},
		"full-width":       {account.Options{Region: "ａｐ－ｎｏｒｔｈｅａｓｔ－１"}, keys, me, "", account.ErrNoRegion},
		"no such profile":  {account.Options{Profile: "nobody"}, keys, me, "", account.ErrNoCredentials},
		"nothing to sign":  {account.Options{Profile: "bare", Region: "us-west-2"}, nil, me, "", account.ErrNoCredentials},
		"expired":          {account.Options{Region: "us-west-2"}, keys, "!ExpiredToken", "", account.ErrExpired},
		"unknown":          {account.Options{Region: "us-west-2"}, keys, "!InvalidClientTokenId", "", account.ErrInvalid},
		"throttled":        {account.Options{Region: "us-west-2"}, keys, "!Throttling", "", account.ErrThrottled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.options.Env, c.options.Transport = environment(t, c.env...), scripted(map[string]string{"GetCallerIdentity": c.answer})
			a, err := account.Open(t.Context(), c.options)
			if !errors.Is(err, c.err) || (err == nil) != (c.err == nil) {
				t.Fatalf("got %v, want %v", err, c.err)
			}
			if err == nil && (a.Region+" "+a.RegionFrom != c.region || a.ID != "123456789012" || a.Partition != "aws-us-gov") {
				t.Errorf("%+v", a)
			}
		})
	}
}

func open(t *testing.T, transport http.RoundTripper) *account.Account {
	t.Helper()
	env := environment(t, "AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY", "no-secret", "AWS_REGION", "us-west-2")
	a, err := account.Open(t.Context(), account.Options{Env: env, Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestFederation: that it is on or off already is no failure.
func TestFederation(t *testing.T) {
	t.Parallel()
	const get, enable = "GetOutboundWebIdentityFederationInfo", "EnableOutboundWebIdentityFederation"
	on := "<IssuerIdentifier>https://i</IssuerIdentifier><JwtVendingEnabled>true</JwtVendingEnabled>"
	for name, c := range map[string]struct {
		get, enable     string
		issuer, enabled string
		action          string // that is forbidden
	}{
		"on":        {on, "!FeatureEnabled", "https://i", "https://i", ""},
		"off":       {"!FeatureDisabled", on, "", "https://i", ""},
		"suspended": {"<JwtVendingEnabled>false</JwtVendingEnabled>", on, "", "https://i", ""},
		"forbidden": {"!AccessDenied User: x is not authorized to perform: iam:" + get + " on resource: *", "!AccessDenied", "", "", "iam:" + enable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := open(t, scripted(map[string]string{"GetCallerIdentity": me, get: c.get, enable: c.enable}))
			issuer, err := a.Issuer(t.Context())
			enabled, unable := a.EnableIssuer(t.Context())
			if issuer != c.issuer || enabled != c.enabled {
				t.Errorf("issuer %q, enabled %q; %v, %v", issuer, enabled, err, unable)
			}
			for err, action := range map[error]string{err: "iam:" + get, unable: c.action} {
				if refused, is := errors.AsType[*account.Forbidden](err); is != (c.action != "") || is && refused.Action != action {
					t.Errorf("%v", err)
				}
			}
		})
	}
}

func TestAccount(t *testing.T) {
	t.Parallel()
	a := open(t, scripted(map[string]string{
		"GetCallerIdentity": me, "/2016-08-19/account-settings": `{"AccountLimit":{"ConcurrentExecutions":10,"UnreservedConcurrentExecutions":7}}`,
		"GetWebIdentityToken": "<WebIdentityToken>jwt</WebIdentityToken>",
	}))
	if limit, err := a.Concurrency(t.Context()); err != nil || limit != (account.Concurrency{Limit: 10, Unreserved: 7}) {
		t.Errorf("%+v, %v", limit, err)
	}
	if token, err := a.WebIdentityToken(t.Context(), "api://x"); err != nil || token != "jwt" {
		t.Errorf("%q, %v", token, err)
	}
	if _, err := a.DescribeSecret(t.Context(), "s"); !errors.Is(err, account.ErrUnreachable) {
		t.Errorf("%v", err)
	}
}

// TestSecret renews a secret as it is done: the old value serves until the new one is
// promoted; a pending one can be given up; everything may be repeated.
func TestSecret(t *testing.T) {
	t.Parallel()
	env := environment(t, "AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY", "no-secret",
		"AWS_REGION", mototest.Region, "AWS_ENDPOINT_URL", mototest.Shared(t))
	a, err := account.Open(t.Context(), account.Options{Env: env, Transport: http.DefaultTransport})
	if err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	reads := func(stage, want string) {
		t.Helper()
		got, err := a.SecretValue(t.Context(), t.Name(), stage)
		if got.Reveal() != want || (want == "") != errors.Is(err, account.ErrNoSecret) {
			t.Errorf("%s: %q, %v; want %q", stage, got.Reveal(), err, want)
		}
	}
	_, err = a.CreateSecret(t.Context(), t.Name(), "of a test", "", directory.NewSecret("old"))
	must(err)
	_, err = a.PutPending(t.Context(), t.Name(), directory.NewSecret("new"))
	must(err)
	reads(account.Current, "old")
	reads(account.Pending, "new")
	must(a.PutSecret(t.Context(), t.Name(), directory.NewSecret("newer")))
	reads(account.Current, "newer")
	for range 2 {
		must(a.DeleteSecret(t.Context(), t.Name()))
	}
	if _, err := a.DescribeSecret(t.Context(), t.Name()); !errors.Is(err, account.ErrNoSecret) {
		t.Errorf("%v", err)
	}
}

// TestPlain: what a person reads of the SDK's errors holds no number of a request.
func TestPlain(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"grant User.Read.All": "grant User.Read.All",
		"read: operation error DynamoDB: GetItem, https response error StatusCode: 400, RequestID: 4711, ResourceNotFoundException: no":                                          "read: DynamoDB GetItem: ResourceNotFoundException",
		"operation error Secrets Manager: GetSecretValue, exceeded maximum number of attempts, 3, https response error StatusCode: 500, RequestID: , api error InternalError: x": "Secrets Manager GetSecretValue: InternalError",
	} {
		if got := account.Plain(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	broken := account.Explain(&smithy.OperationError{ServiceID: "KMS", OperationName: "Sign", Err: &smithy.DeserializationError{Err: &net.OpError{Op: "read", Err: net.ErrClosed}}})
	if !errors.Is(broken, account.ErrUnreachable) {
		t.Errorf("a connection that broke in the middle of an answer is told as %v", broken)
	}
	refused := account.Explain(&smithy.OperationError{ServiceID: "KMS", OperationName: "Sign", Err: &smithy.GenericAPIError{Code: "Odd", Message: "m"}})
	for _, err := range []error{refused, account.Explain(refused)} {
		if _, is := errors.AsType[*account.Failed](err); !is || err.Error() != "KMS Sign: Odd" {
			t.Errorf("%v", err)
		}
	}
}

// TestWhole: net/http may look for the end of a request's body after the SDK has closed it.
func TestWhole(t *testing.T) {
	t.Parallel()
	answers := scripted(map[string]string{"GetCallerIdentity": me})
	var late io.Reader
	open(t, roundTripper(func(r *http.Request) (*http.Response, error) {
		late = r.Body
		return answers(r)
	}))
	if _, err := io.Copy(io.Discard, late); err != nil {
		t.Errorf("net/http breaks the connection: %v", err)
	}
}

// TestSecretDeleted: a secret that is scheduled for deletion is gone; a refusal is none.
func TestSecretDeleted(t *testing.T) {
	t.Parallel()
	for code, gone := range map[string]bool{"InvalidRequestException": true, "ResourceNotFoundException": true, "InvalidParameterException": false} {
		a := open(t, roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.Header.Get("X-Amz-Target") != "secretsmanager.GetSecretValue" {
				return scripted(map[string]string{"GetCallerIdentity": me})(r)
			}
			text := `{"__type":"` + code + `","Message":"You can't perform this operation on the secret because it was marked for deletion."}`
			return &http.Response{StatusCode: http.StatusBadRequest, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(text)), Request: r}, nil
		}))
		if _, err := a.SecretValue(t.Context(), "s", account.Current); errors.Is(err, account.ErrNoSecret) != gone || err == nil {
			t.Errorf("%s: %v", code, err)
		}
	}
}
