package detector

import (
	"slices"

	"emberwatch/rules"
	"emberwatch/sources"
)

const (
	// clearlyPositive is the P(positive) from which a cue word alone no longer makes a mention a complaint:
	// "the delay was handled wonderfully" …
	clearlyPositive = 0.6
	// … unless the cue is one of harm, in full force: nobody praises a burning machine.
	ofHarm = 0.85
)

// Judge scores one mention and matches it against the rules: one Judged for each brand it speaks about, or
// a single one without a brand. It keeps no state and is safe for concurrent use.
func Judge(set *rules.Set, scorer Scorer, m sources.Mention) []Judged {
	if m.Verdict != nil {
		return []Judged{judgedBefore(set, m)}
	}
	doc := rules.Tokenize(m.Body())
	about := About{Lang: m.Lang, Rating: m.Rating}
	score := scorer.Score(doc, about)
	found := set.Match(&m, doc, score.Lang)
	base := Judged{Mention: m, Sketch: sketch(doc)}
	base.take(&score, found.Hits)
	base.categorise(found.Hits)
	if len(found.Brands) == 0 {
		return []Judged{base}
	}
	out := make([]Judged, len(found.Brands))
	for i, id := range found.Brands {
		j := base
		j.Brand = id
		b, _ := set.Brand(id)
		j.Own = b != nil && writtenBy(b, &m)
		if about.Senses = Senses(b, &m); len(about.Senses) > 0 {
			score := scorer.Score(doc, about)
			j.take(&score, found.Hits)
		}
		j.Products = found.Products(id)
		j.holding(set, &found)
		out[i] = j
	}
	return out
}

// Senses are the words that mean something else, or nothing, in talk about a brand: its lexicon and its names. A
// brand that no rule file knows has the name that the mention gives it.
func Senses(b *rules.Brand, m *sources.Mention) []rules.Sense {
	switch {
	case b != nil:
		return b.Senses
	case m.Brand != "":
		return rules.NameSenses(m.Brand)
	}
	return nil
}

// take sets what the scorer says, cue words joined in. A cue is known ground, whatever the scorer makes of the rest.
func (j *Judged) take(s *Score, hits []rules.Hit) {
	j.P, j.Lang, j.Known, j.Disagree = s.WithCues(hits), s.Lang, s.Known, s.Disagree
	for i := range hits {
		j.Known = j.Known || !hits[i].Negated && hits[i].Weight > 0
	}
}

// categorise sets the categories, the weightiest first. A word that only names a topic says nothing beside a real cue.
func (j *Judged) categorise(hits []rules.Hit) {
	cued := slices.ContainsFunc(hits, func(h rules.Hit) bool { return !h.Negated && h.Weight > 0 })
	for _, h := range hits {
		if h.Negated || cued && h.Weight == 0 {
			continue
		}
		if j.Category == "" {
			j.Category, j.Cue, j.Confidence = h.Category, h.Cue, h.Confidence
		}
		j.Categories = append(j.Categories, h.Category)
	}
}

// holding sets the rules of the brand whose match holds.
func (j *Judged) holding(set *rules.Set, found *rules.Found) {
	f := &rules.Facts{
		Mention: &j.Mention, PNegative: j.P.Negative, Label: string(j.P.Label()), Lang: j.Lang,
		Categories: j.Categories, Found: found,
	}
	for _, r := range set.Holding(j.Brand, f) {
		if !r.Kind.Reads() || (r.Match.Sentiment == string(Negative) || r.Kind == rules.Shift) && !j.Known {
			continue // no known ground: shown, not counted
		}
		if len(r.Match.Kinds) == 0 && !speaks(j.Mention.Kind) {
			continue
		}
		j.Rules = append(j.Rules, r.ID)
		if r.Kind == rules.Shift && r.Measure.Counts(f) {
			j.Measured = append(j.Measured, r.ID)
		}
	}
}

// judgedBefore takes over the judgement of a mention whose text has expired. Rules that are gone fall out.
func judgedBefore(set *rules.Set, m sources.Mention) Judged {
	v := m.Verdict
	j := Judged{
		Mention: m, P: P{v.P.Negative, v.P.Neutral, v.P.Positive}, Lang: v.Lang, Known: v.Known, Category: v.Category,
		Categories: v.Categories, Confidence: v.Confidence, Products: v.Products, Own: v.Own,
	}
	if m.Brand != "" {
		j.Brand, _ = set.BrandID(m.Brand)
	}
	for _, id := range v.Rules {
		if _, ok := set.Rule(id); ok {
			j.Rules = append(j.Rules, id)
		}
	}
	return j
}

// WithCues raises P(negative) to what the cue words of a text stand for, unless the text is clearly positive.
func (s *Score) WithCues(hits []rules.Hit) P {
	p := s.P
	praise := p.Positive >= clearlyPositive && !s.Disagree // it takes more than stars to make praise of a complaint
	for i := range hits {
		h := &hits[i]
		if w := min(h.Weight, h.Confidence); !h.Negated && (!praise || w >= ofHarm) {
			p = p.RaiseNegative(w)
		}
	}
	return p
}

// writtenBy reports whether the brand itself wrote the mention.
func writtenBy(b *rules.Brand, m *sources.Mention) bool {
	return m.Author.ID != "" && b.Owns(m.Network, m.Source, m.Author.ID) ||
		m.Author.Handle != "" && b.Owns(m.Network, m.Source, m.Author.Handle)
}

// speaks reports whether a kind says something rather than only being counted. Rules that name no kinds look
// at these.
func speaks(k sources.Kind) bool {
	switch k {
	case sources.Like, sources.Share, sources.Follow, sources.Unfollow, sources.Metric:
		return false
	}
	return true
}

// hash64 is FNV-1a over the parts, each closed by a zero byte; the same in every process.
func hash64(parts ...string) uint64 {
	h := uint64(fnvOffset)
	for _, p := range parts {
		h = fnv1a(h, p) * fnvPrime
	}
	return h
}

const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

// fnv1a takes p into a hash (Fowler, Noll and Vo, 64 bits).
func fnv1a[T string | []byte](h uint64, p T) uint64 {
	for i := range len(p) {
		h = (h ^ uint64(p[i])) * fnvPrime
	}
	return h
}
