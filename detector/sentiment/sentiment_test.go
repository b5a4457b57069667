package sentiment_test

import (
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"emberwatch/detector"
	"emberwatch/detector/sentiment"
	"emberwatch/rules"
)

var model = sync.OnceValue(sentiment.New)

func score(text string) detector.Score {
	return model().Score(rules.Tokenize(text), detector.About{Explain: true})
}

func TestLabel(t *testing.T) {
	texts := map[detector.Label][]string{
		detector.Negative: {
			"The update is terrible, it crashes all the time",
			"worst customer service ever, avoid at all costs",
			"My order never arrived and nobody answers. I am really disappointed.",
			"Der Kundendienst ist eine Katastrophe, nie wieder!",
			"Das Paket kam beschädigt an und niemand antwortet, sehr ärgerlich",
			"Ужасный сервис, приложение постоянно вылетает",
			"Очень плохо, никому не советую",
			"خدمة سيئة جدا والاكل بارد",
			"للأسف تجربة فاشلة، لا انصح به",
			"Fruktansvärt dålig service, aldrig mer",
			"Paketet kom aldrig fram och de svarar inte. Så besviken!",
			"Qué vergüenza de servicio, el pedido llegó roto",
			"Una estafa, no lo recomiendo",
			"Service client nul, je suis très déçue",
			"C'est une arnaque, ne marche pas",
			"so angry right now 😡😡",
		},
		detector.Neutral: {
			"The store opens at nine on Monday",
			"Which sizes are there in the blue one?",
			"Der Laden ist am Montag bis 18 Uhr offen",
			"Магазин находится на улице Ленина",
			"Butiken ligger vid torget i Uppsala",
			"La tienda está en la calle Mayor",
			"Wann öffnet die Filiale am Sonntag?",
			"Когда откроется магазин?",
			"När öppnar butiken?",
			"متى يفتح المحل؟",
			"¿Cuándo abre la tienda?",
			"Quand ouvre le magasin ?",
			"Le magasin est dans la rue de Paris",
		},
		detector.Positive: {
			"I love this jacket, best purchase of the year!",
			"Thank you for the quick and friendly help",
			"Super Service, sehr zufrieden, gerne wieder",
			"Ich liebe diese Schuhe, einfach wunderbar",
			"Отличный магазин, спасибо большое!",
			"Очень понравилось, всё на высоте",
			"مطعم رائع جدا والخدمة ممتازة",
			"شكرا لكم، تجربة جميلة",
			"Fantastiskt trevlig personal, rekommenderas varmt!",
			"Jättebra service, mycket nöjd",
			"Excelente servicio, muchas gracias",
			"Me encanta, es precioso ❤",
			"Magnifique, je suis ravie, merci beaucoup",
			"Très bon accueil, équipe sympathique",
		},
	}
	for want, list := range texts {
		for _, text := range list {
			if s := score(text); s.P.Label() != want {
				t.Errorf("%q: %s %.2f (lang %s), want %s; reasons %v", text, s.P.Label(), s.P, s.Lang, want, s.Reasons)
			}
		}
	}
}

func TestNoComplaintIsNoComplaint(t *testing.T) {
	for _, text := range []string{
		"Nothing to complain about, delivery was on time",
		"no complaints here",
		"not bad at all",
		"Es gibt nichts zu meckern",
		"Придраться не к чему",
		"Никаких нареканий, всё пришло вовремя",
		"Inga klagomål från mig",
		"ما في شكوى على المطعم",
		"No tengo nada de qué quejarse",
		"Rien à redire sur la livraison",
		"Aucun problème avec la commande",
		"Je ne suis pas du tout déçu",
		"Never had a problem, can't complain",
		"Ich kann mich nicht beschweren",
		"Жаловаться не на что",
		"Jag kan inte klaga",
		"Nunca me ha fallado, ninguna queja",
		"ما عندي شكوى",
	} {
		if s := score(text); s.P.Negative > 0.3 {
			t.Errorf("%q: P(negative) %.2f, want at most 0.30; reasons %v", text, s.P.Negative, s.Reasons)
		}
	}
}

