package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/revocation"
	"github.com/sessionstamp/sessionstamp/shared/subscription"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

// record is [subscription.Record] as a document.
type record struct {
	Tenant          string    `dynamodbav:"-"`
	Version         int64     `dynamodbav:"-"`
	SubscriptionID  string    `dynamodbav:"subscriptionId,omitempty"`
	ClientState     string    `dynamodbav:"clientState,omitempty"`
	NotificationURL string    `dynamodbav:"notificationUrl,omitempty"`
	LifecycleURL    string    `dynamodbav:"lifecycleUrl,omitempty"`
	ShownURL        string    `dynamodbav:"shownUrl,omitempty"`
	Mended          time.Time `dynamodbav:"mended,omitempty"`
	Refused         time.Time `dynamodbav:"refused,omitempty"`
	Began           time.Time `dynamodbav:"began,omitempty"`
	Since           time.Time `dynamodbav:"since,omitempty"`
	Expires         time.Time `dynamodbav:"expires,omitempty"`
	Renewed         time.Time `dynamodbav:"renewed,omitempty"`
	Checked         time.Time `dynamodbav:"checked,omitempty"`
	Challenged      time.Time `dynamodbav:"challenged,omitempty"`
	TakenDown       time.Time `dynamodbav:"takenDown,omitempty"`
	Holder          string    `dynamodbav:"holder,omitempty"`
	HeldUntil       time.Time `dynamodbav:"heldUntil,omitempty"`
}

func recordItem(r subscription.Record) item[record] {
	return item[record]{Key: r.Tenant + "#subscription", Version: r.Version, Doc: record(r)}
}

// Record implements [subscription.Store].
func (t *Table) Record(ctx context.Context, tenant string) (subscription.Record, error) {
	i, err := read[record](ctx, t, tenant+"#subscription")
	if err != nil {
		return subscription.Record{}, fmt.Errorf("read the keeper's record: %w", err)
	}
	r := subscription.Record(i.Doc)
	r.Tenant, r.Version = tenant, i.Version
	return r, nil
}

// SaveRecord implements [subscription.Store].
func (t *Table) SaveRecord(ctx context.Context, r subscription.Record) error {
	return save(ctx, t, recordItem(r), "the keeper's record", subscription.ErrConflict)
}

// backfill is [revocation.BackfillState] as a document, but for Recent.
type backfill struct {
	Tenant    string            `dynamodbav:"-"`
	Version   int64             `dynamodbav:"-"`
	Run       int               `dynamodbav:"run,omitempty"`
	Recent    []revocation.Slot `dynamodbav:"-"`
	Members   int               `dynamodbav:"members,omitempty"`
	Stopped   revocation.Reason `dynamodbav:"stopped,omitempty"`
	StoppedAt time.Time         `dynamodbav:"stoppedAt,omitempty"`
	Lifted    time.Time         `dynamodbav:"lifted,omitempty"`
}

// slot is [revocation.Slot] as part of a document.
type slot struct {
	Start time.Time `dynamodbav:"start,omitempty"`
	Count int       `dynamodbav:"count,omitempty"`
}

// backfillDoc is the whole document.
type backfillDoc struct {
	backfill

	Slots []slot `dynamodbav:"recent,omitempty"`
}

func backfillItem(s revocation.BackfillState) item[backfillDoc] {
	doc := backfillDoc{backfill: backfill(s)}
	for _, recent := range s.Recent {
		doc.Slots = append(doc.Slots, slot(recent))
	}
	return item[backfillDoc]{Key: s.Tenant + "#backfill", Version: s.Version, Doc: doc}
}

// Backfill implements [revocation.BackfillStore].
func (t *Table) Backfill(ctx context.Context, tenant string) (revocation.BackfillState, error) {
	i, err := read[backfillDoc](ctx, t, tenant+"#backfill")
	if err != nil {
		return revocation.BackfillState{}, fmt.Errorf("read the state of the backfill: %w", err)
	}
	s := revocation.BackfillState(i.Doc.backfill)
	s.Tenant, s.Version = tenant, i.Version
	for _, recent := range i.Doc.Slots {
		s.Recent = append(s.Recent, revocation.Slot(recent))
	}
	return s, nil
}

