package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/notifier/draft"
	"emberwatch/sources"
)

// How far the drafts of an incident look around: for how many of its mentions they are made, and how many earlier
// incidents, lines of ours and changed drafts they know.
const (
	draftsShown = 3
	pastKnown   = 50
	sentKnown   = 20
	editsKnown  = 50
)

// draftsFor makes reply drafts to the most telling mentions of an incident. Direct messages are left out.
func (d *Daemon) draftsFor(ctx context.Context, id string) ([]draft.PerMention, error) {
	inc, err := d.db.Incident(ctx, id)
	if err != nil {
		return nil, err
	}
	found, err := d.db.MentionsByKey(ctx, inc.Brand, inc.Evidence.Mentions)
	if err != nil {
		return nil, err
	}
	var public []detector.Judged
	for _, j := range found {
		if j.Mention.Visibility != sources.Private && len(public) < draftsShown {
			public = append(public, j)
		}
	}
	base, err := d.draftRequest(ctx, &inc, found)
	if err != nil {
		return nil, fmt.Errorf("drafts of %s: %w", inc.ID, err)
	}
	out, err := d.library.ForIncident(ctx, base, public)
	if err != nil || d.rephraser == nil {
		return out, err
	}
	d.rephrase(ctx, base, out)
	return out, nil
}

// rephrasePatience is how long people wait for reworded drafts; the reviewed ones are there at once.
const rephrasePatience = 4 * time.Second

// rephrase adds reworded drafts, as far as the model answers in time.
func (d *Daemon) rephrase(ctx context.Context, base notifier.Request, out []draft.PerMention) {
	ctx, stop := context.WithTimeout(ctx, rephrasePatience)
	defer stop()
	for i := range out {
		base.Mention = out[i].Mention
		s, err := d.rephraser.Rephrase(ctx, base, out[i].Suggestion)
		if err != nil {
			d.log.Warn("drafts are not reworded", "incident", base.Incident.ID, "error", err)
			return
		}
		out[i].Suggestion = s
	}
}

// newRephraser returns what the configuration asks for; nil if it asks for none.
func newRephraser(cfg *Config, lib *draft.Library) (*draft.Rephraser, error) {
	r := &cfg.Drafts.Rephrase
	if r.URL == "" {
		return nil, nil
	}
	return draft.NewRephraser(lib, draft.RephraseOptions{URL: r.URL, Model: r.Model, Key: r.Key.value})
}

// draftRequest is what all drafts of an incident share: its facts, what happened before, what was said, and what
// people changed.
func (d *Daemon) draftRequest(ctx context.Context, inc *detector.Incident, ms []detector.Judged) (notifier.Request, error) {
	r := notifier.Request{Incident: inc, Severity: inc.Severity, Rules: d.detector.Rules(), Now: d.detector.Now()}
	var err error
	if r.History, err = d.db.Incidents(ctx, detector.IncidentFilter{Brand: inc.Brand, Limit: pastKnown}); err != nil {
		return r, err
	}
	for i := range r.History {
		uses, err := d.draftUses(ctx, r.History[i].ID)
		if err != nil {
			return r, err
		}
		for _, u := range uses {
			if r.History[i].ID == inc.ID && u.Text != "" {
				r.Sent = append(r.Sent, u.Text)
			}
			if u.Use == detector.DraftEdited && u.Text != "" && len(r.Edits) < editsKnown {
				r.Edits = append(r.Edits, u)
			}
		}
	}
	own, err := d.ownReplies(ctx, inc, ms)
	r.Sent = append(own, r.Sent...)
	r.Sent = r.Sent[max(0, len(r.Sent)-sentKnown):]
	return r, err
}

// draftUses returns what people did with the drafts of an incident, the last first.
func (d *Daemon) draftUses(ctx context.Context, id string) ([]detector.DraftUse, error) {
	lines, err := d.db.Audit(ctx, id)
	if err != nil {
		return nil, err
	}
	var uses []detector.DraftUse
	for _, l := range slices.Backward(lines) {
		if l.Draft != nil {
			uses = append(uses, *l.Draft)
		}
	}
	return uses, nil
}

// ownReplies returns what the brand itself has written in the threads of the mentions since the incident began,
// the oldest first.
func (d *Daemon) ownReplies(ctx context.Context, inc *detector.Incident, ms []detector.Judged) ([]string, error) {
	threads := map[string]bool{}
	for i := range ms {
		m := &ms[i].Mention
		threads[m.Source+" "+m.ID], threads[m.Source+" "+m.RootID] = true, m.RootID != ""
	}
	recent, err := d.db.Mentions(ctx, detector.MentionFilter{Brand: inc.Brand, From: inc.Since.Add(-time.Hour), Limit: 500})
	if err != nil {
		return nil, err
	}
	var texts []string
	for i := range slices.Backward(recent) {
		m := &recent[i].Mention
		if recent[i].Own && m.Text != "" && (threads[m.Source+" "+m.ParentID] || threads[m.Source+" "+m.RootID]) {
			texts = append(texts, m.Text)
		}
	}
	return texts, nil
}

// replies returns the way in for what people do. The words of a reply are kept without the name of the person they were
// written to.
func (d *Daemon) replies() notifier.Responder { return responder{d} }

type responder struct{ d *Daemon }

func (r responder) Respond(ctx context.Context, e detector.Event) (detector.Result, error) {
	if u := e.Args.Draft; u != nil && u.Text != "" {
		kept, err := r.reusable(ctx, e.Incident, *u)
		if err != nil {
			return detector.Result{}, err
		}
		e.Args.Draft = &kept
	}
	return r.d.detector.Respond(ctx, e)
}

func (r responder) reusable(ctx context.Context, incident string, u detector.DraftUse) (detector.DraftUse, error) {
	inc, err := r.d.db.Incident(ctx, incident)
	if err != nil {
		return u, err
	}
	ms, err := r.d.db.MentionsByKey(ctx, inc.Brand, []sources.Key{u.Mention})
	if err != nil {
		return u, fmt.Errorf("incident %s: mention of the reply: %w", incident, err)
	}
	author := ""
	if len(ms) > 0 {
		author = ms[0].Mention.Author.Name
	}
	return r.d.library.Reusable(u, author), nil
}
