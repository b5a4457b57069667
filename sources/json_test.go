package sources_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"emberwatch/sources"
)

var arrived = time.Date(2026, 11, 16, 12, 0, 0, 0, time.UTC)

var defaults = sources.DecodeOptions{Source: "intake", Arrived: arrived}

func decode(t *testing.T, object string, opt sources.DecodeOptions) sources.Mention {
	t.Helper()
	m, err := sources.DecodeMention([]byte(object), opt)
	if err != nil {
		t.Fatalf("%s: %v", object, err)
	}
	return m
}

func TestDecodeEveryField(t *testing.T) {
	views := 90
	got := decode(t, `{"v":1,"id":"shop:1001","source":"shop","network":"Instagram","kind":"comment","op":"update","brand":" Fjellbryg ",
		"author":{"id":"u-17","name":"Maja L.","handle":"@maja","followers":120,"verified":true},
		"title":"T","text":"Third day without coffee","lang":"en-GB","rating":1,"url":"https://example.com/p/1","parent_id":"p","root_id":"r",
		"visibility":"private","created_at":"2026-11-16T08:42:10+01:00","updated_at":"2026-11-16T08:00:00Z",
		"engagement":{"likes":4,"shares":2,"replies":1,"views":90},"count":3,"metric":{"name":"Followers","value":48210.5},
		"has_media":true,"unheard_of":{"a":[1]}}`, defaults)
	want := sources.Mention{
		V: 1, ID: "shop:1001", Source: "shop", Network: "instagram", Kind: sources.Comment, Op: sources.Update, Brand: "Fjellbryg",
		Author: sources.Author{ID: "u-17", Name: "Maja L.", Handle: "@maja", Followers: 120, Verified: true},
		Title:  "T", Text: "Third day without coffee", Lang: "en", Rating: 1, URL: "https://example.com/p/1", ParentID: "p", RootID: "r",
		Visibility: sources.Private, CreatedAt: time.Date(2026, 11, 16, 7, 42, 10, 0, time.UTC),
		UpdatedAt:  time.Date(2026, 11, 16, 8, 0, 0, 0, time.UTC),
		Engagement: sources.Engagement{Likes: 4, Shares: 2, Replies: 1, Views: &views},
		Count:      3, Metric: &sources.Gauge{Name: "followers", Value: 48210.5}, HasMedia: true,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	again, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, decode(t, string(again), defaults)); diff != "" {
		t.Errorf("what is written cannot be read back:\n%s", diff)
	}
}

// minimal is a mention with what is mandatory, to which a case adds fields.
func minimal(fields string) string {
	return `{"id":"1","text":"x","created_at":"2026-11-16T07:00:00Z"` + fields + `}`
}

