package mototest

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"

	"github.com/aws/smithy-go/encoding/cbor"
)

// JSON stands before a server that speaks the AWS JSON protocol and lets it be called by
// [Smithy's RPC v2] too, by which the SDK calls CloudWatch, and which moto does not know.
//
// [Smithy's RPC v2]: https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
func JSON(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Smithy-Protocol") != "rpc-v2-cbor" {
			next.ServeHTTP(w, r)
			return
		}
		if err := translate(r); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		plain := httptest.NewRecorder()
		next.ServeHTTP(plain, r)
		var answer any
		if err := json.Unmarshal(plain.Body.Bytes(), &answer); err != nil {
			answer = map[string]any{"__type": "InternalFailure", "message": err.Error()}
		}
		w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
		w.Header().Set("Content-Type", "application/cbor")
		w.WriteHeader(plain.Code)
		_, _ = w.Write(cbor.Encode(toCBOR("", answer))) // a client that is gone can't be told
	})
}

// translate makes a request of "/service/name/operation/name" one of AWS JSON.
func translate(r *http.Request) error {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	in := cbor.Value(cbor.Map{})
	if len(text) > 0 {
		if in, err = cbor.Decode(text); err != nil {
			return err
		}
	}
	body, err := json.Marshal(fromCBOR(in))
	if err != nil {
		return err
	}
	service := path.Base(strings.TrimSuffix(path.Dir(r.URL.Path), "/operation"))
	r.Header.Set("X-Amz-Target", service+"."+path.Base(r.URL.Path))
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Del("Smithy-Protocol")
	r.URL.Path, r.RequestURI = "/", "/"
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return nil
}

// fromCBOR is a value as JSON takes it. Moments are seconds.
func fromCBOR(v cbor.Value) any {
	switch v := v.(type) {
	case cbor.Map:
		m := make(map[string]any)
		for name, item := range v {
			m[name] = fromCBOR(item)
		}
		return m
	case cbor.List:
		list := []any{}
		for _, item := range v {
			list = append(list, fromCBOR(item))
		}
		return list
	case *cbor.Tag:
		return fromCBOR(v.Value)
	case cbor.NegInt:
		return -int64(v) //nolint:gosec // as small as a test's
	case *cbor.Nil, *cbor.Undefined:
		return nil
	}
	return v
}

// toCBOR is a value of JSON. Numbers are moments where their name says so.
func toCBOR(name string, v any) cbor.Value {
	switch v := v.(type) {
	case map[string]any:
		m := make(cbor.Map)
		for name, item := range v {
			if item != nil {
				m[name] = toCBOR(name, item)
			}
		}
		return m
	case []any:
		list := cbor.List{}
		for _, item := range v {
			list = append(list, toCBOR(name, item))
		}
		return list
	case string:
		return cbor.String(v)
	case bool:
		return cbor.Bool(v)
	case float64:
		return numberToCBOR(name, v)
	}
	return &cbor.Nil{}
}

func numberToCBOR(name string, v float64) cbor.Value {
	switch {
	case strings.Contains(name, "Timestamp"):
		return &cbor.Tag{ID: 1, Value: cbor.Float64(v)}
	case v != math.Trunc(v):
		return cbor.Float64(v)
	case v < 0:
		return cbor.NegInt(-v)
	}
	return cbor.Uint(v)
}
