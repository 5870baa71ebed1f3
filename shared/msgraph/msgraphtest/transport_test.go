package msgraphtest

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
)

const revokePath = "/users/" + testUser + "/revokeSignInSessions"

func TestBodies(t *testing.T) {
	t.Parallel()
	batch := `{"requests":[{"id":"1","method":"GET","url":"/users/` + testUser + `"}]}`
	tests := []struct {
		name     string
		encoding string
		body     string
		status   int
	}{
		{"plain", "", batch, 200},
		{"gzip", "gzip", gzipped(t, batch), 200},
		{"not gzip", "gzip", batch, 400},
		{"gzip broken off", "gzip", gzipped(t, batch)[:40], 400},
		{"another encoding", "br", batch, 415},
		{"too large unzipped", "gzip", gzipped(t, strings.Repeat(" ", maxBody)+batch), 413},
		{"too large", "", strings.Repeat(" ", maxBody) + batch, 413},
	}
	for _, test := range tests {
		for _, chunked := range []bool{false, true} {
			t.Run(test.name+map[bool]string{true: " in chunks"}[chunked], func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, Options{})
				req := w.request("POST", "/$batch", test.body)
				if chunked {
					req.ContentLength = -1
				}
				if test.encoding != "" {
					req.Header.Set("Content-Encoding", test.encoding)
				}
				if r := w.send(req); r.StatusCode != test.status {
					t.Errorf("answered %d %s, want %d", r.StatusCode, r.body, test.status)
				}
			})
		}
	}
}

func gzipped(t *testing.T, s string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, s)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAnswersAreZippedForThoseWhoAsk(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	req := w.request("GET", "/users/"+testUser, "")
	plain := w.send(req)
	req.Header.Set("Accept-Encoding", "gzip")
	zipped := w.send(req)
	if got, err := unzip(zipped.body); !bytes.Equal(got, plain.body) || err != nil || zipped.Header.Get("Content-Encoding") != "gzip" {
		t.Errorf("unzipped %s, %v, want %s", got, err, plain.body)
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	if got := w.call("GET", "/users/"+testUser, "").Header; got.Get("OData-Version") != "4.0" || !strings.Contains(got.Get("Content-Type"), "odata.metadata=minimal") {
		t.Errorf("headers %v", got)
	}
}

// closeable tells whether it was closed.
type closeable struct {
	io.Reader
	closed bool
}

func (c *closeable) Close() error { c.closed = true; return nil }

func TestRoundTripClosesTheBody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	broken := errors.New("broken")
	for name, test := range map[string]struct {
		host string
		body io.Reader
		err  error
	}{
		"answered":     {"graph.microsoft.com", strings.NewReader("{}"), nil},
		"unknown host": {"example.org", strings.NewReader("{}"), &net.DNSError{}},
		"body breaks":  {"graph.microsoft.com", iotest.ErrReader(broken), broken},
	} {
		body := &closeable{Reader: test.body}
		req := w.request("POST", revokePath, "")
		req.URL.Host, req.Body = test.host, body
		resp, err := w.RoundTrip(req)
		var dns *net.DNSError
		if !errors.Is(err, test.err) && !(errors.As(err, &dns) && dns.IsNotFound) {
			t.Errorf("%s: error %v, want %v", name, err, test.err)
		}
		if err == nil {
			resp.Body.Close()
		}
		if !body.closed {
			t.Errorf("%s: the body was left open", name)
		}
	}
}

func TestRoundTripRefusesPlainHTTP(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	req := w.request("GET", "/users/"+testUser, "")
	req.URL.Scheme = "http"
	if _, err := w.RoundTrip(req); err == nil {
		t.Error("answered over http")
	}
}

func TestRoundTripOfACancelledCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := w.RoundTrip(w.request("POST", revokePath, "").WithContext(ctx))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want Canceled", err)
	}
	if n := w.Counts().Writes; n != 0 {
		t.Errorf("%d writes", n)
	}
}

func TestRevokeNeedsItsLength(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		body   io.ReadCloser
		length int64
		status int
	}{
		{"no body", nil, 0, 200},
		{"http.NoBody", http.NoBody, 0, 200},
		{"empty in chunks", io.NopCloser(strings.NewReader("")), -1, 411},
		{"of unknown length", io.NopCloser(strings.NewReader("{}")), 0, 411},
		{"sized", io.NopCloser(strings.NewReader("{}")), 2, 200},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, Options{})
			req := w.request("POST", revokePath, "")
			req.Header.Set("Content-Type", "application/json")
			req.Body, req.ContentLength = test.body, test.length
			if r := w.send(req); r.StatusCode != test.status {
				t.Errorf("answered %d %s, want %d", r.StatusCode, r.body, test.status)
			}
		})
	}
}
