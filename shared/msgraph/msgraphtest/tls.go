package msgraphtest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"sync"
	"time"
)

// socket is the listener of a server and what has to end with it.
type socket struct {
	http      *http.Server
	listener  net.Listener
	transport *http.Transport
	cert      *x509.Certificate
	serving   sync.WaitGroup

	mu     sync.Mutex
	closed bool // nobody may join serving any more
}

// StartTLS listens on a free port of 127.0.0.1 until Close, with a certificate
// that is good for every host of Graph and Entra. It panics where the machine
// can't do that, as httptest does. Calling it again does nothing.
func (s *Server) StartTLS() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.socket != nil {
		return
	}
	k, err := listen(s)
	if err != nil {
		panic("msgraphtest: " + err.Error())
	}
	s.socket = k
	k.serving.Go(func() { _ = k.http.Serve(k.listener) }) // ends with closeSocket
}

// Client returns a client that reaches the socket whatever host it is asked for,
// and trusts its certificate. StartTLS comes first.
func (s *Server) Client() *http.Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &http.Client{Transport: s.socket.transport}
}

// Addr returns the address of the socket. StartTLS comes first.
func (s *Server) Addr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.socket.listener.Addr().String()
}

// Certificate returns the certificate of the socket, for programs that are to
// trust it. StartTLS comes first.
func (s *Server) Certificate() *x509.Certificate {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.socket.cert
}

// closeSocket breaks off what is under way and waits until nobody serves.
func (s *Server) closeSocket() {
	s.mu.Lock()
	k := s.socket
	s.mu.Unlock()
	if k == nil {
		return
	}
	k.transport.CloseIdleConnections()
	_ = k.http.Close()
	k.mu.Lock()
	k.closed = true
	k.mu.Unlock()
	k.serving.Wait()
}

// listen opens the socket. It speaks HTTP/1.1 only, so that a fault which resets
// a connection hits one request.
func listen(h http.Handler) (*socket, error) {
	cert, err := selfSigned(time.Now())
	if err != nil {
		return nil, err
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12})
	if err != nil {
		return nil, err
	}
	k := &socket{listener: l, cert: cert.Leaf}
	k.http = &http.Server{
		Handler:           k.counted(h),
		ReadHeaderTimeout: time.Minute,
		ErrorLog:          log.New(io.Discard, "", 0), // connections break on purpose
	}
	k.transport = clientTransport(l.Addr(), cert.Leaf)
	return k, nil
}

// counted lets closeSocket wait for requests under way, which Close of
// http.Server doesn't.
func (k *socket) counted(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !k.join() {
			panic(http.ErrAbortHandler)
		}
		defer k.serving.Done()
		h.ServeHTTP(w, r)
	})
}

func (k *socket) join() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.closed {
		k.serving.Add(1)
	}
	return !k.closed
}

func clientTransport(addr net.Addr, cert *x509.Certificate) *http.Transport {
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	return &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, addr.Network(), addr.String())
		},
		TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
	}
}

// selfSigned makes a certificate for all hosts and for 127.0.0.1. It goes by the
// real clock, as clients do.
func selfSigned(now time.Time) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "msgraphtest"},
		DNSNames:              append(hosts(), "localhost"),
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.AddDate(1, 0, 0),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		IsCA:                  true, // a root that signs itself
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, err
	}
	leaf, err := x509.ParseCertificate(der)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, err
}
