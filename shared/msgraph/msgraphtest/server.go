// Package msgraphtest emulates [Microsoft Graph v1.0] and the token endpoint of
// Microsoft Entra ID in the manner of net/http/httptest: strictly enough that
// what Graph refuses, it refuses, with Graph's status, code and body. It serves
// over a TLS socket or, as an [http.RoundTripper], inside the process, where
// testing/synctest can give it virtual time.
//
// It is for tests and for the demonstration on one machine, and never ships.
//
// [Microsoft Graph v1.0]: https://learn.microsoft.com/graph/api/overview
package msgraphtest

import (
	"cmp"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// Options set a [Server] up. The zero value is a Graph that is always well, has
// Microsoft's limits, and is never stale.
type Options struct {
	// Seed drives every choice the server makes by chance, so that a run with
	// the same seed and the same calls repeats itself.
	Seed uint64
	// Now is the calendar; nil means time.Now.
	Now func() time.Time
	// Limits are Graph's throttling limits; zero means [DefaultLimits].
	Limits Limits
	// Replica makes reads stale.
	Replica Replica
	// Delivery makes notifications late, doubled, reordered or lost.
	Delivery Delivery
	// Delta makes /users/delta show its oddities.
	Delta Delta
	// Apps makes what is done to app registrations show late.
	Apps Registration
	// Paging makes lists show the oddities that Graph documents.
	Paging Paging
	// NewUserWindow is how old a user may be whom the product stamps without a
	// person's approval; see [Tenant.Approve]. 0 judges nobody by age.
	NewUserWindow time.Duration
	// TokenLife is how long an access token is good for; 0 means an hour. The
	// Microsoft Authentication Library takes a token for expired five minutes before
	// it is, so that one for five minutes is used once.
	TokenLife time.Duration
	// Notify reaches the notification URLs; nil means http.DefaultTransport.
	Notify http.RoundTripper
	// Violation is called once for every invariant of the product that a call
	// breaks, with a sentence that names the user by object id; nil means that
	// violations are only kept for [Server.Violations]. The server is locked
	// meanwhile: Violation must not call it.
	Violation func(string)
	// Record is called after every request and every part of a $batch; nil
	// means that requests are only counted.
	Record func(Request)
}

// A Server is an emulated Graph for any number of tenants. Make one with New and
// close it with Close. All methods are safe for concurrent use.
type Server struct {
	opts   Options
	routes []route
	socket *httptest.Server // nil until StartTLS, and never changed after
	ahead  atomic.Int64     // see SetDate

	// mu guards all that follows. It is never held while the server waits or
	// calls a notification URL.
	mu         sync.Mutex
	rand       *rand.Rand
	tenants    map[string]*Tenant // by tenant id
	hub        serverHub
	providers  map[string]http.RoundTripper // by issuer, outside OpenID providers
	keyID      string                       // names the key that tokens are signed with now
	proven     map[string]*accessClaims     // of tokens whose signature was found to be good
	tokens     map[string]any               // of pages and rounds, by the texts that stand for them
	meters     meters
	visitor    *visitor          // who sits at the browser, nil for nobody
	devices    map[string]*visit // waiting for the person, by user code
	faults     []*injected
	counts     Counts
	violations []string
}

// New returns a Server without tenants.
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Notify == nil {
		o.Notify = http.DefaultTransport
	}
	o.Limits = cmp.Or(o.Limits, DefaultLimits())
	o.TokenLife = cmp.Or(o.TokenLife, tokenLife)
	return &Server{
		opts:      o,
		routes:    allRoutes(),
		hub:       newHub(),
		keyID:     uuid.NewString(),
		rand:      rand.New(rand.NewPCG(o.Seed, o.Seed)),
		tenants:   make(map[string]*Tenant),
		providers: make(map[string]http.RoundTripper),
		tokens:    make(map[string]any),
		meters:    make(meters),
		proven:    make(map[string]*accessClaims),
		devices:   make(map[string]*visit),
	}
}

// allRoutes returns everything Graph can do here.
func allRoutes() []route {
	return slices.Concat(userRoutes(), groupRoutes(), nameRoutes(), evidenceRoutes(), domainRoutes(), subscriptionRoutes(), appRoutes(), principalRoutes(), ownerRoutes())
}

// Close stops the deliveries under way, closes the socket and waits until both
// have ended. Calling it again does nothing.
func (s *Server) Close() {
	s.closeDelivery()
	s.closeSocket()
}

// Violations returns every violation of an invariant so far, oldest first.
func (s *Server) Violations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.violations)
}

// violate keeps and reports a violation. s.mu is held.
func (s *Server) violate(sentence string) {
	s.violations = append(s.violations, sentence)
	if s.opts.Violation != nil {
		s.opts.Violation(sentence)
	}
}

// now is the moment a call is handled at: every call reads the clock once.
func (s *Server) now() time.Time { return s.opts.Now() }

// newID makes a GUID out of the server's seed. s.mu is held.
func (s *Server) newID() string {
	var id uuid.UUID
	for i := range id {
		id[i] = byte(s.rand.Uint32())
	}
	id[6] = id[6]&0x0f | 0x40 // version 4
	id[8] = id[8]&0x3f | 0x80 // variant of RFC 9562
	return id.String()
}
