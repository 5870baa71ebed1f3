package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
)

// Each kind is found in the midst of a log record, and what looks like it is not.
func TestFind(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	const state = "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4"
	for name, test := range map[string]struct{ text, kind string }{
		"client secret":                {"abc8Q~0123456789.-_~", "a client secret"},
		"another digit":                {"abc7Q~0123456789.-_~", "a client secret"},
		"secret in a form":             {"client_secret=abc8Q%7E0123456789", "a client secret"},
		"secret in a form, lower case": {"client_secret=abc8Q%7e0123456789", "a client secret"},
		"access token":                 {"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "a token or an assertion"},
		"assertion's header":           {"eyJhbGciOiJSUzI1NiJ9.", "a token or an assertion"},
		"key in PEM":                   {string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "a private key"},
		"key in PKCS #1":               {"-----BEGIN RSA PRIVATE KEY-----", "a private key"},
		"key in base64":                {base64.StdEncoding.EncodeToString(der), "a private key"},
		"user principal name":          {"hanako.sato@contoso.co.jp", "a user principal name"},
		"guest":                        {"a_b.example#EXT#@contoso.onmicrosoft.com", "a user principal name"},
		"guest in a URL":               {"/users/a_b.example%23EXT%23%40contoso.onmicrosoft.com", "a user principal name"},
		"name in a URL":                {"/users/hanako%40contoso.com", "a user principal name"},
		"escaped name":                 {`hanako\u0040contoso.com`, "a user principal name"},
		"display name":                 {"Hanako canary-4711", "a canary"},
		"key with %+v":                 {fmt.Sprintf("%+v", *key), "a private key"},
		"small key's prime":            {strings.Repeat("7", 150), "a private key"},
		"long number":                  {strings.Repeat("7", 149), ""},
		"in mixed case":                {"cAnAry~4711", "a canary"},
		"in upper case":                {"CANARY-4711", "a canary"},
		"clientState":                  {state, "a clientState"},
		"after a line break":           {`\n` + state, "a clientState"},
		"after a tab":                  {`\t` + state, "a clientState"},
		"after a return":               {`\r` + state + `\r\n`, "a clientState"},
		"after a sign":                 {`\u003c` + state + `\u003e`, "a clientState"},
		"JSON in JSON":                 {`\\n` + state + `\\u0026`, "a clientState"},
		"derived clientState":          {"AAAAAAAA-0a_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "a clientState"},
		"something hidden":             {"hunter2", "a secret"},
		"object id":                    {"0000000a-0000-0000-0000-000000000001", ""},
		"digest":                       {strings.Repeat("0a", 32), ""},
		"shorter than one":             {state[1:], ""},
		"longer than one":              {state + "A", ""},
		"pattern of names":             {"svc-*@contoso.com", ""},
		"module":                       {"github.com/aws/aws-lambda-go@v1.55.0/lambda/entry.go:12", ""},
		"role":                         {"arn:aws:iam::123456789012:role/sessionstamp-stamper", ""},
		"refused setting":              {`excluded pattern \"hanako@contoso.com\" has`, ""},
		"redacted":                     {"[redacted]", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kind, text := find(`{"level":"INFO","error":"` + test.text + `"}`)
			if kind != test.kind {
				t.Errorf("got %q, %q, want %q", kind, text, test.kind)
			}
		})
	}
}
