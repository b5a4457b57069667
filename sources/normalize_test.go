package sources_test

import (
	"math"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"emberwatch/sources"
)

func TestPlainText(t *testing.T) {
	tests := map[string]struct{ in, want string }{
		"plain":                   {"Nothing to see\n\n here", "Nothing to see\n\n here"},
		"less than":               {"a < b and c > d", "a < b and c > d"},
		"a heart":                 {"I <3 it, <you>, <not a tag>", "I <3 it, <you>, <not a tag>"},
		"arrow":                   {"<- here ->", "<- here ->"},
		"ampersand":               {"Marks & Spencer, AT&T, R&D;", "Marks & Spencer, AT&T, R&D;"},
		"entities only":           {"Friday&#39;s\n&quot;batch&quot; &#x2F; &amp;", "Friday's\n\"batch\" / &"},
		"escaped twice":           {"&amp;lt;b&amp;gt;", "&lt;b&gt;"},
		"escaped twice in markup": {"<p>&amp;lt;b&amp;gt;</p>", "&lt;b&gt;"},
		"escaped tag":             {"&lt;b&gt;hi&lt;/b&gt;", "<b>hi</b>"},
		"emphasis":                {"<b>Fjell</b>bryg <em>One</em>", "Fjellbryg One"},
		"breaks":                  {"one<br>two<br/>three<BR />four", "one\ntwo\nthree\nfour"},
		"paragraphs":              {"<p>one\n two</p>\n<p>three</p>", "one two\nthree"},
		"list":                    {"<ul><li>a</li><li>b</li></ul>", "a\nb"},
		"table":                   {"<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"},
		"script and style":        {"a<script>alert('<b>')</script><style>p{}</style> b", "a b"},
		"script left open":        {"a<script>alert(1)", "a"},
		"comment":                 {"a<!-- <b>x</b> -->b", "ab"},
		"attribute with >":        {`<a href="x?a>b" title='<i>'>link</a> text`, "link text"},
		"less than in markup":     {"<p>a < b</p>", "a < b"},
		"non-breaking space":      {"since&nbsp;<b>Friday</b>", "since Friday"},
		"image":                   {`<img src=x onerror="alert(1)">`, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := sources.PlainText(tt.in); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func valid(change func(*sources.Mention)) sources.Mention {
	m := sources.Mention{ID: "1", Source: "s", Text: "x", CreatedAt: arrived.Add(-time.Hour)}
	change(&m)
	return m
}

func TestNormalizeText(t *testing.T) {
	tests := map[string]struct{ in, want string }{
		"white space":                {" a\tb\u00a0c\u2003d \r\n", "a b c d"},
		"line ends":                  {"a\r\nb\rc\u2028d\u0085e", "a\nb\nc\nd\ne"},
		"controls":                   {"a\x00b\x07c\x1b[31md\x7fe\u009bf", "abc[31mdef"},
		"bidi override":              {"abc\u202edef\u202c \u2066g\u2069", "abcdef g"},
		"zero width":                 {"Fj\u200bell\u2060b\ufeffr\u00adyg\u200e", "Fjellbryg"},
		"tag characters":             {"hi\U000e0041\U000e0042", "hi"},
		"invalid UTF-8":              {"a\xff\xfeb", "a\ufffdb"},
		"composed":                   {"cafe\u0301", "café"},
		"Persian joiner stays":       {"می\u200cخواهم", "می\u200cخواهم"},
		"emoji joiner stays":         {"👩🏽\u200d🚀 ❤️\u200d🔥", "👩🏽\u200d🚀 ❤️\u200d🔥"},
		"Indic joiner stays":         {"क्\u200dष", "क्\u200dष"},
		"joiner at the end goes":     {"a\u200d", "a"},
		"joiner beside a space goes": {"a \u200cb", "a b"},
		"joiners in a row":           {"a\u200d\u200c\u200db", "a\u200db"},
		"hidden between joiners":     {"a\u200d\u200b\u200db", "a\u200db"},
		"Arabic number sign stays":   {"\u0600١", "\u0600١"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m := valid(func(m *sources.Mention) { m.Text = tt.in })
			if err := sources.Normalize(&m, arrived); err != nil {
				t.Fatal(err)
			}
			if m.Text != tt.want {
				t.Errorf("got %q, want %q", m.Text, tt.want)
			}
		})
	}
}

func TestNormalizeBounds(t *testing.T) {
	long := strings.Repeat("ж", 30_000)
	m := valid(func(m *sources.Mention) {
		m.Text, m.Title, m.Author.Name, m.Author.Handle, m.Brand = long, long, long, long, long
		m.ParentID, m.URL = long, "https://example.com/"+strings.Repeat("x", 2048)
	})
	if err := sources.Normalize(&m, arrived); err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string][2]int{
		"text": {utf8.RuneCountInString(m.Text), 20_000}, "title": {utf8.RuneCountInString(m.Title), 500},
		"author": {utf8.RuneCountInString(m.Author.Name), 200}, "handle": {utf8.RuneCountInString(m.Author.Handle), 200},
		"brand": {utf8.RuneCountInString(m.Brand), 200}, "parent": {len(m.ParentID), 0}, "url": {len(m.URL), 0},
	} {
		if got[0] != got[1] {
			t.Errorf("%s has length %d, want %d", name, got[0], got[1])
		}
	}
}

func TestNormalizeDoesNotWriteThroughPointers(t *testing.T) {
	gauge, views := &sources.Gauge{Name: " Followers "}, -3
	m := valid(func(m *sources.Mention) { m.Metric, m.Engagement.Views = gauge, &views })
	if err := sources.Normalize(&m, arrived); err != nil {
		t.Fatal(err)
	}
	if gauge.Name != " Followers " || views != -3 || m.Metric.Name != "followers" || *m.Engagement.Views != 0 {
		t.Errorf("gauge %q, views %d; got %q, %d", gauge.Name, views, m.Metric.Name, *m.Engagement.Views)
	}
}

func TestNormalizeRefuses(t *testing.T) {
	for name, change := range map[string]func(*sources.Mention){
		"no id":              func(m *sources.Mention) { m.ID = "\u200b" },
		"no source":          func(m *sources.Mention) { m.Source = "" },
		"no time":            func(m *sources.Mention) { m.CreatedAt = time.Time{} },
		"no text":            func(m *sources.Mention) { m.Text = " \u200b\n" },
		"NaN":                func(m *sources.Mention) { m.Metric = &sources.Gauge{Name: "f", Value: math.NaN()} },
		"infinite":           func(m *sources.Mention) { m.Metric = &sources.Gauge{Name: "f", Value: math.Inf(-1)} },
		"rating NaN":         func(m *sources.Mention) { m.Rating = math.NaN() },
		"rating of a tenth":  func(m *sources.Mention) { m.Rating = 0.1 },
		"negative count":     func(m *sources.Mention) { m.Count = -1 },
		"beyond all clocks":  func(m *sources.Mention) { m.CreatedAt = time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC) },
		"unknown visibility": func(m *sources.Mention) { m.Visibility = "secret" },
	} {
		t.Run(name, func(t *testing.T) {
			if m := valid(change); sources.Normalize(&m, arrived) == nil {
				t.Errorf("taken: %+v", m)
			}
		})
	}
}

