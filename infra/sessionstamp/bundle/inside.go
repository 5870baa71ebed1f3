//go:build release

package bundle

import _ "embed" // the tree of a release

// tree is packed by infra/release before the command is built.
//
//go:embed tree.zip
var tree string