func TestDecodeIsTolerant(t *testing.T) {
	tests := map[string]struct {
		object string
		check  func(sources.Mention) bool
	}{
		"source defaults":             {minimal(``), func(m sources.Mention) bool { return m.Source == "intake" }},
		"own source stays":            {minimal(`,"source":"shop"`), func(m sources.Mention) bool { return m.Source == "shop" }},
		"op defaults":                 {minimal(``), func(m sources.Mention) bool { return m.Op == sources.Create }},
		"visibility defaults":         {minimal(``), func(m sources.Mention) bool { return m.Visibility == sources.Public }},
		"kind defaults to comment":    {minimal(``), func(m sources.Mention) bool { return m.Kind == sources.Comment }},
		"a rating makes a review":     {minimal(`,"rating":2`), func(m sources.Mention) bool { return m.Kind == sources.Review }},
		"a metric makes a metric":     {minimal(`,"rating":2,"metric":{"name":"f","value":0}`), func(m sources.Mention) bool { return m.Kind == sources.Metric }},
		"mention is a tag":            {minimal(`,"kind":"mention"`), func(m sources.Mention) bool { return m.Kind == sources.Tag }},
		"reaction is a like":          {minimal(`,"kind":"Reaction"`), func(m sources.Mention) bool { return m.Kind == sources.Like }},
		"a dm is private":             {minimal(`,"kind":"dm","visibility":"public"`), func(m sources.Mention) bool { return m.Visibility == sources.Private }},
		"plain author is a handle":    {minimal(`,"author":"@maja"`), func(m sources.Mention) bool { return m.Author.Handle == "@maja" }},
		"author null":                 {minimal(`,"author":null`), func(m sources.Mention) bool { return m.Author == sources.Author{} }},
		"followers at top level":      {minimal(`,"author":"a","followers":7`), func(m sources.Mention) bool { return m.Author.Followers == 7 }},
		"own followers win":           {minimal(`,"author":{"followers":9},"followers":7`), func(m sources.Mention) bool { return m.Author.Followers == 9 }},
		"negative followers are none": {minimal(`,"followers":-7`), func(m sources.Mention) bool { return m.Author.Followers == 0 }},
		"huge followers are bounded":  {minimal(`,"followers":1e300`), func(m sources.Mention) bool { return m.Author.Followers == 1e12 }},
		"numeric id":                  {`{"id":12345678901234567,"text":"x","created_at":"2026-11-16T07:00:00Z"}`, func(m sources.Mention) bool { return m.ID == "12345678901234567" }},
		"rating null":                 {minimal(`,"rating":null`), func(m sources.Mention) bool { return m.Rating == 0 }},
		"rating blank":                {minimal(`,"rating":" "`), func(m sources.Mention) bool { return m.Rating == 0 }},
		"rating as string":            {minimal(`,"rating":"4.5"`), func(m sources.Mention) bool { return m.Rating == 4.5 }},
		"counts as strings":           {minimal(`,"engagement":{"likes":"4","views":null}`), func(m sources.Mention) bool { return m.Engagement.Likes == 4 && m.Engagement.Views == nil }},
		"nulls":                       {minimal(`,"updated_at":null,"engagement":null,"metric":null,"count":null,"url":null`), func(m sources.Mention) bool { return m.UpdatedAt.IsZero() }},
		"a like needs no text":        {`{"id":"1","kind":"like","created_at":"2026-11-16T07:00:00Z"}`, func(m sources.Mention) bool { return m.Kind == sources.Like }},
		"a deletion needs no text":    {`{"id":"1","op":"delete","created_at":"2026-11-16T07:00:00Z"}`, func(m sources.Mention) bool { return m.Op == sources.Delete }},
		"a title is content":          {`{"id":"1","title":"t","created_at":"2026-11-16T07:00:00Z"}`, func(m sources.Mention) bool { return m.Title == "t" }},
		"HTML becomes text":           {minimal(`,"text":"<p>a &amp; b</p>"`), func(m sources.Mention) bool { return m.Text == "a & b" }},
		"escaped characters":          {minimal(`,"text":"a\nbé😀"`), func(m sources.Mention) bool { return m.Text == "a\nbé😀" }},
		"half a surrogate pair":       {minimal(`,"text":"a\ud83dz"`), func(m sources.Mention) bool { return m.Text == "a\ufffdz" }},
		"a time of the future":        {minimal(`,"created_at":"2026-11-16T12:10:01Z"`), func(m sources.Mention) bool { return m.CreatedAt.Equal(arrived) }},
		"a clock a bit ahead":         {minimal(`,"created_at":"2026-11-16T12:10:00Z"`), func(m sources.Mention) bool { return m.CreatedAt.Equal(arrived.Add(10 * time.Minute)) }},
		"a space instead of T":        {minimal(`,"created_at":"2015-02-24 11:35:52 -0800"`), func(m sources.Mention) bool { return m.CreatedAt.Hour() == 19 }},
		"a language of no use":        {minimal(`,"lang":"klingonish"`), func(m sources.Mention) bool { return m.Lang == "" }},
		"three-letter language":       {minimal(`,"lang":"deu"`), func(m sources.Mention) bool { return m.Lang == "de" }},
		"script in a link":            {minimal(`,"url":"javascript:alert(1)"`), func(m sources.Mention) bool { return m.URL == "" }},
		"link with a password":        {minimal(`,"url":"https://bank.example@evil.example/"`), func(m sources.Mention) bool { return m.URL == "" }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if m := decode(t, tt.object, defaults); !tt.check(m) {
				t.Errorf("got %+v", m)
			}
		})
	}
}

