package sources

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// wire is a mention as it is written by others: every scalar may come as a string, a number or null.
type wire struct {
	V          scalar         `json:"v"`
	ID         scalar         `json:"id"`
	Source     scalar         `json:"source"`
	Network    scalar         `json:"network"`
	Kind       scalar         `json:"kind"`
	Op         scalar         `json:"op"`
	Brand      scalar         `json:"brand"`
	Author     wireAuthor     `json:"author"`
	Followers  scalar         `json:"followers"`
	Title      scalar         `json:"title"`
	Text       scalar         `json:"text"`
	Lang       scalar         `json:"lang"`
	Rating     scalar         `json:"rating"`
	URL        scalar         `json:"url"`
	ParentID   scalar         `json:"parent_id"`
	RootID     scalar         `json:"root_id"`
	Visibility scalar         `json:"visibility"`
	CreatedAt  scalar         `json:"created_at"`
	UpdatedAt  scalar         `json:"updated_at"`
	Engagement wireEngagement `json:"engagement"`
	Count      scalar         `json:"count"`
	Metric     *wireGauge     `json:"metric"`
	HasMedia   scalar         `json:"has_media"`

	// Verdict stays unread where it is not believed: there it is an unknown field, whatever it holds.
	Verdict json.RawMessage `json:"emberwatch"`
}

type wireEngagement struct {
	Likes   scalar `json:"likes"`
	Shares  scalar `json:"shares"`
	Replies scalar `json:"replies"`
	Views   scalar `json:"views"`
}

type wireGauge struct {
	Name  scalar `json:"name"`
	Value scalar `json:"value"`
}

type wireAuthor struct {
	ID        scalar `json:"id"`
	Name      scalar `json:"name"`
	Handle    scalar `json:"handle"`
	Followers scalar `json:"followers"`
	Verified  scalar `json:"verified"`
}

// UnmarshalJSON reads an author that is an object, a plain handle or null.
func (a *wireAuthor) UnmarshalJSON(b []byte) error {
	if b[0] != '{' {
		return a.Handle.UnmarshalJSON(b)
	}
	type plain wireAuthor
	return json.Unmarshal(b, (*plain)(a))
}

// scalar is one JSON value that should be a string, a number or a boolean, with what it was.
type scalar struct {
	text string
	kind byte // 0 absent or null, 's' string, 'n' number, 'b' boolean, 'x' list or object
}

// UnmarshalJSON classifies a value and never fails: only the field it stands in knows what is an error.
func (s *scalar) UnmarshalJSON(b []byte) error {
	switch b[0] {
	case 'n':
		*s = scalar{}
	case '"':
		*s = scalar{kind: 's'}
		if bytes.IndexByte(b, '\\') < 0 {
			s.text = string(b[1 : len(b)-1]) // nothing is escaped
			return nil
		}
		return json.Unmarshal(b, &s.text)
	case 't', 'f':
		*s = scalar{string(b), 'b'}
	case '{', '[':
		*s = scalar{"", 'x'}
	default:
		*s = scalar{string(b), 'n'}
	}
	return nil
}

// absent reports a value that was left out, null, or a blank string.
func (s scalar) absent() bool { return s.kind == 0 || s.kind == 's' && strings.TrimSpace(s.text) == "" }

// reading turns scalars into values and keeps the first problem it meets.
type reading struct{ err error }

func (r *reading) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

// str takes strings and, because ids are numbers at many places, numbers.
func (r *reading) str(field string, s scalar) string {
	if s.kind == 'b' || s.kind == 'x' {
		r.fail("%s: expected a string", field)
	}
	return s.text
}

func (r *reading) number(field string, s scalar) float64 {
	if s.absent() {
		return 0
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(s.text), 64)
	if err != nil || s.kind == 'b' || s.kind == 'x' || math.IsNaN(f) || math.IsInf(f, 0) {
		r.fail("%s: expected a number", field)
		return 0
	}
	return f
}

func (r *reading) whole(field string, s scalar) int {
	f := r.number(field, s)
	if f != math.Trunc(f) {
		r.fail("%s: expected a whole number", field)
	}
	return int(min(max(f, -maxCount), maxCount))
}

func (r *reading) boolean(field string, s scalar) bool {
	if s.absent() {
		return false
	}
	b, err := strconv.ParseBool(strings.ToLower(strings.TrimSpace(s.text)))
	if err != nil {
		r.fail("%s: expected true or false", field)
	}
	return b
}

func (r *reading) rating(s scalar) float64 {
	f := r.number("rating", s)
	if !s.absent() && (f < 1 || f > 5) && r.err == nil {
		r.err = ratingError(f)
	}
	return f
}

func (r *reading) count(s scalar) int {
	n := r.whole("count", s)
	if !s.absent() && n < 1 {
		r.fail("count: %d is less than 1; leave it out for a single one", n)
	}
	return n
}

