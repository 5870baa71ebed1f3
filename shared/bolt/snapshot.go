package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"go.etcd.io/bbolt"

	"github.com/sessionstamp/sessionstamp/shared/wait"
)

const (
	// snapshotTries is how often a file is copied that is written at the same time.
	// Copying 100,000 users takes some 50 milliseconds, and a write waits for the disk
	// and for Graph.
	snapshotTries = 20
	snapshotPause = 20 * time.Millisecond
)

// errChanging: every copy was out of date before it was complete.
var errChanging = errors.New("another sessionstamp is writing without a pause: try again later")

// ReadOnly opens a copy of the tenant's file as it stands, which may be read while
// another process works with the file. Whoever writes to it gets an error. The error
// wraps [fs.ErrNotExist] if nothing was ever written.
func ReadOnly(ctx context.Context, folder, tenant string) (*File, error) {
	path, err := pathOf(folder, tenant)
	if err != nil {
		return nil, err
	}
	copied, err := snapshot(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("copy %s: %w", path, err)
	}
	remove := func() error { return os.Remove(copied) }
	db, err := openChecked(copied)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open a copy of %s: %w", path, err), remove())
	}
	f := &File{db: db, remove: remove}
	if db.View(hasBuckets) != nil {
		return nil, errors.Join(fmt.Errorf("%s is new: %w", path, fs.ErrNotExist), f.Close())
	}
	return f, nil
}

// hasBuckets fails on a file whose maker has not come to write anything.
func hasBuckets(tx *bbolt.Tx) error {
	if tx.Bucket(users) == nil {
		return fs.ErrNotExist
	}
	return nil
}

// snapshot copies a file that may be written at the same time, and returns the copy's
// path.
//
// bbolt never writes to a page that the last transaction uses. It writes other ones, and
// last of all one of the file's first two pages, which says where everything is. So a
// copy is sound if those two have stayed the same from before it to after it.
func snapshot(ctx context.Context, path string) (string, error) {
	source, err := os.Open(path) //nolint:gosec // G304: the name is made of a GUID
	if err != nil {
		return "", err
	}
	defer func() { _ = source.Close() }()                 // it is only read
	target, err := os.CreateTemp("", "sessionstamp-*.db") // with mode 0600
	if err != nil {
		return "", err
	}
	err = copyStill(ctx, target, source)
	if err = errors.Join(err, target.Close()); err != nil {
		return "", errors.Join(err, os.Remove(target.Name()))
	}
	return target.Name(), nil
}

// copyStill copies until nothing was written meanwhile.
func copyStill(ctx context.Context, target, source *os.File) error {
	for range snapshotTries {
		still, err := copyOnce(target, source)
		if still || err != nil {
			return err
		}
		if err := wait.For(ctx, snapshotPause); err != nil {
			return err
		}
	}
	return errChanging
}

func copyOnce(target, source *os.File) (still bool, err error) {
	var before, after [2 * pageSize]byte
	if _, err := source.ReadAt(before[:], 0); err != nil {
		return false, whole(err)
	}
	if _, err := target.WriteAt(before[:], 0); err != nil {
		return false, err
	}
	rest := io.NewSectionReader(source, int64(len(before)), 1<<62)
	if _, err := io.Copy(io.NewOffsetWriter(target, int64(len(before))), rest); err != nil {
		return false, err
	}
	if _, err := source.ReadAt(after[:], 0); err != nil {
		return false, whole(err)
	}
	return bytes.Equal(before[:], after[:]), nil
}

// whole says what it means that the file ends within its first two pages.
func whole(err error) error {
	if errors.Is(err, io.EOF) {
		return ErrDamaged
	}
	return err
}
