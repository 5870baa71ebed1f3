package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/aws/metrics"
	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/signal/stream"
	"github.com/sessionstamp/sessionstamp/shared/state"
)

const (
	// signalTime is how long all sources may take in one run, and sourceTime one of them: a
	// transmitter that hangs costs the others one run, since the order is at random.
	signalTime = 50 * time.Second
	sourceTime = 15 * time.Second
)

// credentials are the sources' secrets.
type credentials interface {
	Credential(ctx context.Context, id string, fresh bool) (signal.Credential, error)
}

// signals looks after the sources of signals. It returns no errors: the subscription, for
// which the function is there, never fails on account of an identity provider.
type signals struct {
	tenant string
	// url is where sources send signals, less their ids. It is empty where signals are off.
	url         string
	registry    state.Store[signal.Registry]
	credentials credentials
	client      *http.Client
	attend      func(reason metrics.Attention, n int)
	log         *slog.Logger
	now         func() time.Time
}

// keep keeps the streams, and says which source is silent.
func (s *signals) keep(ctx context.Context) {
	if s == nil || s.url == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, signalTime)
	defer cancel()
	for id, record := range s.sources(ctx) {
		s.tellSilence(ctx, id, record)
		if record.Kind == signal.KindSSF && record.Stream.ConfigurationEndpoint != "" && ctx.Err() == nil {
			s.tell(ctx, id, record, s.keepStream(ctx, id, record))
		}
	}
}

// sources reads the registry. What can't be read is looked after in the next run.
func (s *signals) sources(ctx context.Context) map[string]signal.Record {
	registry, err := s.registry.Load(ctx, s.tenant)
	if err != nil {
		s.log.LogAttrs(ctx, slog.LevelWarn, "the sources of signals can't be read", slog.String("error", err.Error()))
	}
	return registry.Doc.Sources
}

func (s *signals) tellSilence(ctx context.Context, id string, record signal.Record) {
	if !record.Silent(s.now()) {
		return
	}
	s.attend(metrics.SignalSilent, 1)
	s.log.LogAttrs(ctx, slog.LevelWarn,
		"nothing is heard of a source of signals: look in the provider's console whether it still delivers, and send a test from there",
		slog.String("source", id), slog.String("name", record.Name), slog.Time("heard", record.Heard))
}

func (s *signals) keepStream(ctx context.Context, id string, record signal.Record) error {
	c, err := s.credentials.Credential(ctx, id, false)
	if err != nil {
		return fmt.Errorf("read the source's secret: %w", err)
	}
	call, cancel := context.WithTimeout(ctx, sourceTime)
	defer cancel()
	manager := s.manager(record)
	kept, failed := manager.Keep(call, s.url+id, record.Stream, c)
	stored, err := s.store(ctx, id, record.Stream, kept)
	if err == nil && !stored { // the source was removed meanwhile
		return manager.Remove(ctx, kept, c)
	}
	if kept.ID != record.Stream.ID {
		s.log.LogAttrs(ctx, slog.LevelInfo, "a stream was made or adopted",
			slog.String("source", id), slog.String("name", record.Name), slog.String("default_subjects", kept.Subjects))
	}
	return errors.Join(failed, err)
}

func (s *signals) manager(record signal.Record) stream.Manager {
	return stream.Manager{HTTP: s.client, Now: s.now, SessionsRevoked: record.SessionsRevoked}
}

// store writes what the run has found out, and leaves what others have written since. It
// tells whether the source is still there.
func (s *signals) store(ctx context.Context, id string, before, kept signal.Stream) (there bool, err error) {
	if reflect.DeepEqual(before, kept) {
		return true, nil
	}
	err = state.Update(ctx, s.registry, s.tenant, func(registry *signal.Registry) bool {
		var record signal.Record
		if record, there = registry.Sources[id]; !there {
			return false
		}
		now := &record.Stream
		now.ID, now.Audiences, now.Given, now.Asked = kept.ID, kept.Audiences, kept.Given, kept.Asked
		if before.Status != kept.Status {
			now.Status = kept.Status
		}
		registry.Sources[id] = record
		return true
	})
	if err != nil {
		err = fmt.Errorf("store the stream: %w", err)
	}
	return there, err
}

// tell says what keeps a stream from delivering. For what may pass by itself nobody is
// called: if it lasts, the source falls silent.
func (s *signals) tell(ctx context.Context, id string, record signal.Record, err error) {
	if err == nil {
		return
	}
	level := slog.LevelError
	if e, ok := errors.AsType[*stream.Error](err); ok && e.Passing() {
		level = slog.LevelWarn
	} else {
		s.attend(metrics.SignalStream, 1)
	}
	s.log.LogAttrs(ctx, level, "the stream of a source of signals is not in order",
		slog.String("source", id), slog.String("name", record.Name), slog.String("error", err.Error()))
}

// remove deletes the streams of a stack that is deleted: nobody receives them any more. A
// transmitter that does not answer keeps nothing from being deleted.
func (s *signals) remove(ctx context.Context) {
	if s == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, signalTime)
	defer cancel()
	for id, record := range s.sources(ctx) {
		if record.Kind != signal.KindSSF || record.Stream.ID == "" {
			continue
		}
		if err := s.removeStream(ctx, id, record); err != nil {
			s.log.LogAttrs(ctx, slog.LevelWarn, "the stream of a source of signals is left behind: delete it in the provider's console",
				slog.String("source", id), slog.String("name", record.Name), slog.String("error", err.Error()))
		}
	}
}

func (s *signals) removeStream(ctx context.Context, id string, record signal.Record) error {
	ctx, cancel := context.WithTimeout(ctx, sourceTime)
	defer cancel()
	c, err := s.credentials.Credential(ctx, id, false)
	if err != nil {
		return fmt.Errorf("read the source's secret: %w", err)
	}
	return s.manager(record).Remove(ctx, record.Stream, c)
}
