package rules

// TokenKind says what a [Token] is.
type TokenKind uint8

// The kinds of tokens.
const (
	Word    TokenKind = iota + 1 // letters, with digits, marks and inner apostrophes; one rune of an unspaced script
	Number                       // digits with inner points, commas and colons
	Hashtag                      // #body; its folded form is the body
	Handle                       // @name; its folded form is the name
	Link                         // http://…, https://…, www.…
	Emoji                        // one emoji as people see it, with skin tone, joiners and flags
	Punct                        // a run of one sign: "!!!" is one token, "?!" are two
)

// String returns the name of the kind in lower case.
func (k TokenKind) String() string {
	switch k {
	case Word:
		return "word"
	case Number:
		return "number"
	case Hashtag:
		return "hashtag"
	case Handle:
		return "handle"
	case Link:
		return "link"
	case Emoji:
		return "emoji"
	case Punct:
		return "punct"
	}
	return "none"
}

// Token is one piece of a [Doc]. Start and End are byte offsets into the Doc's text; tokens are in order
// and never overlap.
type Token struct {
	Kind     TokenKind
	Upper    bool // at least two letters, all of them capitals
	Start    int
	End      int
	Sentence int // counts from 0
	Clause   int // counts from 0 over the whole text; a sentence begins a new one
	Words    int // words, numbers, hashtags and handles before this token

	foldStart, foldEnd int
}

// Counts reports whether the token counts as a word where distances are measured in words.
func (t *Token) Counts() bool {
	switch t.Kind {
	case Word, Number, Hashtag, Handle:
		return true
	}
	return false
}

// Doc is a text cut into tokens, each with its folded form. The zero value is an empty text. A Doc may be
// used again with Reset, which keeps its buffers; it must not be changed while others read it.
type Doc struct {
	Text   string
	Tokens []Token

	fold    []byte // the folded forms, one after the other
	scratch []byte // a token in NFC, for texts that are not
}

// Tokenize cuts text into tokens. It takes any bytes, never panics and takes time linear in the text.
// Offsets point into text as given; what is not in NFC is folded as if it were.
func Tokenize(text string) *Doc {
	d := new(Doc)
	d.Reset(text)
	return d
}

// Reset makes d the tokens of text and keeps the buffers it has: a Doc that is used again and again
// soon allocates nothing.
func (d *Doc) Reset(text string) {
	d.Text = text
	d.Tokens = d.Tokens[:0]
	d.fold = d.fold[:0]
	s := scanner{doc: d, text: text}
	s.run()
}

// Folded returns the folded form of token i. The bytes belong to d and are valid until Reset.
func (d *Doc) Folded(i int) []byte {
	t := &d.Tokens[i]
	return d.fold[t.foldStart:t.foldEnd:t.foldEnd]
}

// FoldedString returns a copy of the folded form of token i.
func (d *Doc) FoldedString(i int) string { return string(d.Folded(i)) }

// Raw returns token i as written.
func (d *Doc) Raw(i int) string {
	t := &d.Tokens[i]
	return d.Text[t.Start:t.End]
}
