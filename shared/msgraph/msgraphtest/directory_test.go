package msgraphtest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// Users that the tests of the directory share.
const (
	hanako = "0b7e5a0c-6f0e-4a1b-9c55-1d7f7f1f0a01"
	taro   = "0b7e5a0c-6f0e-4a1b-9c55-1d7f7f1f0a02"
	jiro   = "0b7e5a0c-6f0e-4a1b-9c55-1d7f7f1f0a03"
)

// directory is a tenant whose calls go straight to Graph's routes, past tokens
// and the wire.
type directory struct {
	*Server
	t      *testing.T
	tenant *Tenant
	app    *App
	at     time.Time // the calendar
	roles  []string
}

// newDirectoryTest has a federated and a managed domain but no users.
func newDirectoryTest(t *testing.T, o Options) *directory {
	t.Helper()
	d := &directory{t: t, at: time.Date(2026, 5, 24, 22, 24, 30, 500e6, time.UTC)}
	d.roles = []string{"User.ReadWrite.All", "User.RevokeSessions.All", "User.DeleteRestore.All", "Domain.Read.All",
		"Group.Read.All", "Domain-InternalFederation.Read.All"}
	o.Now = func() time.Time { return d.at }
	d.Server = New(o)
	t.Cleanup(d.Close)
	d.tenant = d.AddTenant(TenantOptions{ID: testTenant, Domains: []Domain{
		{Name: "example.co.jp", Federated: true},
		{Name: "managed.example"},
		{Name: "sub.example.co.jp"},
		{Name: "hidden.example.co.jp", Unlisted: true},
		{Name: "unproved.example", Federated: true, Unverified: true},
	}})
	d.app = d.tenant.AddApp(AppOptions{ID: testApp})
	return d
}

// answered is a reply to a test's call.
type answered struct {
	status int
	header http.Header
	raw    string
	body   map[string]any
}

func (a answered) code() string {
	failure, _ := a.body["error"].(map[string]any)
	code, _ := failure["code"].(string)
	return code
}

func (a answered) message() string {
	failure, _ := a.body["error"].(map[string]any)
	message, _ := failure["message"].(string)
	return message
}

// value is what a list holds.
func (a answered) value() []map[string]any {
	list, _ := a.body["value"].([]any)
	items := make([]map[string]any, len(list))
	for i := range list {
		items[i], _ = list[i].(map[string]any)
	}
	return items
}

// ids are those of the items of a list.
func (a answered) ids() []string {
	ids := []string{}
	for _, item := range a.value() {
		id, _ := item["id"].(string)
		ids = append(ids, id)
	}
	return ids
}

func (a answered) link(name string) string {
	link, _ := a.body["@odata."+name].(string)
	return link
}

// do calls Graph. target is a path with an unescaped query, or a whole link;
// header holds pairs of name and value.
func (d *directory) do(method, target, body string, header ...string) answered {
	d.t.Helper()
	target = strings.TrimPrefix(target, "https://graph.microsoft.com/v1.0")
	path, rawQuery, _ := strings.Cut(target, "?")
	query, err := url.ParseQuery(strings.ReplaceAll(rawQuery, " ", "%20"))
	if err != nil {
		d.t.Fatal(err)
	}
	path, err = url.PathUnescape(path)
	if err != nil {
		d.t.Fatal(err)
	}
	c := &call{
		ctx: d.t.Context(), tenant: d.tenant, app: d.app, method: method, query: query, header: make(http.Header),
		path: strings.Split(strings.Trim(path, "/"), "/"), body: []byte(body), now: d.at, roles: d.roles,
		host: "graph.microsoft.com", sized: true,
	}
	if body != "" {
		c.header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		c.header.Set(header[i], header[i+1])
	}
	return d.read(d.handle(c), c)
}

func (d *directory) read(r reply, c *call) answered {
	d.t.Helper()
	encoded := r.encode(c)
	a := answered{status: encoded.status, header: encoded.header, raw: string(encoded.body)}
	if strings.HasPrefix(a.raw, "{") {
		if err := json.Unmarshal(encoded.body, &a.body); err != nil {
			d.t.Fatalf("%v in %s", err, a.raw)
		}
	}
	return a
}

func (d *directory) get(target string, header ...string) answered {
	d.t.Helper()
	return d.do("GET", target, "", header...)
}

// want fails the test unless the call was answered with a status and code.
func (d *directory) want(a answered, status int, code string) answered {
	d.t.Helper()
	if a.status != status || a.code() != code {
		d.t.Fatalf("answered %d %q, want %d %q\n%s", a.status, a.code(), status, code, a.raw)
	}
	return a
}

// federatedUsers adds users to the federated domain.
func (d *directory) federatedUsers(ids ...string) {
	for _, id := range ids {
		d.tenant.AddUser(NewUser{ID: id, UPN: id + "@example.co.jp"})
	}
}

// pages follows nextLinks to the end and returns the ids of each page.
func (d *directory) pages(target string, header ...string) [][]string {
	d.t.Helper()
	var pages [][]string
	for target != "" {
		a := d.want(d.get(target, header...), http.StatusOK, "")
		pages = append(pages, a.ids())
		if target = a.link("nextLink"); len(pages) > 1000 {
			d.t.Fatal("no end of pages")
		}
	}
	return pages
}

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		panic(err)
	}
	return t
}
