package draft

import (
	"slices"
	"strings"

	"emberwatch/detector"
	"emberwatch/notifier"
)

// maxEdits is how many earlier changes of one template are offered.
const maxEdits = 2

// edits returns what people made of the variant's template before, as drafts. Only what could be sent as it is
// is offered: a time that has passed or a fact that is not in the sheet any more fails its guard.
func (j *job) edits(v variant) []notifier.Draft {
	var out []notifier.Draft
	for i := range j.req.Edits {
		e := &j.req.Edits[i]
		if len(out) == maxEdits || e.Use != detector.DraftEdited || e.Playbook != v.book.ID || e.ID != v.template.ID || baseLanguage(e.Lang) != v.lang {
			continue
		}
		parsed, err := parseTemplate(e.Text)
		if err != nil {
			continue
		}
		edited := v
		edited.parsed, edited.origin = parsed, notifier.Edited
		d, fits := j.make(edited)
		if fits && d.Sendable && !slices.ContainsFunc(out, func(o notifier.Draft) bool { return o.Text == d.Text }) {
			out = append(out, d)
		}
	}
	return out
}

// Edited returns a draft of this request with the text that a person made of it, guarded again. The zero Draft,
// which is not sendable, is for one that is not of this request.
func (l *Library) Edited(r notifier.Request, d notifier.Draft, text string) notifier.Draft {
	if r.Rules == nil {
		return notifier.Draft{}
	}
	j := l.newJob(&r)
	v, ok := j.variantOf(d)
	if !ok {
		return notifier.Draft{}
	}
	vals, reviewed := j.write(v)
	text = strings.TrimSpace(text)
	if text != reviewed {
		v.origin = notifier.Edited
	}
	return j.examine(v, vals, text)
}

// variantOf finds the template that a draft was made of.
func (j *job) variantOf(d notifier.Draft) (variant, bool) {
	b := j.set.Playbooks[d.Playbook]
	if b == nil {
		return variant{}, false
	}
	for _, v := range j.variantsIn(b, d.Kind, d.Lang) {
		if v.template.ID == d.ID {
			return v, true
		}
	}
	return variant{}, false
}

// Reusable returns a reply as it may be kept and offered again: without the name of the person it was written
// to. If the name stands anywhere but in the greeting, the words are not kept.
func (l *Library) Reusable(r detector.DraftUse, author string) detector.DraftUse {
	if lang := l.languages[baseLanguage(r.Lang)]; lang != nil {
		if rest, ok := lang.withoutGreeting(r.Text); ok {
			r.Text = "{{" + slotGreeting + "}}" + rest
		}
	}
	for _, part := range strings.Fields(author) {
		if len([]rune(part)) > 2 && strings.Contains(" "+spaced(r.Text)+" ", " "+spaced(part)+" ") {
			r.Text = ""
		}
	}
	return r
}
