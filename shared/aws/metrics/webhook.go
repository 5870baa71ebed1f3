package metrics

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"github.com/sessionstamp/sessionstamp/shared/webhook"
)

// Metrics of the webhook.
const (
	// NotificationsReceived counts the elements of what Graph posted, also of
	// what it will post again.
	NotificationsReceived = "NotificationsReceived"
	// NotificationsDropped counts those that were dropped, by reason.
	NotificationsDropped = "NotificationsDropped"
	// NotificationsRefused counts those that were answered 503, so that Graph
	// sends them again: one at least for each such answer.
	NotificationsRefused = "NotificationsRefused"
)

// ObserveReceipt implements [webhook.Observer].
func (r *Recorder) ObserveReceipt(_ context.Context, receipt webhook.Receipt) {
	if receipt.Kind != webhook.Delivery {
		return
	}
	l := line{metrics: []metric{one(NotificationsReceived, count, float64(receipt.Items))}}
	if receipt.Status == http.StatusServiceUnavailable {
		l.metrics = append(l.metrics, one(NotificationsRefused, count, float64(max(receipt.Items, 1))))
	}
	r.write(l)
	for _, reason := range slices.Sorted(maps.Keys(receipt.Dropped)) {
		r.write(reasonLine(string(reason), map[string]float64{NotificationsDropped: float64(receipt.Dropped[reason])}))
	}
}
