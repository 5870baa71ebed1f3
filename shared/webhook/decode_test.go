package webhook

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

const (
	aTenant = "84bd8158-6d4d-4958-8b9f-9d6445542f95"
	aUser   = "0b7e5a0c-6f0e-4a1b-9c55-1d7f7f1f0a01"
	another = "11111111-1111-4111-8111-111111111111"
)

// change is a notification in JSON, with some of its fields replaced; nil takes one out.
func change(replace map[string]any) string {
	fields := map[string]any{
		"changeType": "updated", "clientState": "s", "resource": "Users/" + aUser, "tenantId": aTenant,
		"resourceData": map[string]any{"id": aUser, "sequenceNumber": json.Number("636784480202455800")},
	}
	for name, value := range replace {
		fields[name] = value
		if value == nil {
			delete(fields, name)
		}
	}
	text, err := json.Marshal(fields)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func TestDecodeItem(t *testing.T) { //nolint:funlen // one table
	t.Parallel()
	plain := item{clientState: "s", changeType: "updated", tenant: aTenant, user: aUser}
	with := func(change func(*item)) item {
		i := plain
		change(&i)
		return i
	}
	notUser := with(func(i *item) { i.user = "" })
	data := func(fields ...string) map[string]any {
		m := map[string]any{}
		for i := 0; i < len(fields); i += 2 {
			m[fields[i]] = fields[i+1]
		}
		return map[string]any{"resourceData": m}
	}
	for name, test := range map[string]struct {
		item string
		want item
	}{
		"plain":                      {change(nil), plain},
		"lower-case resource":        {change(map[string]any{"resource": "users/" + aUser}), plain},
		"slash before":               {change(map[string]any{"resource": "/users/" + aUser}), plain},
		"id in brackets":             {change(map[string]any{"resource": "Users('" + aUser + "')"}), plain},
		"id in brackets, only there": {change(map[string]any{"resource": "users('" + aUser + "')", "resourceData": nil}), plain},
		"no resource data":           {change(map[string]any{"resourceData": nil}), plain},
		"null resource data":         {change(map[string]any{"resourceData": json.RawMessage("null")}), plain},
		"null resource":              {change(map[string]any{"resource": json.RawMessage("null")}), plain},
		"no resource":                {change(map[string]any{"resource": nil}), plain},
		"resource without id":        {change(map[string]any{"resource": "users"}), plain},
		"capitals in ids":            {change(map[string]any{"tenantId": strings.ToUpper(aTenant), "resource": "Users/" + strings.ToUpper(aUser)}), plain},
		"organizationId":             {change(map[string]any{"tenantId": nil, "organizationId": aTenant}), plain},
		"organizationId inside":      {change(map[string]any{"tenantId": nil, "resourceData": map[string]any{"id": aUser, "organizationId": aTenant}}), plain},
		"escapes":                    {strings.Replace(change(nil), `"clientState":"s"`, `"cl\u0069entState":"\u0073"`, 1), plain},
		"doubled name: the last":     {strings.Replace(change(nil), `{`, `{"clientState":5,"resource":"x",`, 1), with(func(i *item) { i.unreadable = true })},
		"unknown fields":             {change(map[string]any{"encryptedContent": map[string]any{"data": []int{1}}, "id": 7}), plain},
		"no client state":            {change(map[string]any{"clientState": nil}), with(func(i *item) { i.clientState = "" })},
		"not ASCII":                  {change(map[string]any{"clientState": "é"}), with(func(i *item) { i.clientState = "é" })},
		"another resource":           {change(map[string]any{"resource": "groups/" + aUser}), notUser},
		"another in brackets":        {change(map[string]any{"resource": "groups('" + aUser + "')"}), notUser},
		"lifecycle": {
			change(map[string]any{"lifecycleEvent": "reauthorizationRequired", "changeType": nil, "resource": "", "resourceData": nil}),
			with(func(i *item) { i.changeType, i.user, i.lifecycle = "", "", true }),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ok := decode(`{"value":[` + test.item + `]}`)
			if diff := cmp.Diff([]item{test.want}, got, cmp.AllowUnexported(item{})); diff != "" || !ok {
				t.Errorf("%t (-want +got):\n%s", ok, diff)
			}
		})
	}
	for name, bad := range map[string]string{
		"null":               `null`,
		"text":               `"a"`,
		"array":              `[{}]`,
		"nothing in it":      `{}`,
		"wrong type":         change(map[string]any{"tenantId": 5}),
		"state an object":    change(map[string]any{"clientState": map[string]any{}}),
		"data an array":      change(map[string]any{"resourceData": []any{}}),
		"data a text":        change(map[string]any{"resourceData": aUser}),
		"no tenant":          change(map[string]any{"tenantId": nil}),
		"tenant by name":     change(map[string]any{"tenantId": "contoso.com"}),
		"no user":            change(map[string]any{"resource": "Users", "resourceData": nil}),
		"user by name":       change(map[string]any{"resource": "Users/a@contoso.com"}),
		"part of a user":     change(map[string]any{"resource": "Users/" + aUser + "/manager"}),
		"users disagree":     change(map[string]any{"resource": "Users/" + another}),
		"tenants disagree":   change(data("id", aUser, "organizationId", another)),
		"brackets left open": change(map[string]any{"resource": "Users('" + aUser[:30]}),
	} {
		t.Run("unreadable: "+name, func(t *testing.T) {
			t.Parallel()
			got, ok := decode(`{"value":[` + change(nil) + "," + bad + "," + change(nil) + `]}`)
			if !ok || len(got) != 3 || got[0].unreadable || !got[1].unreadable || got[2].unreadable {
				t.Errorf("got %+v, %t; want the second of three unreadable", got, ok)
			}
		})
	}
}

