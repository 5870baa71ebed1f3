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
	"net/http/httptest"
	"time"
)

// StartTLS listens on a free port of 127.0.0.1 until Close, with a certificate
// that is good for every host of Graph and Entra. It panics where the machine
// can't do that, as httptest does. It speaks HTTP/1.1 only, so that a fault which
// resets a connection hits one request.
func (s *Server) StartTLS() {
	cert, err := selfSigned(time.Now())
	if err != nil {
		panic("msgraphtest: " + err.Error())
	}
	s.socket = httptest.NewUnstartedServer(s)
	s.socket.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	s.socket.Config.ErrorLog = log.New(io.Discard, "", 0) // connections break on purpose
	s.socket.StartTLS()
	s.socket.Client().Transport.(*http.Transport).DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", s.Addr())
	}
}

// Client returns a client that reaches the socket whatever host it is asked for,
// and trusts its certificate. StartTLS comes first.
func (s *Server) Client() *http.Client { return s.socket.Client() }

// Addr returns the address of the socket. StartTLS comes first.
func (s *Server) Addr() string { return s.socket.Listener.Addr().String() }

// Certificate returns the certificate of the socket, for programs that are to
// trust it. StartTLS comes first.
func (s *Server) Certificate() *x509.Certificate { return s.socket.Certificate() }

// closeSocket breaks off what is under way and waits until nobody serves.
func (s *Server) closeSocket() {
	if s.socket != nil {
		s.socket.CloseClientConnections()
		s.socket.Close()
	}
}

// selfSigned makes a certificate for all hosts. It goes by the real clock, as
// clients do.
func selfSigned(now time.Time) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "msgraphtest"},
		DNSNames:              hosts(),
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.AddDate(1, 0, 0),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		IsCA:                  true, // a root that signs itself
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}