func TestDecodeSaysWhatIsWrong(t *testing.T) {
	tests := map[string]struct{ object, want string }{
		"no id":            {`{"text":"x","created_at":"2026-11-16T07:00:00Z"}`, "id: missing"},
		"blank id":         {minimal(`,"id":" "`), "id: missing"},
		"long id":          {minimal(`,"id":"` + strings.Repeat("x", 513) + `"`), "id: longer than 512 bytes"},
		"no time":          {`{"id":"1","text":"x"}`, "created_at: missing"},
		"no zone":          {minimal(`,"created_at":"2026-11-16T07:00:00"`), "created_at: a time without a zone"},
		"no time at all":   {minimal(`,"created_at":"yesterday"`), "created_at: not a time"},
		"unix time":        {minimal(`,"created_at":1763280000`), "created_at: expected a time like 2026-11-16T07:42:10Z"},
		"the year 1":       {minimal(`,"created_at":"0001-01-02T00:00:00Z"`), "the year 1 cannot be right"},
		"nothing said":     {`{"id":"1","created_at":"2026-11-16T07:00:00Z"}`, "no text, rating or metric, and kind comment does not count without"},
		"only markup":      {minimal(`,"text":"<p></p>"`), "no text"},
		"kind":             {minimal(`,"kind":"rant"`), "kind: not one of comment, review, tag, dm, share, like, follow, unfollow, post, article, metric; correct it"},
		"op":               {minimal(`,"op":"upsert"`), "op: not one of create, update, delete; correct it"},
		"visibility":       {minimal(`,"visibility":"friends"`), "visibility: not one of public, private; correct it"},
		"rating of ten":    {minimal(`,"rating":10`), "rating: 10 is outside 1 to 5; convert"},
		"rating of zero":   {minimal(`,"rating":0`), "rating: 0 is outside 1 to 5"},
		"rating in words":  {minimal(`,"rating":"four"`), "rating: expected a number"},
		"rating NaN":       {minimal(`,"rating":"NaN"`), "rating: expected a number"},
		"count of zero":    {minimal(`,"count":0`), "count: 0 is less than 1"},
		"count of a half":  {minimal(`,"count":1.5`), "count: expected a whole number"},
		"metric nameless":  {minimal(`,"metric":{"value":3}`), "metric.name: missing"},
		"metric valueless": {minimal(`,"metric":{"name":"f"}`), "metric.value: missing"},
		"metric infinite":  {minimal(`,"metric":{"name":"f","value":"Inf"}`), "metric.value: expected a number"},
		"metric a word":    {minimal(`,"metric":"followers"`), "metric: a string cannot stand here"},
		"metric of none":   {minimal(`,"kind":"metric"`), "metric: missing"},
		"version 2":        {minimal(`,"v":2`), "v: version 2 is not known"},
		"text a list":      {minimal(`,"text":["x"]`), "text: expected a string"},
		"verified a word":  {minimal(`,"author":{"verified":"maybe"}`), "author.verified: expected true or false"},
		"not an object":    {`"text"`, "not a JSON object"},
		"broken":           {`{"id":`, "broken JSON"},
		"two objects":      {minimal(``) + minimal(``), "broken JSON"},
		"deep":             {minimal(`,"z":` + strings.Repeat("[", 64) + strings.Repeat("]", 64)), "nested more than 64"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := sources.DecodeMention([]byte(tt.object), defaults)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want %q", err, tt.want)
			}
		})
	}
}

func TestErrorsRepeatNoText(t *testing.T) {
	const secret = "kundennummer"
	for _, fields := range []string{
		`,"rating":"Kundennummer"`, `,"created_at":"Kundennummer"`, `,"text":["Kundennummer"]`, `,"metric":"Kundennummer"`,
		`,"count":"Kundennummer"`, `,"author":{"verified":"Kundennummer"}`, `,"text":"Kundennummer`, `,"v":"Kundennummer"`,
		`,"kind":"Kundennummer"`, `,"op":"Kundennummer"`, `,"visibility":"Kundennummer"`,
	} {
		if _, err := sources.DecodeMention([]byte(minimal(fields)), defaults); err == nil || strings.Contains(strings.ToLower(err.Error()), secret) {
			t.Errorf("%s: error %v", fields, err)
		}
	}
}

func TestVerdictIsReadOnlyWhereItIsBelieved(t *testing.T) {
	believing := defaults
	believing.Verdicts = true
	for value, refused := range map[string]string{
		`"x"`: "a string cannot stand here", `[1]`: "an array cannot stand here", `true`: "a bool cannot", `{"p":{"negative":"high"}}`: "p.negative: a string cannot",
		`{"p":{"negative":1e999}}`: "p.negative: a number cannot stand here; remove", `{"lang":"de"}`: "", `null`: "",
	} {
		object := minimal(`,"emberwatch":` + value)
		if m := decode(t, object, defaults); m.Verdict != nil {
			t.Errorf("%s was believed", value)
		}
		m, err := sources.DecodeMention([]byte(object), believing)
		switch {
		case refused == "" && (err != nil || (m.Verdict == nil) != (value == "null")):
			t.Errorf("%s: %+v, %v", value, m.Verdict, err)
		case refused != "" && (err == nil || !strings.Contains(err.Error(), refused)):
			t.Errorf("%s: %v, want %s", value, err, refused)
		}
	}
}

