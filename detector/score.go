package detector

import (
	"emberwatch/rules"
	"emberwatch/sources"
)

// Label is the sentiment a mention is shown with: the largest of its three probabilities.
type Label string

// The labels.
const (
	Negative Label = "negative"
	Neutral  Label = "neutral"
	Positive Label = "positive"
)

// P holds the probabilities of the three labels; they add up to one.
type P struct {
	Negative float64 `json:"negative"`
	Neutral  float64 `json:"neutral"`
	Positive float64 `json:"positive"`
}

// Label returns the most probable label; in a tie the more negative one.
func (p P) Label() Label {
	switch {
	case p.Negative >= p.Neutral && p.Negative >= p.Positive:
		return Negative
	case p.Neutral >= p.Positive:
		return Neutral
	}
	return Positive
}

// RaiseNegative returns p with P(negative) raised to at least w, the rest shrunk in proportion.
func (p P) RaiseNegative(w float64) P {
	if w <= p.Negative || p.Negative >= 1 {
		return p
	}
	f := (1 - w) / (1 - p.Negative)
	return P{Negative: w, Neutral: p.Neutral * f, Positive: p.Positive * f}
}

// CapNegative returns p with P(negative) lowered to at most most, the rest grown in proportion.
func (p P) CapNegative(most float64) P {
	if p.Negative <= most || p.Negative >= 1 {
		return p
	}
	f := (1 - most) / (1 - p.Negative)
	return P{Negative: most, Neutral: p.Neutral * f, Positive: p.Positive * f}
}

// Reason is a piece of the text that moved a score, as byte offsets into it. Weight is negative where it
// speaks for Negative.
type Reason struct {
	Text   string  `json:"text"`
	Start  int     `json:"start"`
	End    int     `json:"end"`
	Weight float64 `json:"weight"`
	// Category is set for a cue word: Weight is then how sure it is, and P(negative) is at least that.
	Category string `json:"category,omitempty"`
}

// Score is the sentiment of one text.
type Score struct {
	P        P
	Lang     string // one of the known codes, or "und"
	Known    bool   // false: no known ground; shown, not counted
	Disagree bool   // the star rating and the words say opposite things
	Reasons  []Reason
}

// About is what a [Scorer] is told besides the text.
type About struct {
	Lang    string        // a hint; may be empty
	Rating  float64       // 1 to 5, or 0 for none
	Senses  []rules.Sense // words that mean something else in talk about the brand, as [rules.SensesAt] takes them
	Explain bool          // give reasons, the weightiest first
}

// Scorer scores the sentiment of a text. It is safe for concurrent use, deterministic, never panics on
// any input, and takes time linear in the text.
type Scorer interface {
	// Score scores doc, the tokens of a mention's body.
	Score(doc *rules.Doc, about About) Score
}

// Judged is a mention with what was found about it, for one of the brands it speaks about.
type Judged struct {
	Mention    sources.Mention `json:"mention"`
	Brand      string          `json:"brand"`
	P          P               `json:"p"`
	Lang       string          `json:"lang"`
	Known      bool            `json:"known"`
	Disagree   bool            `json:"disagree,omitempty"`   // the star rating and the words say opposite things
	Category   string          `json:"category,omitempty"`   // the leading one
	Categories []string        `json:"categories,omitempty"` // all, the weightiest first
	Cue        string          `json:"cue,omitempty"`        // the words that led to Category
	Confidence float64         `json:"confidence,omitempty"` // of Category
	Products   []string        `json:"products,omitempty"`   // keys of the brand's products that it names
	Rules      []string        `json:"rules,omitempty"`      // ids of the rules whose match holds
	Own        bool            `json:"own,omitempty"`        // written by the brand itself: never counted

	Sketch   uint64   `json:"-"` // of the text, for finding copies
	Measured []string `json:"-"` // rules of kind shift whose condition holds
}
