package bolt

import (
	"fmt"
	"path/filepath"
)

const folderName = "sessionstamp"

// Folder returns where a user's state belongs on the system, which is named as
// runtime.GOOS names it. It looks at variables of the environment: XDG_STATE_HOME, if it
// is an absolute path, or HOME on Linux, HOME on macOS, LOCALAPPDATA on Windows.
//
// Sources: the [XDG Base Directory Specification], Apple's [File System Basics], and
// Microsoft's [known folders].
//
// [XDG Base Directory Specification]: https://specifications.freedesktop.org/basedir-spec/latest/
// [File System Basics]: https://developer.apple.com/library/archive/documentation/FileManagement/Conceptual/FileSystemProgrammingGuide/FileSystemOverview/FileSystemOverview.html
// [known folders]: https://learn.microsoft.com/windows/win32/shell/knownfolderid
func Folder(system string, env func(string) string) (string, error) {
	variable, below := "HOME", filepath.Join(".local", "state")
	switch system {
	case "windows":
		variable, below = "LOCALAPPDATA", ""
	case "darwin":
		below = filepath.Join("Library", "Application Support")
	default:
		if state := env("XDG_STATE_HOME"); filepath.IsAbs(state) {
			return filepath.Join(state, folderName), nil
		}
	}
	base := env(variable)
	if base == "" {
		return "", fmt.Errorf("%s is not set, so nobody knows where your state belongs: set it", variable)
	}
	return filepath.Join(base, below, folderName), nil
}
