package jsonl

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"pgregory.net/rapid"

	"emberwatch/sources"
)

// result is what Read saw, as lines "number: id" and "number! error".
func result(t testing.TB, r io.Reader, opt Options) ([]string, Stats) {
	t.Helper()
	var seen []string
	opt.Report = func(file string, line int, err error) { seen = append(seen, fmt.Sprintf("%s:%d! %v", file, line, err)) }
	stats, err := Read(r, "in", opt, func(line int, m sources.Mention) error {
		seen = append(seen, fmt.Sprintf("%d: %s", line, m.ID))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return seen, stats
}

func item(id string) string {
	return fmt.Sprintf(`{"id":%q,"text":"x","created_at":"2026-11-16T07:00:00Z"}`, id)
}

func TestReadFormats(t *testing.T) {
	const header = "id,created_at,text\n"
	const at = "2026-11-16T07:00:00Z"
	tests := map[string]struct {
		in   string
		want []string
	}{
		"empty":           {"", nil},
		"NDJSON":          {item("a") + "\n" + item("b") + "\n", []string{"1: a", "2: b"}},
		"no last newline": {item("a") + "\n" + item("b"), []string{"1: a", "2: b"}},
		"CRLF and blanks": {"\r\n" + item("a") + "\r\n \r\n" + item("b") + "\r\n", []string{"2: a", "4: b"}},
		"byte order mark": {"\ufeff" + item("a") + "\n", []string{"1: a"}},
		"bad lines": {item("a") + "\n{\"id\":\nnonsense\n" + item("b") + "\n{}\n", []string{
			"1: a", "in:2! broken JSON at byte 6", "in:3! not a JSON object", "4: b", "in:5! id: missing",
		}},
		"bad first line": {"nonsense\n" + item("a"), []string{"in:1! not a JSON object", "2: a"}},
		"a JSON list":    {"[\n" + item("a") + "\n]", []string{"in:1! a JSON list: one object a line is expected", "2: a", "in:3! not a JSON object"}},

		"CSV":              {header + "a," + at + ",x\nb," + at + ",y\n", []string{"2: a", "3: b"}},
		"CSV, BOM":         {"\ufeff" + header + "a," + at + ",x\n", []string{"2: a"}},
		"CSV, semicolons":  {"id;created_at;text\na;" + at + ";x, y, z\n", []string{"2: a"}},
		"CSV, tabs":        {"id\tcreated_at\ttext\na\t" + at + "\tx; y, z\n", []string{"2: a"}},
		"CSV, quotes":      {header + "a," + at + ",\"say \"\"no\"\", please\nand thank you\"\r\nb," + at + ",5\" wide\n", []string{"2: a", "4: b"}},
		"CSV, header only": {header, nil},
		"CSV, bad rows": {header + "a,yesterday,x\nb\nc," + at + ",x,y\nd," + at + ",x\n", []string{
			"in:2! created_at: not a time; write it like 2026-11-16T07:42:10Z",
			"in:3! a single cell: the row is cut off or not separated like the header",
			"in:4! 4 cells under a header of 3: quote what holds a separator", "5: d",
		}},
		"CSV, last row of two lines without its newline": {header + "a," + at + ",\"x\ny\"", []string{"2: a"}},
		"CSV, and with a cell after it":                  {"id,text,created_at\na,\"x\ny\"," + at, []string{"2: a"}},
		"CSV, quote left open": {header + "a," + at + ",\"x\nb," + at + ",y\nc," + at + ",z\n", []string{
			"in:2! a quote that is opened here is not closed", "3: b", "4: c",
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for kind, r := range map[string]io.Reader{
				"at once": strings.NewReader(tt.in), "byte by byte": iotest.OneByteReader(strings.NewReader(tt.in)),
				"with early EOF": iotest.DataErrReader(strings.NewReader(tt.in)), "gzip": bytes.NewReader(gzipped(tt.in)), "zstd": bytes.NewReader(zstded(tt.in)),
			} {
				got, stats := result(t, r, Options{})
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", kind, diff)
				}
				if stats.Mentions+stats.Rejected != len(got) {
					t.Errorf("%s: stats %+v for %d lines", kind, stats, len(got))
				}
			}
		})
	}
}

func gzipped(s string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, s)
	z.Close()
	return b.Bytes()
}

func zstded(s string) []byte {
	z, _ := zstd.NewWriter(nil)
	defer z.Close()
	return z.EncodeAll([]byte(s), nil)
}

