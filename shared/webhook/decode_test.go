package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
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
		"no resource":                {change(map[string]any{"resource": nil}), plain},
		"resource without id":        {change(map[string]any{"resource": "users"}), plain},
		"capitals in ids":            {change(map[string]any{"tenantId": strings.ToUpper(aTenant), "resource": "Users/" + strings.ToUpper(aUser)}), plain},
		"capital change type":        {change(map[string]any{"changeType": "Updated"}), plain},
		"organizationId":             {change(map[string]any{"tenantId": nil, "organizationId": aTenant}), plain},
		"organizationId inside":      {change(map[string]any{"tenantId": nil, "resourceData": map[string]any{"id": aUser, "organizationId": aTenant}}), plain},
		"escapes":                    {strings.Replace(change(nil), `"clientState":"s"`, `"cl\u0069entState":"\u0073"`, 1), plain},
		"doubled name: the last":     {strings.Replace(change(nil), `{`, `{"tenantId":5,`, 1), plain},
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
			got, err := decode([]byte(`{"value":[` + test.item + `]}`))
			if diff := cmp.Diff([]item{test.want}, got, cmp.AllowUnexported(item{})); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
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
		"state too long":     change(map[string]any{"clientState": strings.Repeat("é", 256)}),
		"data an array":      change(map[string]any{"resourceData": []any{}}),
		"no tenant":          change(map[string]any{"tenantId": nil}),
		"tenant by name":     change(map[string]any{"tenantId": "contoso.com"}),
		"no change type":     change(map[string]any{"changeType": nil}),
		"no user":            change(map[string]any{"resource": "Users", "resourceData": nil}),
		"user by name":       change(map[string]any{"resource": "Users/a@contoso.com"}),
		"part of a user":     change(map[string]any{"resource": "Users/" + aUser + "/manager"}),
		"users disagree":     change(map[string]any{"resource": "Users/" + another}),
		"tenants disagree":   change(data("id", aUser, "organizationId", another)),
		"brackets left open": change(map[string]any{"resource": "Users('" + aUser[:30]}),
	} {
		t.Run("unreadable: "+name, func(t *testing.T) {
			t.Parallel()
			got, err := decode([]byte(`{"value":[` + change(nil) + "," + bad + "," + change(nil) + `]}`))
			if err != nil || len(got) != 3 || got[0].unreadable || !got[1].unreadable || got[2].unreadable {
				t.Errorf("got %+v, %v; want the second of three unreadable", got, err)
			}
		})
	}
}

func TestDecodeEnvelope(t *testing.T) {
	t.Parallel()
	zeros := func(n int) string { return `{"value":[` + strings.Repeat("0,", n-1) + `0]}` }
	for name, test := range map[string]struct {
		body string
		want error
	}{
		"no items":             {`{"value":[]}`, nil},
		"tokens first":         {`{"validationTokens":["a"],"value":[]}`, nil},
		"tokens last":          {`{"value":[],"validationTokens":["a"]}`, nil},
		"white space":          {" {\n\"value\" :[ ] }\r\n", nil},
		"byte order mark":      {"\ufeff" + `{"value":[]}`, nil},
		"longest body":         {`{"value":[]}` + strings.Repeat(" ", MaxBytes-12), nil},
		"most items":           {zeros(MaxItems), nil},
		"one byte too many":    {`{"value":[]}` + strings.Repeat(" ", MaxBytes-11), errTooLarge},
		"one item too many":    {zeros(MaxItems + 1), errTooLarge},
		"empty":                {"", errMalformed},
		"only a mark":          {"\ufeff", errMalformed},
		"no JSON":              {"<xml/>", errMalformed},
		"array":                {"[]", errMalformed},
		"no value":             {"{}", errMalformed},
		"two values":           {`{"value":[],"value":[]}`, errMalformed},
		"value null":           {`{"value":null}`, errMalformed},
		"value an object":      {`{"value":{}}`, errMalformed},
		"value by another":     {`{"Value":[]}`, errMalformed},
		"something behind":     {`{"value":[]}x`, errMalformed},
		"comma behind":         {`{"value":[],}`, errMalformed},
		"comma in the array":   {`{"value":[0,]}`, errMalformed},
		"ends in the envelope": {`{"value":[]`, errMalformed},
		"ends in an item":      {`{"value":[{"a":`, errMalformed},
		"ends in a token":      {`{"value":[],"validationTokens":["a`, errMalformed},
		"ends in a name":       {`{"val`, errMalformed},
		"too deep":             {`{"value":[` + strings.Repeat("[", 20000), errMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if items, err := decode([]byte(test.body)); !errors.Is(err, test.want) || err != nil && items != nil {
				t.Errorf("%d items, %v; want %v", len(items), err, test.want)
			}
		})
	}
}

// FuzzDecode compares what is accepted, and what is read of it, with package json.
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
		f.Add(body)
	}
	for _, body := range []string{
		`{"value":[null,0,"",{},[]],"validationTokens":[]}`, `{"value":[-0.1e+7,1e,01,.5,-,1.]}`, `{"value":["\u12"]}`,
		`{"value":["\ud800\q",{"tenantId":"\ud800"}]}`, `{"value":[tru]}`, "{\"value\":[\"\x01\xff\"]}", `{"value":[]}}`,
		`{"value":[` + change(map[string]any{"resource": "groups/x", "tenantId": 5}) + `,` + change(nil) + `]}`,
		`{"value":[{"resourceData":{"id":"` + aUser + `"},"resourceData":null,"tenantId":"` + aTenant + `"}]}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := decode(body)
		want, ok := oracle(body)
		if ok != (err == nil) {
			t.Fatalf("decode: %v; package json reads it: %t", err, ok)
		}
		if len(got) != len(want) {
			t.Fatalf("%d items, want %d", len(got), len(want))
		}
		for i := range got {
			compare(t, got[i], want[i])
		}
	})
}

// oracle reads a collection with package json.
func oracle(body []byte) ([]json.RawMessage, bool) {
	body = bytes.TrimPrefix(body, []byte("\ufeff"))
	var envelope map[string]json.RawMessage
	if len(body) > MaxBytes || json.Unmarshal(body, &envelope) != nil || envelope == nil {
		return nil, false
	}
	var elements []json.RawMessage
	value := envelope["value"]
	if json.Unmarshal(value, &elements) != nil || elements == nil || len(elements) > MaxItems {
		return nil, false
	}
	return elements, values(body) == 1
}

// values counts the members of the outermost object that are named value.
func values(body []byte) int {
	d := json.NewDecoder(bytes.NewReader(body))
	_, _ = d.Token()
	n := 0
	for d.More() {
		if name, err := d.Token(); err == nil && name == "value" {
			n++
		}
		var skipped json.RawMessage
		if d.Decode(&skipped) != nil {
			break
		}
	}
	return n
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
	if state := text("clientState"); state != got.clientState && got.clientState != "" {
		t.Errorf("clientState %q, want %q", got.clientState, state)
	}
	if want := text("lifecycleEvent") != ""; got.lifecycle != want {
		t.Errorf("lifecycle: %t, want %t", got.lifecycle, want)
	}
	if got.unreadable {
		return
	}
	if want := strings.ToLower(text("changeType")); got.changeType != want {
		t.Errorf("changeType %q, want %q", got.changeType, want)
	}
	if !directory.IsID(got.tenant) || got.user != "" && !strings.Contains(strings.ToLower(string(raw)), got.user) && !bytes.Contains(raw, []byte(`\`)) {
		t.Errorf("tenant %q, user %q of %s", got.tenant, got.user, raw)
	}
}
