package topics

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"emberwatch/detector"
)

// scenario is an incident in one language among ordinary texts. Texts are made from patterns, in which every * is
// filled with the next of the parts beside it, so that no two are alike by more than their topic.
type scenario struct {
	lang     string
	incident patterns
	ordinary patterns
	names    []string
	want     []string // must be among the first three, in this spelling
}

type patterns struct {
	count int
	about []string // each text takes one of them in turn
	fill  []string // and these in place of "*", each in turn at its own pace
}

func (p patterns) texts(lang string) []detector.Text {
	var out []detector.Text
	for i := range p.count {
		s := p.about[i%len(p.about)]
		s = strings.ReplaceAll(s, "*", p.fill[(i/len(p.about)+2*(i%len(p.about)))%len(p.fill)])
		out = append(out, detector.Text{Body: s, Lang: lang})
	}
	return out
}

var scenarios = []scenario{
	{
		lang: "en", names: []string{"Fjellbryg"}, want: []string{"broken zipper", "refund"},
		incident: patterns{30, []string{
			"The broken zipper on my * is a joke, @fjellbryg",
			"Zipper broke after two days. * and no refund 😡",
			"broken zipper again!!! Fjellbryg, *",
			"Still waiting for my refund because of the zipper, *",
			"My son's zipper got stuck, * https://example.org/a",
			"They refused the refund for a broken zipper. *",
		}, []string{"parka", "what a pity", "the blue one", "bought in March", "third time now", "support is silent", "size M"}},
		ordinary: patterns{140, []string{
			"Love the colours of the new *", "When is the * back in stock?", "Great service from Fjellbryg, *",
			"Does the * run small?", "Parcel with the * arrived a day late", "My * keeps me warm on every hike", "The * looks good",
		}, []string{"parka", "jacket", "fleece", "tent", "what a pity", "blue one", "backpack", "beanie", "size M"}},
	},
	{
		lang: "de", names: []string{"Fjellbryg"}, want: []string{"Reißverschluss", "Erstattung"},
		incident: patterns{28, []string{
			"Der Reißverschluss an meiner * ist nach zwei Tagen gerissen",
			"Schon wieder ein kaputter Reißverschluss, *, und keine Erstattung",
			"Reißverschlüsse taugen nichts, *! Fjellbryg schweigt",
			"Seit Wochen warte ich auf die Erstattung, *",
			"Bei der * klemmt der Reißverschluss. Erstattung abgelehnt!",
		}, []string{"Jacke", "Hose", "im März gekauft", "sehr schade", "Größe M", "zum dritten Mal"}},
		ordinary: patterns{130, []string{
			"Wann gibt es die * wieder?", "Die * hält richtig warm", "Schöne Farben bei der *", "Fällt die * klein aus?",
			"Lieferung der * kam einen Tag später", "Toller Laden, nette Beratung zur *",
		}, []string{"Jacke", "Hose", "Mütze", "sehr schade", "Weste", "Größe M", "blauen Version"}},
	},
	{
		lang: "ru", names: []string{"Fjellbryg"}, want: []string{"молния", "возврат"},
		incident: patterns{30, []string{
			"Молния на моей * сломалась через два дня",
			"Опять молния разошлась, *, и возврат не делают",
			"Купил *, молнию заело сразу!",
			"Третью неделю жду возврата за *",
			"Из-за молнии не могу носить *. Возврат отклонили",
			"Молнией порвало *, возврат обещали в марте",
		}, []string{"куртке", "куртку", "синюю", "парку", "размер М", "штаны"}},
		ordinary: patterns{120, []string{
			"Когда появится *?", "Отличная *, очень тёплая", "Какой размер * брать?", "Доставка * задержалась на день", "Красивые цвета у *",
		}, []string{"куртка", "куртку", "шапка", "синюю", "парку", "размер М", "штаны"}},
	},
	{
		lang: "ar", names: []string{"فيلبرغ"}, want: []string{"السحاب", "استرداد"},
		incident: patterns{28, []string{
			"السحاب في * انكسر بعد يومين",
			"سحاب * تعطل ولم يتم استرداد المبلغ",
			"انتظر استرداد نقودي بسبب السحاب، *",
			"رفضوا استرداد ثمن * والسحاب مكسور",
			"السحاب عالق في * من اول استعمال",
		}, []string{"الجاكيت", "المعطف", "اللون الازرق", "المقاس الوسط", "البنطلون", "للاسف"}},
		ordinary: patterns{120, []string{
			"متى يتوفر * مجددا؟", "* دافئ وجميل", "الوان * رائعة", "هل * مقاسه صغير؟", "وصل * متأخرا",
		}, []string{"الجاكيت", "المعطف", "اللون الازرق", "البنطلون", "القبعة", "للاسف"}},
	},
	{
		lang: "sv", names: []string{"Fjellbryg"}, want: []string{"dragkedja", "återbetalning"},
		incident: patterns{28, []string{
			"Dragkedjan på min * gick sönder efter två dagar",
			"Ännu en dragkedja som fastnar, *, och ingen återbetalning",
			"Väntar på återbetalning för *",
			"Usla dragkedjor på *! Fjellbryg svarar inte",
			"De nekar återbetalning fast dragkedjan på * var trasig",
		}, []string{"jacka", "parkas", "den blå", "storlek M", "byxorna", "så tråkigt"}},
		ordinary: patterns{120, []string{
			"När kommer * tillbaka?", "Fin färg på *", "Är * liten i storleken?", "* håller mig varm", "Leveransen av * kom sent",
		}, []string{"jacka", "parkas", "den blå", "mössan", "storlek M", "byxorna"}},
	},
	{
		lang: "fr", names: []string{"Fjellbryg"}, want: []string{"fermeture éclair", "remboursement"},
		incident: patterns{25, []string{
			"La fermeture éclair de ma * a lâché",
			"Fermeture éclair cassée, *, et pas de remboursement",
			"J'attends mon remboursement pour la *",
			"Encore une fermeture éclair bloquée sur la *",
			"Le remboursement de * est refusé",
		}, []string{"veste", "parka", "taille M", "bleue", "doudoune", "honte"}},
		ordinary: patterns{120, []string{
			"Quand la * revient-elle ?", "Très belle *", "La * taille petit ?", "Livraison de la * en retard", "Belles couleurs, *",
		}, []string{"veste", "parka", "bleue", "doudoune", "tente"}},
	},
	{
		lang: "ja", names: []string{"フィエル"}, want: []string{"返金"},
		incident: patterns{20, []string{
			"*が壊れたのに返金してくれない", "返金まだですか?*", "*の返金を待っています", "問い合わせ中 * 返金希望",
		}, []string{"上着", "青い服", "鞄", "靴", "帽子"}},
		ordinary: patterns{120, []string{
			"*の再入荷はいつですか", "*がとても暖かい", "*の色が好き", "*を待っています", "*は小さめですか?",
		}, []string{"上着", "青い服", "鞄", "靴", "帽子"}},
	},
}

func (s *scenario) run(f *Finder, n int) []detector.Topic {
	return f.Topics(s.incident.texts(s.lang), s.ordinary.texts(s.lang), s.names, n)
}

// TestScenarios: what an incident is about comes first, in words as people write them.
func TestScenarios(t *testing.T) {
	f := newFinder(t, Options{})
	for _, s := range scenarios {
		t.Run(s.lang, func(t *testing.T) {
			got := s.run(f, 3)
			for _, w := range s.want {
				i := slices.IndexFunc(got, func(t detector.Topic) bool { return t.Words == w })
				if i < 0 {
					t.Errorf("%q is not among %v", w, wordsOf(got))
					continue
				}
				if got[i].Lang != s.lang || got[i].Of != s.incident.count || got[i].Count < 3 || got[i].Score < significant {
					t.Errorf("%+v", got[i])
				}
			}
		})
	}
}

func wordsOf(ts []detector.Topic) string {
	var out []string
	for _, t := range ts {
		out = append(out, fmt.Sprintf("%s (%d/%d)", t.Words, t.Count, t.Of))
	}
	return strings.Join(out, "; ")
}