func TestWithoutClockTimesAreBelieved(t *testing.T) {
	at := arrived.AddDate(5, 0, 0)
	m := valid(func(m *sources.Mention) { m.CreatedAt = at })
	if err := sources.Normalize(&m, time.Time{}); err != nil || m.CreatedAt != at {
		t.Errorf("got %v, %v", m.CreatedAt, err)
	}
}

// checkNormal holds what every later room relies on for a mention that was taken.
func checkNormal(t interface{ Errorf(string, ...any) }, m sources.Mention) {
	again := m
	if err := sources.Normalize(&again, arrived); err != nil {
		t.Errorf("taken once and refused again: %v", err)
	}
	if diff := cmp.Diff(m, again); diff != "" {
		t.Errorf("not idempotent (-once +twice):\n%s", diff)
	}
	for name, s := range map[string]string{"id": m.ID, "text": m.Text, "title": m.Title, "author": m.Author.Name, "brand": m.Brand, "source": m.Source} {
		if !utf8.ValidString(s) || !norm.NFC.IsNormalString(s) || strings.TrimSpace(s) != s {
			t.Errorf("%s is not clean: %q", name, s)
		}
		for _, r := range s {
			if unicode.IsControl(r) && (r != '\n' || name != "text") || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
				t.Errorf("%s holds %U", name, r)
			}
		}
	}
	if m.CreatedAt.Location() != time.UTC || m.CreatedAt.After(arrived.Add(sources.MaxAhead)) {
		t.Errorf("created at %v", m.CreatedAt)
	}
	if utf8.RuneCountInString(m.Text) > sources.MaxText || len(m.ID) > sources.MaxID || len(m.URL) > sources.MaxURL {
		t.Errorf("too long: text %d, id %d, url %d", len(m.Text), len(m.ID), len(m.URL))
	}
}

