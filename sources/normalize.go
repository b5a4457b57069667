package sources

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"
)

// Bounds of what is kept of a mention. Text is counted in characters, ids and addresses in bytes.
const (
	MaxText  = 20_000
	MaxTitle = 500
	MaxName  = 200
	MaxID    = 512
	MaxURL   = 2048

	// MaxAhead is how far a mention may be ahead of its arrival before its time is not believed.
	MaxAhead = 10 * time.Minute

	// maxCount bounds every number of likes, followers and so on, so that sums stay far from overflow.
	maxCount = 1e12
)

// Normalize brings a mention into the form that every later room relies on, or says why it cannot be taken.
// Every source calls it, once per mention, before it emits; calling it again changes nothing.
//
// It fills in kind, operation and visibility; makes text valid UTF-8 in NFC without control, bidi and
// invisible characters, and cuts what is too long; makes times UTC and takes the time of arrival for one that
// lies more than MaxAhead after it; drops addresses other than http and https. arrived is when the mention
// was read; the zero time stands for no clock (a replay), then a time is believed.
//
// It does not look for HTML: a source that may receive some applies [PlainText] or [HTMLText] first. Only
// the source can tell, and only it can do so exactly once.
//
// The error says what is missing or wrong and how to repair it. It repeats no text of the mention.
func Normalize(m *Mention, arrived time.Time) error {
	if err := normalize(m, arrived); err != nil {
		return err
	}
	switch {
	case m.ID == "":
		return errors.New("id: missing")
	case m.Source == "":
		return errors.New("source: missing")
	case m.CreatedAt.IsZero():
		return errors.New("created_at: missing")
	case !m.hasContent():
		return fmt.Errorf("no text, rating or metric, and kind %s does not count without", m.Kind)
	}
	return nil
}

// hasContent reports what can be judged or counted. A deletion needs none.
func (m *Mention) hasContent() bool {
	return m.Text != "" || m.Title != "" || m.Rating != 0 || m.Metric != nil || m.Verdict != nil || m.Op == Delete || m.Kind.CountsWithoutText()
}

// normalize is Normalize for a mention that may lack what is mandatory.
func normalize(m *Mention, arrived time.Time) error {
	m.V = 1
	for _, step := range []func(*Mention) error{
		(*Mention).normalizeNames, (*Mention).normalizeNumbers, (*Mention).normalizeWords,
		func(m *Mention) error { return m.normalizeTimes(arrived) },
	} {
		if err := step(m); err != nil {
			return err
		}
	}
	m.Title = line(m.Title, MaxTitle)
	m.Text = cut(clean(m.Text), MaxText)
	m.Lang = primaryLanguage(m.Lang)
	m.URL = webAddress(m.URL)
	return nil
}

func (m *Mention) normalizeNames() error {
	m.ID = line(m.ID, MaxID+1)
	if len(m.ID) > MaxID {
		return fmt.Errorf("id: longer than %d bytes", MaxID)
	}
	m.ParentID = shortID(m.ParentID)
	m.RootID = shortID(m.RootID)
	m.Author.ID = shortID(m.Author.ID)
	m.Source = line(m.Source, MaxName)
	m.Network = strings.ToLower(line(m.Network, MaxName))
	m.Brand = line(m.Brand, MaxName)
	m.Author.Name = line(m.Author.Name, MaxName)
	m.Author.Handle = line(m.Author.Handle, MaxName)
	return nil
}

// shortID cleans an id that a mention only refers to. One that is too long is dropped: cut ids would meet.
func shortID(id string) string {
	if id = line(id, MaxID+1); len(id) > MaxID {
		return ""
	}
	return id
}

func (m *Mention) normalizeNumbers() error {
	m.Author.Followers = bounded(m.Author.Followers)
	m.Engagement.Likes = bounded(m.Engagement.Likes)
	m.Engagement.Shares = bounded(m.Engagement.Shares)
	m.Engagement.Replies = bounded(m.Engagement.Replies)
	if v := m.Engagement.Views; v != nil {
		views := bounded(*v)
		m.Engagement.Views = &views
	}
	if m.Count < 0 {
		return fmt.Errorf("count: %d is less than 1; leave it out for a single one", m.Count)
	}
	m.Count = bounded(m.Count)
	if r := m.Rating; r != 0 && !(r >= 1 && r <= 5) {
		return ratingError(r)
	}
	return m.normalizeMetric()
}

