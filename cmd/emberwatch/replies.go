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
	if desk := r.Rules.Desk(inc.Rule); desk != nil {
		r.Hours = desk.Opens
	}
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

// edited returns a draft that people were offered with the words that a person made of it, guarded again, and the author of
// the mention. The zero Draft is for one that would not be offered now.
func (d *Daemon) edited(ctx context.Context, incident string, u detector.DraftUse, text string) (x notifier.Draft, author string, err error) {
	inc, err := d.db.Incident(ctx, incident)
	if err != nil {
		return x, "", err
	}
	ms, err := d.db.MentionsByKey(ctx, inc.Brand, []sources.Key{u.Mention})
	if err != nil || len(ms) == 0 {
		return x, "", err
	}
	r, err := d.draftRequest(ctx, &inc, ms)
	if err != nil {
		return x, "", err
	}
	r.Mention = ms[0]
	s, err := d.library.Draft(ctx, r)
	if err != nil {
		return x, "", err
	}
	for _, offered := range s.Drafts {
		if offered.ID == u.ID && (u.Lang == "" || offered.Lang == u.Lang) {
			return d.library.Edited(r, offered, text), ms[0].Mention.Author.Name, nil
		}
	}
	return x, ms[0].Mention.Author.Name, nil
}

// replies returns the way in for what people do.
func (d *Daemon) replies() notifier.Responder { return responder{d} }

type responder struct{ d *Daemon }

// Respond keeps the words of a reply, without the name of the person they were written to, and says if the guards would
// have held them back. The words of a changed draft may come as the note.
func (r responder) Respond(ctx context.Context, e detector.Event) (detector.Result, error) {
	u := e.Args.Draft
	if u == nil || e.Op != detector.OpAnswered {
		return r.d.detector.Respond(ctx, e)
	}
	kept := *u
	if kept.Text == "" && kept.Use == detector.DraftEdited {
		kept.Text = e.Args.Note
	}
	if kept.Text == "" {
		return r.d.detector.Respond(ctx, e)
	}
	x, author, err := r.d.edited(ctx, e.Incident, kept, kept.Text)
	if err != nil {
		return detector.Result{}, fmt.Errorf("incident %s: reply: %w", e.Incident, err)
	}
	if x.ID != "" {
		kept.Playbook, kept.Lang, kept.Network = x.Playbook, x.Lang, x.Network
	}
	kept = r.d.library.Reusable(kept, author)
	e.Args.Draft = &kept
	res, err := r.d.detector.Respond(ctx, e)
	if why := held(x.Guards); why != "" && res.Outcome == detector.Applied {
		res.Message += "; the guards would have held it back: " + why
	}
	return res, err
}

// held returns the first hard guard that failed, with its reason.
func held(gs []notifier.Guard) string {
	for _, g := range gs {
		if !g.Pass && g.Level == "hard" {
			return g.ID + ", " + g.Why
		}
	}
	return ""
}
