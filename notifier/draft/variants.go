package draft

import (
	"cmp"
	"slices"
	"strings"

	"emberwatch/notifier"
	"emberwatch/rules"
)

// variant is one template that may be used, parsed.
type variant struct {
	book     *rules.Playbook
	template *rules.Template
	parsed   template
	lang     string
	exact    int // how exactly it names the network, see networks.named
	origin   notifier.Origin
	model    string // that rephrased it
}

// how is the manner of the variant's greeting.
func (j *job) how(v variant) manner {
	return manner{calm: j.grave, familiar: v.template.Address != ""}
}

// drafts makes the drafts: the replies of the playbook, and its statement where one is due. If none of the
// replies fits the network, those of the general playbook stand in.
func (j *job) drafts() []notifier.Draft {
	var out []notifier.Draft
	if !j.article() {
		out = j.fitting(kindReply, j.playbook, j.set.Playbooks[bookGeneral])
	}
	if j.statementDue() {
		out = append(out, j.fitting(kindHolding, j.playbook, j.set.Playbooks[bookHolding])...)
	}
	out = distinct(out)
	j.freshFirst(out)
	return out
}

// freshFirst moves drafts that are near copies of what was said before behind the others.
func (j *job) freshFirst(ds []notifier.Draft) {
	copies := func(d notifier.Draft) int {
		n := 0
		for _, sent := range j.req.Sent {
			if j.similarity(d.Lang, d.Text, sent) >= nearCopy {
				n++
			}
		}
		return n
	}
	slices.SortStableFunc(ds, func(a, b notifier.Draft) int { return cmp.Compare(copies(a), copies(b)) })
}

// statementDue reports whether a holding statement belongs to the drafts: to many at once, not to one person.
func (j *job) statementDue() bool {
	if j.private || j.forbidden != "" || j.network.is(familyReview) {
		return false // a review is one person's: the statement stands elsewhere
	}
	return j.article() || j.severity == rules.Crisis || j.severity == rules.Serious || j.playbook.ID == bookHolding
}

// fitting returns the drafts of the first playbook that has any for the place within the network's limits,
// those that name the network first. Without one it returns a draft that is too long, so that people see why
// there is none.
func (j *job) fitting(kind string, books ...*rules.Playbook) []notifier.Draft {
	var long []notifier.Draft
	for _, b := range books {
		if b == nil {
			continue
		}
		var fit []notifier.Draft
		for _, v := range j.variants(b, kind) {
			d, fits := j.make(v)
			if fits {
				fit = append(fit, d)
				fit = append(fit, j.edits(v)...)
			} else if len(long) == 0 {
				long = append(long, d)
			}
		}
		if j.private && len(fit) > 0 || slices.ContainsFunc(fit, inPublic) {
			return fit
		}
	}
	return long
}

// variants returns the templates of a kind that may be used here, in the first language that has any. Of several
// with one id, the one that names the network most exactly counts.
func (j *job) variants(b *rules.Playbook, kind string) []variant {
	order := languageOrder(j.want, j.brand)
	for i := range b.Drafts {
		for _, lang := range b.Drafts[i].Languages { // what else the playbook speaks, last
			if lang = baseLanguage(lang); !slices.Contains(order, lang) {
				order = append(order, lang)
			}
		}
	}
	for _, lang := range order {
		if vs := j.variantsIn(b, kind, lang); len(vs) > 0 {
			return vs
		}
	}
	return nil
}

func (j *job) variantsIn(b *rules.Playbook, kind, lang string) []variant {
	var out []variant
	for i := range b.Drafts {
		t := &b.Drafts[i]
		exact := j.lib.networks.named(t.Networks, j.network)
		if kindOf(t) != kind || exact == 0 || !inLanguage(t, lang) || !j.mayUse(t, lang) {
			continue
		}
		parsed, err := parseTemplate(t.Text)
		if err != nil {
			continue // Check has reported it, and the file is not live
		}
		v := variant{book: b, template: t, parsed: parsed, lang: lang, exact: exact, origin: notifier.Reviewed}
		at := slices.IndexFunc(out, func(o variant) bool { return o.template.ID == t.ID })
		switch {
		case at < 0:
			out = append(out, v)
		case v.template.Address != out[at].template.Address:
			if v.template.Address != "" {
				out[at] = v
			}
		case exact > out[at].exact:
			out[at] = v
		}
	}
	if j.private {
		out = privateOnly(out)
	}
	slices.SortStableFunc(out, func(a, b variant) int { return cmp.Compare(b.exact, a.exact) })
	return out
}

