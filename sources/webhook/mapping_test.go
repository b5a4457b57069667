package webhook

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"emberwatch/sources"
)

// mapping makes one from lines of field and place.
func mapping(t testing.TB, each []string, lines ...string) *Mapping {
	t.Helper()
	var fields []Field
	for i := 0; i < len(lines); i += 2 {
		fields = append(fields, Field{lines[i], strings.Fields(lines[i+1])})
	}
	m, err := NewMapping(each, fields)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

var options = sources.DecodeOptions{Source: "desk", Arrived: now, MaxItems: 100}

func at(hour, minute, second int) time.Time {
	return time.Date(2026, 11, 16, hour, minute, second, 0, time.UTC)
}

// TestRecipes tries what README says about three senders on bodies of their shape.
func TestRecipes(t *testing.T) {
	intercom := mapping(t, []string{"/data/item"},
		"id", "/conversation_parts/conversation_parts/0/id /source/id",
		"text", "/conversation_parts/conversation_parts/0/body /source/body",
		"created_at", "/conversation_parts/conversation_parts/0/created_at /created_at",
		"author.id", "/conversation_parts/conversation_parts/0/author/id /source/author/id",
		"root_id", "/id", "kind", "=dm", "network", "=intercom")
	for name, tt := range map[string]struct {
		file     string
		m        *Mapping
		want     []sources.Mention
		rejected []int
	}{
		"Zendesk": {
			"zendesk_ticket_created.json", mapping(t, nil,
				"id", "/detail/id", "title", "/detail/subject", "text", "/detail/description", "created_at", "/detail/created_at",
				"author.id", "/detail/requester_id", "kind", "=dm", "network", "=zendesk"),
			[]sources.Mention{{
				ID: "35436", Network: "zendesk", Kind: sources.DM, Visibility: sources.Private, Author: sources.Author{ID: "8447388090001"},
				Title: "No plug & no answer", Text: "The heater was delivered without its plug. I have asked for a new one twice.", CreatedAt: at(8, 12, 7),
			}},
			nil,
		},
		"Intercom, a new conversation": {"intercom_created.json", intercom, []sources.Mention{{
			ID: "2340001", RootID: "215470001", Network: "intercom", Kind: sources.DM, Visibility: sources.Private,
			Author: sources.Author{ID: "5310d8e7598c9a0b24000002"}, Text: "Three weeks and still no refund.\nIs anybody there?", CreatedAt: at(8, 12, 7),
		}}, nil},
		"Intercom, a reply": {"intercom_replied.json", intercom, []sources.Mention{{
			ID: "990001", RootID: "215470001", Network: "intercom", Kind: sources.DM, Visibility: sources.Private,
			Author: sources.Author{ID: "5310d8e7598c9a0b24000002"}, Text: "Hello?", CreatedAt: at(9, 12, 20),
		}}, nil},
		"Trustpilot": {
			"trustpilot.json", mapping(t, []string{"/events"},
				"id", "/eventData/id", "title", "/eventData/title", "text", "/eventData/text", "rating", "/eventData/stars", "lang", "/eventData/language",
				"created_at", "/eventData/createdAt", "author.id", "/eventData/consumer/id", "author.name", "/eventData/consumer/name",
				"kind", "=review", "network", "=trustpilot"),
			[]sources.Mention{
				{
					ID: "6919a4c10000640002975001", Network: "trustpilot", Kind: sources.Review, Visibility: sources.Public, Lang: "sv", Rating: 1,
					Author: sources.Author{ID: "53bffc3900006400017e5001", Name: "Elsa"}, Title: "Aldrig mer", Text: "Paketet kom trasigt och ingen svarar.", CreatedAt: at(9, 34, 44),
				},
				{
					ID: "6919a4c10000640002975002", Network: "trustpilot", Kind: sources.Review, Visibility: sources.Public, Lang: "en", Rating: 5,
					Author: sources.Author{ID: "53bffc3900006400017e5002", Name: "Tom"}, Title: "Great service", Text: "Warm within minutes.", CreatedAt: at(9, 40, 0),
				},
			},
			[]int{1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			body, err := os.ReadFile(filepath.Join("testdata", tt.file))
			if err != nil {
				t.Fatal(err)
			}
			ms, rejected, err := tt.m.decode(body, options)
			if err != nil {
				t.Fatal(err)
			}
			for i := range tt.want {
				tt.want[i].V, tt.want[i].Source, tt.want[i].Op = 1, "desk", sources.Create
			}
			if diff := cmp.Diff(tt.want, ms); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			var at []int
			for _, r := range rejected {
				at = append(at, r.Index)
			}
			if diff := cmp.Diff(tt.rejected, at); diff != "" {
				t.Errorf("rejected: %v", rejected)
			}
		})
	}
}

// TestMapping reads ids, parents and texts out of bodies of all shapes.
func TestMapping(t *testing.T) {
	for name, tt := range map[string]struct {
		each  []string
		lines []string
		body  string
		want  string // id/parent/text of each, or the error of each rejected one
	}{
		"the body is the item":        {nil, []string{"id", "/a"}, `{"a":"1"}`, "1//x"},
		"a list":                      {[]string{"/items"}, []string{"id", "/a"}, `{"items":[{"a":1},{"a":2}]}`, "1//x 2//x"},
		"one that should be a list":   {[]string{"/items"}, []string{"id", "/a"}, `{"items":{"a":1}}`, "1//x"},
		"no list":                     {[]string{"/items"}, []string{"id", "/a"}, `{}`, "!no item stands where each leads to"},
		"an empty list":               {[]string{"/items"}, []string{"id", "/a"}, `{"items":[]}`, "!no item stands where each leads to"},
		"a list in a list":            {[]string{"/a", "/b"}, []string{"id", "/i", "parent_id", "^/i", "text", "^^/t"}, `{"t":"T","a":[{"i":1,"b":[{"i":2},{"i":3}]},{"i":4},{"i":5,"b":[{"i":6}]}]}`, "2/1/T 3/1/T 6/5/T"},
		"names with slash and tilde":  {nil, []string{"id", "/a~1b/~0c/"}, `{"a/b":{"~c":{"":"7"}}}`, "7//x"},
		"a place in a list":           {nil, []string{"id", "/a/1"}, `{"a":[1,2]}`, "2//x"},
		"no place in a list":          {nil, []string{"id", "/a/01"}, `{"a":[1,2]}`, "!id: missing"},
		"behind the end of a list":    {nil, []string{"id", "/a/2"}, `{"a":[1,2]}`, "!id: missing"},
		"the first that is there":     {nil, []string{"id", "/a /b /c =d"}, `{"a":null,"b":" ","c":"9"}`, "9//x"},
		"else what it is":             {nil, []string{"id", "/a =d"}, `{}`, "d//x"},
		"an object for a text":        {nil, []string{"id", "/a"}, `{"a":{}}`, "!id: an object stands there; point to a value in it"},
		"a list for a text":           {nil, []string{"id", "/a"}, `{"a":[1]}`, "!id: a list stands there; point to one of its elements, such as …/0"},
		"a number as it is written":   {nil, []string{"id", "/a"}, `{"a":12345678901234567890}`, "12345678901234567890//x"},
		"items that are no objects":   {[]string{"/a"}, []string{"id", "/b"}, `{"a":[null,7,{"b":1},"x"]}`, "!id: missing !id: missing 1//x !id: missing"},
		"a bad item stops no good":    {[]string{"/a"}, []string{"id", "/b", "rating", "/r"}, `{"a":[{"b":1,"r":9},{"b":2,"r":"4"}]}`, "!rating: 9 is outside 1 to 5; convert other scales to five points, and leave it out where there is none 2//x"},
		"the body begins with a mark": {nil, []string{"id", "/a"}, "\ufeff" + `{"a":"1"}`, "1//x"},
	} {
		t.Run(name, func(t *testing.T) {
			lines := append([]string{"created_at", "=2026-11-16T07:00:00Z"}, tt.lines...)
			if !strings.Contains(strings.Join(tt.lines, " "), "text") {
				lines = append(lines, "text", "=x")
			}
			ms, rejected, err := mapping(t, tt.each, lines...).decode([]byte(tt.body), options)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for i := 0; len(ms)+len(rejected) > 0; i++ {
				if len(rejected) > 0 && rejected[0].Index == i {
					got, rejected = append(got, "!"+rejected[0].Error), rejected[1:]
					continue
				}
				got, ms = append(got, ms[0].ID+"/"+ms[0].ParentID+"/"+ms[0].Text), ms[1:]
			}
			if s := strings.Join(got, " "); s != tt.want {
				t.Errorf("got %s, want %s", s, tt.want)
			}
		})
	}
}

func TestTimesOfMapping(t *testing.T) {
	for written, want := range map[string]string{
		"1794816727": "2026-11-16T08:12:07Z", "1794816727.25": "2026-11-16T08:12:07.25Z", "1794816727250": "2026-11-16T08:12:07.25Z", " 0 ": "1970-01-01T00:00:00Z",
		"2026-11-16T08:12:07Z": "2026-11-16T08:12:07Z", "1e15": "1e15", "NaN": "NaN", "soon": "soon", "": "", "-Inf": "-Inf",
	} {
		if got := unixTime(written); got != want {
			t.Errorf("%q: %q, want %q", written, got, want)
		}
	}
}

func TestBodiesThatCannotBeMapped(t *testing.T) {
	m := mapping(t, []string{"/a"}, "id", "/i", "created_at", "=2026-11-16T07:00:00Z", "text", "^/t")
	many := `{"a":[` + strings.Repeat(`{"i":1},`, 100) + `{"i":1}]}`
	greedy := `{"t":"` + strings.Repeat("x", 200_000) + `","a":[` + strings.Repeat(`{"i":1},`, 50) + `{"i":1}]}`
	for name, body := range map[string]string{
		"no JSON": "hello", "nothing": "", "two values": `{} {}`, "cut off": `{"a":[`, "deep": strings.Repeat("[", 1000), "too many": many, "greedy": greedy,
	} {
		if _, _, err := m.decode([]byte(body), options); err == nil || errors.Is(err, sources.ErrTooManyItems) != (name == "too many") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNewMapping(t *testing.T) {
	for want, tt := range map[string]struct {
		each   []string
		fields []Field
	}{
		"id is missing":                   {nil, []Field{{"created_at", []string{"/t"}}}},
		"created_at is missing":           {nil, []Field{{"id", []string{"/i"}}}},
		`"review" is no field`:            {nil, []Field{{"review", []string{"/i"}}}},
		`text: "review/text": write a`:    {nil, []Field{{"text", []string{"/ok", "review/text"}}}},
		`text: "": write a`:               {nil, []Field{{"text", []string{""}}}},
		`text: empty`:                     {nil, []Field{{"text", nil}}},
		`text: "/a~2": write a`:           {nil, []Field{{"text", []string{"/a~2"}}}},
		"it goes 2 steps out, and each":   {[]string{"/a"}, []Field{{"text", []string{"^^/a"}}}},
		"text stands there twice":         {nil, []Field{{"text", []string{"/a"}}, {"text", []string{"/b"}}}},
		`each: "items": a JSON Pointer`:   {[]string{"items"}, nil},
		`each: "": empty; leave`:          {[]string{""}, nil},
		`each: "/~": in a JSON Pointer ~`: {[]string{"/~"}, nil},
	} {
		if _, err := NewMapping(tt.each, tt.fields); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

func TestHookWithMapping(t *testing.T) {
	in := &intake{taken: sources.Taken{Accepted: 1, Rejected: []sources.Rejected{{Index: 0, Error: "brand: too many"}}}}
	h := running(t, Options{
		Name: "desk", AllowUnsigned: true, Brand: "nordhavn", Timezone: time.FixedZone("", 3600),
		Map: mapping(t, []string{"/events"}, "id", "/id", "text", "/text", "created_at", "/at"),
	}, in.emit)
	body := `{"events":[{"id":1},{"id":2,"text":"x","at":"2026-11-16T07:00:00"}]}`
	w := post(h, body, "Content-Type", "application/x-ndjson")
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"rejected":[{"index":0,"error":"created_at: missing"},{"index":1,"error":"brand: too many"}]`) {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	b := in.batches[0]
	if m := b.Mentions[0]; b.Source != "desk" || m.Source != "desk" || m.Brand != "nordhavn" || !m.CreatedAt.Equal(at(6, 0, 0)) || b.Rejected.Count != 1 {
		t.Errorf("%+v", b)
	}
	if w := post(h, "{"); w.Code != http.StatusBadRequest {
		t.Errorf("broken: %d", w.Code)
	}
	if w := post(h, `{"events":[`+strings.Repeat("0,", 10_000)+`0]}`); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("too many: %d", w.Code)
	}
}

func FuzzMapping(f *testing.F) {
	for _, name := range []string{"zendesk_ticket_created.json", "intercom_replied.json", "trustpilot.json"} {
		body, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body, "/events", "/eventData/id")
	}
	f.Add([]byte(`{"a":[{"i":{"~/":[1,2]}}]}`), "/a", "/i/~0~1/1")
	f.Fuzz(func(t *testing.T, body []byte, each, path string) {
		m, err := NewMapping([]string{each}, []Field{{"id", []string{path, "=x"}}, {"created_at", []string{"/at", "=1794816727"}}, {"text", []string{"^" + path, "=x"}}})
		if err != nil {
			return
		}
		ms, rejected, err := m.decode(body, options)
		if err != nil {
			return
		}
		if len(ms)+len(rejected) == 0 || len(ms)+len(rejected) > options.MaxItems {
			t.Errorf("%d mentions and %d rejected", len(ms), len(rejected))
		}
		for _, one := range ms {
			again := one
			if err := sources.Normalize(&again, now); err != nil {
				t.Errorf("%v", err)
			}
			if diff := cmp.Diff(one, again); diff != "" {
				t.Errorf("not normalised:\n%s", diff)
			}
		}
	})
}

func FuzzPointer(f *testing.F) {
	for _, s := range []string{"", "/", "/a/0", "/~0~1", "/a~", "x", "/01/-"} {
		f.Add(s, []byte(`{"a":[1,{"":2}]}`))
	}
	f.Fuzz(func(t *testing.T, s string, doc []byte) {
		p, err := parsePointer(s)
		if err != nil {
			return
		}
		var v any
		if json.Unmarshal(doc, &v) != nil {
			return
		}
		if _, ok := p.find(v); !ok && len(p) == 0 {
			t.Error("the whole is always there")
		}
	})
}
