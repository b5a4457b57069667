package rules

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

// DefaultRoute is the id of the route that always exists.
const DefaultRoute = "default"

// starterPack is the id of the embedded rules.
const starterPack = "starter"

// everyRule returns all rules that may be asked for, those of the starter pack last.
func (s *Set) everyRule() []*Rule { return slices.Concat(s.Rules, s.packed, s.starter) }

func (s *Set) everyEmbedded() []*Rule { return slices.Concat(s.packed, s.starter) }

// RulesFor returns the rules that judge mentions of a brand, in the order of the files: for a brand that the
// files name its own rules, those for every brand and those of the packs that the files ask for; for any other also the
// starter rules. The result
// must not be changed.
func (s *Set) RulesFor(brand string) []*Rule {
	return s.rulesOfBrand(brand).all
}

func (s *Set) rulesOfBrand(brand string) *brandRules {
	if rs, ok := s.byBrand[brand]; ok {
		return rs
	}
	return s.unnamed
}

// assignRules works out RulesFor once.
func (s *Set) assignRules() {
	s.byID = map[string]*Rule{}
	for _, r := range slices.Backward(s.everyRule()) {
		s.byID[r.ID] = r // one of the files' over one of the starter pack
	}
	packed := slices.Contains(s.Packs, starterPack)
	s.byBrand = map[string]*brandRules{}
	for id := range s.Brands {
		s.byBrand[id] = newBrandRules(s.rulesOf(id, packed))
	}
	s.unnamed = newBrandRules(s.rulesOf("", true))
}

// rulesOf gathers the rules of a brand. A file's rule replaces the embedded one of the same id, also by being switched off.
func (s *Set) rulesOf(brand string, starter bool) []*Rule {
	var rs []*Rule
	own := map[string]bool{}
	for _, r := range s.Rules {
		if r.Brand == "" || r.Brand == brand {
			rs = append(rs, r)
			own[r.ID] = true
		}
	}
	for _, r := range s.off {
		own[r.ID] = own[r.ID] || r.Brand == "" || r.Brand == brand
	}
	embedded := s.packed
	if starter {
		embedded = s.everyEmbedded()
	}
	for _, r := range embedded {
		if !own[r.ID] {
			rs = append(rs, r)
		}
	}
	return rs
}

// Rule returns the rule of that id: one of the files', or of the starter pack.
func (s *Set) Rule(id string) (*Rule, bool) {
	r, ok := s.byID[id]
	return r, ok
}

// Idle says why a rule that the Set has is not in force for a brand; "": it is.
func (s *Set) Idle(rule, brand string) string {
	named := func(r *Rule) bool { return r.ID == rule }
	off := slices.IndexFunc(s.off, named)
	switch {
	case slices.ContainsFunc(s.RulesFor(brand), named):
		return ""
	case off >= 0:
		return fmt.Sprintf("%s switches it off", s.off[off].Pos)
	case s.byID[rule] != nil && s.byID[rule].Brand != "":
		return fmt.Sprintf("it is of the brand %q", s.byID[rule].Brand)
	}
	return "it is of the starter pack, which brands of the files do not have by themselves; add packs: [" + starterPack + "]"
}

// CountsIncidents reports whether a condition asks how many incidents the rule has opened.
func (s *Set) CountsIncidents(rule string) bool { return s.counted[rule] }

