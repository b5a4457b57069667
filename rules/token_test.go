package rules

import (
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

// pieces writes tokens as kind:folded, to be read at a glance.
func pieces(d *Doc) string {
	var out []string
	for i, t := range d.Tokens {
		out = append(out, t.Kind.String()+":"+d.FoldedString(i))
	}
	return strings.Join(out, " ")
}

func TestTokenize(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"I can't e-mail you!!!", "word:i word:can't word:e punct:- word:mail word:you punct:!!!"},
		{"I can’t", "word:i word:can't"},
		{"'quoted' dogs' ", "punct:' word:quoted punct:' word:dogs punct:'"},
		{"3.50 € at 10:30, 2nd time.", "number:3.50 punct:€ word:at number:10:30 punct:, word:2nd word:time punct:."},
		{"#FjellBryg_2 # 1 #1", "hashtag:fjellbryg_2 punct:# number:1 punct:# number:1"},
		{"@Fjell.bryg. hi @a@b.example, me@host.example", "handle:fjell.bryg punct:. word:hi handle:a@b.example punct:, word:me punct:@ word:host punct:. word:example"},
		{"see https://x.example/a?b=1. or www.y.example)", "word:see link:https://x.example/a?b=1 punct:. word:or link:www.y.example punct:)"},
		{"👍🏽👩‍👩‍👧❤️🇸🇪🇳🇴 1️⃣", "emoji:👍 emoji:👩👩👧 emoji:❤ emoji:🇸🇪 emoji:🇳🇴 emoji:1⃣"},
		{"ЁЛКА Ждём", "word:елка word:ждем"},
		{"أَنَا مُحَـمَّد إلى مدرسة ۱۲٣", "word:انا word:محمد word:الي word:مدرسه number:123"},
		{"کتاب یک", "word:كتاب word:يك"},
		{"Ｈｅｌｌｏ 𝐒𝐜𝐚𝐦 ﬁne", "word:hello word:scam word:fine"},
		{"sc\u200bam s\u00adcam", "word:scam word:scam"},
		{"壊れた", "word:壊 word:れ word:た"},
		{"ไม่ดี", "word:ไ word:ม่ word:ดี"},
		{"La\u0308cker ёж и\u0306од е\u0308ж", "word:läcker word:еж word:йод word:еж"},
		{"한국어", "word:한국어"},
		{"<URL> <ID> <b>", "link:<url> handle:<id> punct:< word:b punct:>"},
		{"a\xffb", "word:a word:b"},
		{"İstanbul STRASSE ẞ", "word:istanbul word:strasse word:ß"},
		{"", ""},
	} {
		if got := pieces(Tokenize(c.text)); got != c.want {
			t.Errorf("Tokenize(%q)\n got %s\nwant %s", c.text, got, c.want)
		}
	}
}

func TestTokenizeSentences(t *testing.T) {
	d := Tokenize("Not bad, really. Version 3.5 e.g. broke!\nHelp")
	got := map[string][2]int{}
	for i, tok := range d.Tokens {
		if tok.Kind == Word {
			got[d.FoldedString(i)] = [2]int{tok.Sentence, tok.Clause}
		}
	}
	want := map[string][2]int{"not": {0, 0}, "bad": {0, 0}, "really": {0, 1}, "version": {1, 2}, "e": {1, 2}, "g": {1, 2}, "broke": {2, 3}, "help": {3, 4}}
	for w, at := range want {
		if got[w] != at {
			t.Errorf("%s is in sentence and clause %v, want %v", w, got[w], at)
		}
	}
}

func TestTokenUpper(t *testing.T) {
	d := Tokenize("WORST I ever НИКОГДА")
	for i, want := range []bool{true, false, false, true} {
		if d.Tokens[i].Upper != want {
			t.Errorf("%q: Upper = %t", d.Raw(i), !want)
		}
	}
}

