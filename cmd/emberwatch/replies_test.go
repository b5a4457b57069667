package main

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"emberwatch/detector"
	"emberwatch/detector/sentiment"
	"emberwatch/detector/store"
	"emberwatch/notifier"
	"emberwatch/notifier/draft"
	"emberwatch/rules"
	"emberwatch/sources"
)

// answering is as much of a daemon as answers need, with an injury that two people report.
func answering(t *testing.T) (d *Daemon, incident string) {
	t.Helper()
	ctx := t.Context()
	db, err := store.Open(filepath.Join(t.TempDir(), "data"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	det, err := detector.Open(ctx, detector.Options{Store: db, Reader: db, Scorer: sentiment.New(), Rules: rules.Starter()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(det.Close)
	lib, err := draft.New(draft.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b := sources.Batch{Source: "shop"}
	for i, name := range []string{"Maja Lind", "Bo Ek"} {
		b.Mentions = append(b.Mentions, sources.Mention{
			V: 1, ID: fmt.Sprintf("m%d", i), Source: "shop", Network: "facebook", Kind: sources.Comment, Op: sources.Create, Brand: "Fjellbryg",
			Author: sources.Author{Handle: fmt.Sprintf("@u%d", i), Name: name}, Text: fmt.Sprintf("I was injured by it and went to hospital, ward %d", i),
			Visibility: sources.Public, CreatedAt: time.Now().UTC().Add(-time.Minute),
		})
	}
	if _, err := det.Ingest(ctx, b); err != nil {
		t.Fatal(err)
	}
	open, err := db.Incidents(ctx, detector.IncidentFilter{State: "open"})
	if err != nil || len(open) == 0 {
		t.Fatalf("%d incidents, %v", len(open), err)
	}
	return &Daemon{db: db, detector: det, library: lib}, open[0].ID
}

func draftsOf(t *testing.T, d *Daemon, incident string) []draft.PerMention {
	t.Helper()
	out, err := d.draftsFor(t.Context(), incident)
	if err != nil || len(out) == 0 || len(out[0].Drafts) == 0 {
		t.Fatalf("%+v, %v", out, err)
	}
	return out
}

// TestChangedReplyIsOfferedAgain: what a person made of a draft stands in the audit without the customer's name, and is
// offered to the next reader; the same words are marked as said.
func TestChangedReplyIsOfferedAgain(t *testing.T) {
	d, incident := answering(t)
	m := draftsOf(t, d, incident)[0]
	first := m.Drafts[0]
	name, _, _ := strings.Cut(m.Mention.Mention.Author.Name, " ")
	if !first.Sendable || !strings.HasPrefix(first.Text, "Hi "+name) {
		t.Fatalf("%+v", first)
	}
	changed := strings.Replace(first.Text, "I'm sorry to read this", "I'm so sorry to hear what happened", 1)
	res, err := d.replies().Respond(t.Context(), detector.Event{
		ID: "e1", Incident: incident, Op: detector.OpAnswered, Actor: detector.Actor{Kind: "person", ID: "ann", Via: "slack"},
		Args: detector.Args{Mentions: []sources.Key{m.Mention.Mention.Key()}, Draft: &detector.DraftUse{
			ID: first.ID, Playbook: first.Playbook, Lang: first.Lang, Network: first.Network, Use: detector.DraftEdited, Text: changed,
			Mention: m.Mention.Mention.Key(),
		}},
	})
	if err != nil || res.Outcome != detector.Applied {
		t.Fatalf("%+v, %v", res, err)
	}
	if strings.Contains(res.Message, "guards") {
		t.Errorf("%s", res.Message)
	}
	lines, err := d.db.Audit(t.Context(), incident)
	if last := lines[len(lines)-1]; err != nil || last.Draft == nil || strings.Contains(last.Draft.Text, name) {
		t.Fatalf("%+v, %v", last, err)
	}
	offered := false
	for _, p := range draftsOf(t, d, incident) {
		for _, x := range p.Drafts {
			if x.Origin == notifier.Edited && strings.Contains(x.Text, "so sorry to hear what happened") && x.Sendable {
				offered = true
			}
		}
	}
	if !offered {
		t.Error("the changed reply is not offered")
	}
}

// TestReplyInTheNote: a reply whose words come as the note is kept as well, and people hear what the guards think of it.
func TestReplyInTheNote(t *testing.T) {
	d, incident := answering(t)
	m := draftsOf(t, d, incident)[0]
	res, err := d.replies().Respond(t.Context(), detector.Event{
		ID: "e1", Incident: incident, Op: detector.OpAnswered, Actor: detector.Actor{Kind: "person", ID: "ann", Via: "slack"},
		Args: detector.Args{
			Note:  m.Drafts[0].Text + " It was our fault.",
			Draft: &detector.DraftUse{ID: m.Drafts[0].ID, Use: detector.DraftEdited, Mention: m.Mention.Mention.Key()},
		},
	})
	if err != nil || !strings.Contains(res.Message, "G04") {
		t.Errorf("%+v, %v", res, err)
	}
	uses, err := d.draftUses(t.Context(), incident)
	if err != nil || len(uses) != 1 || uses[0].Playbook != "safety" || uses[0].Lang != "en" || !strings.Contains(uses[0].Text, "our fault") {
		t.Errorf("%+v, %v", uses, err)
	}
	for _, p := range draftsOf(t, d, incident) {
		for _, x := range p.Drafts {
			if x.Origin == notifier.Edited {
				t.Errorf("offered again: %s", x.Text)
			}
		}
	}
}

// TestRenewedFactsAreInEveryDraft: facts that a person sets are in all drafts of the incident, and stale ones withhold them.
func TestRenewedFactsAreInEveryDraft(t *testing.T) {
	d, incident := answering(t)
	set := func(id string, facts map[string]string) {
		t.Helper()
		res, err := d.replies().Respond(t.Context(), detector.Event{
			ID: id, Incident: incident, Op: detector.OpFacts, Actor: detector.Actor{Kind: "person", ID: "ann"}, Args: detector.Args{Facts: facts},
		})
		if err != nil || res.Outcome != detector.Applied {
			t.Fatalf("%+v, %v", res, err)
		}
	}
	const unplug = "Please unplug the machine."
	set("f1", map[string]string{detector.FactInstruction: unplug})
	for _, p := range draftsOf(t, d, incident) {
		for _, x := range p.Drafts {
			if !strings.Contains(x.Text, unplug) || !x.Sendable || len(x.Facts) == 0 {
				t.Errorf("%s: %s", x.ID, x.Text)
			}
		}
	}
	set("f2", map[string]string{detector.FactStale: "true"})
	for _, p := range draftsOf(t, d, incident) {
		for _, x := range p.Drafts {
			if x.Sendable {
				t.Errorf("%s can be sent with stale facts: %s", x.ID, x.Text)
			}
		}
	}
}

// TestRephrasedDraftsInAnIncident: the daemon offers a model's words behind the reviewed ones, and lives without the model.
func TestRephrasedDraftsInAnIncident(t *testing.T) {
	d, incident := answering(t)
	reviewed := draftsOf(t, d, incident)
	answer := "Your health comes first, and I'm sorry. Please stop using the product, get medical help if anyone is unwell and contact us privately today."
	model := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if answer == "" {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		fmt.Fprintf(w, `{"choices":[{"message":{"content":%q}}]}`, answer)
	}))
	defer model.Close()
	cfg := Default()
	cfg.Drafts.Rephrase = RephraseConfig{URL: model.URL + "/v1", Model: "tiny"}
	var err error
	if d.rephraser, err = newRephraser(cfg, d.library); err != nil {
		t.Fatal(err)
	}
	d.log = slog.New(slog.DiscardHandler)
	out := draftsOf(t, d, incident)
	if x := out[0].Drafts[1]; x.Origin != notifier.Rephrased || x.Model != "tiny" || out[0].Drafts[0].Text != reviewed[0].Drafts[0].Text {
		t.Errorf("%+v", x)
	}
	answer = ""
	d.rephraser, _ = newRephraser(cfg, d.library)
	if out := draftsOf(t, d, incident); len(out[0].Drafts) != len(reviewed[0].Drafts) {
		t.Errorf("%d drafts, want %d", len(out[0].Drafts), len(reviewed[0].Drafts))
	}
}
