package rules

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Expr is a condition as rule files write it, typed and ready to be asked: "authors(1h) == 1 and reach < 500 and not
// has_media". Its facts are those of [KnownFacts]; its operators, the loosest first: or, and, not, and the comparisons
// = == != < <= > >=. There are no variables, no arithmetic and no loops: asking it takes time in proportion to its length.
type Expr struct {
	Text string // as written

	holds condition
	facts []string // that it asks for
	words []string // of one comparison alone: fact, sign and value
}

// Holds reports whether the condition holds.
func (e *Expr) Holds(f *Facts) bool { return e.holds(f) }

// Only returns the fact, the sign and the value of a condition that is one comparison and nothing else.
func (e *Expr) Only() (fact, sign, value string, ok bool) {
	if len(e.words) != 3 {
		return "", "", "", false
	}
	return e.words[0], strings.Replace(e.words[1], "==", "=", 1), e.words[2], true
}

// inner is the condition of a measure as written.
func (e *Expr) inner() string {
	return strings.TrimSuffix(strings.TrimPrefix(e.Text, "share("), ")")
}

// Asks reports whether the condition asks for a fact.
func (e *Expr) Asks(fact string) bool { return slices.Contains(e.facts, fact) }

type condition func(*Facts) bool

// exprError is what is wrong with an expression, and where: a byte offset.
type exprError struct {
	at              int
	what, why, hint string
}

// exprRef is an id that an expression refers to.
type exprRef struct {
	at       int
	kind, id string
}

const (
	longestExpr = 1000
	deepestExpr = 40
)

// parseExpr reads a condition on mentions, on signals or on both. measure: it is written share(condition). The expression
// is nil if anything is wrong with it; what it refers to is returned all the same.
func parseExpr(text string, of factOf, measure bool) (*Expr, []exprRef, []exprError) {
	p := &exprParser{of: of, expr: &Expr{Text: text}}
	if len(text) > longestExpr {
		return nil, nil, []exprError{{what: fmt.Sprintf("an expression of %d letters", len(text)), hint: fmt.Sprintf("at most %d", longestExpr)}}
	}
	p.tokens = exprTokens(text)
	if measure {
		p.expect("share", "write share(sentiment = negative)")
		p.expect("(", "write share(sentiment = negative)")
	}
	rest := p.tokens
	p.expr.holds = p.or()
	if n := len(rest) - len(p.tokens); n == 3 {
		p.expr.words = []string{rest[0].text, rest[1].text, rest[2].text}
	}
	if measure {
		p.expect(")", "close share( with a )")
	}
	if t := p.peek(); t.text != "" {
		p.stop(t.at, fmt.Sprintf("%q is not expected here", t.text), "", "join conditions by and, or")
	}
	if len(p.errs) > 0 {
		return nil, p.refs, p.errs
	}
	return p.expr, p.refs, nil
}

// exprToken is a word, number, sign or quoted word; the empty one is the end.
type exprToken struct {
	at     int
	text   string
	quoted bool
}

var exprForm = regexp.MustCompile(`[\p{L}\p{N}_][\p{L}\p{N}_.:-]*|==|!=|<=|>=|[<>=(),]|'[^']*'|"[^"]*"|\S`)

// exprTokens cuts an expression. The last token is empty and stands at its end.
func exprTokens(text string) []exprToken {
	var all []exprToken
	for _, at := range exprForm.FindAllStringIndex(text, -1) {
		t := exprToken{at: at[0], text: text[at[0]:at[1]]}
		if n := len(t.text); n >= 2 && (t.text[0] == '\'' || t.text[0] == '"') {
			t.text, t.quoted = t.text[1:n-1], true
		}
		all = append(all, t)
	}
	return append(all, exprToken{at: len(strings.TrimRight(text, " \t\n"))})
}

// exprParser reads by descent. After an error of syntax it goes on without harm and says nothing more.
type exprParser struct {
	of      factOf
	tokens  []exprToken
	depth   int
	expr    *Expr
	refs    []exprRef
	errs    []exprError
	stopped bool
}

// fail tells what is wrong with one value; the others are read as well.
func (p *exprParser) fail(at int, what, why, hint string) {
	if !p.stopped {
		p.errs = append(p.errs, exprError{at, what, why, hint})
	}
}

// stop tells what cannot be read. What follows it could mean anything.
func (p *exprParser) stop(at int, what, why, hint string) {
	p.fail(at, what, why, hint)
	p.stopped = true
}

func (p *exprParser) peek() exprToken { return p.tokens[0] }

func (p *exprParser) next() exprToken {
	t := p.tokens[0]
	if len(p.tokens) > 1 {
		p.tokens = p.tokens[1:]
	}
	return t
}

// took reads a word or sign if it is the next.
func (p *exprParser) took(text string) bool {
	if t := p.peek(); t.quoted || t.text != text {
		return false
	}
	p.next()
	return true
}