// What people cannot see or do not mean must not change the words.
func TestFoldedFormsAreInvariant(t *testing.T) {
	for _, c := range []struct{ name, a, b string }{
		{"case", "Fjellbryg läcker", "FJELLBRYG LÄCKER"},
		{"cyrillic case", "БАК ПРОТЕКАЕТ", "бак протекает"},
		{"normal form", norm.NFC.String("läcker йод"), norm.NFD.String("läcker йод")},
		{"arabic normal form", norm.NFC.String("أخطاء آلة"), norm.NFD.String("أخطاء آلة")},
		{"tashkeel", "خطير جدا", "خَطِيرٌ جِدًّا"},
		{"tatweel", "خطير", "خطـــير"},
		{"quotes", "can't", "can’t"},
		{"skin", "👍", "👍🏿"},
		{"variation", "❤", "❤️"},
	} {
		if a, b := pieces(Tokenize(c.a)), pieces(Tokenize(c.b)); a != b {
			t.Errorf("%s: %s is not %s", c.name, a, b)
		}
		if a, b := Fold(c.a), Fold(c.b); a != b {
			t.Errorf("%s: Fold gives %q and %q", c.name, a, b)
		}
	}
}

// checkDoc tells what every Doc holds.
func checkDoc(t interface{ Errorf(string, ...any) }, d *Doc) {
	end, sentence, clause := 0, 0, 0
	covered := make([]bool, len(d.Text))
	for i, tok := range d.Tokens {
		if tok.Start < end || tok.End <= tok.Start || tok.End > len(d.Text) {
			t.Errorf("token %d at %d..%d after %d of %d bytes", i, tok.Start, tok.End, end, len(d.Text))
			return
		}
		if tok.Sentence < sentence || tok.Clause < clause || tok.Sentence > tok.Clause {
			t.Errorf("token %d: sentence %d, clause %d after %d, %d", i, tok.Sentence, tok.Clause, sentence, clause)
		}
		end, sentence, clause = tok.End, tok.Sentence, tok.Clause
		for j := tok.Start; j < tok.End; j++ {
			covered[j] = true
		}
		if !utf8.Valid(d.Folded(i)) {
			t.Errorf("token %d: folded form %q is no UTF-8", i, d.Folded(i))
		}
	}
	for i, r := range d.Text {
		if (unicode.IsLetter(r) || unicode.IsDigit(r)) && !covered[i] {
			t.Errorf("no token covers %q at byte %d", r, i)
			return
		}
	}
}

func TestTokenizeProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(
			rapid.String(),
			rapid.StringMatching(`([a-zа-яёأ-ي#@'.:/0-9 !?👍🏽❤️\x{200d}\x{fe0f}\x{301}]{0,40})`),
		).Draw(t, "text")
		d := Tokenize("something else, before")
		d.Reset(text)
		checkDoc(t, d)
		if got, want := pieces(d), pieces(Tokenize(text)); got != want {
			t.Errorf("Reset gives %s, Tokenize gives %s", got, want)
		}
	})
}

func FuzzTokenize(f *testing.F) {
	for _, s := range []string{"can't #a @b.c@d 3.5 http://x.y", "1️⃣👩‍👩‍👧🇸🇪", "أَنَا مُحَـمَّد", "\xff\xfe#\xf0", "е\u0308\u200d", "ﷺ ①"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { checkDoc(t, Tokenize(s)) })
}

func TestTokenizeTakesLinearTime(t *testing.T) {
	for _, unit := range []string{"!", "@", "#", "a\u200b", "@a.", "1.", "www.", "http://", "\u0301", "👩\u200d", "'", "a'", "<"} {
		text := strings.Repeat(unit, 1<<20/len(unit))
		start := time.Now()
		Tokenize(text)
		if took := time.Since(start); took > 3*time.Second {
			t.Errorf("1 MB of %q takes %s", unit, took)
		}
	}
}

func TestResetAllocatesNothing(t *testing.T) {
	texts := []string{"Still waiting, 3 weeks! @Fjellbryg #fail 👍🏽", "бак протекает, الخَزّان يُسرِّب"}
	var d Doc
	n := testing.AllocsPerRun(100, func() {
		for _, s := range texts {
			d.Reset(s)
		}
	})
	if n > 0 {
		t.Errorf("Reset allocates %v times", n)
	}
}

func BenchmarkTokenize(b *testing.B) {
	for name, text := range map[string]string{
		"latin":    "Still waiting for my refund after three weeks, the third call and nobody answers @fjellbryg #fail 😡",
		"cyrillic": "Жду возврат денег уже третью неделю, звонил три раза, никто не отвечает @fjellbryg #fail 😡",
		"arabic":   "ما زلت أنتظر استرداد المبلغ منذ ثلاثة أسابيع ولا أحد يرد على اتصالاتي @fjellbryg #fail 😡",
	} {
		b.Run(name, func(b *testing.B) {
			var d Doc
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				d.Reset(text)
			}
		})
	}
}
