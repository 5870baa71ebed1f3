// Package demo is a tenant that does not exist, on the emulated Microsoft Graph, on which
// a person can try the command before giving it any right. The same seed and the same
// time make the same tenant.
package demo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/bolt"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// What an app needs to sign in to the tenant.
const (
	TenantID = "d0d0d0d0-0000-4000-8000-000000000001"
	ClientID = "d0d0d0d0-0000-4000-8000-000000000002"
	Secret   = "nothing is behind it" // the emulated tenant takes it, and nobody else
)

// Group is the display name of a group, in which is another one.
const Group = "外部委託"

// Lag is how long the tenant may show what was before a write. It shows the write at once,
// and nobody who tries the command is to wait for minutes.
const Lag = 5 * time.Second

// The tenant's domains, besides a managed one whose name the emulator makes.
const (
	company = "example.co.jp"
	branch  = "tokyo.example.co.jp"
	managed = "td0d0d0d0.onmicrosoft.com"
)

// How many users there are.
const (
	employees = 280
	admins    = 6
	guests    = 14
)

const day = 24 * time.Hour

// A Tenant is the emulated one. It must be closed.
type Tenant struct {
	server *msgraphtest.Server
	tenant *msgraphtest.Tenant
	clock  func() time.Time
	now    time.Time
	rand   *rand.Rand
	came   int // since New
}

// New makes the tenant as it is at now. Its provider gave stamps until half a year ago,
// and then a change there ended that.
func New(seed uint64, now func() time.Time) *Tenant {
	limits := msgraphtest.DefaultLimits()
	limits.Protection.Count = 100 // nobody waits for a second here
	server := msgraphtest.New(msgraphtest.Options{Seed: seed, Now: now, Limits: limits})
	t := &Tenant{
		server: server, clock: now, now: now().Truncate(time.Second),
		rand: rand.New(rand.NewPCG(seed, 0)),
	}
	t.tenant = server.AddTenant(msgraphtest.TenantOptions{ID: TenantID, Domains: []msgraphtest.Domain{
		{Name: company, Federated: true}, {Name: branch, Federated: true},
	}})
	t.tenant.AddApp(msgraphtest.AppOptions{
		ID:          ClientID,
		Permissions: append([]string{"Directory.Read.All", "Domain.Read.All", "GroupMember.Read.All", "User.Read.All", "User.RevokeSessions.All"}, evidenceRights...),
		Secrets:     []msgraphtest.Secret{{Text: Secret}},
	})
	t.people()
	t.contractors()
	return t
}

// contractors are a group of some employees and a guest, with a group of others in it.
func (t *Tenant) contractors() {
	const (
		id, inner      = "d0d0d0d0-0000-4000-8000-000000000003", "d0d0d0d0-0000-4000-8000-000000000004"
		direct, nested = 40, 8
	)
	users := t.tenant.Users() // employees first, guests last
	for i, u := range users[:direct+nested] {
		t.tenant.AddGroup(map[bool]string{true: id, false: inner}[i < direct], u.ID)
	}
	t.tenant.AddGroup(id, inner, users[len(users)-1].ID)
	t.tenant.SetGroup(id, Group, false)
	t.tenant.SetGroup(inner, Group+" (夜間)", false)
}

// Transport reaches the tenant's Graph and Entra, and nothing else.
func (t *Tenant) Transport() http.RoundTripper { return t.server }

// Close ends the tenant.
func (t *Tenant) Close() { t.server.Close() }

func (t *Tenant) people() {
	names, staff, ids := t.names(), make([]msgraphtest.NewUser, employees), make(map[string]string)
	for i := range staff {
		staff[i] = t.employee(names[i])
	}
	t.cast(staff)
	for _, u := range staff {
		ids[u.UPN] = t.tenant.AddUser(u)
	}
	for i := range admins {
		created := t.now.Add(-time.Duration(700+i) * day)
		t.tenant.AddUser(msgraphtest.NewUser{
			UPN: fmt.Sprintf("admin%d@%s", i+1, managed), Name: fmt.Sprintf("管理者 %d", i+1), Created: created, Stamp: &created,
		})
	}
	for i := range guests {
		id := t.tenant.AddUser(msgraphtest.NewUser{
			UPN: fmt.Sprintf("partner%d_example.net#EXT#@%s", i+1, managed), Name: fmt.Sprintf("取引先 %d", i+1),
			Guest: true, Created: t.now.Add(-time.Duration(t.rand.IntN(400)+1) * day),
		})
		t.tenant.SetMail(id, fmt.Sprintf("partner%d@example.net", i+1))
	}
	t.tenant.SetEvidence(t.evidence(ids))
}

