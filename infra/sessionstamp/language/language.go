// Package language chooses between English and Japanese, and keeps every sentence that a
// person reads in both. A sentence is a format of package fmt; a test of each catalogue
// calls [Catalogue.Faults], so that neither language lacks one.
package language

import (
	"fmt"
	"strings"
)

// Language is one that the command speaks, as an ISO 639-1 code.
type Language string

// The languages there are.
const (
	English  Language = "en"
	Japanese Language = "ja"
)

// Choose returns the language that a person reads. What the person asked for decides:
// flag is the value of --lang, "" if it was not given, and anything but ja and en is an
// error. Next come the locale in the environment (env is os.Getenv; see [POSIX], section
// 8.2) and the system's own, which [System] returns. English is for everybody else.
//
// [POSIX]: https://pubs.opengroup.org/onlinepubs/9799919799/basedefs/V1_chap08.html
func Choose(flag string, env func(string) string, system string) (Language, error) {
	switch asked := Language(flag); asked {
	case English, Japanese:
		return asked, nil
	case "":
	default:
		return English, fmt.Errorf("--lang %q: write --lang ja or --lang en", flag)
	}
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if locale := env(name); locale != "" {
			return of(locale), nil
		}
	}
	return of(system), nil
}

// of is the language of a locale: ja_JP.UTF-8 as POSIX writes it, ja-JP as Windows does.
// We write UTF-8. A terminal that reads EUC-JP would garble Japanese, and not English.
func of(locale string) Language {
	name, charset, named := strings.Cut(strings.ToLower(locale), ".")
	charset, _, _ = strings.Cut(charset, "@")
	readable := !named || charset == "utf-8" || charset == "utf8"
	if (name == "ja" || strings.HasPrefix(name, "ja_") || strings.HasPrefix(name, "ja-")) && readable {
		return Japanese
	}
	return English
}
