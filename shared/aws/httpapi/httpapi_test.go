package httpapi_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/aws/httpapi"
)

// post is an event as API Gateway sends it.
//
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
const post = `{
  "version": "2.0",
  "routeKey": "POST /graph",
  "rawPath": "/graph",
  "rawQueryString": "a=1&a=2%2C3&validationToken=x+y%26",
  "headers": {"content-type": "application/json", "x-forwarded-for": "20.1.2.3", "accept": "a,b"},
  "queryStringParameters": {"a": "1,2,3", "validationToken": "x y&"},
  "requestContext": {
    "domainName": "abc.execute-api.eu-central-1.amazonaws.com",
    "http": {"method": "POST", "path": "/graph", "protocol": "HTTP/1.1", "sourceIp": "20.1.2.3", "userAgent": "x"},
    "stage": "$default"
  },
  "body": "{\"value\":[]}",
  "isBase64Encoded": false
}`

func event(t *testing.T, change func(*events.APIGatewayV2HTTPRequest)) events.APIGatewayV2HTTPRequest {
	t.Helper()
	var e events.APIGatewayV2HTTPRequest
	if err := json.Unmarshal([]byte(post), &e); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&e)
	}
	return e
}

// serve lets handle serve an event.
func serve(t *testing.T, e events.APIGatewayV2HTTPRequest, handle http.HandlerFunc) events.APIGatewayV2HTTPResponse {
	t.Helper()
	answer, err := httpapi.Serve(handle)(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

type key struct{}

func TestRequest(t *testing.T) {
	t.Parallel()
	ctx := context.WithValue(t.Context(), key{}, "of the invocation")
	handler := http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		got := []any{
			req.Method, req.URL.String(), req.URL.Query()["a"], req.URL.Query().Get("validationToken"),
			req.Header, req.ContentLength, string(body), err, req.Context().Value(key{}),
		}
		want := []any{
			"POST", "/graph?a=1&a=2%2C3&validationToken=x+y%26", []string{"1", "2,3"}, "x y&",
			http.Header{"Content-Type": {"application/json"}, "X-Forwarded-For": {"20.1.2.3"}, "Accept": {"a,b"}},
			int64(12), `{"value":[]}`, nil, "of the invocation",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("request (-want +got):\n%s", diff)
		}
	})
	if _, err := httpapi.Serve(handler)(ctx, event(t, nil)); err != nil {
		t.Error(err)
	}
}

func TestBody(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, sent string
		base64     bool
		want       string
		broken     bool
	}{
		{name: "text", sent: "é", want: "é"},
		{name: "nothing", want: ""},
		{name: "text that looks like base64", sent: "AAAA", want: "AAAA"},
		{name: "base64", sent: base64.StdEncoding.EncodeToString([]byte("\x00\xff{}")), base64: true, want: "\x00\xff{}"},
		{name: "base64 of nothing", base64: true},
		{name: "base64 that breaks off", sent: "e30=!", base64: true, broken: true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			e := event(t, func(e *events.APIGatewayV2HTTPRequest) { e.Body, e.IsBase64Encoded = test.sent, test.base64 })
			serve(t, e, func(_ http.ResponseWriter, req *http.Request) {
				got, err := io.ReadAll(req.Body)
				if (err != nil) != test.broken || !test.broken && string(got) != test.want {
					t.Errorf("got %q and %v, want %q", got, err, test.want)
				}
			})
		})
	}
}

// TestResponse pins what API Gateway is answered.
func TestResponse(t *testing.T) {
	t.Parallel()
	tests := map[string]http.HandlerFunc{
		"nothing": func(http.ResponseWriter, *http.Request) {},
		"text": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			w.Header().Add("Vary", "a")
			w.Header().Add("Vary", "b")
			w.WriteHeader(http.StatusAccepted)
			w.WriteHeader(http.StatusTeapot) // too late
			_, _ = io.WriteString(w, "é <&>")
		},
		"bytes": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("\xff\x00"))
		},
	}
	for name, handle := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := json.MarshalIndent(serve(t, event(t, nil), handle), "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile("testdata/response-" + name + ".json")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)+"\n"); diff != "" {
				t.Errorf("response (-want +got):\n%s", diff)
			}
		})
	}
}
