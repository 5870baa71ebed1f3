package msgraphtest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// over sends a request through a client.
func over(t *testing.T, client *http.Client, req *http.Request) response {
	t.Helper()
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	return readResponse(t, resp)
}

func TestOverTheSocket(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.StartTLS()
	client := w.Client()

	form, err := http.NewRequestWithContext(t.Context(), "POST", tokenURL, strings.NewReader(secretForm().Encode()))
	if err != nil {
		t.Fatal(err)
	}
	form.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	token := w.tokenFrom(over(t, client, form))
	w.want(over(t, client, w.requestAs(token, "GET", "/users/"+testUser, "")), 200, "")
	w.want(over(t, client, w.requestAs(token, "POST", revokePath, "")), 200, "")

	chunked := w.requestAs(token, "POST", revokePath, "{}")
	chunked.ContentLength = -1
	w.want(over(t, client, chunked), 411, "LengthRequired")

	elsewhere := w.requestAs(token, "GET", "/users", "")
	elsewhere.Host = "example.org"
	w.want(over(t, client, elsewhere), 421, "")
	if w.Addr() == "" || w.Certificate().VerifyHostname("graph.microsoft.us") != nil {
		t.Error("address or certificate are wrong")
	}
}

func TestResetOverTheSocket(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.StartTLS()
	req := w.request("POST", revokePath, "")
	w.Inject(Fault{Reset: true, After: true})
	if _, err := w.Client().Do(req); !errors.Is(err, io.EOF) {
		t.Errorf("error %v, want EOF", err)
	}
	if n := w.Counts().Writes; n != 1 {
		t.Errorf("%d writes, want 1", n)
	}
}

func TestCloseEndsWhatWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.StartTLS()
	req := w.request("GET", "/users", "")
	arrived := make(chan struct{})
	w.Inject(Fault{Latency: time.Hour, Match: func(r Request) bool { close(arrived); return true }})
	failed := make(chan error)
	client := w.Client()
	go func() {
		_, err := client.Do(req)
		failed <- err
	}()
	<-arrived
	w.Close()
	w.Close() // does nothing
	if err := <-failed; err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want a broken connection", err)
	}
}
