package youtube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"emberwatch/sources"
)

// poll reads every channel and video and hands over what is new there; known is brought up to date with each batch
// that was taken. One that fails does not keep the others from being read, unless it is the quota that is used up.
func (s *Source) poll(ctx context.Context, known *memory, again *sources.Revisit, emit sources.Emit, now time.Time) error {
	if s.closed.After(now) {
		return usedUp(now, s.closed)
	}
	h := &handover{s: s, known: known, emit: emit}
	failed := []error{s.recount(ctx, h, now)}
	for _, name := range s.targets {
		err := s.read(ctx, h, name, now)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", name, err))
		}
		if h.err != nil || errors.Is(err, ErrQuota) {
			break
		}
	}
	if h.err == nil && !s.closed.After(now) {
		failed = append(failed, s.revisit(ctx, h, again))
	}
	return errors.Join(append(failed, h.err)...)
}

// handover emits batches, each with the cursor after it, and remembers what was taken.
type handover struct {
	s     *Source
	known *memory
	emit  sources.Emit
	err   error // of emit: then nothing else is handed over
}

// give emits what was found, and next as what is known from then on.
func (h *handover) give(ctx context.Context, next memory, b sources.Batch) {
	if h.err != nil {
		return
	}
	b.Source = h.s.opt.Name
	if b.Cursor, h.err = json.Marshal(next); h.err != nil {
		return
	}
	if _, h.err = h.emit(ctx, b); h.err == nil {
		*h.known = next
	}
}

// read walks over the threads of a channel or video.
func (s *Source) read(ctx context.Context, h *handover, name string, now time.Time) error {
	t := h.known.Targets[name]
	answers := map[string]int{}
	list, most := t.Threads, firstPages
	if deep := now.Sub(t.Deep) >= deepEvery; deep {
		t.Deep = now
		if !list.Open && len(list.Seen) > 0 {
			list.Open, most = true, deepPages
		}
	}
	w := list.Walk(ctx, most, maxSeen, func(ctx context.Context, token string) (sources.Page, error) {
		p, err := s.threads(ctx, name, token, now)
		if err != nil {
			return sources.Page{}, err
		}
		err = s.answers(ctx, p, t.Answers, answers, now)
		s.place(p.mentions)
		return sources.Page{Mentions: p.mentions, Rejected: p.rejected, Next: p.next}, err
	})
	switch {
	case errors.Is(w.Err, errDisabled): // no failure: there is nothing to read
		s.opt.Log.Info("comments are disabled", "source", s.opt.Name, "of", name)
		h.give(ctx, *h.known, sources.Batch{})
		return nil
	case errors.Is(w.Err, ErrQuota):
		s.closed = now.Add(untilMidnight(now))
	}
	if w.Pages > 0 {
		next := target{Threads: w.After, Answers: remembering(answers, t.Answers), Deep: t.Deep}
		h.give(ctx, h.known.with(name, next), sources.Batch{Mentions: w.News, Known: w.Known, Rejected: w.Rejected})
	}
	return w.Err
}

// place notes which video comments stand under, of so many as are remembered.
func (s *Source) place(ms []sources.Mention) {
	if len(s.videos) > maxSeen {
		clear(s.videos) // those of old are looked at no more, and the hourly walk brings the others back
	}
	for i := range ms {
		s.videos[ms[i].ID] = ms[i].RootID
	}
}

// with is the memory with another state of one target.
func (m memory) with(name string, t target) memory {
	m.Targets = maps.Clone(m.Targets)
	m.Targets[name] = t
	return m
}

// remembering joins the numbers of answers that a walk found with those of before, while there is room.
func remembering(now, before map[string]int) map[string]int {
	for thread, n := range before {
		if _, known := now[thread]; !known && len(now) < maxThreads {
			now[thread] = n
		}
	}
	return now
}

// answers adds to a page the answers that did not come with their threads, where their number is another than before.
func (s *Source) answers(ctx context.Context, p *threadPage, before, now map[string]int, at time.Time) error {
	for _, thread := range p.more {
		now[thread.id] = thread.answers
		if before[thread.id] == thread.answers {
			continue
		}
		ms, rejected, err := s.answersTo(ctx, thread.id, thread.video, at)
		if err != nil {
			return fmt.Errorf("answers: %w", err)
		}
		p.mentions = append(p.mentions, ms...)
		p.rejected.Join(rejected)
	}
	return nil
}

// recount tells the number of subscribers, once in a while.
func (s *Source) recount(ctx context.Context, h *handover, now time.Time) error {
	if s.opt.Channel == "" || s.opt.Brand == "" || now.Sub(h.known.Gauged) < gaugeEvery {
		return nil
	}
	m, err := s.subscribers(ctx, now)
	if errors.Is(err, ErrQuota) {
		s.closed = now.Add(untilMidnight(now))
	}
	if err != nil {
		return fmt.Errorf("subscribers: %w", err)
	}
	next := *h.known
	next.Gauged = now
	h.give(ctx, next, sources.Batch{Mentions: m})
	return nil
}

// revisit looks again at comments that are worth it.
func (s *Source) revisit(ctx context.Context, h *handover, again *sources.Revisit) error {
	ms, err := again.News(ctx)
	if err != nil {
		return fmt.Errorf("second look: %w", err)
	}
	if len(ms) > 0 {
		h.give(ctx, *h.known, sources.Batch{Mentions: ms})
	}
	return nil
}
