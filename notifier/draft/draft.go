// Package draft makes the reply drafts: for one mention, what people could answer, or why they should not.
//
// A [Library] chooses a playbook (the incident's, the rule's or the category's), the language and form of address,
// the network with its limit and counting, how much responsibility to take, and the templates that fit; it fills
// their slots and runs the guards G01 to G32 over the result. Everything comes from reviewed texts: a sentence with a
// slot that has no value is left out, nothing is made up. A draft that fails a hard guard is still shown, with the
// reason, but is not sendable. Nothing is ever posted from here.
//
// The same request always gives the same drafts: there is no clock, no chance and no state in it, so that whoever has
// read the playbooks has read every draft. What a request brings with it (earlier incidents, what was said in the thread,
// what people changed before) is looked up by whoever asks. Only a [Rephraser], which is off unless an installation
// names a model, adds words that nobody has reviewed; they go behind the reviewed ones and through the same guards.
//
// Data: networks.yml (limits and how each network counts), languages.yml (greetings, forms of address, times, frequent
// words), phrases.yml (what must not be said, and what has to). The texts themselves are playbooks of package rules;
// [Library.Check] judges those of a rule file before it goes live.
//
// # Caveats
//
// A mention is hostile input. Of its author only a safe visible name goes into a draft, of its text nothing;
// product names are those of the rule files. Values are never parsed as templates.
//
// The guards know words, not meaning: a text can pass all of them and still be the wrong thing to say. The phrase
// lists other than the English ones want a native reader.
//
// No direction isolates are put around Latin names in Arabic text: networks strip or show them, and guard G17
// refuses every invisible character. The templates keep such names at the ends of clauses instead.
//
// The facts of a playbook have no language, except for the instruction: they are put into the draft as they
// were written.
package draft

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/rules"
)

var _ notifier.Drafter = (*Library)(nil)

// Options change a Library. The zero value is fine.
type Options struct {
	// Limits replaces the limit of networks by id or name, such as that of a Mastodon server. 0 is none.
	Limits map[string]int
	// FactsFor is how long the fact sheet of an incident counts after people have last set it (G15); 0 is an hour.
	FactsFor time.Duration
}

// Library makes drafts. It is immutable and safe for concurrent use.
type Library struct {
	networks  *networks
	languages map[string]*language
	phrases   phrases
	factsFor  time.Duration
}

// New returns a Library. The error names a network of Options.Limits that the table does not hold.
func New(o Options) (*Library, error) {
	n, err := loadNetworks(networksFile, o.Limits)
	if err != nil {
		return nil, fmt.Errorf("draft: %w", err)
	}
	l, err := loadLanguages(languagesFile)
	if err != nil {
		return nil, fmt.Errorf("draft: %w", err)
	}
	p, err := loadPhrases(phrasesFile)
	if err != nil {
		return nil, fmt.Errorf("draft: %w", err)
	}
	return &Library{networks: n, languages: l, phrases: p, factsFor: cmp.Or(o.FactsFor, time.Hour)}, nil
}

// Draft says what to do about the mention and makes the drafts. The first draft is the one to look at
// first. Drafts is empty where nobody should answer, or somebody else has to.
func (l *Library) Draft(ctx context.Context, r notifier.Request) (notifier.Suggestion, error) {
	if r.Rules == nil {
		return notifier.Suggestion{}, errors.New("draft: no rules")
	}
	if err := ctx.Err(); err != nil {
		return notifier.Suggestion{}, fmt.Errorf("draft: %w", err)
	}
	j := l.newJob(&r)
	s := j.suggest()
	s.Drafts = []notifier.Draft{}
	if j.silent(s.Suggest) || j.playbook == nil {
		return s, nil
	}
	j.about(&s)
	s.Drafts = j.drafts()
	return s, nil
}

// about adds what people need to know beside the texts.
func (j *job) about(s *notifier.Suggestion) {
	s.Approve, s.Playbook, s.DoNot = j.approve(), j.playbook.ID, slices.Clone(j.playbook.DoNot)
	if j.posture.Cluster != "" {
		s.Posture = &j.posture
	}
	lang := first(languageOrder(j.want, j.brand))
	s.Facts = j.sheet.whole(j.fill(lang, manner{}), lang)
	if j.req.Incident != nil {
		s.FactsAt = j.req.Incident.FactsAt
	}
}

// job is the making of the drafts for one request.
type job struct {
	lib       *Library
	req       *notifier.Request
	set       *rules.Set
	brand     *rules.Brand
	network   *network
	now       time.Time
	zone      *time.Location
	item      string // what the mention says: foreign, never inserted
	author    string // safe visible name of the author, or ""
	product   string // of the brand's products the one the mention names, or ""
	want      string // language of the mention, or ""
	severity  rules.Severity
	forbidden string // category by which nothing may be said in public, or ""
	grave     bool   // no joke, emoji or exclamation mark
	private   bool   // a direct message
	playbook  *rules.Playbook
	sheet     *sheet
	posture   notifier.Posture
}

func (l *Library) newJob(r *notifier.Request) *job {
	m := &r.Mention.Mention
	j := &job{
		lib: l, req: r, set: r.Rules, now: r.Now, zone: time.UTC, item: m.Body(), want: mentionLanguage(r),
		brand: r.Rules.Brands[r.Mention.Brand], network: l.networks.find(r.Network, m.Network, m.Source),
		private: isPrivate(m),
	}
	if j.brand == nil {
		j.brand = &rules.Brand{ID: r.Mention.Brand}
	}
	if r.Rules.Zone != nil {
		j.zone = r.Rules.Zone
	}
	j.author = safeName(m.Author.Name, append(slices.Clone(j.brand.Names), j.brand.ID))
	j.product = productIn(j.item, j.brand)
	j.severity = j.severityOf()
	j.forbidden = j.forbiddenCategory()
	j.playbook = j.choosePlaybook()
	j.grave = j.isGrave()
	j.readFacts()
	return j
}

// readFacts lays the fact sheet of the incident over that of the playbook.
func (j *job) readFacts() {
	j.sheet = newSheet(cmp.Or(j.playbook, &rules.Playbook{}), j.req.Incident, j.now, j.lib.factsFor)
	if s := j.sheet; j.req.Hours != nil && !s.NextUpdate.IsZero() && !s.set[detector.FactNextUpdate] {
		s.NextUpdate = j.req.Hours(s.NextUpdate) // nobody can keep an earlier one
	}
	j.posture = j.choosePosture()
}

// words returns the language's table, or English for a language that only a rule file has texts in.
func (j *job) words(lang string) *language {
	if l := j.lib.languages[lang]; l != nil {
		return l
	}
	return j.lib.languages[fallbackLanguage]
}

// PerMention is what is suggested for one of an incident's mentions.
type PerMention struct {
	Mention detector.Judged
	notifier.Suggestion
}

// ForIncident makes the drafts for the mentions of an incident, in their order; base says everything that they
// share. What is offered first for one counts as said to the next: people notice when everybody gets the same answer.
func (l *Library) ForIncident(ctx context.Context, base notifier.Request, ms []detector.Judged) ([]PerMention, error) {
	out := make([]PerMention, 0, len(ms))
	base.Sent = slices.Clone(base.Sent)
	for _, m := range ms {
		base.Mention = m
		s, err := l.Draft(ctx, base)
		if err != nil {
			return nil, fmt.Errorf("mention %s: %w", m.Mention.ID, err)
		}
		if len(s.Drafts) > 0 {
			base.Sent = append(base.Sent, s.Drafts[0].Text)
		}
		out = append(out, PerMention{Mention: m, Suggestion: s})
	}
	return out, nil
}
