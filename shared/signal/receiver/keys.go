package receiver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/signal"
)

const (
	// maxKeys is one byte more than a set of keys that is read.
	maxKeys = 1<<16 + 1
	// keysTimeout bounds a fetch whose caller does not.
	keysTimeout  = 2 * time.Second
	maxRedirects = 3
)

// What is wrong with a jwks_uri. No text quotes what came over the network.
var (
	errNotHTTPS = errors.New("jwks_uri is no address that begins with https://")
	errRedirect = errors.New("jwks_uri redirects to another host, or too often")
)

// HTTPS returns how keys are read from a jwks_uri: by https only, no further than one
// host, and bounded in bytes and time. The transport is mostly [http.DefaultTransport].
func HTTPS(transport http.RoundTripper) func(uri string) signal.KeyFetcher {
	client := &http.Client{Transport: transport, Timeout: keysTimeout, CheckRedirect: stay}
	return func(uri string) signal.KeyFetcher { return fetcher{client, uri} }
}

// stay admits a redirection to the same host only.
func stay(next *http.Request, before []*http.Request) error {
	if next.URL.Scheme != "https" || next.URL.Host != before[0].URL.Host || len(before) > maxRedirects {
		return errRedirect
	}
	return nil
}

type fetcher struct {
	client *http.Client
	uri    string
}

// FetchKeys implements [signal.KeyFetcher].
func (f fetcher) FetchKeys(ctx context.Context) ([]byte, error) {
	u, err := url.Parse(f.uri)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return nil, errNotHTTPS
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.uri, http.NoBody)
	if err != nil {
		return nil, errNotHTTPS
	}
	req.Header.Set("Accept", "application/jwk-set+json, application/json")
	answer, err := f.client.Do(req)
	if err != nil {
		return nil, plain(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("jwks_uri answers with status %d", answer.StatusCode)
	}
	raw, err := io.ReadAll(io.LimitReader(answer.Body, maxKeys))
	if err != nil {
		return nil, fmt.Errorf("the answer of jwks_uri broke off: %w", err)
	}
	return raw, nil
}

// plain leaves the address out, which a redirection may have chosen.
func plain(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}
