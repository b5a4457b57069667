package train

import (
	"math"
	"math/rand/v2"

	"emberwatch/detector/sentiment"
	"emberwatch/rules"
)

const (
	tongueEpochs  = 16
	tongueRate    = 0.4
	foreignWeight = 2   // of texts in unknown languages: a guess does more harm than saying that one does not know
	tongueBalance = 0.7 // how far rare languages are made to count as much as others
	window        = 30  // pieces of half of the longer texts: short texts are what is hard
	tiny          = 1e-5
)

// tongueText is a text as its language is learned from.
type tongueText struct {
	pieces []uint32
	class  int
}

// tongueLearner fits a softmax over the known languages and one class for all others on hashed pieces of words.
type tongueLearner struct {
	classes int
	w, g    []float32 // weights and sums of squared gradients, rows of sentiment.LanguageRow
	bias    []float32
	biasG   []float32
	p       []float64
}

// tongues trains the table that tells languages apart. Rows of a language that is not known teach what the others look
// like.
func tongues(rows []Row, seed uint64) *sentiment.Languages {
	l := &tongueLearner{classes: len(sentiment.Codes()) + 1}
	l.w = make([]float32, sentiment.LanguageRow<<sentiment.LanguageBits)
	l.g = make([]float32, len(l.w))
	l.bias, l.biasG, l.p = make([]float32, l.classes), make([]float32, l.classes), make([]float64, l.classes)
	texts := l.texts(rows)
	weight := l.weights(texts)
	rng := rand.New(rand.NewPCG(seed, 3))
	order := rng.Perm(len(texts))
	done, total := 0, float64(len(texts)*tongueEpochs)
	for range tongueEpochs {
		for _, i := range order {
			t := &texts[i]
			pieces := t.pieces
			if n := len(pieces); n > window && rng.IntN(2) == 0 {
				from := rng.IntN(n - window + 1)
				pieces = pieces[from : from+window]
			}
			l.learn(pieces, t.class, weight[t.class], float32(tongueRate*(1-float64(done)/total)))
			done++
		}
		rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	}
	return sentiment.NewLanguages(l.w, l.bias)
}

func (l *tongueLearner) texts(rows []Row) []tongueText {
	class := map[string]int{}
	for i, code := range sentiment.Codes() {
		class[code] = i
	}
	x, doc := sentiment.NewExtractor(nil, nil), new(rules.Doc)
	var out []tongueText
	for i := range rows {
		c, ok := class[rows[i].Lang]
		if rows[i].Lang == sentiment.Und {
			continue // nobody has said which language it is
		}
		if !ok {
			c = l.classes - 1
		}
		doc.Reset(rows[i].Text)
		if pieces := x.LanguageFeatures(nil, doc); len(pieces) > 0 {
			out = append(out, tongueText{pieces, c})
		}
	}
	return out
}

func (l *tongueLearner) weights(texts []tongueText) []float64 {
	w := make([]float64, l.classes)
	for i := range texts {
		w[texts[i].class]++
	}
	for c, n := range w {
		w[c] = math.Pow(float64(len(texts))/float64(l.classes)/math.Max(n, 1), tongueBalance)
	}
	w[l.classes-1] *= foreignWeight
	return w
}

func (l *tongueLearner) learn(pieces []uint32, class int, weight float64, rate float32) {
	v := float32(1 / math.Sqrt(float64(len(pieces))))
	l.predict(pieces, v)
	for c := range l.p {
		if c == class {
			l.p[c]--
		}
		d := float32(l.p[c] * weight)
		step(&l.bias[c], &l.biasG[c], d, rate)
		if d *= v; d < tiny && d > -tiny {
			continue
		}
		for _, h := range pieces {
			at := sentiment.LanguageRow*int(h>>(32-sentiment.LanguageBits)) + c
			step(&l.w[at], &l.g[at], d, rate)
		}
	}
}

// predict sets l.p to the probabilities of the classes.
func (l *tongueLearner) predict(pieces []uint32, v float32) {
	for c := range l.p {
		l.p[c] = float64(l.bias[c])
	}
	for _, h := range pieces {
		row := l.w[sentiment.LanguageRow*int(h>>(32-sentiment.LanguageBits)):]
		for c := range l.p {
			l.p[c] += float64(row[c] * v)
		}
	}
	top := math.Inf(-1)
	for _, z := range l.p {
		top = math.Max(top, z)
	}
	sum := 0.0
	for c, z := range l.p {
		l.p[c] = math.Exp(z - top)
		sum += l.p[c]
	}
	for c := range l.p {
		l.p[c] /= sum
	}
}

// step is one of AdaGrad.
func step(w, g *float32, d, rate float32) {
	*g += d * d
	*w -= rate * d / (float32(math.Sqrt(float64(*g))) + 1e-6)
}
