package bundle

import (
	"archive/zip"
	"cmp"
	"io"
	"io/fs"
	"path"
	"strings"
	"time"
)

// A File is one of an archive.
type File struct {
	// Name is its path in the archive, with slashes.
	Name string
	// Program tells whether it can be run (mode 0755, else 0644).
	Program bool
	Content []byte
}

// Mode is what the owner and others may do with it.
func (f File) Mode() fs.FileMode {
	if f.Program {
		return 0o755
	}
	return 0o644
}

// Functions are the names of the functions: their folders below functions.
var Functions = []string{"keeper", "receiver", "resolver", "stamper", "sweeper", "webhook"}

// samBuild is where sam build puts a function: in a folder of its logical ID.
func samBuild(function string) string {
	return path.Join(".aws-sam/build", strings.ToUpper(function[:1])+function[1:]+"Function", "bootstrap")
}

// texts are what the tree has besides the functions: SAM reads LICENSE and README.md as well,
// since the template names them to the Serverless Application Repository.
var texts = []string{"CHANGELOG.md", "LICENSE", "README.md", "template.yaml"}

// Files reads the release tree from a checkout. built tells where a function's program is.
func Files(checkout fs.FS, built func(function string) string) (files []File, err error) {
	read := func(f File, from string) {
		content, failed := fs.ReadFile(checkout, from)
		f.Content, err = content, cmp.Or(err, failed)
		files = append(files, f)
	}
	for _, function := range Functions {
		read(File{Name: "functions/" + function + "/bootstrap", Program: true}, built(function))
	}
	for _, name := range texts {
		read(File{Name: name}, name)
	}
	return files, err
}

// Zip packs files in the given order. The same files and time make the same bytes.
func Zip(w io.Writer, files []File, modified time.Time) error {
	archive := zip.NewWriter(w)
	for _, f := range files {
		header := &zip.FileHeader{Name: f.Name, Method: zip.Deflate, Modified: modified.UTC()}
		header.SetMode(f.Mode())
		entry, err := archive.CreateHeader(header)
		if err != nil {
			return err
		}
		if _, err := entry.Write(f.Content); err != nil {
			return err
		}
	}
	return archive.Close()
}