func TestTimezoneForTimesWithoutOne(t *testing.T) {
	oslo, err := time.LoadLocation("Europe/Oslo")
	if err != nil {
		t.Skip("no time zones here:", err)
	}
	for _, s := range []string{"2026-11-16T08:30:00", "2026-11-16 08:30:00", "2026-11-16 08:30", "2026-11-16T07:30:00Z"} {
		m := decode(t, minimal(`,"created_at":"`+s+`"`), sources.DecodeOptions{Source: "s", Zone: oslo})
		if want := time.Date(2026, 11, 16, 7, 30, 0, 0, time.UTC); m.CreatedAt != want {
			t.Errorf("%s: got %v, want %v", s, m.CreatedAt, want)
		}
	}
}

func TestBareMentions(t *testing.T) {
	m := decode(t, `{"text":"Nichts angekommen","rating":"1"}`, sources.DecodeOptions{Bare: true})
	if m.Text != "Nichts angekommen" || m.Rating != 1 || m.Kind != sources.Review {
		t.Errorf("got %+v", m)
	}
	if _, err := sources.DecodeMention([]byte(`{"text":"x","rating":6}`), sources.DecodeOptions{Bare: true}); err == nil {
		t.Error("a rating of 6 was taken")
	}
}

func TestDecodeItemsForms(t *testing.T) {
	a, b := minimal(`,"id":"a"`), minimal(`,"id":"b"`)
	tests := map[string]struct {
		body string
		ids  string
	}{
		"items":            {`{"items":[` + a + `,` + b + `]}`, "a b"},
		"list":             {`[` + a + `, ` + b + `]`, "a b"},
		"bare":             {a, "a"},
		"byte order mark":  {"\ufeff" + a, "a"},
		"batch with an id": {`{"id":"batch-7","items":[` + a + `]}`, "a"},
		"no items":         {`{"items":[]}`, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			ms, rejected, err := sources.DecodeItems([]byte(tt.body), defaults)
			if err != nil || len(rejected) > 0 {
				t.Fatalf("err %v, rejected %v", err, rejected)
			}
			if got := ids(ms); got != tt.ids {
				t.Errorf("got %q, want %q", got, tt.ids)
			}
		})
	}
}

func ids(ms []sources.Mention) string {
	var out []string
	for _, m := range ms {
		out = append(out, m.ID)
	}
	return strings.Join(out, " ")
}

func TestBadItemsStopNoGoodOnes(t *testing.T) {
	body := fmt.Sprintf(`{"items":[7,%s,null,{"id":"x"},[],%s,"s"]}`, minimal(`,"id":"a"`), minimal(`,"id":"b"`))
	ms, rejected, err := sources.DecodeItems([]byte(body), defaults)
	if err != nil {
		t.Fatal(err)
	}
	if got := ids(ms); got != "a b" {
		t.Errorf("taken: %q", got)
	}
	var at []int
	for _, r := range rejected {
		at = append(at, r.Index)
	}
	if diff := cmp.Diff([]int{0, 2, 3, 4, 6}, at); diff != "" {
		t.Error("rejected:", diff)
	}
	if diff := cmp.Diff([]int{1, 5}, sources.BodyIndexes(len(ms), rejected)); diff != "" {
		t.Error("indexes of those taken:", diff)
	}
}

func TestUnreadableBodies(t *testing.T) {
	for name, body := range map[string]string{
		"empty": " ", "text": "hello", "cut off": `{"items":[` + minimal(``), "cut off list": `[` + minimal(``) + `,`,
		"items no list": `{"items":{"id":"a"}}`, "two values": `[] []`, "deep": strings.Repeat(`[`, 100_000),
		"UTF-16": "\xff\xfe{\x00}\x00", "NUL": "\x00",
	} {
		t.Run(name, func(t *testing.T) {
			if ms, _, err := sources.DecodeItems([]byte(body), defaults); err == nil {
				t.Errorf("read as %+v", ms)
			}
		})
	}
}

func TestItemLimit(t *testing.T) {
	opt := defaults
	opt.MaxItems = 3
	if _, rejected, err := sources.DecodeItems([]byte(`[0,0,0]`), opt); err != nil || len(rejected) != 3 {
		t.Errorf("at the limit: %v, %v", rejected, err)
	}
	if _, _, err := sources.DecodeItems([]byte(`{"items":[0,0,0,0]}`), opt); !errors.Is(err, sources.ErrTooManyItems) {
		t.Errorf("over the limit: %v", err)
	}
	if _, _, err := sources.DecodeLines([]byte("0\n0\n0\n0\n"), opt); !errors.Is(err, sources.ErrTooManyItems) {
		t.Errorf("lines over the limit: %v", err)
	}
}