func (m *Mention) normalizeMetric() error {
	if m.Metric == nil {
		return nil
	}
	gauge := *m.Metric // the caller may share it between mentions
	gauge.Name = strings.ToLower(line(gauge.Name, MaxName))
	m.Metric = &gauge
	switch {
	case gauge.Name == "":
		return errors.New("metric.name: missing")
	case math.IsNaN(gauge.Value) || math.IsInf(gauge.Value, 0):
		return errors.New("metric.value: not a finite number")
	}
	return nil
}

func bounded(n int) int { return min(max(n, 0), maxCount) }

func ratingError(r float64) error {
	return fmt.Errorf("rating: %g is outside 1 to 5; convert other scales to five points, and leave it out where there is none", r)
}

// normalizeWords fills in and checks the fields that take one of a few words.
func (m *Mention) normalizeWords() error {
	m.Kind = Kind(word(string(m.Kind)))
	switch m.Kind {
	case "":
		m.Kind = m.defaultKind()
	case "mention":
		m.Kind = Tag
	case "reaction":
		m.Kind = Like
	}
	if !slices.Contains(Kinds, m.Kind) {
		return notOneOf("kind", Kinds)
	}
	if m.Kind == Metric && m.Metric == nil && m.Op != Delete {
		return errors.New("metric: missing in a mention of kind metric")
	}
	if m.Op = Op(word(string(m.Op))); m.Op == "" {
		m.Op = Create
	}
	if ops := []Op{Create, Update, Delete}; !slices.Contains(ops, m.Op) {
		return notOneOf("op", ops)
	}
	m.Visibility = Visibility(word(string(m.Visibility)))
	switch {
	case m.Kind == DM:
		m.Visibility = Private
	case m.Visibility == "":
		m.Visibility = Public
	case m.Visibility != Public && m.Visibility != Private:
		return notOneOf("visibility", []Visibility{Public, Private})
	}
	return nil
}

func (m *Mention) defaultKind() Kind {
	switch {
	case m.Metric != nil:
		return Metric
	case m.Rating != 0:
		return Review
	}
	return Comment
}

func word(s string) string { return strings.ToLower(part(strings.TrimSpace(s), len(s))) }

// notOneOf is the error for a field that holds a word it may not hold. The word itself may be anybody's text, or
// an author's name where columns are mixed up, and errors are logged: only our own words are told.
func notOneOf[W ~string](field string, words []W) error {
	return fmt.Errorf("%s: not one of %s; correct it, or leave the field out for the usual", field, wordList(words))
}

func wordList[W ~string](words []W) string {
	var b strings.Builder
	for i, w := range words {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(string(w))
	}
	return b.String()
}

// normalizeTimes bounds what is believed: a clock that is wrong at the source must not open buckets in the
// future, and a year that cannot be told from garbage is garbage.
func (m *Mention) normalizeTimes(arrived time.Time) error {
	for _, t := range []*time.Time{&m.CreatedAt, &m.UpdatedAt} {
		if t.IsZero() {
			*t = time.Time{}
			continue
		}
		*t = t.Round(0).UTC()
		if !arrived.IsZero() && t.After(arrived.Add(MaxAhead)) {
			*t = arrived.Round(0).UTC()
		}
		if y := t.Year(); y < 1970 || y > 2200 {
			return fmt.Errorf("time: the year %d cannot be right", y)
		}
	}
	return nil
}

// primaryLanguage returns the lower-case primary subtag of a language tag, such as "pt" for "pt_BR", or
// nothing for what is no language.
func primaryLanguage(tag string) string {
	tag, _, _ = strings.Cut(strings.ReplaceAll(word(tag), "_", "-"), "-")
	if tag == "" || tag == "und" {
		return ""
	}
	base, err := language.ParseBase(tag)
	if err != nil {
		return ""
	}
	return base.String()
}

// webAddress returns an address that can be shown as a link, or nothing.
func webAddress(s string) string {
	s = part(strings.TrimSpace(s), len(s))
	if s == "" || len(s) > MaxURL || line(s, MaxURL) != s || strings.ContainsAny(s, " \"<>\\^`{|}") {
		return ""
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	return s
}