func TestReadCSVFields(t *testing.T) {
	in := "id;created_at;author;followers;rating;text;likes\n" +
		"r1;2026-11-15 18:20:00;Maja L.;120;2;\"Gerät gut, \"\"Service\"\" nicht;\r\nleider\";3\n"
	zone := time.FixedZone("", 3600)
	var got sources.Mention
	_, err := Read(strings.NewReader(in), "in", Options{Name: "past", Brand: "fjellbryg", Timezone: zone}, func(_ int, m sources.Mention) error { got = m; return nil })
	if err != nil {
		t.Fatal(err)
	}
	want := sources.Mention{
		V: 1, ID: "r1", Source: "past", Kind: sources.Review, Op: sources.Create, Brand: "fjellbryg", Visibility: sources.Public,
		Author: sources.Author{Handle: "Maja L.", Followers: 120}, Rating: 2, Text: "Gerät gut, \"Service\" nicht;\nleider",
		CreatedAt: time.Date(2026, 11, 15, 17, 20, 0, 0, time.UTC), Engagement: sources.Engagement{Likes: 3},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestLongLinesAreSkipped(t *testing.T) {
	huge := `{"id":"` + strings.Repeat("x", 5<<20) + `"}`
	got, _ := result(t, strings.NewReader(item("a")+"\n"+huge+"\n"+item("b")+"\n"+huge), Options{})
	want := []string{"1: a", "in:2! longer than 1 MiB, skipped", "3: b", "in:4! longer than 1 MiB, skipped"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestMemoryIsBoundedByALine(t *testing.T) {
	endless := io.LimitReader(letters{}, 64<<20)
	s := newSplitter(endless, false)
	if _, _, err := s.next(); !errors.Is(err, errTooLong) {
		t.Errorf("got %v", err)
	}
	if cap(s.buf) > 4<<20 {
		t.Errorf("the buffer grew to %d MiB", cap(s.buf)>>20)
	}
}

type letters struct{}

func (letters) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'x'
	}
	return len(b), nil
}

func TestStrayQuoteCostsOneLine(t *testing.T) {
	var in strings.Builder
	in.WriteString("id,created_at,text\nbad,2026-11-16T07:00:00Z,\"never closed\n")
	for i := range 20_000 {
		fmt.Fprintf(&in, "%d,2026-11-16T07:00:00Z,x\n", i)
	}
	got, stats := result(t, strings.NewReader(in.String()), Options{})
	if stats.Mentions != 20_000 || stats.Rejected != 1 || got[0] != "in:2! a quote that is opened here is not closed" {
		t.Errorf("%+v, first %s", stats, got[0])
	}
}

// rows cuts CSV as the splitter should, looking through each row anew.
func rows(data []byte, maxRow int) (out []string) {
	for len(data) > 0 {
		first := bytes.IndexByte(data, '\n') + 1
		c := cell{start: true}
		at, ended := c.read(data, 0, max(maxRow, first), ',')
		switch {
		case first == 0 || !ended && at < maxRow && !(c.quoted && at == len(data)): // the last row, without a new line
			return append(out, string(trimEOL(data)))
		case ended:
			out = append(out, string(trimEOL(data[:at])))
		default:
			at = first
			out = append(out, "! "+string(trimEOL(data[:at])))
		}
		data = data[at:]
	}
	return out
}

func TestRowsAreCutAlikeHoweverTheyAreLookedFor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := []byte(rapid.StringOfN(rapid.RuneFrom([]rune("\"\"\"\n\n,,a\r")), 0, 60, -1).Draw(t, "in"))
		limit := rapid.IntRange(1, 20).Draw(t, "limit")
		for kind, r := range map[string]io.Reader{"at once": bytes.NewReader(in), "byte by byte": iotest.OneByteReader(bytes.NewReader(in))} {
			s := newSplitter(r, false)
			s.delim, s.maxRow = ',', limit
			var got []string
			for {
				record, _, err := s.next()
				if err == io.EOF {
					break
				}
				mark := ""
				if errors.Is(err, errUnclosed) {
					mark = "! "
				}
				got = append(got, mark+string(record))
			}
			if diff := cmp.Diff(rows(in, limit), got); diff != "" {
				t.Fatalf("%s (-want +got):\n%s", kind, diff)
			}
		}
	})
}

// BenchmarkStrayQuotes reads lines each of which leaves a quote open. The cost of a byte must not grow with their
// number.
func BenchmarkStrayQuotes(b *testing.B) {
	for _, size := range []int{15 << 10, 60 << 10, 960 << 10} {
		b.Run(fmt.Sprintf("%dk", size>>10), func(b *testing.B) {
			in := "id,created_at,text\n" + strings.Repeat("\"x\n", size/3)
			b.SetBytes(int64(len(in)))
			for b.Loop() {
				stats, err := Read(strings.NewReader(in), "in", Options{}, func(int, sources.Mention) error { return nil })
				if err != nil || stats.Rejected != size/3 {
					b.Fatal(stats, err)
				}
			}
		})
	}
}

