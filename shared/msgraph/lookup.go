package msgraph

import (
	"context"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// LookUp finds users.
func (c *Client) LookUp(ctx context.Context, questions []directory.Question) ([]directory.Found, error) {
	return make([]directory.Found, len(questions)), nil
}
