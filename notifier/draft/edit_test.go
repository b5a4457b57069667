package draft

import (
	"strings"
	"testing"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/sources"
)

// sent is what Slack or the page report once a person has used a draft.
func sent(text string) detector.DraftUse {
	return detector.DraftUse{
		ID: "public-short", Playbook: "delivery", Lang: "en", Network: "x", Use: detector.DraftEdited, Text: text,
		Mention: sources.Key{Source: "shop", ID: "1"},
	}
}

// TestEditsAreOfferedAgain: what Ann changed for Maja is offered for Bo, with Bo's name.
func TestEditsAreOfferedAgain(t *testing.T) {
	l := newLibrary(t)
	r := request(brandSet(), mention("en", "delivery", "Where is my parcel?"), "x")
	use := l.Reusable(sent("Hi Maja, I'm sorry your parcel is not there yet. Please send us your order number privately, and I'll look for it myself. – Fjellbryg"), "Maja Lind")
	if strings.Contains(use.Text, "Maja") {
		t.Fatalf("the name is kept: %s", use.Text)
	}
	r.Edits = []detector.DraftUse{use}
	r.Mention.Mention.Author.Name = "Bo"
	s := makeDrafts(t, l, r)
	var got *notifier.Draft
	for i := range s.Drafts {
		if s.Drafts[i].Origin == notifier.Edited {
			got = &s.Drafts[i]
		}
	}
	if got == nil || !strings.HasPrefix(got.Text, "Hi Bo, I'm sorry your parcel") || !got.Sendable || got.Playbook != "delivery" {
		t.Fatalf("%+v", got)
	}
	if s.Drafts[0].Origin != notifier.Reviewed {
		t.Error("the reviewed text does not go first")
	}
	for name, change := range map[string]func(*notifier.Request){
		"another language": func(r *notifier.Request) { r.Mention.Lang = "de" },
		"another playbook": func(r *notifier.Request) { r.Mention.Category = "price" },
	} {
		other := r
		change(&other)
		for _, d := range makeDrafts(t, l, other).Drafts {
			if d.Origin == notifier.Edited {
				t.Errorf("%s: %s", name, d.Text)
			}
		}
	}
}

// TestEditsThatNoLongerHold: words that fail a guard today are not offered, whoever wrote them.
func TestEditsThatNoLongerHold(t *testing.T) {
	l := newLibrary(t)
	for _, text := range []string{
		"Hi Maja, your parcel arrives within 2 hours, we promise.",
		"Hi Maja, your order 20261116 is found. Please write to us.",
		"Hi Maja, the delivery failed, it was our fault. Please write to us.",
		"Hi Maja, sorry about the delivery. Call +47 99 88 77 66.",
		"Hi Maja, sorry about the delivery {{nothing}}. Please write to us.",
		"Hi Maja, sorry about the delivery. Dear Maja, please write to us.", // the name stands in the words as well
	} {
		r := request(brandSet(), mention("en", "delivery", "…"), "x")
		r.Edits = []detector.DraftUse{l.Reusable(sent(text), "Maja")}
		for _, d := range makeDrafts(t, l, r).Drafts {
			if d.Origin == notifier.Edited {
				t.Errorf("%s", d.Text)
			}
		}
	}
	used := sent("Hi Maja, sorry about the delivery. Please send us your order number.")
	used.Use = detector.DraftUsed
	r := request(brandSet(), mention("en", "delivery", "…"), "x")
	r.Edits = []detector.DraftUse{used}
	for _, d := range makeDrafts(t, l, r).Drafts {
		if d.Origin == notifier.Edited {
			t.Error("a draft that was used as it was is offered as changed")
		}
	}
}

// TestEditedIsGuarded: what people make of a draft is judged as they type.
func TestEditedIsGuarded(t *testing.T) {
	l := newLibrary(t)
	r := request(brandSet(), mention("en", "delivery", "your driver threw my box over the fence"), "x")
	d := draftByID(t, makeDrafts(t, l, r), "public-short")
	if got := l.Edited(r, d, d.Text); got.Origin != notifier.Reviewed || !got.Sendable || got.Length != d.Length {
		t.Errorf("unchanged: %+v", got)
	}
	for text, id := range map[string]string{
		d.Text + " This was our fault.":                                    "G04",
		d.Text + strings.Repeat(" More words.", 30):                        "G01",
		d.Text + " You write that your driver threw my box over the fence": "G18",
		"": "G02",
	} {
		got := l.Edited(r, d, text)
		if g := guardResult(t, got, id, levelHard); g.Pass || got.Sendable || got.Origin != notifier.Edited {
			t.Errorf("%s passes: %s", id, got.Text)
		}
	}
	d.Playbook = "no-such"
	if got := l.Edited(r, d, "x"); got.Sendable {
		t.Errorf("%+v", got)
	}
}

// TestNearCopiesStepBack: what somebody else in the thread was told goes behind the other drafts, and is marked.
func TestNearCopiesStepBack(t *testing.T) {
	l := newLibrary(t)
	r := request(brandSet(), mention("en", "delivery", "…"), "facebook")
	first := makeDrafts(t, l, r).Drafts[0]
	r.Sent = []string{strings.Replace(first.Text, "Maja", "Bo", 1)}
	again := makeDrafts(t, l, r)
	if again.Drafts[0].Text == first.Text {
		t.Error("the same text is offered first again")
	}
	last := again.Drafts[len(again.Drafts)-1]
	if g := guardResult(t, last, "G22", levelWarning); last.Text != first.Text || g.Pass {
		t.Errorf("%+v\n%s", g, last.Text)
	}
}
