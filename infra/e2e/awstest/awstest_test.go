package awstest_test

import (
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/sessionstamp/sessionstamp/infra/e2e/awstest"
)

const (
	issuer = "https://3f0c1a2b-4d5e-4f60-8a9b-0c1d2e3f4a5b.tokens.sts.global.api.aws"
	tanaka = "arn:aws:sts::123456789012:assumed-role/Administrator/tanaka"
	sato   = "arn:aws:iam::123456789012:user/sato"
)

// passed is the body of what is passed on to moto.
const passed = "passed on"

// newServer is an account before a moto that only says that it was asked, and how often.
func newServer(t *testing.T) (*awstest.Server, *int) {
	t.Helper()
	asked := new(int)
	moto := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		*asked++
		_, _ = io.WriteString(w, passed)
	}))
	t.Cleanup(moto.Close)
	return awstest.New(t, moto.URL, issuer), asked
}

// call makes a call of the protocol of AWS Query, or of AWS JSON if the action has a dot.
// It returns status and body, or 0 if the connection broke.
func call(t *testing.T, s *awstest.Server, caller, service, action string) (int, string) {
	t.Helper()
	body := "Action=" + action + "&RoleName=r&SigningAlgorithm=RS256&DurationSeconds=300&Audience.member.1=a"
	if strings.Contains(action, ".") {
		body = `{"QueueUrl":"https://sqs.example/123456789012/q"}`
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL(), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(action, ".") {
		request.Header.Set("X-Amz-Target", action)
	} else {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+caller+"/20260101/eu-central-1/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
	answer, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return 0, ""
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// TestRights: what is forbidden has no effect, to nobody else, and all is written down.
func TestRights(t *testing.T) {
	t.Parallel()
	s, asked := newServer(t)
	one, other := s.AccessKey(tanaka), s.AccessKey(sato)
	allow := s.Forbid(awstest.Actions("iam:*", "sqs:SendMessage").By(tanaka))
	for _, test := range []struct {
		key, service, action string
		status               int
		says                 string
	}{
		{one, "iam", "CreateRole", 403, "<Code>AccessDenied</Code>"},
		{one, "sqs", "AmazonSQS.SendMessageBatch", 403, `"AccessDeniedException"`},
		{one, "sqs", "AmazonSQS.ReceiveMessage", 200, passed},
		{other, "iam", "CreateRole", 200, passed},
		{"nobody's", "iam", "CreateRole", 403, "InvalidClientTokenId"},
	} {
		if status, body := call(t, s, test.key, test.service, test.action); status != test.status || !strings.Contains(body, test.says) {
			t.Errorf("%s: %d %s, want %d %s", test.action, status, body, test.status, test.says)
		}
	}
	allow()
	call(t, s, one, "iam", "CreateRole")
	s.Expire(tanaka)
	if status, body := call(t, s, one, "iam", "CreateRole"); status != 403 || !strings.Contains(body, "ExpiredToken") || *asked != 3 {
		t.Errorf("after the session %d %s, and moto was asked %d times", status, body, *asked)
	}
	want := awstest.Call{Caller: tanaka, Action: "sqs:SendMessage", Resource: "arn:aws:sqs:eu-central-1:123456789012:q"}
	same := func(c awstest.Call) bool {
		return c.Caller == want.Caller && c.Action == want.Action && c.Resource == want.Resource
	}
	if calls := s.Calls(); len(calls) != 5 || !slices.ContainsFunc(calls, same) {
		t.Errorf("written down are %v", calls)
	}
}

// TestFaults: the call that is meant fails, before its effect or after it.
func TestFaults(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault    awstest.Fault
		statuses []int // 0: the connection breaks
		asked    int
	}{
		"second, before": {awstest.Fault{Call: 2}, []int{200, 0, 200}, 2},
		"second, after":  {awstest.Fault{Call: 2, After: true}, []int{200, 0, 200}, 3},
		"from the first": {awstest.Fault{Call: 1, Times: 2, Status: 503, Code: "ServiceUnavailable"}, []int{503, 503, 200}, 1},
		"another action": {awstest.Fault{Call: 1, Match: awstest.Actions("iam:DeleteRole")}, []int{200, 200, 200}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, asked := newServer(t)
			key := s.AccessKey(tanaka)
			s.Inject(test.fault)
			for i, want := range test.statuses {
				if status, _ := call(t, s, key, "iam", "CreateRole"); status != want {
					t.Errorf("call %d: %d, want %d", i+1, status, want)
				}
			}
			if *asked != test.asked {
				t.Errorf("moto was asked %d times, want %d", *asked, test.asked)
			}
		})
	}
}

// TestFederation: there are tokens once the account has an issuer, each of whoever calls.
func TestFederation(t *testing.T) {
	t.Parallel()
	s, _ := newServer(t)
	key := s.AccessKey(tanaka)
	for _, test := range []struct {
		service, action string
		status          int
		says            string
	}{
		{"iam", "GetOutboundWebIdentityFederationInfo", 404, "FeatureDisabled"},
		{"sts", "GetWebIdentityToken", 400, "OutboundWebIdentityFederationDisabled"},
		{"iam", "EnableOutboundWebIdentityFederation", 200, issuer},
		{"iam", "EnableOutboundWebIdentityFederation", 409, "FeatureEnabled"},
		{"iam", "GetOutboundWebIdentityFederationInfo", 200, issuer},
		{"sts", "GetCallerIdentity", 200, tanaka},
		{"sts", "GetWebIdentityToken", 200, "<WebIdentityToken>"},
	} {
		status, body := call(t, s, key, test.service, test.action)
		if status != test.status || !strings.Contains(body, test.says) {
			t.Errorf("%s: %d %s, want %d %s", test.action, status, body, test.status, test.says)
		}
		if err := xml.Unmarshal([]byte(body), new(struct{ XMLName xml.Name })); err != nil {
			t.Errorf("%s: %v", test.action, err)
		}
	}
	if got := awstest.Subject(tanaka); got != "arn:aws:iam::123456789012:role/Administrator" {
		t.Errorf("tokens are about %s", got)
	}
}
