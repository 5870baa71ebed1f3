package msgraph_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/msgraph"
)

// A request that was certainly not written is told from one that may have been,
// with the transport that programs use.
func TestConnections(t *testing.T) {
	t.Parallel()
	refuse := func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	}
	tests := []struct {
		name     string
		http2    bool
		sabotage func(*http.Transport)
		handler  http.HandlerFunc
		notDone  bool
		served   int64
	}{
		{name: "refused", sabotage: func(t *http.Transport) { t.DialContext = refuse }, notDone: true},
		{name: "refused, HTTP/2", http2: true, sabotage: func(t *http.Transport) { t.DialContext = refuse }, notDone: true},
		{name: "wrong certificate", sabotage: func(t *http.Transport) { t.TLSClientConfig.ServerName = "graph.example" }, notDone: true},
		{name: "broken before the answer", handler: hangUp, served: 1},
		{name: "broken before the answer, HTTP/2", http2: true, handler: hangUp, served: 1},
		{name: "broken in the answer", handler: hangUpHalfway, served: 1},
		{name: "broken in the answer, HTTP/2", http2: true, handler: hangUpHalfway, served: 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var served atomic.Int64
			transport := transportTo(t, tt.http2, func(w http.ResponseWriter, r *http.Request) {
				served.Add(1)
				tt.handler(w, r)
			})
			if tt.sabotage != nil {
				tt.sabotage(transport)
			}
			_, err := clientOf(t, transport).RevokeSignInSessions(t.Context(), userIDs(1))
			if e := graphError(t, err); e.NotDone != tt.notDone || e.ClientRequestID == "" {
				t.Errorf("error %+v, want NotDone %t", e, tt.notDone)
			}
			if n := served.Load(); n != tt.served {
				t.Errorf("served %d times, want %d", n, tt.served)
			}
		})
	}
}

// A connection that the other side closed while it lay idle: the first write may
// or may not have arrived, so there is no second one.
func TestNoSecondSendOnAStaleConnection(t *testing.T) {
	t.Parallel()
	for _, http2 := range []bool{false, true} {
		t.Run(fmt.Sprint("HTTP/2 ", http2), func(t *testing.T) {
			t.Parallel()
			var served atomic.Int64
			client := clientOf(t, transportTo(t, http2, func(w http.ResponseWriter, r *http.Request) {
				if served.Add(1) > 1 {
					hangUp(w, r)
				}
				w.Header().Set("Content-Type", "application/json")
				io.WriteString(w, batchOf(partOf(1, http.StatusOK, `{}`)))
			}))
			if _, err := client.RevokeSignInSessions(t.Context(), userIDs(1)); err != nil {
				t.Fatal(err)
			}
			_, err := client.RevokeSignInSessions(t.Context(), userIDs(1))
			if e := graphError(t, err); e.NotDone {
				t.Errorf("error %+v", e)
			}
			if n := served.Load(); n != 2 {
				t.Errorf("served %d times, want 2", n)
			}
		})
	}
}

// hangUp breaks the connection after the request was read.
func hangUp(_ http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	panic(http.ErrAbortHandler)
}

// hangUpHalfway breaks the connection in the middle of the answer.
func hangUpHalfway(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, `{"responses":[`)
	http.NewResponseController(w).Flush()
	hangUp(w, r)
}

// transportTo returns net/http's transport, whose connections all lead to handler.
func transportTo(t *testing.T, http2 bool, handler http.HandlerFunc) *http.Transport {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = http2
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // connections break here on purpose
	server.StartTLS()
	t.Cleanup(server.Close)
	transport := server.Client().Transport.(*http.Transport).Clone()
	transport.ForceAttemptHTTP2 = http2
	transport.TLSClientConfig = &tls.Config{
		RootCAs:    server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs,
		ServerName: "example.com", // as in httptest's certificate
	}
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
	}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// Without a transport of net/http's, no failure is certain.
func TestTransportErrors(t *testing.T) {
	t.Parallel()
	for _, lost := range []error{&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, syscall.ECONNRESET, io.ErrUnexpectedEOF} {
		graph := fails(lost)
		_, err := clientOf(t, graph).RevokeSignInSessions(t.Context(), userIDs(1))
		if e := graphError(t, err); e.NotDone || e.StatusCode != 0 || !errors.Is(err, lost) || graph.requests() != 1 {
			t.Errorf("error %+v after %d requests", e, graph.requests())
		}
	}
}