// nasty draws strings that are rich in characters with a meaning of their own.
func nasty() *rapid.Generator[string] {
	odd := rapid.SampledFrom([]rune("a \n\r\t\x00\x1b\u0085\u00a0\u00ad\u0301\u0327\u0600\u200b\u200c\u200d\u200e\u202e\u2028\u2060\ufe0f\ufeff\ufffe" +
		"<>&;éÅ각ضम्👩🚀\U0001f3fd\U000e0041\U0001d165\u2126\u0344"))
	return rapid.OneOf(rapid.StringOf(odd), rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }))
}

func TestNormalizeIsIdempotent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := sources.Mention{
			ID: nasty().Draw(t, "id"), Source: nasty().Draw(t, "source"), Network: nasty().Draw(t, "network"),
			Kind: rapid.SampledFrom(append([]sources.Kind{"", "mention", " LIKE"}, sources.Kinds...)).Draw(t, "kind"),
			Op:   rapid.SampledFrom([]sources.Op{"", "create", "Delete "}).Draw(t, "op"), Brand: nasty().Draw(t, "brand"),
			Author: sources.Author{ID: nasty().Draw(t, "author"), Name: nasty().Draw(t, "name"), Handle: nasty().Draw(t, "handle"), Followers: rapid.Int().Draw(t, "followers")},
			Title:  nasty().Draw(t, "title"), Text: nasty().Draw(t, "text"), Lang: nasty().Draw(t, "lang"),
			Rating: rapid.SampledFrom([]float64{0, 1, 4.5, 5}).Draw(t, "rating"), URL: "https://" + nasty().Draw(t, "url"),
			Count: rapid.Int().Draw(t, "count"), CreatedAt: time.Unix(rapid.Int64Range(-1e11, 1e11).Draw(t, "created"), 0),
		}
		if sources.Normalize(&m, arrived) == nil {
			checkNormal(t, m)
		}
	})
}

func FuzzNormalize(f *testing.F) {
	f.Add("1", "<p>Ärger &amp; mehr</p>", "t\u202e", "https://example.com/a?b#c", "de-AT")
	f.Add("\x00", strings.Repeat("e\u0301", 50), strings.Repeat("a\u200d", 600), "http://[::1]/", "zh_Hant")
	f.Add("id", strings.Repeat("\u0301\u0327", 40), "\u0344\u200d\u0344", "HTTPS://EXAMPLE.com", "und")
	f.Fuzz(func(t *testing.T, id, text, title, url, lang string) {
		m := sources.Mention{ID: id, Source: "s", Text: sources.PlainText(text), Title: title, URL: url, Lang: lang, CreatedAt: arrived}
		if sources.Normalize(&m, arrived) == nil {
			checkNormal(t, m)
		}
	})
}
