package signaltest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sessionstamp/sessionstamp/shared/signal/signaltest"
)

func TestSocketIsTheIssuer(t *testing.T) {
	t.Parallel()
	tr := signaltest.New(signaltest.Options{Algorithm: "ES256", Issuer: "https://idp.example.com/a"})
	tr.StartTLS()
	defer tr.Close()
	if !strings.HasPrefix(tr.Issuer(), "https://127.0.0.1:") || !strings.HasSuffix(tr.TokenURL(), "/a/token") {
		t.Errorf("the issuer is %s, tokens are at %s", tr.Issuer(), tr.TokenURL())
	}
	r := &receiver{t: t, tr: tr}
	r.metadata()
	r.token = r.authorize("ssf.manage")
	r.create()
	want := []signaltest.Call{{Method: "GET", Path: "/.well-known/ssf-configuration/a", Status: 200}, {Method: "POST", Path: "/a/token", Status: 200}, {Method: "POST", Path: "/a/ssf/streams", Status: http.StatusCreated}}
	for i, c := range tr.Calls() {
		if c.Time = want[i].Time; c != want[i] {
			t.Errorf("call %d is %v, want %v", i, c, want[i])
		}
	}
	r.noFaults()
}