// RuleIDs returns the ids of all rules, the embedded starter rules last.
func (s *Set) RuleIDs() []string {
	var ids []string
	for _, r := range s.everyRule() {
		if !slices.Contains(ids, r.ID) {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// Brand returns the brand of that id, if a file names it.
func (s *Set) Brand(id string) (*Brand, bool) {
	b, ok := s.Brands[id]
	return b, ok
}

// FirstBrand returns the id of the brand that a file names first, or else the first of any file; "example" where none
// does.
func (s *Set) FirstBrand(file string) string {
	first := ""
	for _, id := range sortedKeys(s.Brands) {
		b := s.Brands[id]
		here := b.Pos.File == file
		if first == "" || here && (s.Brands[first].Pos.File != file || b.Pos.Line < s.Brands[first].Pos.Line) {
			first = id
		}
	}
	return cmp.Or(first, "example")
}

// ProductName returns what people call a product of a brand: the first of its names, or its key if there is none.
func (s *Set) ProductName(brand, key string) string {
	if b, ok := s.Brands[brand]; ok && len(b.Products[key]) > 0 {
		return b.Products[key][0]
	}
	return key
}

// BrandID returns the id for a brand's name as a source says it: the one of the brand with that id or name,
// without regard to case, or else one made from the name ("US Airways" gives us-airways) and known false.
func (s *Set) BrandID(name string) (id string, known bool) {
	if id, ok := s.names[Fold(strings.TrimSpace(name))]; ok {
		return id, true
	}
	id = makeID(name)
	_, known = s.Brands[id]
	return id, known
}

// nameBrands makes what BrandID looks up. Where two brands share a name, the first id has it.
func (s *Set) nameBrands() {
	s.names = map[string]string{}
	for _, id := range sortedKeys(s.Brands) {
		s.names[id] = id
	}
	for _, id := range sortedKeys(s.Brands) {
		for _, n := range s.Brands[id].Names {
			if _, ok := s.names[Fold(n)]; !ok {
				s.names[Fold(n)] = id
			}
		}
	}
}

// longestID is how long an id may be.
const longestID = 63

// makeID makes an id from a name: ASCII letters and digits in lower case, letters without their accents,
// a dash for what lies between. A name with none of them gets an id from its hash.
func makeID(name string) string {
	var b strings.Builder
	dash := false
	for _, r := range norm.NFKD.String(name) {
		if to, ok := plain[r]; ok {
			r = to
		}
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			if dash && b.Len() > 0 {
				b.WriteByte('-')
			}
			b.WriteRune(r)
			dash = false
		case r < 0x300 || r > 0x36F: // an accent leaves no gap
			dash = true
		}
	}
	if b.Len() == 0 {
		h := fnv.New32a()
		h.Write([]byte(Fold(name)))
		return fmt.Sprintf("b-%08x", h.Sum32())
	}
	id := b.String()
	return strings.TrimRight(id[:min(len(id), longestID)], "-")
}

// plain are letters that no decomposition makes ASCII.
var plain = map[rune]rune{'ø': 'o', 'Ø': 'o', 'æ': 'a', 'Æ': 'a', 'ß': 's', 'ł': 'l', 'Ł': 'l', 'đ': 'd', 'ı': 'i'}

// Route returns the route of that id. One that no file defines is empty and has only its id: it leads to
// where the daemon sends everything that has no route.
func (s *Set) Route(id string) *Route {
	if r, ok := s.Routes[id]; ok {
		return r
	}
	return &Route{ID: id}
}

// PlaybookFor returns the playbook of a rule, or else of the category, or else the general one; nil if
// there is none. rule may be nil.
func (s *Set) PlaybookFor(rule *Rule, category string) *Playbook {
	if rule != nil && rule.Playbook != "" {
		if p, ok := s.Playbooks[rule.Playbook]; ok {
			return p
		}
	}
	if category != "" {
		for _, id := range []string{category, strings.ReplaceAll(category, "_", "-")} {
			if p, ok := s.Playbooks[id]; ok {
				return p
			}
		}
		for _, id := range sortedKeys(s.Playbooks) {
			if slices.Contains(s.Playbooks[id].Categories, category) {
				return s.Playbooks[id]
			}
		}
	}
	return s.Playbooks["general-complaints"]
}

// Terms returns what the brands are called, as written: names, products, handles and hashtags, sorted and
// each once. Sources that search for words ask for these.
func (s *Set) Terms() []string {
	var terms []string
	for _, b := range s.Brands {
		terms = append(terms, b.Terms()...)
	}
	slices.Sort(terms)
	return slices.Compact(terms)
}

// Terms returns what the brand is called, as written: names, products, handles and hashtags.
func (b *Brand) Terms() []string {
	terms := slices.Clone(b.Names)
	for _, list := range []map[string][]string{b.Products, b.Handles} {
		for _, key := range sortedKeys(list) {
			terms = append(terms, list[key]...)
		}
	}
	for _, h := range b.Hashtags {
		terms = append(terms, "#"+strings.TrimLeft(h, "#"))
	}
	return terms
}

// Owns reports whether an author of that network or source speaks for the brand. id may be an id or a
// handle.
func (b *Brand) Owns(network, source, id string) bool {
	if id = bareHandle(id); id == "" {
		return false
	}
	return slices.ContainsFunc(b.OwnAuthors, func(own string) bool {
		where, who, ok := strings.Cut(own, ":")
		return ok && (strings.EqualFold(where, network) || strings.EqualFold(where, source)) &&
			bareHandle(who) == id
	})
}

// Window returns the longest window of the rule, or 6 h, the longest of the default ones.
func (r *Rule) Window() time.Duration {
	if len(r.Windows) == 0 {
		return 6 * time.Hour
	}
	return slices.Max(r.Windows)
}
