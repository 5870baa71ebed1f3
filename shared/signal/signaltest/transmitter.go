// Package signaltest stands in for those who send signals: a transmitter of the
// [Shared Signals Framework 1.0], a sender by [Standard Webhooks] and an Okta event
// hook. It is written from these documents alone, apart from what receives, so that both
// can be wrong only in different ways. It refuses what a transmitter must refuse, and
// keeps every breach of the documents that it sees; see [Transmitter.Faults].
//
// It is for tests, and never ships.
//
// [Shared Signals Framework 1.0]: https://openid.net/specs/openid-sharedsignals-framework-1_0-final.html
// [Standard Webhooks]: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
package signaltest

import (
	"cmp"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Subjects says who is in a new stream (SSF 7.1, default_subjects).
type Subjects string

// With AllSubjects everybody is until the receiver removes them, with NoSubjects nobody
// until it adds them.
const (
	AllSubjects Subjects = "ALL"
	NoSubjects  Subjects = "NONE"
)

// Options set a [Transmitter] up. The zero value is one that is well and has everybody in
// its streams.
type Options struct {
	// Issuer is an https URL, with or without a path, and without a port where the
	// transmitter stays in the process; "" means https://transmitter.example.com.
	Issuer string
	// Profile is whose habits the tokens have; the zero value has the specification's.
	Profile Profile
	// Algorithm signs: RS256 or ES256; "" means RS256.
	Algorithm string
	// Clients are the receivers' secrets by client id; nil means one with
	// [ClientID] and [ClientSecret].
	Clients map[string]string
	// StaticToken is a bearer token that is good for ever, for the first client.
	StaticToken string
	// TokenLife is how long a token of the token endpoint is good for; 0 means an hour.
	TokenLife time.Duration
	// Supported are the event types that can be had; nil means all that [Event] has makers for.
	Supported []string
	// ManyStreams lets a receiver have more than one stream.
	ManyStreams bool
	// DefaultSubjects says who is in a new stream; "" means AllSubjects.
	DefaultSubjects Subjects
	// RefuseSubjects answers 403 to a receiver that adds or removes one.
	RefuseSubjects bool
	// MinVerification is how long a receiver must wait between requests of a
	// verification; 0 means not at all, and then it isn't told.
	MinVerification time.Duration
	// Inactivity pauses a stream of which no management call has come for so long; 0 never.
	Inactivity time.Duration
	// Push reaches the receivers; nil means http.DefaultTransport.
	Push http.RoundTripper
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Break returns the status to answer any call with, 0 to serve it.
	Break func(*http.Request) int
}

// The receiver that [Options] has, unless told otherwise. The secret has letters that
// RFC 6749, section 2.3.1 has encoded in HTTP Basic.
const (
	ClientID     = "receiver"
	ClientSecret = "s3cret+/%: &=" //nolint:gosec // invented
)

// A Transmitter is an SSF transmitter: a handler for its own host, and an
// [http.RoundTripper] that reaches it inside the process, where testing/synctest can give
// it virtual time. All methods are safe for concurrent use.
type Transmitter struct {
	judge
	opts   Options
	routes map[string]http.HandlerFunc // by method and path
	socket *httptest.Server            // nil until StartTLS, and never changed after
	// sending is held while SETs are sent: one after the other (SSF 8.1.2.1).
	sending sync.Mutex
	wake    chan struct{}

	// mu guards what follows and is never held over a call to a receiver.
	mu         sync.Mutex
	issuer     *url.URL
	keys       []key // the last one signs
	tokens     map[string]grant
	streams    []*stream // as they were made
	deliveries []Delivery
	calls      []Call
}

// A Call is one that a receiver made.
type Call struct {
	Time         time.Time
	Method, Path string
	Status       int
}

// New returns a Transmitter without streams.
func New(o Options) *Transmitter {
	o.Issuer = cmp.Or(o.Issuer, "https://transmitter.example.com")
	o.Algorithm = cmp.Or(o.Algorithm, "RS256")
	o.TokenLife = cmp.Or(o.TokenLife, time.Hour)
	o.DefaultSubjects = cmp.Or(o.DefaultSubjects, AllSubjects)
	if o.Clients == nil {
		o.Clients = map[string]string{ClientID: ClientSecret}
	}
	if o.Supported == nil {
		o.Supported = Types()
	}
	if o.Push == nil {
		o.Push = http.DefaultTransport
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	issuer, err := url.Parse(o.Issuer)
	if err != nil || issuer.Scheme != "https" {
		panic("signaltest: the issuer is no https URL: " + o.Issuer)
	}
	t := &Transmitter{opts: o, issuer: issuer, tokens: make(map[string]grant), wake: make(chan struct{}, 1)}
	t.Rotate()
	t.routes = t.allRoutes()
	return t
}

// StartTLS listens on a free port of 127.0.0.1 until Close, and makes that the issuer's
// host. It comes before any stream. It panics where the machine can't, as httptest does.
func (t *Transmitter) StartTLS() {
	t.socket = httptest.NewTLSServer(t)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.issuer.Host = t.socket.Listener.Addr().String()
}

// Close ends what StartTLS began.
func (t *Transmitter) Close() {
	if t.socket != nil {
		t.socket.Close()
	}
}

// Socket is the server that StartTLS began, with its certificate; nil before.
func (t *Transmitter) Socket() *httptest.Server { return t.socket }

// Client returns a client that reaches the transmitter: over the socket after StartTLS,
// else inside the process.
func (t *Transmitter) Client() *http.Client {
	if t.socket != nil {
		return t.socket.Client()
	}
	return &http.Client{Transport: t}
}

// RoundTrip serves a request inside the process, and knows no other host than the issuer's.
func (t *Transmitter) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" || r.URL.Host != t.issuer.Host {
		return nil, &url.Error{Op: r.Method, URL: r.URL.String(), Err: http.ErrAbortHandler}
	}
	in := r.Clone(r.Context())
	in.Host, in.RequestURI = r.URL.Host, r.URL.RequestURI()
	if in.Body == nil {
		in.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	t.ServeHTTP(w, in)
	answer := w.Result()
	answer.Request = r
	return answer, nil
}

// Issuer is the issuer's URL.
func (t *Transmitter) Issuer() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.issuer.String()
}

