package bolt_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/bolt"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/stamp/stamptest"
	"github.com/sessionstamp/sessionstamp/shared/state"
	"github.com/sessionstamp/sessionstamp/shared/state/statetest"
)

var sampleTime = time.Date(2026, time.November, 3, 9, 30, 15, 123_456_000, time.UTC)

const tenant = "7d8e9f00-1111-4222-8333-444455556666"

func open(t *testing.T, folder string) *bolt.File {
	t.Helper()
	f, err := bolt.Open(t.Context(), folder, tenant)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func TestLedgerConforms(t *testing.T) {
	t.Parallel()
	shared := bolt.NewLedger(open(t, t.TempDir()))
	stamptest.TestLedger(t, func(*testing.T) stamp.Ledger { return shared })
}

func TestStateConforms(t *testing.T) {
	t.Parallel()
	shared := bolt.NewState[statetest.Doc](open(t, t.TempDir()), "brake")
	statetest.TestStore(t, func(*testing.T) state.Store[statetest.Doc] { return shared })
}

// Documents of two names, and the ledger, are apart and outlive their process.
func TestReopen(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	f := open(t, folder)
	for _, name := range []string{"brake", "sweep"} {
		if _, err := bolt.NewState[string](f, name).Save(t.Context(), tenant, state.Item[string]{Doc: name}); err != nil {
			t.Fatal(err)
		}
	}
	user := stamptest.NewID()
	mustWrite(t, f, stamp.Entry{Tenant: tenant, User: user})
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	f = open(t, folder)
	for _, name := range []string{"brake", "sweep"} {
		got, err := bolt.NewState[string](f, name).Load(t.Context(), tenant)
		if want := (state.Item[string]{Doc: name, Version: 1}); err != nil || got != want {
			t.Errorf("Load = %v, %v, want %v", got, err, want)
		}
	}
	if got := entries(t, f, user); got[user].Version != 1 {
		t.Errorf("entries %v, want one of version 1", got)
	}
}

func mustWrite(t *testing.T, f *bolt.File, list ...stamp.Entry) {
	t.Helper()
	if err := errors.Join(bolt.NewLedger(f).Write(t.Context(), list)...); err != nil {
		t.Fatal(err)
	}
}

func entries(t *testing.T, f *bolt.File, users ...string) map[string]stamp.Entry {
	t.Helper()
	got, err := bolt.NewLedger(f).Entries(t.Context(), tenant, users)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestHistory(t *testing.T) {
	t.Parallel()
	f := open(t, t.TempDir())
	id := func(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }
	for n, called := range []time.Duration{2: 3 * time.Hour, 3: time.Hour, 4: 2 * time.Hour, 5: time.Hour} {
		e := stamp.Entry{Tenant: tenant, User: id(n)}
		if called > 0 {
			e.Called = sampleTime.Add(called)
		}
		mustWrite(t, f, e)
	}
	mustWrite(t, f, stamp.Entry{Tenant: stamptest.NewID(), User: id(6), Called: sampleTime})
	list, err := bolt.NewLedger(f).History(t.Context(), tenant)
	var got []string
	for _, e := range list {
		got = append(got, e.User)
	}
	if diff := cmp.Diff([]string{id(2), id(4), id(3), id(5)}, got); err != nil || diff != "" {
		t.Errorf("%v, users (-want +got):\n%s", err, diff)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := bolt.NewLedger(f).History(ctx, tenant); !errors.Is(err, context.Canceled) {
		t.Errorf("History = %v, want %v", err, context.Canceled)
	}
}

func TestOpenIsPrivate(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "state", "sessionstamp")
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // that is the fault to be mended
		t.Fatal(err)
	}
	open(t, folder)
	if runtime.GOOS == "windows" {
		return // which has no such modes
	}
	for path, want := range map[string]fs.FileMode{folder: 0o700, filepath.Join(folder, tenant+".db"): 0o600} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v, want %v", path, info.Mode(), err, want)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for _, tenant := range []string{"", "../x", "7D8E9F00-1111-4222-8333-444455556666", tenant + "\n"} {
		if _, err := bolt.Open(t.Context(), t.TempDir(), tenant); err == nil {
			t.Errorf("Open takes the tenant %q", tenant)
		}
		if _, err := bolt.ReadOnly(t.Context(), t.TempDir(), tenant); err == nil {
			t.Errorf("ReadOnly takes the tenant %q", tenant)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := bolt.Open(ctx, t.TempDir(), tenant); !errors.Is(err, context.Canceled) {
		t.Errorf("Open = %v, want %v", err, context.Canceled)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := bolt.Open(t.Context(), file, tenant); err == nil {
		t.Error("a file serves as the folder")
	}
}

// The second waits for the first, but not for ever.
func TestOpenTwice(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		work time.Duration
		want error
	}{
		"the first ends soon": {time.Second, nil},
		"the first goes on":   {time.Hour, bolt.ErrBusy},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				first := open(t, folder)
				time.AfterFunc(tt.work, func() { _ = first.Close() })
				start := time.Now()
				second, err := bolt.Open(t.Context(), folder, tenant)
				if !errors.Is(err, tt.want) || time.Since(start) > 5*time.Second {
					t.Errorf("Open = %v after %s, want %v", err, time.Since(start), tt.want)
				}
				if err == nil {
					second.Close()
				}
			})
		})
	}
}

// A damaged file is told, or nothing of it was needed; it is never written to.
func TestDamage(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, tenant+".db")
	whole := fill(t, folder, path)
	random := rand.New(rand.NewPCG(1, 2))
	told := 0
	for n := range 400 {
		text := damage(whole, n, random)
		if err := errors.Join(os.Remove(path), os.WriteFile(path, text, 0o600)); err != nil {
			t.Fatal(err)
		}
		f, err := bolt.Open(t.Context(), folder, tenant)
		if err == nil {
			f.Close()
			continue
		}
		told++
		if !errors.Is(err, bolt.ErrDamaged) {
			t.Fatalf("damage %d: %v, want %v", n, err, bolt.ErrDamaged)
		}
		if got, _ := os.ReadFile(path); runtime.GOOS != "windows" && string(got) != string(text) {
			t.Fatalf("damage %d: the damaged file was written to", n)
		}
	}
	if told < 200 {
		t.Errorf("%d of 400 damages were told, want most", told)
	}
}

// fill writes a file with something of everything, and returns its bytes.
func fill(t *testing.T, folder, path string) []byte {
	t.Helper()
	f := open(t, folder)
	for range 10 {
		list := make([]stamp.Entry, 20)
		for i := range list {
			list[i] = stamp.Entry{Tenant: tenant, User: stamptest.NewID(), Called: sampleTime}
		}
		mustWrite(t, f, list...)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return whole
}

// damage cuts the file, wipes a block of it, spoils its beginning, or changes a byte where
// a page's addresses are.
func damage(whole []byte, n int, random *rand.Rand) []byte {
	text := append([]byte(nil), whole...)
	at := random.IntN(len(text))
	switch n % 4 {
	case 0:
		return text[:max(1, at)]
	case 1:
		clear(text[at:min(len(text), at+5000)])
	case 2:
		for i := range 8192 {
			text[i] = byte(random.Uint32())
		}
	default:
		text[at/4096*4096+random.IntN(64)] ^= byte(1 + random.IntN(255))
	}
	return text
}
