package bolt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"go.etcd.io/bbolt"
)

// The parts of bbolt's file format that checkPages reads, in the machine's byte order. A
// page begins with id, flags, count and overflow, and count elements follow.
//
// Source: https://github.com/etcd-io/bbolt/blob/v1.5.0/internal/common/page.go
const (
	headerSize  = 16 // of a page, and of a bucket in its parent's page
	elementSize = 16
	branchFlag  = 0x01 // of a page
	leafFlag    = 0x02 // of a page
	bucketFlag  = 0x01 // of an element on a leaf
)

// pages is what checkPages has seen of a file.
type pages struct {
	file  io.ReaderAt
	size  int64 // of a page, in bytes
	count int64 // of the pages in use
	seen  map[int64]bool
}

// checkPages checks that every address in the file leads to a page of it that was not
// there before. bbolt trusts them: it would read where no memory is, or go round for ever.
func checkPages(tx *bbolt.Tx, file io.ReaderAt) error {
	size := int64(tx.DB().Info().PageSize)
	p := pages{file: file, size: size, count: tx.Size() / size, seen: make(map[int64]bool)}
	return p.checkPage(uint64(tx.Cursor().Bucket().Root()))
}

func (p pages) checkPage(address uint64) error {
	id := int64(address) //nolint:gosec // G115: what is negative is refused
	if id < 2 || id >= p.count || p.seen[id] {
		return fmt.Errorf("an address leads to page %d of %d, again or wrongly", id, p.count)
	}
	p.seen[id] = true
	var header [headerSize]byte
	if _, err := p.file.ReadAt(header[:], id*p.size); err != nil {
		return err
	}
	more := int64(binary.NativeEndian.Uint32(header[12:])) // pages that belong to this one
	if more >= p.count-id {
		return fmt.Errorf("page %d goes on after the end", id)
	}
	page := make([]byte, (more+1)*p.size)
	if _, err := p.file.ReadAt(page, id*p.size); err != nil {
		return err
	}
	if err := p.checkElements(page); err != nil {
		return fmt.Errorf("page %d: %w", id, err)
	}
	return nil
}

// checkElements checks a page, or the page within a value that a small bucket is.
func (p pages) checkElements(page []byte) error {
	flags, count := binary.NativeEndian.Uint16(page[8:]), int(binary.NativeEndian.Uint16(page[10:]))
	if flags != branchFlag && flags != leafFlag || headerSize+count*elementSize > len(page) {
		return errors.New("neither branch nor leaf, or too many elements")
	}
	for i := range count {
		element := page[headerSize+i*elementSize:]
		check := p.checkLeaf
		if flags == branchFlag {
			check = p.checkBranch
		}
		if err := check(element); err != nil {
			return err
		}
	}
	return nil
}

// checkBranch checks an element with position and size of its key, and a page's address.
// Positions count from the element's first byte.
func (p pages) checkBranch(element []byte) error {
	position, key := field(element, 0), field(element, 4)
	if position+key > len(element) {
		return errors.New("a key goes on after the end")
	}
	return p.checkPage(binary.NativeEndian.Uint64(element[8:]))
}

// checkLeaf checks an element with flags, position, and size of key and value. The value
// of a bucket begins with its page's address; 0 if the page follows.
func (p pages) checkLeaf(element []byte) error {
	position, key, value := field(element, 4), field(element, 8), field(element, 12)
	if position+key+value > len(element) {
		return errors.New("a value goes on after the end")
	}
	if field(element, 0)&bucketFlag == 0 {
		return nil
	}
	bucket := element[position+key:][:value]
	if len(bucket) < headerSize {
		return errors.New("a bucket is too short")
	}
	if root := binary.NativeEndian.Uint64(bucket); root != 0 {
		return p.checkPage(root)
	}
	if bucket = bucket[headerSize:]; len(bucket) < headerSize {
		return errors.New("a bucket is too short")
	}
	return p.checkElements(bucket)
}

// field is a number of 32 bits; on machines of 32 bits three of them may overflow, which
// bbolt does not support beyond 2 GB either.
func field(b []byte, at int) int { return int(binary.NativeEndian.Uint32(b[at:])) }