// A call that hangs ends after the call's timeout, and may have been carried out.
func TestCallTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		graph := &fake{answer: func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		}}
		start := time.Now()
		_, err := clientOf(t, graph).RevokeSignInSessions(t.Context(), userIDs(1))
		if e := graphError(t, err); e.NotDone || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %+v", e)
		}
		if took := time.Since(start); took != 20*time.Second {
			t.Errorf("took %v, want 20 seconds", took)
		}
	})
}

func TestContextDoneBeforeTheCall(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	graph := answers(http.StatusOK, batchOf())
	_, err := clientOf(t, graph).RevokeSignInSessions(ctx, userIDs(1))
	if e := graphError(t, err); !e.NotDone || !errors.Is(err, context.Canceled) || graph.requests() != 0 {
		t.Errorf("error %+v after %d requests", e, graph.requests())
	}
}

// None of the ways in which SDKs and HTTP clients send again is open.
func TestNothingIsSentTwice(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		status int
		header http.Header
	}{
		{"throttled", 429, http.Header{"Retry-After": {"0"}}},
		{"unavailable", 503, http.Header{"Retry-After": {"0"}}},
		{"gateway timeout", 504, nil},
		{"redirected", 307, http.Header{"Location": {"https://graph.microsoft.com/v1.0/$batch"}}},
		{"redirected to nonsense", 308, http.Header{"Location": {"https://%zz"}}},
		{"claims challenge", 401, http.Header{"Www-Authenticate": {`Bearer error="insufficient_claims", claims="e30="`}}},
		{"claims without quotes", 401, http.Header{"Www-Authenticate": {`Bearer claims=e30=`}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			graph := &fake{answer: func(*http.Request) (*http.Response, error) {
				resp := response(tt.status, `{}`)
				for name, values := range tt.header {
					resp.Header[name] = values
				}
				return resp, nil
			}}
			_, err := clientOf(t, graph).RevokeSignInSessions(t.Context(), userIDs(1))
			if e := graphError(t, err); e.StatusCode != tt.status {
				t.Errorf("error %+v, want status %d", e, tt.status)
			}
			if n := graph.requests(); n != 1 {
				t.Errorf("%d requests, want 1", n)
			}
		})
	}
}

func TestHugeAnswersAreNotRead(t *testing.T) {
	t.Parallel()
	const limit = 8 << 20
	for _, status := range []int{http.StatusOK, http.StatusNotFound} {
		graph := answers(status, `{"responses":[],"x":"`+strings.Repeat("x", limit)+`"}`)
		_, err := clientOf(t, graph).RevokeSignInSessions(t.Context(), userIDs(1))
		if e := graphError(t, err); e.StatusCode != status || e.NotDone != (status == http.StatusNotFound) {
			t.Errorf("error %+v", e)
		}
	}
}

// Graph answers 411 to a request without a length, does not get bodies compressed,
// and wants to know who calls and which call it is.
func TestHeaders(t *testing.T) {
	t.Parallel()
	graph := answers(http.StatusOK, batchOf(partOf(1, http.StatusNotFound, `{}`)))
	client := clientOf(t, graph)
	for range 2 {
		if _, err := client.ReadUsers(t.Context(), userIDs(1)); err != nil {
			t.Fatal(err)
		}
	}
	first, second := graph.seen[0], graph.seen[1]
	if got, want := first.ContentLength, int64(len(graph.bodies[0])); got != want {
		t.Errorf("Content-Length is %d, want %d", got, want)
	}
	for name, want := range map[string]string{
		"User-Agent":       "sessionstamp",
		"Content-Type":     "application/json",
		"Content-Encoding": "",
		"Authorization":    "Bearer t0k3n-1",
	} {
		if got := first.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	a, b := first.Header.Get("client-request-id"), second.Header.Get("client-request-id")
	if a == "" || a == b {
		t.Errorf("client-request-ids are %q and %q", a, b)
	}
}

// Clients are made and used side by side; the race detector judges.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	graph := &fake{answer: func(req *http.Request) (*http.Response, error) {
		if req.Method == http.MethodGet {
			return response(http.StatusOK, `{"value":[]}`), nil
		}
		return response(http.StatusOK, batchOf(partOf(1, http.StatusOK, userJSON(userID(0), "")))), nil
	}}
	shared := clientOf(t, graph)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for _, client := range []*msgraph.Client{shared, clientOf(t, graph)} {
				_, readErr := client.ReadUsers(t.Context(), userIDs(1))
				_, revokeErr := client.RevokeSignInSessions(t.Context(), userIDs(1))
				_, domainsErr := client.Domains(t.Context())
				if err := errors.Join(readErr, revokeErr, domainsErr); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
}
