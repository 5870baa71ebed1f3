package rotation

import "errors"

// Stray tells whether err says no more than that a step came where it has nothing to do:
// too late, for a version that is not there, or with the rotation switched off. Nothing
// was tried, and no rotation failed.
func Stray(err error) bool {
	return errors.Is(err, errNotStage) || errors.Is(err, errUnknown) || errors.Is(err, errOff)
}
