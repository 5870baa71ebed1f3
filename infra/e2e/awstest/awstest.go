// Package awstest is one account of AWS, as an HTTP server to which AWS's SDKs and SAM are
// pointed by the variable [AWS_ENDPOINT_URL]. What [moto] plays is passed on to moto; what
// it lacks is played here or by whoever uses the package: see [Server.Play].
//
// Each call is written down as IAM sees it, may be forbidden, and may fail before or after
// it had its effect. Who calls is told by the access key: see [Server.AccessKey].
//
// [AWS_ENDPOINT_URL]: https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
// [moto]: https://docs.getmoto.org/en/latest/docs/server_mode.html
package awstest

import (
	"bytes"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"

	"github.com/sessionstamp/sessionstamp/shared/aws/mototest"
)

// A Player answers calls of one service. It tells whether it did; what it does not know is
// passed on to moto. It is called by many goroutines at once.
type Player func(w http.ResponseWriter, c *Call) (played bool)

// A Server is the account. It is an [http.Handler], for whoever stands in between.
type Server struct {
	moto    http.Handler
	server  *httptest.Server
	players map[string][]Player // by service
	issuer  string

	mu        sync.Mutex
	callers   map[string]string // ARNs, by access key
	expired   map[string]bool   // by ARN
	calls     []Call
	forbidden []*Match
	faults    []*armed
	federated bool // outbound federation is on
	confirmed bool // subscriptions to topics by e-mail are
}

// New starts an account before moto's server, which ends with the test. Its tokens are
// issued by issuer, "https://….tokens.sts.global.api.aws", once outbound federation is on.
func New(t testing.TB, moto, issuer string) *Server {
	t.Helper()
	target, err := url.Parse(moto)
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{issuer: issuer, players: make(map[string][]Player), callers: make(map[string]string), expired: make(map[string]bool)}
	s.moto = &httputil.ReverseProxy{
		Rewrite:  func(p *httputil.ProxyRequest) { p.SetURL(target) },
		ErrorLog: log.New(io.Discard, "", 0), // callers are killed on purpose
	}
	s.Play("iam", s.playIAM)
	s.Play("sts", s.playSTS)
	s.Play("sns", s.playSNS)
	s.server = httptest.NewServer(mototest.JSON(s))
	t.Cleanup(s.server.Close)
	return s
}

// URL is the value of AWS_ENDPOINT_URL.
func (s *Server) URL() string { return s.server.URL }

// Play lets a player answer the calls of a service, by the name that its calls are signed
// for: "cloudformation", "lambda", "logs". Call it before anybody calls the server.
func (s *Server) Play(service string, p Player) {
	s.players[service] = append(s.players[service], p)
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the caller is gone
	}
	c := read(r, body)
	if c.Caller, err = s.caller(c.key); err != nil {
		c.Refuse(w, err)
		return
	}
	refused, fault := s.note(c)
	switch {
	case refused != nil:
		c.Refuse(w, refused)
	case fault == nil:
		s.serve(w, c)
	case fault.After:
		s.serve(httptest.NewRecorder(), c)
		fault.strike(w, c)
	default:
		fault.strike(w, c)
	}
}

// serve has a call answered by whoever knows it.
func (s *Server) serve(w http.ResponseWriter, c *Call) {
	for _, play := range s.players[c.service] {
		if play(w, c) {
			return
		}
	}
	s.pass(w, c)
}

// pass has a call answered by moto.
func (s *Server) pass(w http.ResponseWriter, c *Call) {
	c.Request.Body = io.NopCloser(bytes.NewReader(c.Body))
	s.moto.ServeHTTP(w, c.Request)
}
