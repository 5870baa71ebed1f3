package signal

import (
	"bytes"
	"encoding/json"
	"errors"
	"time"
	"unicode/utf8"
)

var errTwice = errors.New("JSON that names a member twice")

// An object is a JSON object with exact names: package json would take "AUD" for "aud".
// What is absent and what has another type than the documented one reads alike.
type object map[string]any

// parse reads an object that names no member twice and nests no deeper than package json
// reads, which is 10,000 deep. Of a doubled name two readers may
// believe two values, and one of them has checked the other's.
func parse(raw []byte) (object, bool) {
	// Some .NET libraries write a byte order mark before the JSON.
	raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
	if !utf8.Valid(raw) || !json.Valid(raw) {
		return nil, false
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	value, err := read(dec)
	o, ok := value.(object)
	return o, ok && err == nil
}

// read returns a string, a bool, a json.Number, nil, an object or a []any.
func read(dec *json.Decoder) (any, error) {
	token, err := dec.Token()
	delim, ok := token.(json.Delim)
	switch {
	case err != nil || !ok:
		return token, err
	case delim == '{':
		return readObject(dec)
	}
	list := []any{}
	for dec.More() {
		value, err := read(dec)
		if err != nil {
			return nil, err
		}
		list = append(list, value)
	}
	_, err = dec.Token()
	return list, err
}

func readObject(dec *json.Decoder) (any, error) {
	o := make(object)
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, err
		}
		name, _ := token.(string)
		if o.has(name) {
			return nil, errTwice
		}
		if o[name], err = read(dec); err != nil {
			return nil, err
		}
	}
	_, err := dec.Token()
	return o, err
}

func (o object) has(name string) bool { _, ok := o[name]; return ok }

func (o object) text(name string) string { s, _ := o[name].(string); return s }

func (o object) object(name string) object { inner, _ := o[name].(object); return inner }

func (o object) list(name string) []any { list, _ := o[name].([]any); return list }

// date reads an RFC 3339 text; zero if there is none.
func (o object) date(name string) time.Time {
	t, err := time.Parse(time.RFC3339, o.text(name))
	if err != nil {
		return time.Time{}
	}
	return t
}

// seconds reads a NumericDate (RFC 7519); zero if there is none. Okta writes milliseconds:
// as seconds they would be a time after the year 5000.
func (o object) seconds(name string) time.Time {
	number, _ := o[name].(json.Number)
	n, err := number.Float64()
	const milliseconds, end = 1e11, 1e14
	if n >= milliseconds {
		n /= 1000
	}
	if err != nil || n < 1 || n >= end/1000 {
		return time.Time{}
	}
	return time.Unix(int64(n), 0)
}
