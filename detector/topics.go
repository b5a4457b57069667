package detector

// Text is what somebody said, and in which language: a code such as "en" or "pt-BR"; empty or "und" if
// nobody knows.
type Text struct {
	Body string
	Lang string
}

// Topic is one thing that an incident is about, in words as people wrote them. Words is foreign text: escape
// it where it leaves.
type Topic struct {
	Words string  // the most frequent spelling: "broken zipper"
	Count int     // texts of the incident that hold all of these words, in any form and order
	Of    int     // texts of the incident in the same language
	Lang  string  // that language; "und" if nobody knows
	Score float64 // z-score of the contrast with ordinary texts: 1.96 and more
}

// Topics finds what an incident is about in words, for those who write messages. What it says never goes
// back into the model. It is safe for concurrent use and never panics.
type Topics interface {
	// Topics returns at most n topics, the most telling first; none if nothing stands out. ordinary is what
	// is usually said about the same brand and may be empty. names are the brand's own names: they are never a
	// topic. The texts are only read during the call.
	Topics(incident, ordinary []Text, names []string, n int) []Topic
}

// Texts returns what was said in mentions, without those in which nothing was.
func Texts(js []Judged) []Text {
	texts := make([]Text, 0, len(js))
	for i := range js {
		if body := js[i].Mention.Body(); body != "" {
			texts = append(texts, Text{Body: body, Lang: js[i].Lang})
		}
	}
	return texts
}