// TestContext pairs a more negative text with a less negative one.
func TestContext(t *testing.T) {
	for _, c := range []struct{ name, worse, better string }{
		{"negated praise", "the service is not good", "the service is good"},
		{"negated praise, de", "das Essen war nicht gut", "das Essen war gut"},
		{"negator after the verb, de", "die Farbe gefällt mir nicht", "die Farbe gefällt mir"},
		{"negator after the verb, sv", "jag gillar inte färgen", "jag gillar färgen"},
		{"negated praise, ru", "мне не понравилось", "мне понравилось"},
		{"negated praise, ar", "المكان غير جميل", "المكان جميل"},
		{"negated praise, fr", "ce n'est pas beau", "c'est beau"},
		{"negated complaint", "it is bad", "it is not bad"},
		{"negator reaches no further than its clause", "not today, a bad day", "not a bad day"},
		{"intensifier", "a very bad day", "a bad day"},
		{"after but", "the screen is great but the sound is awful", "the sound is awful but the screen is great"},
		{"emoji", "it came today 😡", "it came today"},
		{"emoticon", "it came today :(", "it came today :)"},
		{"nose", "it came today :-(", "it came today :-)"},
		{"bare smile, ru", "посылка пришла(((", "посылка пришла)))"},
		{"hashtag", "the new train #terrible", "the new train #wonderful"},
		{"article written together, ar", "الخدمة السيئة", "الخدمة الممتازة"},
		{"elision, fr", "quelle journée, l'arnaque", "quelle journée, l'amour"},
	} {
		w, b := score(c.worse), score(c.better)
		if w.P.Negative <= b.P.Negative+0.02 {
			t.Errorf("%s: P(negative) of %q is %.2f, of %q %.2f", c.name, c.worse, w.P.Negative, c.better, b.P.Negative)
		}
	}
}

func TestParenthesesAreNoSmile(t *testing.T) {
	with, without := score("the shop (the old one) is closed"), score("the shop the old one is closed")
	if math.Abs(with.P.Negative-without.P.Negative) > 0.05 {
		t.Errorf("with parentheses %v, without %v", with.P, without.P)
	}
}

func TestRating(t *testing.T) {
	for _, c := range []struct {
		text      string
		rating    float64
		low, high float64 // bounds of P(negative)
		label     detector.Label
	}{
		{"", 1, 0.7, 1, detector.Negative},
		{"", 2, 0.5, 1, detector.Negative},
		{"", 4, 0, 0.2, detector.Positive},
		{"", 5, 0, 0.05, detector.Positive},
		{"the delivery came on Tuesday", 1, 0.7, 1, detector.Negative},
		{"the delivery came on Tuesday", 5, 0, 0.1, detector.Positive},
		{"I love it, great and wonderful, thank you so much!", 2, 0, 0.5, detector.Positive},
		{"not so good", 5, 0, 0.5, detector.Positive}, // words and stars deny each other: it stays open

		{"qualità del prodotto e della consegna", 1, 0.7, 1, detector.Negative},
	} {
		s := model().Score(rules.Tokenize(c.text), detector.About{Rating: c.rating})
		if !s.Known || s.P.Negative < c.low || s.P.Negative > c.high || s.P.Label() != c.label {
			t.Errorf("%q with %v stars: known %v, %s, P(negative) %.2f, want %s in [%v, %v]",
				c.text, c.rating, s.Known, s.P.Label(), s.P.Negative, c.label, c.low, c.high)
		}
	}
}

func TestImpossibleRatingIsNone(t *testing.T) {
	doc := rules.Tokenize("a good day")
	want := model().Score(doc, detector.About{})
	for _, r := range []float64{-1, 0.5, 6, math.NaN(), math.Inf(1), math.Inf(-1)} {
		if got := model().Score(doc, detector.About{Rating: r}); got.P != want.P || got.Known != want.Known {
			t.Errorf("rating %v: %+v, want %+v", r, got, want)
		}
	}
}

func TestLangAndKnown(t *testing.T) {
	for _, c := range []struct {
		text, hint, lang string
		known            bool
	}{
		{"The train was late again", "", "en", true},
		{"Der Zug war wieder zu spät", "", "de", true},
		{"Поезд снова опоздал", "", "ru", true},
		{"القطار متأخر مرة اخرى", "", "ar", true},
		{"Tåget var sent igen", "", "sv", true},
		{"El tren llegó tarde otra vez", "", "es", true},
		{"Le train était encore en retard", "", "fr", true},
		{"Il treno era di nuovo in ritardo", "", "it", true},
		{"O trem está atrasado de novo, não dá mais", "", "pt", true},
		{"Pociąg znowu się spóźnił", "", "pl", true},
		{"yaar ye app bilkul bekar hai", "", "hi", true},
		{"De trein was weer te laat en niemand zegt iets", "", "und", false},
		{"Tren yine geç kaldı, kimse bir şey demiyor", "", "und", false},
		{"Vlak měl zase zpoždění a nikdo nic neřekl", "", "und", false},
		{"Поїзд знову запізнився, що це таке", "", "und", false},
		{"قطار دوباره دیر کرد و این خوب نیست", "", "und", false},
		{"列車がまた遅れた", "", "und", false},
		{"Το τρένο άργησε πάλι", "", "und", false},
		{"Der Zug war wieder zu spät", "en", "de", true},   // the words outweigh a wrong hint
		{"Sofia Bergman", "sv", "sv", true},                // the hint decides where the words do not
		{"Sofia Bergman", "sv-FI", "sv", true},             //
		{"well done", "", "en", true},                      // one phrase, two words
		{"ok", "en", "en", false},                          // too short
		{"😡", "", "und", true},                             // a picture says it
		{"😡", "de", "de", true},                            //
		{"", "", "und", false},                             //
		{"@brand @other", "", "und", false},                // mentions only
		{"https://example.com/a @brand", "", "und", false}, // links only
		{"12345 67.8", "", "und", false},                   //
		{"De trein was weer te laat 😡", "", "und", false},
	} {
		s := model().Score(rules.Tokenize(c.text), detector.About{Lang: c.hint})
		if s.Lang != c.lang || s.Known != c.known {
			t.Errorf("%q (hint %q): lang %s, known %v; want %s, %v", c.text, c.hint, s.Lang, s.Known, c.lang, c.known)
		}
		if l := model().Lang(rules.Tokenize(c.text), c.hint); l != s.Lang {
			t.Errorf("%q: Lang says %s, Score %s", c.text, l, s.Lang)
		}
	}
}

