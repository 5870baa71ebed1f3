package subscription

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// What a subscription is made with.
const (
	resource = "users"
	// changesWanted are those of the one wanted subscription. For users Graph
	// knows "updated", which includes creation, and "deleted".
	changesWanted = "updated"
	// changesBridge are those of a bridge. Graph refuses a second subscription
	// of the same changeType and resource, so it asks for more than it needs.
	changesBridge = "updated,deleted"
	wantedTLS     = "v1_2"
)

// oursToTouch tells whether the subscription watches all users. Others of the
// same app are somebody else's.
func oursToTouch(s directory.Subscription) bool {
	return strings.EqualFold(strings.Trim(s.Resource, "/ "), resource)
}

// changes tells whether the subscription reports exactly what is listed, however
// that is written.
func changes(s directory.Subscription, want string) bool {
	return slices.Equal(changeSet(s.ChangeType), changeSet(want))
}

// changeSet is a changeType taken apart, sorted and without repetitions.
func changeSet(changeType string) []string {
	words := strings.Split(strings.ToLower(changeType), ",")
	for i := range words {
		words[i] = strings.TrimSpace(words[i])
	}
	slices.Sort(words)
	return slices.Compact(words)
}

// reportsUpdates tells whether the subscription reports what we live on.
func reportsUpdates(s directory.Subscription) bool {
	return slices.Contains(changeSet(s.ChangeType), changesWanted)
}

// goodTLS tells whether the subscription lets Graph use TLS 1.2. Graph takes
// that version where none is named.
func goodTLS(s directory.Subscription) bool {
	switch strings.ToLower(s.LatestTLS) {
	case "v1_0", "v1_1":
		return false
	}
	return true
}

// completed is the subscription with the URLs that it was made with where Graph
// shows none. Whether the list shows them all is not documented.
func completed(s directory.Subscription, notificationURL, lifecycleURL string) directory.Subscription {
	if s.NotificationURL == "" {
		s.NotificationURL = notificationURL
	}
	if s.LifecycleURL == "" {
		s.LifecycleURL = lifecycleURL
	}
	return s
}

// sameURL compares what two URLs reach, not how they are written.
func sameURL(a, b string) bool { return canonicalURL(a) == canonicalURL(b) }

func canonicalURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || raw == "" {
		return raw
	}
	u.Scheme, u.Host = strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	u.Host = strings.TrimSuffix(u.Host, ":443")
	if u.Path == "/" {
		u.Path = ""
	}
	return u.String()
}

// digest is how a clientState is remembered. A guess can't be tried out on it:
// the secrets are random and long.
func digest(secret string) string {
	if secret == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