func TestDecodeLines(t *testing.T) {
	body := minimal(`,"id":"a"`) + "\r\n\n{\n" + minimal(`,"id":"b"`)
	ms, rejected, err := sources.DecodeLines([]byte(body), defaults)
	if err != nil || ids(ms) != "a b" || len(rejected) != 1 || rejected[0].Index != 1 {
		t.Errorf("got %q, %v, %v", ids(ms), rejected, err)
	}
	if _, _, err := sources.DecodeLines([]byte("\n \n"), defaults); err == nil {
		t.Error("an empty body was taken")
	}
}

func TestColumns(t *testing.T) {
	columns, ok := sources.NewColumns([]string{"ID", " created_at", "author", "author.name", "followers", "rating", "text", "likes", "Shares", "metric", "value", "nonsense"})
	if !ok {
		t.Fatal("the header was not recognised")
	}
	m, err := columns.Decode([]string{"7", "2026-11-16T07:00:00Z", "@maja", "Maja", "12", "2", "Leaks", "3", "4", "followers", "9.5", "?"}, defaults)
	if err != nil {
		t.Fatal(err)
	}
	want := sources.Mention{
		V: 1, ID: "7", Source: "intake", Kind: sources.Metric, Op: sources.Create, Visibility: sources.Public, Rating: 2, Text: "Leaks",
		Author:     sources.Author{Handle: "@maja", Name: "Maja", Followers: 12},
		Engagement: sources.Engagement{Likes: 3, Shares: 4}, Metric: &sources.Gauge{Name: "followers", Value: 9.5},
		CreatedAt: time.Date(2026, 11, 16, 7, 0, 0, 0, time.UTC),
	}
	if diff := cmp.Diff(want, m); diff != "" {
		t.Error(diff)
	}
	if m, err = columns.Decode([]string{"8", "2026-11-16T07:00:00Z", "", "", "", "", "Leaks"}, defaults); err != nil || m.Kind != sources.Comment || m.Metric != nil {
		t.Errorf("short row: %+v, %v", m, err)
	}
	if _, err := columns.Decode(make([]string, 13), defaults); err == nil {
		t.Error("a row of empty cells was taken")
	}
	if _, err := columns.Decode([]string{12: "x"}, defaults); err == nil || !strings.Contains(err.Error(), "13 cells under a header of 12") {
		t.Errorf("long row: %v", err)
	}
	if _, ok := sources.NewColumns([]string{"hello", "world"}); ok {
		t.Error("a row of no known name was taken for a header")
	}
}

func FuzzDecodeItems(f *testing.F) {
	f.Add([]byte(`{"items":[` + minimal(`,"author":"x"`) + `,{}]}`))
	f.Add([]byte(minimal(`,"text":"<b>&amp;amp;\u202e","rating":"3","engagement":{"views":1}`)))
	f.Add([]byte(`[{"id":1e999,"metric":{"name":"a","value":"-0"},"count":"2"}]`))
	f.Add([]byte(`[[[[[[["\\\""]]]]]]]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		opt := defaults
		opt.MaxItems = 100
		ms, rejected, err := sources.DecodeItems(body, opt)
		if err != nil && len(ms)+len(rejected) > 0 {
			t.Error("items beside an error for the whole")
		}
		for i, at := range sources.BodyIndexes(len(ms), rejected) {
			if at < i || at >= len(ms)+len(rejected) {
				t.Errorf("mention %d of %d (%d rejected) was at %d", i, len(ms), len(rejected), at)
			}
		}
		for _, m := range ms {
			checkNormal(t, m)
		}
	})
}

func BenchmarkDecodeMention(b *testing.B) {
	line := []byte(`{"v":1,"id":"fb:1001","source":"import","kind":"comment","brand":"fjellbryg","author":{"id":"u-17","name":"Maja L."},` +
		`"text":"My machine arrived with a cracked water tank. Third day without coffee, no answer from support.","lang":"en",` +
		`"created_at":"2026-11-16T07:42:10Z","url":"https://example.com/p/1001","rating":null,"engagement":{"likes":4,"shares":0,"replies":1}}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := sources.DecodeMention(line, defaults); err != nil {
			b.Fatal(err)
		}
	}
}
