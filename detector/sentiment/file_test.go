package sentiment_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"emberwatch/detector"
	"emberwatch/detector/sentiment"
	"emberwatch/rules"
)

// file is a small model as it stands in a file.
func file(t testing.TB) []byte {
	table, _ := sentiment.NewTable(8, []sentiment.Weighted{{Hash: 0x12345678, Negative: 1, Positive: -1, Count: 3}})
	langs := sentiment.NewLanguages(make([]float32, sentiment.LanguageRow<<sentiment.LanguageBits), []float32{1, 2, 3})
	m := sentiment.Assemble(sentiment.Parts{
		Languages: langs, Table: table, Adjust: map[string]sentiment.Adjustment{"de": {Temperature: 2, Negative: 0.5}},
		Card: sentiment.Card{Name: "tiny", Sources: []string{"made up"}},
	}, sentiment.NewLexicon())
	var b bytes.Buffer
	if err := m.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// sealed puts the right checksum behind b.
func sealed(b []byte) []byte {
	body := b[:len(b)-4]
	return binary.LittleEndian.AppendUint32(bytes.Clone(body), crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
}

func TestFileComesBack(t *testing.T) {
	m, err := sentiment.Read(bytes.NewReader(file(t)))
	if err != nil {
		t.Fatal(err)
	}
	if m.Card.Name != "tiny" || m.Adjust["de"].Temperature != 2 || m.Table.Bits() != 8 {
		t.Errorf("read %+v", m.Parts)
	}
	var again bytes.Buffer
	if err := m.Write(&again); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again.Bytes(), file(t)) {
		t.Error("written again, the file is another one")
	}
}

func TestEmbeddedModelComesBack(t *testing.T) {
	var b bytes.Buffer
	if err := model().Write(&b); err != nil {
		t.Fatal(err)
	}
	if b.Len() > 8<<20 {
		t.Errorf("the embedded model has %d bytes, at most 8 MB", b.Len())
	}
	m, err := sentiment.Read(&b)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range mixed {
		doc := rules.Tokenize(text)
		if got, want := m.Score(doc, detector.About{}), model().Score(doc, detector.About{}); got.P != want.P || got.Lang != want.Lang {
			t.Errorf("%q: %+v, before writing %+v", text, got, want)
		}
	}
}

func TestBadFiles(t *testing.T) {
	good := file(t)
	change := func(f func(b []byte)) []byte {
		b := bytes.Clone(good)
		f(b)
		return b
	}
	for _, c := range []struct {
		name string
		data []byte
		want error
		says string
	}{
		{"empty", nil, sentiment.ErrNoModel, ""},
		{"text", []byte("a text that is no model at all"), sentiment.ErrNoModel, ""},
		{"cut", good[:len(good)-9], sentiment.ErrDamaged, "checksum"},
		{"one bit", change(func(b []byte) { b[len(b)/2] ^= 1 }), sentiment.ErrDamaged, "checksum"},
		{"newer", change(func(b []byte) { b[4] = 9 }), sentiment.ErrNoModel, "version 9"},
		{"header too long", sealed(change(func(b []byte) { b[9] = 0xFF })), sentiment.ErrDamaged, "header"},
		{"no header", sealed(change(func(b []byte) { b[10] = '[' })), sentiment.ErrDamaged, "header"},
		{"tables cut", sealed(append(bytes.Clone(good[:len(good)-40]), 0, 0, 0, 0)), sentiment.ErrDamaged, "tables"},
	} {
		_, err := sentiment.Read(bytes.NewReader(c.data))
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %v that says %q", c.name, err, c.want, c.says)
		}
	}
}

func TestOtherFeaturesAreRefused(t *testing.T) {
	good := file(t)
	at := bytes.Index(good, []byte(`,"bits"`)) - 1 // the last digit of the fingerprint
	b := bytes.Clone(good)
	b[at] = '0' + (b[at]-'0'+1)%10
	if _, err := sentiment.Read(bytes.NewReader(sealed(b))); !errors.Is(err, sentiment.ErrFeatures) {
		t.Errorf("%v, want %v", err, sentiment.ErrFeatures)
	}
}

func TestOpenNamesTheFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x.rsnt")
	if err := os.WriteFile(name, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sentiment.Open(name); err == nil || !strings.Contains(err.Error(), name) {
		t.Errorf("%v, want the name of the file in it", err)
	}
}

func FuzzRead(f *testing.F) {
	good := file(f)
	f.Add(good)
	f.Add(good[:40])
	f.Add([]byte("RSNT\x01\x00\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) >= 4 {
			b = sealed(b) // or hardly anything gets past the checksum
		}
		m, err := sentiment.Read(bytes.NewReader(b))
		if err != nil {
			return
		}
		m.Score(rules.Tokenize("not good at all"), detector.About{})
	})
}
