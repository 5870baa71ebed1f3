package msgraphtest

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// maxBody is how many bytes a request may have.
const maxBody = 4 << 20

// arrival is a request as it came in, whichever way it came.
type arrival struct {
	method  string
	host    string // without port, in lower case
	url     *url.URL
	header  http.Header
	body    []byte
	sized   bool   // its Content-Length was told
	refusal *reply // the body can't be taken
}

// answer is what goes back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// RoundTrip answers in process, for every host that Graph and Entra have. It
// respects the request's context, starts no goroutine, and waits only for
// latency that was asked for.
func (s *Server) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer req.Body.Close()
	}
	if err := reachable(req.URL); err != nil {
		return nil, err
	}
	in := arrival{method: req.Method, host: hostname(req.URL.Host), url: req.URL, header: req.Header}
	in.sized = req.Body == nil || req.Body == http.NoBody || req.ContentLength > 0
	if err := in.read(req.Body); err != nil {
		return nil, err
	}
	a, err := s.exchange(req.Context(), in)
	if err != nil {
		return nil, err
	}
	return a.response(req), nil
}

// SetDate has answers over a socket show a date that is so far ahead of the calendar, which
// nothing else follows: the clock of whoever calls then looks slow.
func (s *Server) SetDate(ahead time.Duration) { s.ahead.Store(int64(ahead)) }

// ServeHTTP answers over a socket; the Host header says which host is meant. A
// connection that has to break is closed without an answer.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	in := arrival{method: r.Method, host: hostname(r.Host), url: r.URL, header: r.Header}
	in.sized = r.ContentLength > 0 || r.ContentLength == 0 && r.Header.Get("Content-Length") != ""
	if !isGraph(in.host) && !isLogin(in.host) {
		http.Error(w, "the emulator is none of "+in.host, http.StatusMisdirectedRequest)
		return
	}
	if err := in.read(r.Body); err != nil {
		panic(http.ErrAbortHandler) // the client broke off
	}
	a, err := s.exchange(r.Context(), in)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if ahead := time.Duration(s.ahead.Load()); ahead != 0 {
		a.header.Set("Date", s.now().Add(ahead).UTC().Format(http.TimeFormat))
	}
	a.write(w)
}

// reachable fails as the network does where nothing would answer.
func reachable(u *url.URL) error {
	host := hostname(u.Host)
	if !isGraph(host) && !isLogin(host) {
		return &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	if u.Scheme != "https" {
		return fmt.Errorf("msgraphtest: %s speaks https, not %s", host, u.Scheme)
	}
	return nil
}

// read takes the body in. An error means that it broke off; a body that came
// whole but can't be taken becomes the refusal.
func (in *arrival) read(body io.Reader) error {
	if body == nil {
		return nil
	}
	raw, err := io.ReadAll(io.LimitReader(body, maxBody+1))
	if err != nil {
		return err
	}
	switch in.header.Get("Content-Encoding") {
	case "":
	case "gzip": // as Kiota's clients send it
		if raw, err = unzip(raw); err != nil {
			in.refusal = new(fail(http.StatusBadRequest, "BadRequest", "The body is not gzip."))
		}
	default:
		in.refusal = new(fail(http.StatusUnsupportedMediaType, "BadRequest", "The content encoding is not supported."))
	}
	if len(raw) > maxBody {
		in.refusal = new(fail(http.StatusRequestEntityTooLarge, "BadRequest", "The request is larger than 4 MiB."))
	}
	in.body = raw
	return nil
}

func unzip(zipped []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(zipped))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(z, maxBody+1))
}

// exchange answers one request over the wire.
func (s *Server) exchange(ctx context.Context, in arrival) (answer, error) {
	if err := ctx.Err(); err != nil {
		return answer{}, err
	}
	c, carryOut := s.receive(ctx, in)
	r, err := s.run(c, carryOut)
	if err != nil {
		return answer{}, err
	}
	a := r.encode(c)
	if len(a.body) > 0 && strings.Contains(in.header.Get("Accept-Encoding"), "gzip") {
		a.zip()
	}
	return a, nil
}

// zip zips the body, as Graph does for those who take it so.
func (a *answer) zip() {
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write(a.body) // a buffer takes everything
	_ = z.Close()
	a.body = zipped.Bytes()
	a.header.Set("Content-Encoding", "gzip")
}

// response is the answer as a transport returns it.
func (a answer) response(req *http.Request) *http.Response {
	return &http.Response{
		Status:     fmt.Sprintf("%d %s", a.status, http.StatusText(a.status)),
		StatusCode: a.status,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        a.header,
		Body:          io.NopCloser(bytes.NewReader(a.body)),
		ContentLength: int64(len(a.body)),
		Request:       req,
	}
}

func (a answer) write(w http.ResponseWriter) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // a client that is gone can't be told
}