func (p *exprParser) expect(text, hint string) {
	if t := p.peek(); !p.took(text) {
		p.stop(t.at, fmt.Sprintf("%q is expected here, not %s", text, t), "", hint)
	}
}

func (t exprToken) String() string {
	if t.text == "" && !t.quoted {
		return "the end"
	}
	return strconv.Quote(t.text)
}

func (p *exprParser) or() condition {
	left := p.and()
	for p.took("or") {
		a, b := left, p.and()
		left = func(f *Facts) bool { return a(f) || b(f) }
	}
	return left
}

func (p *exprParser) and() condition {
	left := p.not()
	for p.took("and") {
		a, b := left, p.not()
		left = func(f *Facts) bool { return a(f) && b(f) }
	}
	return left
}

func (p *exprParser) not() condition {
	if p.depth++; p.depth > deepestExpr {
		p.stop(p.peek().at, "the expression is nested too deep", "", "use fewer brackets")
		return never
	}
	defer func() { p.depth-- }()
	switch {
	case p.took("not"):
		c := p.not()
		return func(f *Facts) bool { return !c(f) }
	case p.took("("):
		c := p.or()
		p.expect(")", "close the bracket")
		return c
	}
	return p.comparison()
}

func never(*Facts) bool { return false }

// comparisons are the signs between two values.
var comparisons = []string{"=", "==", "!=", "<", "<=", ">", ">="}

func (p *exprParser) comparison() condition {
	left := p.operand()
	sign := p.peek()
	if !slices.Contains(comparisons, sign.text) || sign.quoted {
		switch {
		case left.is == isWord:
			p.unknown(left)
			return never
		case left.is == isNothing:
			return never
		case left.fact == nil || left.fact.flag == nil:
			p.fail(sign.at, fmt.Sprintf("a comparison is expected here, not %s", sign), left.name()+" is neither true nor false by itself", left.hint())
			return never
		}
		return left.fact.flag
	}
	p.next()
	right := p.operand()
	if t := p.peek(); slices.Contains(comparisons, t.text) && !t.quoted {
		p.stop(t.at, "two comparisons in a row", "", "write a < b and b < c")
	}
	return p.compare(left, sign, right)
}

// operand is one side of a comparison: a fact, a number, or a word.
type operand struct {
	at     int
	text   string
	fact   *fact
	args   factArgs
	number float64
	is     operandKind
}

type operandKind uint8

const (
	isNothing operandKind = iota // an error told already
	isNumber
	isWord
	isFact
)

func (o *operand) name() string { return strconv.Quote(o.text) }

func (o *operand) hint() string {
	if o.fact != nil && o.fact.words != nil {
		return fmt.Sprintf("write %s = %s", o.fact.name, cmp.Or(strings.Join(o.fact.known[:min(1, len(o.fact.known))], ""), "…"))
	}
	return fmt.Sprintf("write %s >= 2", cmp.Or(o.text, "authors(1h)"))
}

func (p *exprParser) operand() *operand {
	t := p.next()
	o := &operand{at: t.at, text: t.text}
	if n, err := strconv.ParseFloat(t.text, 64); !t.quoted && err == nil && t.text[0] <= '9' {
		o.number, o.is = n, isNumber
		return o
	}
	if t.quoted {
		o.is = isWord
		return o
	}
	if o.fact = factNamed(t.text); o.fact != nil {
		return p.asked(o)
	}
	switch {
	case t.text == "" || !isExprWord(t.text) || t.text == "and" || t.text == "or" || t.text == "not":
		p.stop(t.at, fmt.Sprintf("a fact is expected here, not %s", t), "", "for example "+p.example())
	case p.peek().text == "(":
		p.bracketed()
		p.unknown(o)
	default:
		o.is = isWord
	}
	return o
}

// asked reads the arguments of a fact.
func (p *exprParser) asked(o *operand) *operand {
	args := p.bracketed()
	switch {
	case o.fact.of&p.of == 0:
		p.fail(o.at, fmt.Sprintf("%s is not known here", o.text), "it is asked of "+askedOf(o.fact.of), "known here: "+strings.Join(factNames(p.of), ", "))
	case p.arguments(o, args):
		o.is = isFact
	}
	p.expr.facts = append(p.expr.facts, o.text)
	return o
}

func askedOf(of factOf) string {
	if of == ofMention {
		return "one mention"
	}
	return "all the mentions behind an alert"
}

func (p *exprParser) example() string {
	if p.of&ofSignal != 0 {
		return "authors(1h) >= 3"
	}
	return "sentiment = negative"
}

func isExprWord(s string) bool {
	return exprForm.FindString(s) == s && !strings.ContainsAny(s, "<>=(),'\"") && s[0] >= '0'
}

