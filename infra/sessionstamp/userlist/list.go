// Package userlist reads the files in which people name users: a CSV file (RFC 4180) that
// Excel, the Entra admin center or PowerShell has written, or a text with one name a line.
// Whom a file means is never guessed. A file that can be read in two ways, or that has one
// bad line, is refused as a whole, with the line and what to do. Empty lines and those that
// begin with # are no part of it.
package userlist

import (
	"fmt"
	"io"
	"strings"
)

// MaxBytes is the size of the largest file that is read: some 500,000 names with a few
// columns beside them.
const MaxBytes = 32 << 20

// maxProblems is how many problems are told at once. A wrong column has one in each line.
const maxProblems = 20

// User is a user as the file names one.
type User struct {
	// Line is where the name stands, from 1.
	Line int
	// Name is a user principal name or a mail address as it was written, or an object
	// id in lower case.
	Name string
}

// List is what a file says.
type List struct {
	// Users are in the file's order, each name once. There is at least one.
	Users []User
	// Doubled are those whom an earlier line has named already, in whichever case.
	Doubled []User
}

// Read reads a file to its end. The error is a [*Refused] if a person must mend the file.
// Refused quotes the file: it is for the person who gave it, and not for a log.
func Read(r io.Reader) (List, error) {
	return read(r, func(lines []string, problems *Refused) List {
		list := collect(lines, problems)
		if len(list.Users) == 0 && len(problems.Problems) == 0 {
			problems.add(0, "", nobody)
		}
		return list
	})
}

// read has the lines of a file collected. It stops at the first step that finds problems:
// the next would only find others that come from them.
func read[T any](r io.Reader, collect func(lines []string, problems *Refused) T) (found T, err error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return found, fmt.Errorf("read the list of users: %w", err)
	}
	var refused Refused
	var lines []string
	if len(data) > MaxBytes {
		refused.add(0, "", tooLarge, MaxBytes>>20)
	} else {
		lines = tidy(decode(data, &refused), &refused)
	}
	if len(refused.Problems) == 0 {
		found = collect(lines, &refused)
	}
	if len(refused.Problems) > 0 {
		var none T
		return none, &refused
	}
	return found, nil
}

// collect reads the records and merges names.
func collect(lines []string, problems *Refused) (list List) {
	seen := make(map[string]bool) // by name in lower case
	records := open(lines, problems)
	for records.next() {
		user, named := records.user()
		key := strings.ToLower(user.Name)
		switch {
		case !named:
		case seen[key]:
			list.Doubled = append(list.Doubled, user)
		default:
			seen[key] = true
			list.Users = append(list.Users, user)
		}
	}
	return list
}