func TestDecodeEnvelope(t *testing.T) {
	t.Parallel()
	zeros := func(n int) string { return `{"value":[` + strings.Repeat("0,", n-1) + `0]}` }
	for name, test := range map[string]struct {
		body string
		want bool
	}{
		"no items":             {`{"value":[]}`, true},
		"tokens first":         {`{"validationTokens":["a"],"value":[]}`, true},
		"tokens last":          {`{"value":[],"validationTokens":["a"]}`, true},
		"white space":          {" {\n\"value\" :[ ] }\r\n", true},
		"byte order mark":      {"\ufeff" + `{"value":[]}`, true},
		"brackets in a text":   {`{"value":[],"a":"]\"}"}`, true},
		"ends in a backslash":  {`{"value":[],"a":"\\"}`, true},
		"longest body":         {`{"value":[]}` + strings.Repeat(" ", MaxBytes-12), true},
		"most items":           {zeros(maxItems), true},
		"one byte too many":    {`{"value":[]}` + strings.Repeat(" ", MaxBytes-11), false},
		"one item too many":    {zeros(maxItems + 1), false},
		"empty":                {"", false},
		"only a mark":          {"\ufeff", false},
		"no JSON":              {"<xml/>", false},
		"array":                {"[]", false},
		"no value":             {"{}", false},
		"value null":           {`{"value":null}`, false},
		"value an object":      {`{"value":{}}`, false},
		"value by another":     {`{"Value":[]}`, false},
		"something behind":     {`{"value":[]}x`, false},
		"something before":     {`{"value":x[]}`, false},
		"no colon":             {`{"value"[]}`, false},
		"no name":              {`{value:[]}`, false},
		"comma behind":         {`{"value":[],}`, false},
		"ends in the envelope": {`{"value":[]`, false},
		"ends in an item":      {`{"value":[{"a":`, false},
		"ends in a token":      {`{"value":[],"validationTokens":["a`, false},
		"ends in an escape":    {`{"value":[],"validationTokens":["a\`, false},
		"ends in a name":       {`{"val`, false},
		"ends in brackets":     {`{"value":[` + strings.Repeat("[", 20000), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if items, ok := decode(test.body); ok != test.want || !ok && items != nil {
				t.Errorf("%d items, %t; want %t", len(items), ok, test.want)
			}
		})
	}
}

// FuzzDecode compares what is read with package json. What that refuses is only to be
// read to an end.
func FuzzDecode(f *testing.F) {
	fixtures, err := filepath.Glob("testdata/*.json")
	if err != nil || len(fixtures) == 0 {
		f.Fatalf("fixtures: %v, %v", fixtures, err)
	}
	for _, fixture := range fixtures {
		body, err := os.ReadFile(fixture)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(body))
	}
	for _, body := range []string{
		`{"value":[null,0,"",{},[]],"validationTokens":[]}`, `{"value":[-0.1e+7,true,[{"]":"\"}"}]]}`, "{\"value\":[\"\x01\xff\"]}", `{"value":[]}}`,
		`{"value":["\ud800\q",{"tenantId":"\ud800"}]}`, `{"value":[0],"value":{}}`, `{"value":[0],"v\u0061lue":[]}`,
		`{"value":[` + change(map[string]any{"resource": "groups/x", "tenantId": 5}) + `,` + change(nil) + `]}`,
		`{"value":[{"resourceData":{"id":"` + aUser + `"},"resourceData":null,"tenantId":"` + aTenant + `"}]}`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		got, ok := decode(body)
		want, valid := oracle(body)
		if !valid {
			return
		}
		if !ok || len(got) != len(want) {
			t.Fatalf("%d items, %t, want %d", len(got), ok, len(want))
		}
		for i := range got {
			compare(t, got[i], want[i])
		}
	})
}

// oracle reads a collection with package json.
func oracle(body string) ([]json.RawMessage, bool) {
	var envelope map[string]json.RawMessage
	if len(body) > MaxBytes || json.Unmarshal([]byte(strings.TrimPrefix(body, "\ufeff")), &envelope) != nil {
		return nil, false
	}
	var elements []json.RawMessage
	err := json.Unmarshal(envelope["value"], &elements)
	return elements, err == nil && elements != nil && len(elements) <= maxItems
}

// compare checks the fields of an item against those that package json finds.
func compare(t *testing.T, got item, raw json.RawMessage) {
	t.Helper()
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil || fields == nil {
		if !got.unreadable {
			t.Errorf("read %s as %+v", raw, got)
		}
		return
	}
	text := func(name string) (s string) {
		_ = json.Unmarshal(fields[name], &s)
		return s
	}
	if state := text("clientState"); state != got.clientState {
		t.Errorf("clientState %q, want %q", got.clientState, state)
	}
	if want := text("lifecycleEvent") != ""; got.lifecycle != want {
		t.Errorf("lifecycle: %t, want %t", got.lifecycle, want)
	}
	if got.unreadable {
		return
	}
	if want := text("changeType"); got.changeType != want {
		t.Errorf("changeType %q, want %q", got.changeType, want)
	}
	if !directory.IsID(got.tenant) || got.user != "" && !strings.Contains(strings.ToLower(string(raw)), got.user) && !bytes.Contains(raw, []byte(`\`)) {
		t.Errorf("tenant %q, user %q of %s", got.tenant, got.user, raw)
	}
}