func (p *exprParser) unknown(o *operand) {
	p.fail(o.at, fmt.Sprintf("unknown fact %q", o.text), "", Suggest(o.text, factNames(p.of)))
}

// bracketed reads what stands in brackets behind a fact.
func (p *exprParser) bracketed() []exprToken {
	if !p.took("(") {
		return nil
	}
	var args []exprToken
	for t := p.peek(); t.text != ")" && t.text != ""; t = p.peek() {
		args = append(args, p.next())
		if !p.took(",") {
			break
		}
	}
	p.expect(")", "close the bracket")
	return args
}

// arguments types the arguments of a fact, and reports whether they are right.
func (p *exprParser) arguments(o *operand, args []exprToken) bool {
	rest := args
	if o.fact.rule && len(rest) > 0 {
		o.args.rule = rest[0].text
		p.refs = append(p.refs, exprRef{rest[0].at, "rule", rest[0].text})
		rest = rest[1:]
	}
	if want := o.fact.name + o.fact.example; o.fact.rule && len(args) == 0 || len(rest) < o.fact.within || len(rest) > o.fact.most {
		p.fail(o.at, fmt.Sprintf("%s has %d arguments", o.text, len(args)), "", "write "+want)
		return false
	}
	right := true
	for _, t := range rest {
		o.args.within = p.duration(t)
		right = right && o.args.within > 0
	}
	return right
}

// duration reads how far back a fact looks; 0 if that is no such time.
func (p *exprParser) duration(t exprToken) time.Duration {
	d, ok := durationOf(t.text)
	switch {
	case !ok || t.quoted:
		p.fail(t.at, fmt.Sprintf("a duration is expected here, not %s", t), "", "write it like 30m, 1h or 60d")
		return 0
	case !lookBack.holds(d):
		p.fail(t.at, fmt.Sprintf("%s is no time to look back", t), lookBack.why, lookBack.says())
		return 0
	}
	return d
}

// compare types a comparison.
func (p *exprParser) compare(left *operand, sign exprToken, right *operand) condition {
	if left.is != isFact && right.is == isFact {
		left, right, sign.text = right, left, mirrored[sign.text]
	}
	switch {
	case left.is == isNothing || right.is == isNothing:
		return never
	case left.is != isFact:
		p.unknown(left)
		return never
	case left.fact.flag != nil:
		p.fail(sign.at, left.text+" is true or false and not compared", "", fmt.Sprintf("write %s or not %s", left.text, left.text))
		return never
	case left.fact.words != nil:
		return p.compareWords(left, sign, right)
	case right.is == isFact && right.fact.number == nil, right.is == isWord:
		p.fail(right.at, fmt.Sprintf("a number is expected here, not %q", right.text), left.text+" is a number", "")
		return never
	}
	return compareNumbers(left, sign.text, right)
}

var mirrored = map[string]string{"=": "=", "==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

func compareNumbers(left *operand, sign string, right *operand) condition {
	holds := map[string]func(a, b float64) bool{
		"=": func(a, b float64) bool { return a == b }, "==": func(a, b float64) bool { return a == b },
		"!=": func(a, b float64) bool { return a != b },
		"<":  func(a, b float64) bool { return a < b }, "<=": func(a, b float64) bool { return a <= b },
		">": func(a, b float64) bool { return a > b }, ">=": func(a, b float64) bool { return a >= b },
	}[sign]
	return func(f *Facts) bool {
		a, ok := left.value(f)
		b, also := right.value(f)
		return ok && also && holds(a, b)
	}
}

func (o *operand) value(f *Facts) (float64, bool) {
	if o.fact == nil {
		return o.number, true
	}
	return o.fact.number(f, o.args)
}

func (p *exprParser) compareWords(left *operand, sign exprToken, right *operand) condition {
	word := right.text
	switch {
	case sign.text != "=" && sign.text != "==" && sign.text != "!=":
		p.fail(sign.at, fmt.Sprintf("%s has no order", left.text), "it is a word", "write = or !=")
	case right.is != isWord:
		p.fail(right.at, fmt.Sprintf("a word is expected here, not %q", right.text), "", left.hint())
	case left.fact.known != nil && !slices.Contains(left.fact.known, word):
		p.fail(right.at, fmt.Sprintf("%q is not one of %s", word, strings.Join(left.fact.known, ", ")), "", Suggest(word, left.fact.known))
	case left.fact.name == "language" && !langForm.MatchString(word):
		p.fail(right.at, fmt.Sprintf("%q is no language code of two letters", word), "", "write en, de or sv")
	}
	if left.fact.refers != "" {
		p.refs = append(p.refs, exprRef{right.at, left.fact.refers, word})
	}
	words, not := left.fact.words, sign.text == "!="
	return func(f *Facts) bool { return slices.Contains(words(f), word) != not }
}
