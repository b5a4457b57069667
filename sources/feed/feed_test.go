package feed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"

	"emberwatch/sources"
	"emberwatch/sources/sourcetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var now = time.Date(2026, 11, 16, 12, 0, 0, 0, time.UTC)

func source(t testing.TB, address string) *Source {
	t.Helper()
	client := sources.NewClient(sources.ClientOptions{Allow: loopback})
	t.Cleanup(client.Close)
	s, err := New(Options{Name: "news", URL: address, Client: client})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func parse(t *testing.T, body, contentType string) *document {
	t.Helper()
	doc, err := source(t, "https://example.org/feed").parse(t.Context(), []byte(body), contentType, "https://example.org/feeds/all.xml", now)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func article(id, title, text, link, author string, at time.Time) sources.Mention {
	return sources.Mention{
		V: 1, ID: id, Source: "news", Kind: sources.Article, Op: sources.Create, Visibility: sources.Public,
		Title: title, Text: text, URL: link, Author: sources.Author{Name: author}, CreatedAt: at,
	}
}

func at(month time.Month, day, hour, minute, second int) time.Time {
	return time.Date(2026, month, day, hour, minute, second, 0, time.UTC)
}

func TestParse(t *testing.T) {
	updated := article("tag:google.com,2013:googlealerts/feed:1001", "Nordhavn stops sale of heaters & lamps",
		"Two owners of the Nordhavn heater said on Friday it's ...", "https://news.example.org/2026/heaters?src=rss", "", at(11, 16, 9, 5, 12))
	updated.UpdatedAt = at(11, 16, 9, 45, 0)
	tests := map[string]struct {
		want     []sources.Mention
		rejected int
	}{
		"alerts.atom.xml": {[]sources.Mention{
			updated,
			article("tag:google.com,2013:googlealerts/feed:1002", "Im Test: Nordhavn", "Warm und leise", "https://magazin.example.org/test", "", at(11, 16, 6, 30, 0)),
		}, 0},
		"news.rss.xml": {[]sources.Mention{
			article("hd-1", "Heaters: what buyers should know", "Owners report burnt plugs & slow refunds.", "https://news.example.org/2026/heaters", "R. Holm", at(11, 16, 8, 40, 0)),
			article("https://news.example.org/desk/2026/zone?a=1#top", "No id, a zone by name", "First.\nSecond, and longer.", "https://news.example.org/desk/2026/zone?a=1#top", "", at(11, 15, 17, 0, 0)),
			article("hash", "Neither id nor link", "Still a mention.", "", "", at(11, 15, 17, 0, 0)),
			article("hd-4", "No date", "It happened when we read it.", "", "", now),
		}, 1},
		"posts.json": {[]sources.Mention{
			article("https://blog.example.org/1", "Why I sent it back", "It leaks.", "https://blog.example.org/1", "Ada", at(11, 16, 5, 0, 0)),
		}, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			body, err := os.ReadFile(filepath.Join("testdata", name))
			if err != nil {
				t.Fatal(err)
			}
			doc := parse(t, string(body), "")
			if diff := cmp.Diff(tt.want, doc.mentions, cmpopts.IgnoreFields(sources.Mention{}, "ID")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for i, m := range doc.mentions {
				if want := tt.want[i].ID; m.ID != want && (want != "hash" || !strings.HasPrefix(m.ID, "hash:")) {
					t.Errorf("id %q, want %q", m.ID, want)
				}
			}
			if doc.rejected.Count != tt.rejected {
				t.Errorf("%d rejected, want %d", doc.rejected.Count, tt.rejected)
			}
		})
	}
}

func rss(items string) string {
	return `<rss version="2.0"><channel><title>t</title>` + items + `</channel></rss>`
}

func idsOf(ms []sources.Mention) []string {
	var out []string
	for _, m := range ms {
		out = append(out, m.ID)
	}
	return out
}

func TestIDs(t *testing.T) {
	long := strings.Repeat("x", 600)
	tests := map[string]struct {
		items string
		want  []string
	}{
		"an id repeated for an edit": {`<item><guid>a</guid><link>https://e.org/1</link><title>new</title></item>
			<item><guid>a</guid><link>https://e.org/1</link><title>old</title></item>`, []string{"a"}},
		"an id for all items": {`<item><guid>https://e.org</guid><link>https://e.org/1</link><title>x</title></item>
			<item><guid>https://e.org</guid><link>https://e.org/2</link><title>y</title></item>`, []string{"https://e.org/1", "https://e.org/2"}},
		"a blank id": {`<item><guid> </guid><link>https://e.org/1</link><title>x</title></item>`, []string{"https://e.org/1"}},
		"a long id":  {`<item><guid>` + long + `</guid><title>x</title></item>`, []string{"hash:" + sources.Digest(long)}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := idsOf(parse(t, rss(tt.items), "").mentions); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestCharsets(t *testing.T) {
	const item = `<item><guid>a</guid><title>Grüße aus Århus</title></item>`
	latin := func(s string) string {
		var b []byte
		for _, r := range s {
			b = append(b, byte(r))
		}
		return string(b)
	}
	wide := "\xff\xfe"
	for _, u := range utf16.Encode([]rune(`<?xml version="1.0" encoding="utf-16"?>` + rss(item))) {
		wide += string([]byte{byte(u), byte(u >> 8)})
	}
	tests := map[string]struct{ body, contentType string }{
		"UTF-8":                {rss(item), ""},
		"UTF-8 with a mark":    {"\ufeff" + rss(item), ""},
		"ISO-8859-1 declared":  {latin(`<?xml version="1.0" encoding="ISO-8859-1"?>` + rss(item)), "text/xml; charset=utf-8"},
		"ISO-8859-1 by header": {latin(rss(item)), "text/xml; charset=iso-8859-1"},
		"ISO-8859-1 untold":    {latin(rss(item)), "text/xml"},
		"UTF-16":               {wide, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			doc := parse(t, tt.body, tt.contentType)
			if len(doc.mentions) != 1 || doc.mentions[0].Title != "Grüße aus Århus" {
				t.Errorf("got %+v", doc.mentions)
			}
		})
	}
}

func TestHostileDocuments(t *testing.T) {
	laughs := `<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;">]>` + rss(`<item><guid>a</guid><title>&lol2;</title></item>`)
	for name, body := range map[string]string{
		"empty": " ", "a web page": "<html><body>not found</body></html>", "text": "hello", "billion laughs": laughs,
		"an outer entity": strings.Replace(laughs, `"lol"`, `SYSTEM "file:///etc/passwd"`, 1),
		"deep XML":        rss(strings.Repeat("<a>", 200_000) + strings.Repeat("</a>", 200_000)),
		"deep, disguised": rss(strings.Repeat(`<a b="/>">`, 200_000)),
		"deep JSON":       `{"version":"https://jsonfeed.org/version/1","items":` + strings.Repeat("[", 200_000),
		"deep, behind what is a comment only byte by byte": "<?xml version='1.0' encoding='iso-2022-jp'?>" +
			rss("<item><title>\x1b$B<!--\x1b(B</title>"+strings.Repeat("<a>", 200_000)+strings.Repeat("</a>", 200_000)+"-->"),
		"another encoding half-way": rss("<?xml version='1.0' encoding='iso-2022-jp'?><item><title>x</title></item>"),
		"an unknown encoding":       "<?xml version='1.0' encoding='klingon'?>" + rss(""),
		"many namespaces":           rss("<item" + names(8000) + ">" + strings.Repeat("<a/>", 200_000) + "</item>"),
		"nested namespaces":         rss("<item" + names(40) + "><a" + names(40) + ">" + strings.Repeat("<a/>", 200_000) + "</a></item>"),
		"a long base":               rss("<item xml:base='https://e.org/" + strings.Repeat("a/", 500_000) + "'>" + strings.Repeat("<link href='x'/>", 50_000) + "</item>"),
		"bases of bases":            rss(strings.Repeat("<a q:base='' xml:base = '"+strings.Repeat("a/", 100)+"'>", 50)),
		"many tags":                 rss(strings.Repeat("<a/>", maxTags+1)),
		"cut off":                   `<rss version="2.0"><channel><item><title>x`,
		"NUL":                       "\x00\x00\x00",
		"broken UTF-16":             "\xff\xfe<",
	} {
		t.Run(name, func(t *testing.T) {
			begun := time.Now()
			doc, err := source(t, "https://example.org/feed").parse(t.Context(), []byte(body), "", "https://example.org/feed", now)
			if err == nil {
				t.Errorf("read as %+v", doc)
			}
			if took := time.Since(begun); took > 2*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

// names declares n namespaces.
func names(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, " xmlns:a%d='x%d'", i, i)
	}
	return b.String()
}

// Some generators declare the same namespaces anew with every item; some sites have a base.
func TestNamespacesOfItems(t *testing.T) {
	item := "<item" + names(20) + " xml:base='https://example.org/news/'><title>x</title><link>a</link></item>"
	if doc := parse(t, rss(strings.Repeat(item, 100)), ""); len(doc.mentions) != 1 || doc.rejected.Count != 0 {
		t.Errorf("got %+v, %d rejected", doc.mentions, doc.rejected.Count)
	}
}

func TestLongAddressOfSiteIsNoBase(t *testing.T) {
	doc := parse(t, rss("<link>https://e.org/"+strings.Repeat("a/", sources.MaxURL)+"</link><item><title>x</title><link>b</link></item>"), "")
	if doc.mentions[0].URL != "https://example.org/feeds/b" {
		t.Errorf("got %q", doc.mentions[0].URL)
	}
}

func TestNestingOfCommentsAndCDATA(t *testing.T) {
	many := strings.Repeat("<p>", 500)
	doc := parse(t, rss(`<!-- `+many+` --><item><guid>a</guid><title><![CDATA[`+many+`x]]></title><br/></item>`), "")
	if len(doc.mentions) != 1 || doc.mentions[0].Title != "x" {
		t.Errorf("got %+v", doc.mentions)
	}
}

// site is a server whose answer the test sets.
type site struct {
	status int
	body   string
	header map[string]string
	asked  []http.Header
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.asked = append(s.asked, r.Header)
	for name, value := range s.header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(s.status)
	io.WriteString(w, s.body)
}

// polls is a source on a site, with what it emitted.
type polls struct {
	*Source
	site    *site
	seen    memory
	batches []sources.Batch
	refuse  error
}

func newPolls(t *testing.T) *polls {
	p := &polls{site: &site{status: 200, header: map[string]string{}}}
	srv := httptest.NewServer(p.site)
	t.Cleanup(srv.Close)
	p.Source = source(t, srv.URL+"/feed?key=canary")
	p.seen, _ = parseMemory(nil, p.opt.URL)
	return p
}

func (p *polls) emit(_ context.Context, b sources.Batch) (sources.Taken, error) {
	if p.refuse != nil {
		return sources.Taken{}, p.refuse
	}
	p.batches = append(p.batches, b)
	return sources.Taken{}, nil
}

// once polls and returns "op id" of each mention, after a trip of the memory through the cursor.
func (p *polls) once(t *testing.T) ([]string, error) {
	t.Helper()
	p.batches = nil
	seen, err := p.poll(t.Context(), p.seen, p.emit)
	if err != nil {
		return nil, err
	}
	cursor, err := seen.cursor()
	if err != nil {
		t.Fatal(err)
	}
	if p.seen, err = parseMemory(cursor, p.opt.URL); err != nil {
		t.Fatal(err)
	}
	if len(p.batches) != 1 {
		t.Fatalf("%d batches of one poll", len(p.batches))
	}
	var out []string
	for _, m := range p.batches[0].Mentions {
		out = append(out, string(m.Op)+" "+m.ID)
	}
	return out, nil
}

func (p *polls) want(t *testing.T, want ...string) {
	t.Helper()
	got, err := p.once(t)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func entry(id, title string) string {
	return fmt.Sprintf("<item><guid>%s</guid><title>%s</title></item>", id, title)
}

func TestPollsTellWhatIsNew(t *testing.T) {
	p := newPolls(t)
	p.site.body = rss(entry("b", "x") + entry("a", "y"))
	p.want(t, "create b", "create a")
	p.want(t)
	p.site.body = rss(entry("c", "z") + entry("b", "x, corrected") + entry("a", "y"))
	p.want(t, "create c", "update b")
	p.site.body = rss(entry("d", "z"))
	p.want(t, "create d")
	p.site.body = rss(entry("a", "y") + entry("d", "z")) // one comes back
	p.want(t)
	p.site.body = rss("")
	p.want(t)
}

func TestRefusedPollIsToldAgain(t *testing.T) {
	p := newPolls(t)
	p.site.body, p.refuse = rss(entry("a", "x")), sources.ErrUnavailable
	if _, err := p.once(t); !errors.Is(err, sources.ErrUnavailable) {
		t.Fatalf("got %v", err)
	}
	p.refuse = nil
	p.want(t, "create a")
}

func TestConditionalGet(t *testing.T) {
	p := newPolls(t)
	p.site.body = rss(entry("a", "x"))
	p.site.header = map[string]string{"ETag": `"v1"`, "Last-Modified": "Mon, 16 Nov 2026 09:00:00 GMT"}
	p.want(t, "create a")
	p.site.status, p.site.body = http.StatusNotModified, ""
	p.want(t)
	if p.batches[0].Cursor != nil {
		t.Error("the cursor moved though nothing had")
	}
	first, second := p.site.asked[0], p.site.asked[1]
	if first.Get("If-None-Match") != "" || second.Get("If-None-Match") != `"v1"` || second.Get("If-Modified-Since") != "Mon, 16 Nov 2026 09:00:00 GMT" {
		t.Errorf("asked with %v, then %v", first, second)
	}
	cursor, _ := p.seen.cursor()
	if other, err := parseMemory(cursor, "https://elsewhere.example/feed"); err != nil || other.ETag != "" || other.Seen != nil {
		t.Errorf("another address goes on with %+v, %v", other, err)
	}
}

func TestFailuresNameNoAddress(t *testing.T) {
	p := newPolls(t)
	for status, retryAfter := range map[int]string{404: "", 429: "3600"} {
		p.site.status, p.site.header = status, map[string]string{"Retry-After": retryAfter}
		err := p.Run(t.Context(), nil, p.emit)
		if err == nil || strings.Contains(err.Error(), "canary") || !strings.HasPrefix(err.Error(), "source news: fetch: GET 127.0.0.1:") {
			t.Errorf("%d: %v", status, err)
		}
		want := map[int]time.Duration{404: DefaultEvery, 429: time.Hour}[status] // asking again soon does not help
		if later, ok := errors.AsType[*sources.RetryAfterError](err); !ok || later.After != want {
			t.Errorf("%d: %v", status, err)
		}
	}
	p.site.status, p.opt.Client = 200, p.opt.Client.Once()
	for _, body := range []string{"<html>canary</html>", "<rss><channel><item>&canary;<", `{"version":"https://jsonfeed.org/version/1","items":"canary"}`} {
		p.site.body = body
		if _, err := sourcetest.Look(t.Context(), p.Source); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// entries is a document of n items, of which each has the text given.
func entries(n int, text string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(entry(fmt.Sprint("id-", i), text))
	}
	return rss(b.String())
}

func TestDocumentIsBounded(t *testing.T) {
	p := newPolls(t)
	p.site.body = entries(maxItems+500, "x")
	told, err := p.once(t)
	if err != nil || len(told) != maxItems || told[0] != "create id-0" || told[maxItems-1] != fmt.Sprint("create id-", maxItems-1) {
		t.Fatalf("%d told, %v", len(told), err)
	}
	if b := p.batches[0]; b.Rejected.Count != 500 {
		t.Errorf("%d items are told as left out, want 500", b.Rejected.Count)
	}
	if len(p.seen.Seen) != maxItems {
		t.Errorf("%d remembered", len(p.seen.Seen))
	}
	p.want(t) // the same document again, and what was left out stays out
}

func TestParseEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := source(t, "https://example.org/").parse(ctx, []byte(entries(2, "x")), "", "https://example.org/", now)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestALookFetchesOnce(t *testing.T) {
	p := newPolls(t)
	p.opt.Client = p.opt.Client.Once()
	p.site.body = rss(entry("a", "x"))
	if ms, err := sourcetest.Look(t.Context(), p.Source); err != nil || !slices.Equal(idsOf(ms), []string{"a"}) {
		t.Errorf("got %v, %v", ms, err)
	}
	p.site.status, p.site.body = http.StatusNotModified, ""
	if ms, err := sourcetest.Look(t.Context(), p.Source); err != nil || ms != nil {
		t.Errorf("304: %v, %v", ms, err)
	}
	p.site.status = http.StatusGone
	if _, err := sourcetest.Look(t.Context(), p.Source); err == nil {
		t.Error("410 was taken for a feed")
	}
}

func TestOptionsOfMentions(t *testing.T) {
	client := sources.NewClient(sources.ClientOptions{})
	s, err := New(Options{Name: "forum", URL: "https://example.org/", Kind: sources.Post, Network: "forum", Brand: "nordhavn", Client: client})
	if err != nil {
		t.Fatal(err)
	}
	doc, err := s.parse(t.Context(), []byte(rss(entry("a", "x"))), "", "", now)
	if err != nil {
		t.Fatal(err)
	}
	if m := doc.mentions[0]; m.Kind != sources.Post || m.Network != "forum" || m.Brand != "nordhavn" || m.Source != "forum" {
		t.Errorf("got %+v", m)
	}
	if s.opt.Every != DefaultEvery {
		t.Errorf("every %v", s.opt.Every)
	}
}

func TestNew(t *testing.T) {
	client := sources.NewClient(sources.ClientOptions{})
	for name, opt := range map[string]Options{
		"no name": {URL: "https://e.org", Client: client}, "no url": {Name: "a", Client: client}, "a file": {Name: "a", URL: "file:///x", Client: client},
		"no client": {Name: "a", URL: "https://e.org"}, "too often": {Name: "a", URL: "https://e.org", Every: time.Second, Client: client},
		"unknown kind": {Name: "a", URL: "https://e.org", Kind: "rant", Client: client},
	} {
		if _, err := New(opt); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"alerts.atom.xml", "news.rss.xml", "posts.json"} {
		body, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body, "text/xml")
	}
	f.Add([]byte(rss(entry("a", "&#x202e;&nbsp;<![CDATA[<b>]]>"))), "text/xml; charset=koi8-r")
	f.Add([]byte("<rdf:RDF xmlns:rdf='r'><item><title>x</title><link>//a</link></item></rdf:RDF>"), "")
	s := source(f, "https://example.org/feed")
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		doc, err := s.parse(t.Context(), body, contentType, "https://example.org/feed", now)
		if err != nil {
			return
		}
		for _, m := range doc.mentions {
			again := m
			if err := sources.Normalize(&again, now); err != nil {
				t.Errorf("%v", err)
			}
			if diff := cmp.Diff(m, again); diff != "" {
				t.Errorf("not normalised:\n%s", diff)
			}
		}
	})
}
