// Package bolt keeps what has to outlive a process in one [bbolt] file on this machine:
// the ledger, the documents of the brake and the sweep, and the queue of requests. It
// passes the conformance suites of packages stamp and state.
//
// # The file
//
// There is one file for each tenant, "<tenant>.db" in the folder that [Folder] names. All
// values are JSON, so that a person with the bbolt command can read them. A write is
// durable when its method returns, and a process that dies leaves either all or nothing
// of it.
//
//	bucket     key                        value
//	users      <tenant>#<user>            [stamp.Entry], by the names of its fields
//	documents  <tenant>#<name>            document and version
//	requests   <when due>#<last first>    [stamp.Request], which is to be delivered
//	dead       as in requests             [stamp.Request], which was delivered too often
//	signals    as in requests             [signal.Message], whose user is to be looked up
//	urgent     as in requests             the same, of those that go first
//
// Fields that this version does not know are passed over, and lost with the next write.
// So a new field must mean by its zero value what versions without it did, and no field
// may ever change its name or meaning.
//
// The file holds object ids and times, no names and no secrets, but for the words of a person:
// the reason of an order, and the patterns that it excludes; and the name by which a provider
// reports a user, until the directory was asked whom it means. Only its owner may read it. Errors name the file, for the person at this machine.
//
// [bbolt]: https://pkg.go.dev/go.etcd.io/bbolt
package bolt

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/wait"
)

var (
	// ErrBusy tells that another process works with the tenant's file.
	ErrBusy = errors.New("another sessionstamp is at work on this tenant: wait for it, or end it")
	// ErrDamaged tells that the file is not what was written. It is left as it is.
	ErrDamaged = errors.New("the file is damaged: move it away, keep it for whoever looks into it, and start again; " +
		"who has a stamp is in the directory, only the history is lost")
)

const (
	// lockWait is how long Open waits for another process to end: long enough for one
	// that has been told to.
	lockWait  = 3 * time.Second
	lockPause = 50 * time.Millisecond

	// pageSize is the same on every machine, since a snapshot must know where the first
	// pages end.
	pageSize = 4096
)

// The buckets.
var (
	users     = []byte("users")
	documents = []byte("documents")
	requests  = []byte("requests")
	dead      = []byte("dead")
	signals   = []byte("signals")
	urgent    = []byte("urgent")
)

// A File holds the state of one tenant on this machine. Its parts are [Ledger], [State]
// and [Queue]. It is safe for concurrent use, and must be closed.
type File struct {
	db *bbolt.DB
	// remove removes what only this process needs; nil for nothing.
	remove func() error
}

// Open opens the tenant's file in the folder, and makes both if they are not there. Only
// one process can have it open: after a few seconds Open gives up with [ErrBusy]. It reads
// the whole file first, and returns [ErrDamaged] rather than write into a broken one.
func Open(ctx context.Context, folder, tenant string) (*File, error) {
	path, err := pathOf(folder, tenant)
	if err != nil {
		return nil, err
	}
	if err := private(folder); err != nil {
		return nil, fmt.Errorf("make the folder of the state: %w", err)
	}
	db, err := openUnlocked(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	f := &File{db: db}
	if err := db.Update(makeBuckets); err != nil {
		return nil, errors.Join(fmt.Errorf("write %s: %w", path, err), f.Close())
	}
	return f, nil
}

// Close lets other processes have the file. It waits for transactions under way.
func (f *File) Close() error {
	err := f.db.Close()
	if f.remove != nil {
		err = errors.Join(err, f.remove())
	}
	return err
}

func pathOf(folder, tenant string) (string, error) {
	if !directory.IsID(tenant) {
		return "", errors.New("the tenant is not a lower-case GUID: look it up in the Entra admin center, under Overview")
	}
	return filepath.Join(folder, tenant+".db"), nil
}

// private makes the folder, or takes from others the right to look into it.
func private(folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	return os.Chmod(folder, 0o700) //nolint:gosec // G302 knows files only
}

func makeBuckets(tx *bbolt.Tx) error {
	for _, name := range [][]byte{users, documents, requests, dead, signals, urgent} {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	return nil
}

// openUnlocked opens the file once no other process has it open.
func openUnlocked(ctx context.Context, path string) (*bbolt.DB, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, lockWait, ErrBusy)
	defer cancel()
	for ctx.Err() == nil {
		db, err := open(path)
		if !errors.Is(err, bbolterrors.ErrTimeout) {
			return db, err
		}
		_ = wait.For(ctx, lockPause) // the loop looks at ctx
	}
	return nil, context.Cause(ctx)
}

// open opens a file that is whole, if there is one. It is opened for reading first: so
// bbolt changes nothing of a broken one.
func open(path string) (*bbolt.DB, error) {
	if info, err := os.Stat(path); err == nil && info.Size() > 0 {
		db, err := openChecked(path)
		if err != nil {
			return nil, err
		}
		if err := db.Close(); err != nil {
			return nil, err
		}
	}
	return bbolt.Open(path, 0o600, &bbolt.Options{Timeout: 1, PageSize: pageSize})
}

// openChecked opens a file for reading, and reads it all. It survives what check has not
// foreseen: bbolt panics where a page is not as it should be, and the system faults where
// a page can't be read.
func openChecked(path string) (db *bbolt.DB, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("%w (%v)", ErrDamaged, fault)
		}
		if err != nil && db != nil {
			_ = db.Close() // was only read
			db = nil
		}
	}()
	db, err = bbolt.Open(path, 0, &bbolt.Options{Timeout: 1, ReadOnly: true, PreLoadFreelist: true})
	if err != nil {
		return nil, blame(err)
	}
	if err := db.View(check); err != nil {
		return db, fmt.Errorf("%w (%w)", ErrDamaged, err)
	}
	return db, nil
}

// blame tells what the system refuses from what bbolt finds in the file.
func blame(err error) error {
	if _, refused := errors.AsType[syscall.Errno](err); refused || errors.Is(err, bbolterrors.ErrTimeout) {
		return err
	}
	return fmt.Errorf("%w (%w)", ErrDamaged, err)
}

// check reads all that the file holds.
func check(tx *bbolt.Tx) error {
	file, err := os.Open(tx.DB().Path())
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // it was only read
	if info, err := file.Stat(); err != nil || info.Size() < tx.Size() {
		return errors.Join(errors.New("it is cut off"), err)
	}
	if err := checkPages(tx, file); err != nil {
		return err
	}
	// bbolt checks that no page in use counts as free, in a goroutine of its own: so all
	// faults are heard.
	for fault := range tx.Check() {
		err = fault
	}
	if err != nil {
		return err
	}
	return tx.ForEach(checkValues)
}

func checkValues(name []byte, b *bbolt.Bucket) error {
	return b.ForEach(func(_, v []byte) error {
		if !json.Valid(v) {
			return fmt.Errorf("a value in %q is not JSON", name)
		}
		return nil
	})
}
