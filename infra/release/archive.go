package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/bundle"
)

// pack makes the archive that a platform's people can open without a further program.
func pack(name string, target platform, files []bundle.File, modified time.Time) (bundle.File, error) {
	var packed bytes.Buffer
	if target.system == "windows" {
		err := bundle.Zip(&packed, files, modified)
		return bundle.File{Name: name + ".zip", Content: packed.Bytes()}, err
	}
	err := tarball(&packed, files, modified)
	return bundle.File{Name: name + ".tar.gz", Content: packed.Bytes()}, err
}

// tarball writes files that belong to nobody on this machine, all of one time. gzip gets
// neither a name nor a time.
func tarball(packed *bytes.Buffer, files []bundle.File, modified time.Time) error {
	compressed, err := gzip.NewWriterLevel(packed, gzip.BestCompression)
	if err != nil {
		return err
	}
	archive := tar.NewWriter(compressed)
	for _, f := range files {
		header := &tar.Header{
			Name: f.Name, Size: int64(len(f.Content)), Mode: int64(f.Mode()),
			ModTime: modified, Typeflag: tar.TypeReg, Format: tar.FormatUSTAR,
		}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		if _, err := archive.Write(f.Content); err != nil {
			return err
		}
	}
	if err := archive.Close(); err != nil {
		return err
	}
	return compressed.Close()
}

// checksums is a file for sha256sum -c.
func checksums(files []bundle.File) bundle.File {
	var text bytes.Buffer
	for _, f := range files {
		fmt.Fprintf(&text, "%x  %s\n", sha256.Sum256(f.Content), f.Name)
	}
	return bundle.File{Name: "checksums.txt", Content: text.Bytes()}
}
