package bundle

import (
	"archive/zip"
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
var Functions = []string{"keeper", "stamper", "sweeper", "webhook"}

// samBuild is where sam build puts a function: in a folder of its logical ID.
func samBuild(function string) string {
	return path.Join(".aws-sam/build", strings.ToUpper(function[:1])+function[1:]+"Function", "bootstrap")
}

// Files reads the release tree from a checkout. built tells where a function's program is.
func Files(checkout fs.FS, built func(function string) string) ([]File, error) {
	files := []File{{Name: "CHANGELOG.md"}}
	from := []string{"CHANGELOG.md"}
	for _, function := range Functions {
		files = append(files, File{Name: "functions/" + function + "/bootstrap", Program: true})
		from = append(from, built(function))
	}
	files, from = append(files, File{Name: "template.yaml"}), append(from, "template.yaml")
	for i := range files {
		content, err := fs.ReadFile(checkout, from[i])
		if err != nil {
			return nil, err
		}
		files[i].Content = content
	}
	return files, nil
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