// verdict reads the judgement of an export.
func (r *reading) verdict(object json.RawMessage) *Verdict {
	var v *Verdict
	if len(object) == 0 {
		return nil
	}
	if err := json.Unmarshal(object, &v); err != nil {
		r.fail("emberwatch: %w; remove the field to have the mention judged anew", explainJSON(err))
		return nil
	}
	return v
}

func (r *reading) time(field string, s scalar, zone *time.Location) time.Time {
	if s.absent() {
		return time.Time{}
	}
	if s.kind != 's' {
		r.fail("%s: expected a time like 2026-11-16T07:42:10Z", field)
		return time.Time{}
	}
	t, err := parseTime(strings.TrimSpace(s.text), zone)
	if err != nil {
		r.fail("%s: %w", field, err)
	}
	return t
}

// mention builds the normalised mention, or says what is wrong with it.
func (w *wire) mention(opt DecodeOptions) (Mention, error) {
	var r reading
	m := Mention{
		ID:         r.str("id", w.ID),
		Source:     r.str("source", w.Source),
		Network:    r.str("network", w.Network),
		Kind:       Kind(r.str("kind", w.Kind)),
		Op:         Op(r.str("op", w.Op)),
		Brand:      r.str("brand", w.Brand),
		Author:     w.Author.author(&r, w.Followers),
		Title:      PlainText(r.str("title", w.Title)),
		Text:       PlainText(r.str("text", w.Text)),
		Lang:       r.str("lang", w.Lang),
		Rating:     r.rating(w.Rating),
		URL:        r.str("url", w.URL),
		ParentID:   r.str("parent_id", w.ParentID),
		RootID:     r.str("root_id", w.RootID),
		Visibility: Visibility(r.str("visibility", w.Visibility)),
		CreatedAt:  r.time("created_at", w.CreatedAt, opt.Zone),
		UpdatedAt:  r.time("updated_at", w.UpdatedAt, opt.Zone),
		Engagement: w.Engagement.engagement(&r),
		Count:      r.count(w.Count),
		Metric:     w.Metric.gauge(&r),
		HasMedia:   r.boolean("has_media", w.HasMedia),
	}
	if opt.Verdicts {
		m.Verdict = r.verdict(w.Verdict)
	}
	if v := r.whole("v", w.V); v != 0 && v != 1 {
		r.fail("v: version %d is not known; this program reads version 1", v)
	}
	if r.err != nil {
		return Mention{}, r.err
	}
	return opt.complete(m)
}

// complete fills in what the options know and normalises.
func (opt DecodeOptions) complete(m Mention) (Mention, error) {
	if strings.TrimSpace(m.Source) == "" {
		m.Source = opt.Source
	}
	if strings.TrimSpace(m.Brand) == "" {
		m.Brand = opt.Brand
	}
	var err error
	if opt.Bare {
		err = normalize(&m, opt.Arrived)
	} else {
		err = Normalize(&m, opt.Arrived)
	}
	if err != nil {
		return Mention{}, err
	}
	return m, nil
}

func (a *wireAuthor) author(r *reading, followers scalar) Author {
	if !a.Followers.absent() {
		followers = a.Followers
	}
	return Author{
		ID:        r.str("author.id", a.ID),
		Name:      r.str("author.name", a.Name),
		Handle:    r.str("author.handle", a.Handle),
		Followers: r.whole("author.followers", followers),
		Verified:  r.boolean("author.verified", a.Verified),
	}
}

func (e *wireEngagement) engagement(r *reading) Engagement {
	out := Engagement{
		Likes:   r.whole("engagement.likes", e.Likes),
		Shares:  r.whole("engagement.shares", e.Shares),
		Replies: r.whole("engagement.replies", e.Replies),
	}
	if !e.Views.absent() {
		views := r.whole("engagement.views", e.Views)
		out.Views = &views
	}
	return out
}

func (g *wireGauge) gauge(r *reading) *Gauge {
	if g == nil || g.Name.absent() && g.Value.absent() {
		return nil
	}
	if g.Value.absent() {
		r.fail("metric.value: missing")
	}
	return &Gauge{Name: r.str("metric.name", g.Name), Value: r.number("metric.value", g.Value)}
}

// zoned and unzoned are the spellings of a time that are read. The first of each is the one to recommend.
var (
	zoned = []string{
		time.RFC3339, "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05 Z07:00", "2006-01-02 15:04:05 -0700",
		"2006-01-02T15:04:05-0700", "2006-01-02T15:04Z07:00",
	}
	unzoned = []string{"2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02"}
)

// parseTime reads a time with a zone, or one without where zone says which is meant.
func parseTime(s string, zone *time.Location) (time.Time, error) {
	for _, layout := range zoned {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	for _, layout := range unzoned {
		t, err := time.ParseInLocation(layout, s, cmp.Or(zone, time.UTC))
		switch {
		case err != nil:
		case zone == nil:
			return time.Time{}, errors.New("a time without a zone; write it like 2026-11-16T07:42:10Z, or give the source a timezone")
		default:
			return t, nil
		}
	}
	return time.Time{}, errors.New("not a time; write it like 2026-11-16T07:42:10Z")
}