func TestReasons(t *testing.T) {
	const text = "– the coat is nice, but the zip is TERRIBLE and it is a waste of money 😡"
	s := model().Score(rules.Tokenize(text), detector.About{Lang: "en", Explain: true})
	var found, praise []string
	for i, r := range s.Reasons {
		if text[r.Start:r.End] != r.Text {
			t.Errorf("reason %q is not what the text has at %d:%d", r.Text, r.Start, r.End)
		}
		if i > 0 && math.Abs(r.Weight) > math.Abs(s.Reasons[i-1].Weight) {
			t.Errorf("reason %q is weightier than the one before it", r.Text)
		}
		if r.Weight < 0 {
			found = append(found, r.Text)
		} else {
			praise = append(praise, r.Text)
		}
	}
	if !slices.Contains(praise, "nice") {
		t.Errorf("nothing positive in \"nice\": %q", praise)
	}
	for _, want := range []string{"TERRIBLE", "waste of money", "😡"} {
		if !strings.Contains(strings.Join(found, "|"), want) {
			t.Errorf("no reason %q in %q", want, found)
		}
	}
	if s := model().Score(rules.Tokenize(text), detector.About{Lang: "en"}); s.Reasons != nil {
		t.Errorf("reasons without being asked: %v", s.Reasons)
	}
}

func TestNoDoc(t *testing.T) {
	if s := model().Score(nil, detector.About{Explain: true}); s.Known || s.Lang != sentiment.Und || len(s.Reasons) != 0 {
		t.Errorf("nil doc: %+v", s)
	}
	if l := model().Lang(nil, "de"); l != "de" {
		t.Errorf("nil doc with hint de: %s", l)
	}
}

func TestAllocatesNothing(t *testing.T) {
	if raceDetector {
		t.Skip("with the race detector a sync.Pool throws some of its values away")
	}
	doc := new(rules.Doc)
	m := model()
	allocs := testing.AllocsPerRun(200, func() {
		for _, text := range mixed {
			doc.Reset(text)
			m.Score(doc, detector.About{})
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations for %d texts, want none", allocs, len(mixed))
	}
}

// TestLongTexts would run for minutes if anything were quadratic.
func TestLongTexts(t *testing.T) {
	const size = 1 << 20
	for _, piece := range []string{
		"bad but good ", "not ", "nicht gut ", "a", "aaab", "!", ")", "(", ":(", "😡", "nothing to ", "#bad ", "ا", "l'", "ß",
	} {
		doc := rules.Tokenize(strings.Repeat(piece, size/len(piece)))
		start := time.Now()
		model().Score(doc, detector.About{Explain: true})
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("%d bytes of %q took %v", size, piece, d)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	var wg sync.WaitGroup
	want := score(mixed[0])
	for range 8 {
		wg.Go(func() {
			for range 50 {
				for _, text := range mixed {
					score(text)
				}
				if got := score(mixed[0]); got.P != want.P {
					t.Errorf("got %v, alone %v", got.P, want.P)
				}
			}
		})
	}
	wg.Wait()
}

// mixed are posts as they come, in every language.
var mixed = []string{
	"@brand my order is two weeks late and nobody answers, worst service ever!! https://example.com/x",
	"Just picked up the new jacket, it's sooo warm and looks amazing 😍 #winter",
	"Is the shop in Leeds open on Sunday?",
	"@marke Paket immer noch nicht angekommen, langsam nervt es wirklich…",
	"Sehr schöne Schuhe, schnelle Lieferung, gerne wieder!",
	"Опять не работает приложение, сколько можно(((",
	"Спасибо за помощь, всё пришло вовремя)",
	"المطعم جميل والخدمة سريعة ولكن الاسعار غالية",
	"لا انصح بالشراء، الجودة سيئة جدا 👎",
	"Väldigt trevligt bemötande men leveransen var försenad",
	"Inga klagomål, allt fungerar som det ska",
	"Llevo tres semanas esperando el reembolso, una vergüenza",
	"Muchas gracias por la ayuda, todo perfecto ❤️",
	"Toujours pas de réponse du service client, je suis très déçu",
	"Très bon accueil et livraison rapide, merci !",
	"Il treno è di nuovo in ritardo",
}
