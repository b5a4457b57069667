package topics

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jdkato/prose/v2"
)

// tagFunc gives every word of a sentence its part of speech; empty where it has none to be trusted. It may
// panic.
type tagFunc func(sentence []string) ([]string, error)

// tagger is the guard around a tagger that can hang and panic. At most one worker runs; it looks for an end
// between sentences, since within one it cannot be stopped.
type tagger struct {
	slot    chan struct{} // whoever has put a token in is the worker, and owns tag and failed
	closing atomic.Bool
	load    func() tagFunc
	tag     tagFunc // nil until loaded
	failed  bool    // the model cannot be loaded
}

func newTagger(load func() tagFunc) *tagger {
	return &tagger{slot: make(chan struct{}, 1), load: load}
}

// job is one incident's sentences on their way through the worker.
type job struct {
	sentences [][]string
	loaded    chan struct{}   // closed when the model is there
	done      chan [][]string // one answer: tags for each sentence, nil for one that failed
	dropped   atomic.Bool     // nobody waits for it any more
}

// tags returns the tags of every sentence, or false if they cannot be had in time: the worker is still busy with
// an earlier call, takes too long, or has failed. A job that took too long ends after the sentence it is in, and what
// it found is dropped.
func (g *tagger) tags(sentences [][]string) ([][]string, bool) {
	select {
	case g.slot <- struct{}{}:
	default:
		return nil, false
	}
	j := &job{sentences: sentences, loaded: make(chan struct{}), done: make(chan [][]string, 1)}
	go g.work(j)
	defer j.dropped.Store(true)
	timer := time.NewTimer(loadTimeout)
	defer timer.Stop()
	select {
	case <-j.loaded:
	case <-timer.C:
		return nil, false
	}
	timer.Reset(tagTimeout)
	select {
	case tags := <-j.done:
		return tags, tags != nil
	case <-timer.C:
		return nil, false
	}
}

// work runs one job and gives the slot back: that is what close waits for.
func (g *tagger) work(j *job) {
	defer func() { <-g.slot }()
	ready := g.ready()
	close(j.loaded)
	if !ready {
		j.done <- nil
		return
	}
	tags := make([][]string, len(j.sentences))
	for i, s := range j.sentences {
		if j.dropped.Load() || g.closing.Load() {
			j.done <- nil
			return
		}
		tags[i] = g.one(s)
	}
	j.done <- tags
}

// ready loads the model if nobody has. A model that fails to load is not tried again.
func (g *tagger) ready() bool {
	if g.tag == nil && !g.failed {
		g.failed = true
		func() {
			defer func() { _ = recover() }()
			g.tag = g.load()
		}()
		g.failed = g.tag == nil
	}
	return !g.failed
}

// one tags a sentence. One that makes the tagger fail or panic has no tags: a stranger's text costs its own
// phrases and nobody else's.
func (g *tagger) one(sentence []string) (tags []string) {
	defer func() {
		if recover() != nil {
			tags = nil
		}
	}()
	tags, err := g.tag(sentence)
	if err != nil || len(tags) != len(sentence) {
		return nil
	}
	return tags
}

// close waits for the worker and keeps the slot, so that there is never another one.
func (g *tagger) close(ctx context.Context) error {
	g.closing.Store(true)
	select {
	case g.slot <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("topics: close: %w", ctx.Err())
	}
}

// loadProse decodes prose's model, once: without UsingModel every document would.
func loadProse() tagFunc {
	d, err := proseDocument("", nil)
	if err != nil || d.Model == nil {
		return nil
	}
	model := d.Model
	return func(sentence []string) ([]string, error) { return proseTags(sentence, model) }
}

func proseDocument(text string, model *prose.Model) (*prose.Document, error) {
	return prose.NewDocument(text, prose.UsingModel(model), prose.WithSegmentation(false), prose.WithExtraction(false))
}

// proseTags tags the words of one sentence. prose splits some words ("it's"): those get no tag. It also keeps
// one token for all repetitions of a word, so that only the last one's tag is its own: the others get none.
func proseTags(sentence []string, model *prose.Model) ([]string, error) {
	d, err := proseDocument(strings.Join(sentence, " "), model)
	if err != nil {
		return nil, fmt.Errorf("tag: %w", err)
	}
	tokens := d.Tokens()
	tags := make([]string, len(sentence))
	last := make(map[string]int, len(sentence))
	at := 0
	for i, w := range sentence {
		text, from := "", at
		for at < len(tokens) && len(text) < len(w) {
			text += tokens[at].Text
			at++
		}
		if text != w {
			return nil, fmt.Errorf("tag: token %d does not fit", at)
		}
		if at-from != 1 {
			continue
		}
		if before, ok := last[w]; ok {
			tags[before] = ""
		}
		last[w] = i
		tags[i] = tokens[from].Tag
	}
	return tags, nil
}