// SaveBackfill implements [revocation.BackfillStore].
func (t *Table) SaveBackfill(ctx context.Context, s revocation.BackfillState) error {
	return save(ctx, t, backfillItem(s), "the state of the backfill", revocation.ErrConflict)
}

// checkpoint is [sweep.Checkpoint] as a document, but for Full.
type checkpoint struct {
	Tenant        string           `dynamodbav:"-"`
	Version       int64            `dynamodbav:"-"`
	DeltaLink     string           `dynamodbav:"deltaLink,omitempty"`
	Failed        int              `dynamodbav:"failed,omitempty"`
	Full          *sweep.FullRound `dynamodbav:"-"`
	FullDone      time.Time        `dynamodbav:"fullDone,omitempty"`
	Confirm       time.Time        `dynamodbav:"confirm,omitempty"`
	Members       int              `dynamodbav:"members,omitempty"`
	Unstamped     int              `dynamodbav:"unstamped,omitempty"`
	Unreadable    int              `dynamodbav:"unreadable,omitempty"`
	Since         time.Time        `dynamodbav:"since,omitempty"`
	Asked         string           `dynamodbav:"asked,omitempty"`
	AskedSince    time.Time        `dynamodbav:"askedSince,omitempty"`
	Asks          int64            `dynamodbav:"asks,omitempty"`
	Answered      int64            `dynamodbav:"answered,omitempty"`
	BackfillUntil time.Time        `dynamodbav:"backfillUntil,omitempty"`
	Holder        string           `dynamodbav:"holder,omitempty"`
	HeldUntil     time.Time        `dynamodbav:"heldUntil,omitempty"`
}

// fullRound is [sweep.FullRound] as part of a document.
type fullRound struct {
	Started    time.Time `dynamodbav:"started,omitempty"`
	DeltaLink  string    `dynamodbav:"deltaLink,omitempty"`
	Next       string    `dynamodbav:"next,omitempty"`
	Pages      int       `dynamodbav:"pages,omitempty"`
	Members    int       `dynamodbav:"members,omitempty"`
	Unstamped  int       `dynamodbav:"unstamped,omitempty"`
	Unreadable int       `dynamodbav:"unreadable,omitempty"`
	Failed     int       `dynamodbav:"failed,omitempty"`
	Asks       int64     `dynamodbav:"asks,omitempty"`
}

// checkpointDoc is the whole document.
type checkpointDoc struct {
	checkpoint

	Round *fullRound `dynamodbav:"full,omitempty"`
}

func checkpointItem(c sweep.Checkpoint) item[checkpointDoc] {
	doc := checkpointDoc{checkpoint: checkpoint(c)}
	if c.Full != nil {
		round := fullRound(*c.Full)
		doc.Round = &round
	}
	return item[checkpointDoc]{Key: c.Tenant + "#checkpoint", Version: c.Version, Doc: doc}
}

// Checkpoint implements [sweep.Store].
func (t *Table) Checkpoint(ctx context.Context, tenant string) (sweep.Checkpoint, error) {
	i, err := read[checkpointDoc](ctx, t, tenant+"#checkpoint")
	if err != nil {
		return sweep.Checkpoint{}, fmt.Errorf("read the sweep's checkpoint: %w", err)
	}
	c := sweep.Checkpoint(i.Doc.checkpoint)
	c.Tenant, c.Version = tenant, i.Version
	if i.Doc.Round != nil {
		full := sweep.FullRound(*i.Doc.Round)
		c.Full = &full
	}
	return c, nil
}

// SaveCheckpoint implements [sweep.Store].
func (t *Table) SaveCheckpoint(ctx context.Context, c sweep.Checkpoint) error {
	return save(ctx, t, checkpointItem(c), "the sweep's checkpoint", sweep.ErrConflict)
}

// save writes an item, and says of a failure what it was.
func save[D any](ctx context.Context, t *Table, i item[D], what string, conflict error) error {
	err := write(ctx, t, i, conflict)
	if err == nil || errors.Is(err, conflict) {
		return err
	}
	return fmt.Errorf("write %s: %w", what, err)
}
