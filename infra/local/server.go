package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"time"
)

// A webServer is what API Gateway is in a deployment: the webhook's front door,
// real HTTP over TLS, on this machine only.
type webServer struct {
	url      string
	listener net.Listener
	server   *http.Server
	client   *http.Client // reaches this server and no other
}

func newWebServer() (*webServer, error) {
	pair, certificate, err := newCertificate()
	if err != nil {
		return nil, fmt.Errorf("make the web server's certificate: %w", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it does not wait for anybody
	if err != nil {
		return nil, fmt.Errorf("listen on 127.0.0.1: %w", err)
	}
	return &webServer{
		url:      "https://" + listener.Addr().String() + "/notifications",
		listener: tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}),
		client:   newWebClient(certificate),
	}, nil
}

// newCertificate makes a certificate for 127.0.0.1 that lives as long as the run.
func newCertificate() (tls.Certificate, *x509.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "sessionstamp on one machine"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IsCA:         true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, certificate, err
}

// serve begins to answer.
func (s *webServer) serve(handler http.Handler) {
	s.server = &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = s.server.Serve(s.listener) }() // ends with close
}

func newWebClient(certificate *x509.Certificate) *http.Client {
	roots := x509.NewCertPool()
	roots.AddCert(certificate)
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig:     &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		MaxIdleConnsPerHost: 16,
	}}
}

func (s *webServer) close() {
	if s.server != nil {
		_ = s.server.Close()
	}
	_ = s.listener.Close()
}

// forge posts what somebody would who has found the webhook's URL: a well-formed
// notification with a guessed clientState, half a body, or another tenant's.
func (d *demo) forge(ctx context.Context, n int, id string) error {
	item := fmt.Sprintf(`{"changeType":"updated","clientState":"guess %d","resource":"Users/%s",`+
		`"resourceData":{"id":%q},"subscriptionId":"00000000-0000-4000-8000-000000000000","tenantId":%q}`, n, id, id, d.tenant.ID())
	body := `{"value":[` + item + `]}`
	if n%30 == 20 {
		body = body[:len(body)/2]
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, d.server.url, bytes.NewReader([]byte(body)))
	if err != nil {
		return err
	}
	response, err := d.server.client.Do(request)
	if err != nil {
		return fmt.Errorf("forge a notification: %w", err)
	}
	return response.Body.Close()
}