// mayUse reports whether a template is for this cluster and this form of address.
func (j *job) mayUse(t *rules.Template, lang string) bool {
	if len(t.Clusters) > 0 && !slices.Contains(t.Clusters, j.posture.Cluster) {
		return false
	}
	return t.Address == "" || j.familiar(lang)
}

func inPublic(d notifier.Draft) bool { return d.ID != templatePrivate }

func kindOf(t *rules.Template) string {
	if t.Kind == "" {
		return kindReply
	}
	return t.Kind
}

func inLanguage(t *rules.Template, lang string) bool {
	return len(t.Languages) == 0 || slices.ContainsFunc(t.Languages, func(l string) bool { return baseLanguage(l) == lang })
}

// privateOnly keeps the templates for private messages, if there are any.
func privateOnly(vs []variant) []variant {
	private := slices.DeleteFunc(slices.Clone(vs), func(v variant) bool { return v.template.ID != templatePrivate })
	if len(private) > 0 {
		return private
	}
	return vs
}

// expendable are the slots whose sentences are given up, in this order, if a draft is too long for its network.
// The texts stand without them.
var expendable = []string{
	slotAvailable, slotIntroduce, slotProduct, slotAuthor, slotSignOff, slotKnown, slotChecking, slotApology,
	slotContact + "phone", slotContact + "status", slotContact + "dm",
}

// make writes the draft of a variant and runs the guards. It reports whether the text is within the
// network's limits.
func (j *job) make(v variant) (notifier.Draft, bool) {
	vals, text := j.write(v)
	return j.examine(v, vals, text), j.network.fits(text)
}

// examine puts a finished text together with what its guards say.
func (j *job) examine(v variant, vals values, text string) notifier.Draft {
	d := notifier.Draft{
		ID: v.template.ID, Lang: v.lang, Network: j.network.ID, Text: text,
		Length: j.network.count(text), Limit: j.network.Limit,
		Kind: kindOf(v.template), Playbook: v.book.ID, Origin: v.origin, Model: v.model,
	}
	for _, f := range j.sheet.list(vals, v.lang) {
		if strings.Contains(text, strings.TrimRight(f.Text, ".")) {
			d.Facts = append(d.Facts, f)
		}
	}
	d.Guards = j.guard(v, vals, text)
	d.Sendable = firstFailed(d.Guards) == nil
	return d
}

// write renders the variant. If the text is too long for the network, it gives up what is expendable, in that
// order, until the text fits; then it takes back what there is room for after all.
func (j *job) write(v variant) (values, string) {
	vals := j.fill(v.lang, j.how(v))
	text := v.parsed.render(vals, v.lang)
	general := j.words(v.lang).greeting("", j.how(v))
	less := func(slots []string) (values, string) {
		rest := vals.without(general, slots...)
		return rest, v.parsed.render(rest, v.lang)
	}
	best, gone := vals, 0
	for ; gone < len(expendable) && !j.network.fits(text); gone++ {
		best, text = less(expendable[:gone+1])
	}
	given := slices.Clone(expendable[:gone])
	for i := len(given) - 2; i >= 0; i-- {
		less1 := slices.Delete(slices.Clone(given), i, i+1)
		if more, longer := less(less1); j.network.fits(longer) {
			best, text, given = more, longer, less1
		}
	}
	return best, text
}

// firstFailed returns the first hard guard that a draft does not pass, or nil.
func firstFailed(gs []notifier.Guard) *notifier.Guard {
	for i := range gs {
		if !gs[i].Pass && gs[i].Level == levelHard {
			return &gs[i]
		}
	}
	return nil
}

// distinct drops drafts whose text an earlier one has, and empty ones.
func distinct(ds []notifier.Draft) []notifier.Draft {
	out := make([]notifier.Draft, 0, len(ds))
	for _, d := range ds {
		if d.Text != "" && !slices.ContainsFunc(out, func(o notifier.Draft) bool { return o.Text == d.Text }) {
			out = append(out, d)
		}
	}
	return out
}
