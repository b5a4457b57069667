package sentiment

import "emberwatch/rules"

// How words change the valence of those near them, in the manner of VADER (Hutto and Gilbert 2014). The valences
// and the logistic mapping were fitted with these in place.
const (
	scope        = 3    // words that a negator reaches
	boostReach   = 2    // words that an intensifier reaches
	stronger     = 1.3  // "very"
	weaker       = 0.7  // "slightly"
	notGood      = -0.7 // a negated positive word says the opposite, but not as strongly
	notBad       = -0.3 // a negated negative word says little good
	beforeBut    = 0.6
	afterBut     = 1.3
	stretched    = 1.2 // "soooo", "baaad"
	maxExclaim   = 4
	maxQuestions = 3
	maxOpen      = 3
)

// mark is where a word was met that changes those after it.
type mark struct {
	clause, word int
}

func (m mark) reaches(t *rules.Token, words int) bool {
	return m.clause == t.Clause && t.Words-m.word <= words
}

var nowhere = mark{clause: -1}

// modified returns the valence v of token t after the words before it.
func (w *walk) modified(t *rules.Token, v float32) float32 {
	if w.more.reaches(t, boostReach) {
		v *= stronger
	}
	if w.less.reaches(t, boostReach) {
		v *= weaker
	}
	if w.not.reaches(t, scope) {
		v = negate(v)
		w.free, w.late = false, -1
	}
	return v
}

func negate(v float32) float32 {
	if v < 0 {
		return v * notBad
	}
	return v * notGood
}

// turn remembers what t does to the words after it.
func (w *walk) turn(t *rules.Token, r role) {
	here := mark{t.Clause, t.Words}
	if r&strengthens != 0 {
		w.more = here
	}
	if r&weakens != 0 {
		w.less = here
	}
	if r&negates != 0 {
		w.negator(t, here)
	}
	if r&contrasts != 0 && !w.but {
		w.but = true
		for i := w.first; i < w.count; i++ {
			w.hit(i).value *= beforeBut
		}
	}
}

// negator opens a scope. In German and Swedish the negator stands after the verb ("gefällt mir nicht"), in Hindi after what it denies
// ("accha nahi hai").
func (w *walk) negator(t *rules.Token, here mark) {
	if w.not.clause != here.clause {
		w.endScope()
		w.free = true
	}
	w.not = here
	if w.count == 0 {
		return
	}
	switch w.lang {
	case de, sv, hi:
	default:
		return
	}
	last := w.hit(w.count - 1)
	if last.value > 0 && !last.negated && last.clause == t.Clause && t.Words-last.word <= scope {
		w.late = w.count - 1
	}
}

// endScope settles what the last negator was about.
func (w *walk) endScope() {
	switch {
	case w.late >= 0:
		h := w.hit(w.late)
		h.value, h.negated = negate(h.value), true
	case w.free:
		w.open = min(w.open+1, maxOpen)
	}
	w.late, w.free = -1, false
}
