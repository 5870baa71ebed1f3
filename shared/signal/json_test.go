package signal

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
)

// FuzzParse compares with package json: what both read is the same, and what it refuses
// is never read.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{`{"a":[1,{"b":null}],"A":"x"}`, `{"a":1,"a":2}`, `{"\u0061":1e9,"b":""}`, "\ufeff{}", `[1,]`, `{"a":true}x`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, ok := parse(raw)
		var want map[string]any
		if ok && len(raw) > 0 && raw[0] == '{' && json.Unmarshal(raw, &want) != nil {
			t.Error("read what is no JSON")
		}
		for name, value := range want {
			text, isText := value.(string)
			if isText && got.text(name) != text || reflect.TypeOf(value) == nil && got[name] != nil || len(got) != len(want) {
				t.Errorf("member %q differs", name)
			}
		}
	})
}

func TestSeconds(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		"1785578400": 1785578400, "1785578400643": 1785578400, "1785578400.9": 1785578400, "1.7855784e9": 1785578400,
		"99999999999": 99999999999, "100000000000": 100000000,
		"0": 0, "-5": 0, "1e300": 0, "-1e300": 0, `"1785578400"`: 0, "null": 0, "1e14": 0, "0.5": 0,
	} {
		o, ok := parse(fmt.Appendf(nil, `{"t":%s}`, text))
		got := o.seconds("t")
		if !ok || got.IsZero() != (want == 0) || want != 0 && got.Unix() != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}
