package draft

import (
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
	"go.yaml.in/yaml/v4"
	"golang.org/x/text/unicode/norm"

	"emberwatch/rules"
)

//go:embed networks.yml
var networksFile []byte

// Families of networks that the code itself asks for; the table has more.
const (
	familyNews   = "news"  // an article is not answered, a statement is
	familyStore  = "store" // app stores: what is wrong there is wrong with the app
	familyReview = "review"
	familyForum  = "forum" // who speaks for a brand says so, and brings no links
	familyOther  = "other" // a network that the table does not hold: nothing is known of its length
)

// network is one row of the table: where a reply would stand and how long it may be there.
type network struct {
	ID       string   `yaml:"id"`
	Families []string `yaml:"families"` // the closest first
	Limit    int      `yaml:"limit"`    // 0: none known
	Unit     string   `yaml:"unit"`
	Bytes    int      `yaml:"bytes"` // a second limit, on bytes
	URL      int      `yaml:"url"`   // what any link counts; 0: its length
	Basis    string   `yaml:"basis"`
	Names    []string `yaml:"names"`
}

func (n *network) is(family string) bool { return slices.Contains(n.Families, family) }

// networks finds a row by its id or by any of its other names.
type networks struct {
	rows   []*network
	byName map[string]*network
}

func loadNetworks(data []byte, limits map[string]int) (*networks, error) {
	var f struct {
		AsOf     string     `yaml:"as_of"`
		Networks []*network `yaml:"networks"`
	}
	if err := yaml.Load(data, &f, yaml.WithKnownFields()); err != nil {
		return nil, fmt.Errorf("network table: %w", err)
	}
	t := &networks{rows: f.Networks, byName: map[string]*network{}}
	for _, n := range f.Networks {
		for _, name := range append([]string{n.ID}, n.Names...) {
			t.byName[networkKey(name)] = n
		}
	}
	for name, limit := range limits {
		n := t.byName[networkKey(name)]
		if n == nil {
			return nil, fmt.Errorf("network table: no network %q to set a limit for", name)
		}
		n.Limit = limit
	}
	return t, nil
}

// networkKey folds a name so that "Google Play", "google_play" and "GooglePlay" are one.
func networkKey(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, rules.Fold(name))
}

// find returns the first of the names that the table holds, else a row of its own for the first that is not
// empty: no limit is known there and every template may be used.
func (t *networks) find(names ...string) *network {
	for _, name := range names {
		if n := t.byName[networkKey(name)]; n != nil {
			return n
		}
	}
	for _, name := range names {
		if name != "" {
			return &network{ID: name, Families: []string{familyOther}}
		}
	}
	return &network{ID: familyOther, Families: []string{familyOther}}
}

// named reports whether a playbook's list of networks and families holds n, and how exactly: 4 by its
// name, 3 by its closest family, 2 by another, 1 because the list is empty, 0 not at all.
func (t *networks) named(list []string, n *network) int {
	best := 0
	if len(list) == 0 {
		best = 1
	}
	for _, name := range list {
		switch {
		case t.byName[networkKey(name)] == n, networkKey(name) == networkKey(n.ID):
			return 4
		case n.is(familyOther):
			best = max(best, 2)
		case networkKey(name) == n.Families[0]:
			best = 3
		case n.is(networkKey(name)):
			best = max(best, 2)
		}
	}
	return best
}

// count returns the length of text as the network counts it.
func (n *network) count(text string) int {
	links := 0
	if n.URL > 0 {
		text, links = n.cutLinks(text)
	}
	switch n.Unit {
	case "bytes":
		return len(text) + links
	case "graphemes":
		return uniseg.GraphemeClusterCount(text) + links
	case "weighted":
		return weighted(text) + links
	}
	return utf8.RuneCountInString(text) + links
}

// fits reports whether text is within every limit of the network.
func (n *network) fits(text string) bool {
	if n.URL == 0 && n.Unit != "weighted" && len(text) <= n.Limit {
		return n.Bytes == 0 || len(text) <= n.Bytes // no count but these is above the bytes
	}
	return (n.Limit == 0 || n.count(text) <= n.Limit) && (n.Bytes == 0 || len(text) <= n.Bytes)
}

// link finds what networks turn into a link: with a scheme, or a bare host.
var link = regexp.MustCompile(`(?i)\b(?:https?://[^\s<>"]+|(?:[\p{L}\d](?:[\p{L}\d-]*[\p{L}\d])?\.)+\p{L}{2,}(?:/[^\s<>"]*)?)`)

// cutLinks takes the links out of text and returns what they count together. A bare host may or may not be
// made a link, so it counts as whatever is longer.
func (n *network) cutLinks(text string) (rest string, counted int) {
	rest = link.ReplaceAllStringFunc(text, func(l string) string {
		bare := strings.TrimRight(l, ".,;:!?")
		if strings.Contains(bare, "://") {
			counted += n.URL
		} else {
			counted += max(n.URL, utf8.RuneCountInString(bare))
		}
		return l[len(bare):]
	})
	return rest, counted
}

// weighted counts as X does: a grapheme cluster that is an emoji counts two, a code point of the ranges
// below counts one, any other two (twitter-text configuration v3).
func weighted(text string) int {
	sum := 0
	for g := uniseg.NewGraphemes(norm.NFC.String(text)); g.Next(); {
		rs := g.Runes()
		if isEmoji(rs[0]) || len(rs) > 1 && rs[len(rs)-1] == 0x20E3 {
			sum += 2
			continue
		}
		for _, r := range rs {
			sum += weight(r)
		}
	}
	return sum
}

func weight(r rune) int {
	switch {
	case r <= 4351, 8192 <= r && r <= 8205, 8208 <= r && r <= 8223, 8242 <= r && r <= 8247:
		return 1
	}
	return 2
}

// isEmoji reports whether r is a pictograph. Digits and signs that may be drawn as one do not count.
func isEmoji(r rune) bool {
	return 0x1F000 <= r && r <= 0x1FAFF || 0x2600 <= r && r <= 0x27BF || 0x2B1B <= r && r <= 0x2B55 ||
		0x231A <= r && r <= 0x231B || 0x23E9 <= r && r <= 0x23FA || r == 0x203C || r == 0x2049
}
