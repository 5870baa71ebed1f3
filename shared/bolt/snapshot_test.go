package bolt_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/sessionstamp/sessionstamp/shared/bolt"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/stamp/stamptest"
)

// While one works, others read: the last of what was written or a little less, and never
// a half of it.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	f := open(t, folder)
	ids := make([]string, 300)
	for i := range ids {
		ids[i] = stamptest.NewID()
	}
	ctx, stop := context.WithCancel(t.Context())
	var writer sync.WaitGroup
	defer writer.Wait()
	defer stop()
	writer.Go(func() {
		for version := int64(0); ctx.Err() == nil; version++ {
			mustWrite(t, f, entriesOf(ids, version)...) //nolint:contextcheck // it has the test's
		}
	})
	for range 20 {
		checkCopy(t, folder, ids)
	}
}

func checkCopy(t *testing.T, folder string, ids []string) {
	t.Helper()
	f, err := bolt.ReadOnly(t.Context(), folder, tenant)
	if err != nil {
		t.Fatalf("ReadOnly: %v", err)
	}
	got := entries(t, f, ids...)
	for _, id := range ids {
		if got[id].Version != got[ids[0]].Version {
			t.Errorf("versions %d and %d of one write", got[id].Version, got[ids[0]].Version)
		}
	}
	if err := errors.Join(bolt.NewLedger(f).Write(t.Context(), entriesOf(ids, 0))...); err == nil {
		t.Error("the copy takes what nobody will read")
	}
	if err := f.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

func entriesOf(ids []string, version int64) []stamp.Entry {
	list := make([]stamp.Entry, len(ids))
	for i, id := range ids {
		list[i] = stamp.Entry{Tenant: tenant, User: id, Version: version}
	}
	return list
}

// No copy stays behind.
func TestReadOnlyCleansUp(t *testing.T) {
	folder, temp := t.TempDir(), t.TempDir()
	t.Setenv("TMPDIR", temp)
	t.Setenv("TMP", temp)
	path := filepath.Join(folder, tenant+".db")
	if _, err := bolt.ReadOnly(t.Context(), folder, tenant); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("ReadOnly of nothing = %v, want %v", err, fs.ErrNotExist)
	}
	open(t, folder).Close()
	f, err := bolt.ReadOnly(t.Context(), folder, tenant)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	for size := range []int{0, 100, 8192, 10_000} {
		if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := bolt.ReadOnly(t.Context(), folder, tenant); !errors.Is(err, bolt.ErrDamaged) {
			t.Errorf("ReadOnly of %d zeros = %v, want %v", size, err, bolt.ErrDamaged)
		}
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) != 0 {
		t.Errorf("%v are left behind (%v)", left, err)
	}
}
