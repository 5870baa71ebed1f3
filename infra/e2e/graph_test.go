package e2e

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
)

// A graph is Microsoft Graph and Entra as the emulator plays them, and the way on
// which programs reach them: by a proxy, to which they tell the host that they mean,
// and over TLS.
type graph struct {
	*msgraphtest.Server
	tenant  *msgraphtest.Tenant
	reader  *msgraphtest.App // the keeper and the sweeper sign in as it
	stamper *msgraphtest.App
	used    *grants // of the permissions of both; may be nil
	proxy   *httptest.Server
	certs   string     // a file with the certificate to be trusted
	news    *news      // of every request
	notices *telephone // how it reaches the webhook
}

// newUserWindow is the template's.
const newUserWindow = 72 * time.Hour

// federated is the domain of users in scope.
const federated = "example.co.jp"

// The permissions of the two apps, where no group is excluded.
var (
	readerPermissions  = []string{"User.Read.All", "Domain.Read.All"}
	stamperPermissions = append(slices.Clone(readerPermissions), "User.RevokeSessions.All")
)

func newGraph(t *testing.T, o msgraphtest.Options) *graph {
	t.Helper()
	g := &graph{news: newNews(), notices: new(telephone)}
	o.Notify, o.Record, o.NewUserWindow = g.told(g.notices), g.record, newUserWindow
	o.Violation = func(sentence string) { t.Error(sentence) }
	g.Server = msgraphtest.New(o)
	t.Cleanup(g.Close)
	g.StartTLS()
	g.tenant = g.AddTenant(msgraphtest.TenantOptions{Domains: []msgraphtest.Domain{{Name: federated, Federated: true}}})
	g.reader = g.tenant.AddApp(msgraphtest.AppOptions{Permissions: readerPermissions})
	g.stamper = g.tenant.AddApp(msgraphtest.AppOptions{Permissions: stamperPermissions})
	g.certs = filepath.Join(t.TempDir(), "graph.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: g.Certificate().Raw})
	if err := os.WriteFile(g.certs, block, 0o600); err != nil {
		t.Fatal(err)
	}
	g.proxy = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { g.connect(t, w, r) }))
	t.Cleanup(g.proxy.CloseClientConnections)
	t.Cleanup(g.proxy.Close)
	return g
}

// believe has programs that start from now on trust one more server.
func (g *graph) believe(certificate *x509.Certificate) {
	file, err := os.OpenFile(g.certs, os.O_APPEND|os.O_WRONLY, 0o600)
	if err == nil {
		err = errors.Join(pem.Encode(file, &pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw}), file.Close())
	}
	if err != nil {
		panic(err) // a file of our own
	}
}

// record notes which permission of which app a request has used.
func (g *graph) record(r msgraphtest.Request) {
	g.news.tell()
	role := map[string]string{g.reader.ID(): readerApp, g.stamper.ID(): stamperApp}[r.App]
	if g.used == nil || role == "" || r.Token || r.Parts > 0 {
		return
	}
	permission := "User.Read.All" // for users, and for the subscription to them
	switch {
	case revoking(r):
		permission = "User.RevokeSessions.All"
	case strings.HasPrefix(r.Path, "/domains"):
		permission = "Domain.Read.All"
	}
	g.used.add(grant{role, permission, "Microsoft Graph", ""})
}

// connect leads a connection to the emulator if that is the host which it means.
// Nobody has any business elsewhere.
func (g *graph) connect(t *testing.T, w http.ResponseWriter, r *http.Request) {
	host, port, err := net.SplitHostPort(r.Host)
	if r.Method != http.MethodConnect || err != nil || port != "443" || !slices.Contains(g.Certificate().DNSNames, host) {
		t.Errorf("a program wants to reach %s %s", r.Method, r.Host)
		http.Error(w, "no such host", http.StatusBadGateway)
		return
	}
	there, err := new(net.Dialer).DialContext(r.Context(), "tcp", g.Addr())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer there.Close()
	// First the hijack, then the answer: what the program sends next is none of
	// net/http's business.
	here, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	defer here.Close()
	if _, err := io.WriteString(here, "HTTP/1.1 200 Connection established\r\n\r\n"); err == nil {
		join(here, there)
	}
}

// join carries bytes both ways until both sides have ended.
func join(here, there net.Conn) {
	var both sync.WaitGroup
	carry := func(to, from net.Conn) {
		_, _ = io.Copy(to, from) // either side may break off
		_ = to.Close()
	}
	both.Go(func() { carry(there, here) })
	both.Go(func() { carry(here, there) })
	both.Wait()
}

// told says that there is news before anybody is notified, which is after what they
// are notified of.
func (g *graph) told(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		g.news.tell()
		return next.RoundTrip(r)
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// newUser adds a user in scope, without a stamp, and lets Graph tell of it.
func (g *graph) newUser(name string) string {
	return g.tenant.AddUser(msgraphtest.NewUser{UPN: name + "@" + federated, Notify: true})
}

// revocations is how often the sessions of a user were revoked.
func (g *graph) revocations(id string) int {
	state, _ := g.tenant.User(id)
	return len(state.Revocations)
}

// revoking matches the calls that revoke.
func revoking(r msgraphtest.Request) bool {
	return r.Method == http.MethodPost && filepath.Base(r.Path) == "revokeSignInSessions"
}

// news tells whoever waits that something has changed.
type news struct {
	mu      sync.Mutex
	changed chan struct{} // closed with the next change
}

func newNews() *news { return &news{changed: make(chan struct{})} }

func (n *news) tell() {
	n.mu.Lock()
	defer n.mu.Unlock()
	close(n.changed)
	n.changed = make(chan struct{})
}

func (n *news) next() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.changed
}
