package subscription

import (
	"context"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// flowing returns the subscription that is known to deliver to us, or nil.
func (r *run) flowing() *directory.Subscription {
	s := r.find(r.record.SubscriptionID)
	if s == nil || r.breach(*s) != "" {
		return nil
	}
	return s
}

func (r *run) find(id string) *directory.Subscription {
	for i := range r.subs {
		if r.subs[i].ID == id {
			return &r.subs[i]
		}
	}
	return nil
}

// breach is why the subscription that the record names does not deliver to us, or
// "".
func (r *run) breach(s directory.Subscription) Finding {
	switch {
	case !r.showsOurURL(s) && !r.rewritten(s):
		return FoundOtherURL
	case !reportsUpdates(s):
		return FoundOtherChangeType
	case r.record.ClientState == "",
		r.record.ClientState != digest(r.current) && r.record.ClientState != digest(r.previous):
		return FoundForeignClientState
	}
	return ""
}

func (r *run) showsOurURL(s directory.Subscription) bool {
	return sameURL(s.NotificationURL, r.NotificationURL)
}

// rewritten tells whether the subscription that the record names shows another URL
// than ours, and only because Graph is known to write ours so.
func (r *run) rewritten(s directory.Subscription) bool {
	return !r.showsOurURL(s) && r.madeWithOurURL() && sameURL(s.NotificationURL, r.record.ShownURL)
}

func (r *run) madeWithOurURL() bool { return sameURL(r.record.NotificationURL, r.NotificationURL) }

// blemishes are why a subscription that delivers to us is to be replaced all the
// same.
func (r *run) blemishes(s directory.Subscription) []Finding {
	var found []Finding
	note := func(ok bool, f Finding) {
		if !ok {
			found = append(found, f)
		}
	}
	note(changes(s, changesWanted), FoundOnBridge)
	note(r.record.ClientState == digest(r.current), FoundOldClientState)
	if !r.inVain() {
		found = append(found, r.shown(s)...)
	}
	return found
}

// shown are the faults that Graph shows of a subscription, that delivers all the
// same, and that only another one could be without.
func (r *run) shown(s directory.Subscription) []Finding {
	var found []Finding
	if !sameURL(s.LifecycleURL, r.LifecycleURL) {
		found = append(found, FoundOtherLifecycleURL)
	}
	if !goodTLS(s) {
		found = append(found, FoundOldTLS)
	}
	return found
}

// inVain tells whether the subscription was made to be without such faults, and
// just as it would be made now: what Graph shows is then all that it ever will.
func (r *run) inVain() bool {
	return !r.record.Mended.IsZero() && sameURL(r.record.LifecycleURL, r.LifecycleURL)
}

// satisfied tells whether what delivers to us is the wanted subscription.
func (r *run) satisfied() bool {
	s := r.flowing()
	return s != nil && len(r.blemishes(*s)) == 0
}

// survey compares the list with the record, and notes a gap before anything is
// done about it.
func (r *run) survey(ctx context.Context) error {
	r.surveyed = true
	s := r.flowing()
	if s == nil {
		r.noteURL()
		return r.openGap(ctx, r.absence())
	}
	r.record.Expires = s.Expires
	r.surveyUnmended(*s)
	blemishes := r.blemishes(*s)
	for _, f := range blemishes {
		r.report.find(f)
	}
	if len(blemishes) == 0 {
		r.record.Refused = time.Time{}
	}
	if len(r.report.Found) == 0 {
		r.report.find(FoundHealthy)
	}
	if len(r.subs) > 1 {
		r.report.find(FoundExtra)
	}
	// In a gap, or while a challenge stands, nobody can say that all is well.
	if !r.record.Since.IsZero() && r.record.Challenged.IsZero() {
		r.record.Checked = r.now()
	}
	return nil
}

// surveyUnmended finds what replacing does not mend, and forgets of it what is
// mended.
func (r *run) surveyUnmended(s directory.Subscription) {
	if r.rewritten(s) {
		r.report.find(FoundUnmended)
	} else {
		r.record.ShownURL = ""
	}
	switch shown := r.shown(s); {
	case len(shown) == 0:
		r.record.Mended = time.Time{}
	case r.inVain():
		r.report.find(FoundUnmended)
	}
}

// noteURL remembers what Graph shows in place of the URL that we gave, for the
// record of what is made instead. The record of this one must not have it: somebody
// may have changed the URL.
func (r *run) noteURL() {
	if s := r.find(r.record.SubscriptionID); s != nil && r.madeWithOurURL() && !r.showsOurURL(*s) {
		r.foreignURL = s.NotificationURL
	}
}

// doubtURL looks whether Graph shows the URL that we gave of what was made in
// place of one that showed another. Then somebody had changed that one, and may do
// so again. Where it can't be told, the next run tells.
func (r *run) doubtURL(ctx context.Context) {
	if r.foreignURL == "" || r.mayChange(ctx) != nil {
		return
	}
	before := r.subs
	err := r.list(ctx)
	s := r.find(r.record.SubscriptionID)
	if err == nil && s != nil && r.showsOurURL(*s) {
		r.record.ShownURL = ""
	}
	r.subs = before
}

// absence is why nothing is known to deliver to us.
func (r *run) absence() Finding {
	known := r.record.SubscriptionID
	switch s := r.find(known); {
	case s != nil:
		return r.breach(*s)
	case known == "" && len(r.subs) == 0:
		return FoundNone
	case known == "":
		return FoundUnknown
	case !r.record.Expires.After(r.now()):
		return FoundLapsed
	}
	return FoundVanished
}
