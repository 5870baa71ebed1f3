package mototest_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/smithy-go/encoding/cbor"
	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/aws/mototest"
)

// TestJSON calls a server of AWS JSON in CBOR.
func TestJSON(t *testing.T) {
	t.Parallel()
	s := mototest.JSON(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in map[string]any
		want := map[string]any{"Names": []any{"a"}, "StartTime": 1.5, "Limit": -2.0}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil || !cmp.Equal(in, want) || r.Header.Get("X-Amz-Target") != "Granite.DescribeAlarms" {
			t.Errorf("%s gets %v, %v", r.Header.Get("X-Amz-Target"), in, err)
		}
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"__type":"X","Threshold":240,"Rate":0.5,"Off":-3,"StateUpdatedTimestamp":7,"None":null,"On":[true]}`)
	}))
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/service/Granite/operation/DescribeAlarms", bytes.NewReader(cbor.Encode(cbor.Map{
		"Names": cbor.List{cbor.String("a")}, "StartTime": &cbor.Tag{ID: 1, Value: cbor.Float64(1.5)}, "Limit": cbor.NegInt(2)})))
	request.Header.Set("Smithy-Protocol", "rpc-v2-cbor")
	answer := httptest.NewRecorder()
	s.ServeHTTP(answer, request)
	got, err := cbor.Decode(answer.Body.Bytes())
	want := cbor.Map{"__type": cbor.String("X"), "Threshold": cbor.Uint(240), "Rate": cbor.Float64(0.5), "Off": cbor.NegInt(3),
		"StateUpdatedTimestamp": &cbor.Tag{ID: 1, Value: cbor.Float64(7)}, "On": cbor.List{cbor.Bool(true)}}
	if diff := cmp.Diff(cbor.Value(want), got); diff != "" || err != nil || answer.Code != http.StatusBadRequest {
		t.Errorf("status %d, %v (-want +got):\n%s", answer.Code, err, diff)
	}
}
