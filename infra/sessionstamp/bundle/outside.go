//go:build !release

package bundle

const tree = ""