// The provider gave stamps until lately, and all but a few of the users of before have one.
const (
	lately      = 180 * day
	oldWithout  = 0.05
	lateWithout = 0.9
)

// employee draws when a person came: most with one of the great intakes, others lately.
func (t *Tenant) employee(name person) msgraphtest.NewUser {
	intakes := []int{790, 610, 425, 245} // days ago
	age := time.Duration(intakes[t.rand.IntN(len(intakes))]+t.rand.IntN(20)) * day
	without := oldWithout
	if t.rand.Float64() < 0.27 {
		age = time.Duration(t.rand.IntN(int(lately/day))) * day
		without = lateWithout
	}
	created := t.now.Add(-age - time.Duration(60+t.rand.IntN(8*60*60))*time.Second)
	domain := company
	if t.rand.IntN(3) == 0 {
		domain = branch
	}
	u := msgraphtest.NewUser{UPN: name.login + "@" + domain, Name: name.written, Created: created}
	if t.rand.Float64() >= without {
		at := created.Add(time.Duration(2+t.rand.IntN(30)) * time.Second)
		u.Stamp = &at
	}
	return u
}

// Newcomer adds a user who came so long ago, without a stamp.
func (t *Tenant) Newcomer(age time.Duration) {
	t.came++
	family, given := families[t.rand.IntN(len(families))], givens[t.rand.IntN(len(givens))]
	t.tenant.AddUser(msgraphtest.NewUser{
		UPN:  fmt.Sprintf("%s.%s%d@%s", given.login, family.login, t.came, company),
		Name: family.written + " " + given.written, Created: t.clock().Add(-age),
	})
}

// Remember writes into a folder what a machine would know that has stamped the users of
// the last months who have a stamp, and the last intake when a person said so.
func (t *Tenant) Remember(ctx context.Context, folder string) (err error) {
	file, err := bolt.Open(ctx, folder, TenantID)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	var entries []stamp.Entry
	for _, u := range t.tenant.Users() {
		if age := t.now.Sub(u.Created); u.InScope && !u.Stamp.IsZero() && age < 260*day {
			entries = append(entries, entry(u, age))
		}
	}
	return errors.Join(bolt.NewLedger(file).Write(ctx, entries)...)
}

func entry(u msgraphtest.UserState, age time.Duration) stamp.Entry {
	e := stamp.Entry{
		Tenant: TenantID, User: u.ID, State: stamp.StateStamped, Reason: stamp.ReasonReadBack, Source: stamp.SourceNotification,
		Created: u.Created, Claimed: u.Stamp, Called: u.Stamp, Stamp: u.Stamp, Updated: u.Stamp.Add(5 * time.Minute),
	}
	if age > lately {
		e.Source = stamp.SourcePerson
	}
	return e
}

// A person has a Japanese name, and logs in by it in Latin letters.
type person struct{ written, login string }

// names returns all pairs of family and given names, in an order of their own.
func (t *Tenant) names() (all []person) {
	for _, family := range families {
		for _, given := range givens {
			all = append(all, person{family.written + " " + given.written, given.login + "." + family.login})
		}
	}
	t.rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return slices.Clip(all)
}

var families = []person{
	{"佐藤", "sato"}, {"鈴木", "suzuki"}, {"高橋", "takahashi"}, {"田中", "tanaka"}, {"伊藤", "ito"},
	{"渡辺", "watanabe"}, {"山本", "yamamoto"}, {"中村", "nakamura"}, {"小林", "kobayashi"}, {"加藤", "kato"},
	{"吉田", "yoshida"}, {"山田", "yamada"}, {"佐々木", "sasaki"}, {"山口", "yamaguchi"}, {"松本", "matsumoto"},
	{"井上", "inoue"}, {"木村", "kimura"}, {"林", "hayashi"}, {"斎藤", "saito"}, {"清水", "shimizu"},
}

var givens = []person{
	{"太郎", "taro"}, {"花子", "hanako"}, {"健太", "kenta"}, {"美咲", "misaki"}, {"翔太", "shota"},
	{"陽菜", "hina"}, {"大輔", "daisuke"}, {"さくら", "sakura"}, {"拓也", "takuya"}, {"愛", "ai"},
	{"直樹", "naoki"}, {"恵子", "keiko"}, {"誠", "makoto"}, {"由美", "yumi"}, {"蓮", "ren"},
}