func TestUnreadableFiles(t *testing.T) {
	whole := gzipped(item("a") + "\n" + strings.Repeat(item("b")+"\n", 5000))
	for name, in := range map[string][]byte{
		"UTF-16": []byte("\xff\xfei\x00d\x00"), "a spreadsheet": []byte("PK\x03\x04xxxx"),
		"cut-off gzip": whole[:len(whole)-20], "gzip of nothing": {0x1f, 0x8b, 1, 2}, "cut-off zstd": zstded(strings.Repeat(item("a"), 99))[:30],
	} {
		if _, err := Read(bytes.NewReader(in), "in", Options{}, func(int, sources.Mention) error { return nil }); err == nil || !strings.HasPrefix(err.Error(), "in: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReadStopsWithItsCaller(t *testing.T) {
	stop := errors.New("enough")
	n := 0
	stats, err := Read(strings.NewReader(item("a")+"\n"+item("b")+"\n"), "in", Options{}, func(int, sources.Mention) error { n++; return stop })
	if err != stop || n != 1 || stats.Mentions != 1 {
		t.Errorf("got %v after %d, %+v", err, n, stats)
	}
}

func TestReadBare(t *testing.T) {
	var texts []string
	_, err := Read(strings.NewReader("{\"text\":\"one\"}\n{\"text\":\"two\",\"rating\":1}\n"), "in", Options{Bare: true},
		func(_ int, m sources.Mention) error { texts = append(texts, m.Text); return nil })
	if err != nil || strings.Join(texts, " ") != "one two" {
		t.Errorf("got %v, %v", texts, err)
	}
}

// FuzzRead holds that whatever comes in, each line is told once, in order, and the same however it arrives.
func FuzzRead(f *testing.F) {
	f.Add([]byte(item("a") + "\n" + item("b")))
	f.Add([]byte("id;text\r\n1;\"a\nb\"\r\n\"2\";\"\"\"\n"))
	f.Add([]byte("text\n\"\n\"\n\"x"))
	f.Add([]byte("\ufeff\"id\"\ttext\n\x00\"\t\"\"\n"))
	f.Add(gzipped("id,text\n1,2"))
	f.Add(zstded(item("a")))
	f.Fuzz(func(t *testing.T, in []byte) {
		at, lines := 0, bytes.Count(in, []byte{'\n'})+1
		packed := bytes.HasPrefix(in, gzipMagic) || bytes.HasPrefix(in, zstdMagic)
		told := func(line int) {
			if line <= at || line > lines && !packed {
				t.Fatalf("line %d of %d after %d", line, lines, at)
			}
			at = line
		}
		opt := Options{Bare: true, Report: func(_ string, line int, _ error) { told(line) }}
		if _, err := Read(bytes.NewReader(in), "in", opt, func(line int, _ sources.Mention) error { told(line); return nil }); err != nil {
			return
		}
		whole, _ := result(t, bytes.NewReader(in), Options{Bare: true})
		slow, _ := result(t, iotest.OneByteReader(bytes.NewReader(in)), Options{Bare: true})
		if diff := cmp.Diff(whole, slow); diff != "" {
			t.Errorf("byte by byte it reads otherwise:\n%s", diff)
		}
	})
}

// FuzzRows holds that what a CSV writer writes comes back cell by cell.
func FuzzRows(f *testing.F) {
	f.Add("a", "say \"no\", please\nand thanks", "")
	f.Add("\"", "\r\n\n", " x ")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		var out bytes.Buffer
		w := csv.NewWriter(&out)
		for range 2 {
			if err := w.Write([]string{"1" + a, b, c}); err != nil {
				t.Skip()
			}
		}
		w.Flush()
		if out.Len() > maxRow {
			t.Skip()
		}
		want, err := csv.NewReader(bytes.NewReader(out.Bytes())).ReadAll()
		if err != nil {
			t.Skip()
		}
		d := newDecoder(strings.NewReader("id,title,text\n"+out.String()), Options{}, nil)
		if err := d.sniff(); err != nil {
			t.Fatal(err)
		}
		for i := range want {
			record, _, err := d.split.next()
			if err != nil {
				t.Fatal(err)
			}
			got, err := d.parseRow(record)
			if diff := cmp.Diff(want[i], got); diff != "" || err != nil {
				t.Errorf("row %d: %v\n%s", i, err, diff)
			}
		}
	})
}

func BenchmarkRead(b *testing.B) {
	in := []byte(strings.Repeat(item("abc")+"\n", 10_000))
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		if _, err := Read(bytes.NewReader(in), "in", Options{}, func(int, sources.Mention) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
