package language

import "golang.org/x/sys/windows"

// System returns the language in which Windows shows its menus to this person, such as
// ja-JP, or "" if Windows does not tell.
func System() string {
	names, err := windows.GetUserPreferredUILanguages(windows.MUI_LANGUAGE_NAME)
	if err != nil || len(names) == 0 {
		return ""
	}
	return names[0]
}