// TokenURL is where tokens are had for a client's credentials (RFC 6749, section 4.4).
func (t *Transmitter) TokenURL() string { return t.endpoint("/token") }

// Calls returns what receivers have asked so far, oldest first.
func (t *Transmitter) Calls() []Call {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.calls)
}

func (t *Transmitter) endpoint(path string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.issuer.Scheme + "://" + t.issuer.Host + t.base() + path
}

// base is the issuer's path without its last slash.
func (t *Transmitter) base() string { return strings.TrimSuffix(t.issuer.Path, "/") }

func (t *Transmitter) allRoutes() map[string]http.HandlerFunc {
	b := t.base()
	routes := map[string]http.HandlerFunc{
		"GET /.well-known/ssf-configuration" + b: t.metadata,
		"GET " + b + "/jwks":                     t.jwks,
		"POST " + b + "/token":                   t.token,
		"GET " + b + "/ssf/streams":              t.managed(scopeRead, t.readStream),
		"POST " + b + "/ssf/streams":             t.managed(scopeManage, t.createStream),
		"PATCH " + b + "/ssf/streams":            t.managed(scopeManage, t.updateStream),
		"PUT " + b + "/ssf/streams":              t.managed(scopeManage, t.replaceStream),
		"DELETE " + b + "/ssf/streams":           t.managed(scopeManage, t.deleteStream),
		"GET " + b + "/ssf/status":               t.managed(scopeRead, t.readStatus),
		"POST " + b + "/ssf/status":              t.managed(scopeManage, t.updateStatus),
		"POST " + b + "/ssf/verify":              t.managed(scopeManage, t.verify),
		"POST " + b + "/ssf/subjects:add":        t.managed(scopeManage, t.addSubject),
		"POST " + b + "/ssf/subjects:remove":     t.managed(scopeManage, t.removeSubject),
	}
	if t.opts.Profile == Keycloak { // its own place, beside the specification's
		routes["GET "+b+"/.well-known/ssf-configuration"] = t.metadata
	}
	return routes
}

// ServeHTTP answers one call of a receiver.
func (t *Transmitter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	seen := &witness{ResponseWriter: w, status: http.StatusOK}
	defer func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.calls = append(t.calls, Call{t.opts.Now(), r.Method, r.URL.Path, seen.status})
	}()
	serve, ok := t.routes[r.Method+" "+r.URL.Path]
	broken := 0
	if t.opts.Break != nil {
		broken = t.opts.Break(r)
	}
	switch {
	case broken != 0:
		refuse(seen, broken, "broken", "Try again later.")
	case !ok:
		t.fault("asked for %s %s, which no metadata names", r.Method, r.URL.Path)
		refuse(seen, http.StatusNotFound, "not_found", "There is nothing here.")
	case !admitsJSON(r.Header.Get("Accept")):
		t.fault("asked for %s and does not accept application/json", r.URL.Path)
		refuse(seen, http.StatusNotAcceptable, "not_acceptable", "All answers are JSON.")
	default:
		serve(seen, r)
	}
}

// metadata is the transmitter configuration (SSF 7.1 and 7.2.3).
func (t *Transmitter) metadata(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{
		"spec_version":               "1_0",
		"issuer":                     t.Issuer(),
		"jwks_uri":                   t.endpoint("/jwks"),
		"delivery_methods_supported": []string{methodPush},
		"configuration_endpoint":     t.endpoint("/ssf/streams"),
		"status_endpoint":            t.endpoint("/ssf/status"),
		"verification_endpoint":      t.endpoint("/ssf/verify"),
		"add_subject_endpoint":       t.endpoint("/ssf/subjects:add"),
		"remove_subject_endpoint":    t.endpoint("/ssf/subjects:remove"),
		"critical_subject_members":   []string{"user"},
		"authorization_schemes":      []map[string]string{{"spec_urn": "urn:ietf:rfc:6749"}},
		"default_subjects":           t.opts.DefaultSubjects,
		"x_unknown":                  true, // other claims may be returned
	})
}
