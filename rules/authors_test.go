package rules

import (
	"slices"
	"strings"
	"testing"

	"emberwatch/sources"
)

// Who may have written a mention is asked as it is for the brand's own authors: by id or handle, on one network or source,
// or anywhere. What looks alike and is another name is another author.
func TestAuthorsHold(t *testing.T) {
	maja := sources.Author{ID: "u-17", Handle: "@Maja", Followers: 1000, Verified: true}
	of := func(a sources.Author) *sources.Mention {
		return &sources.Mention{Source: "shop", Network: "mastodon", Author: a}
	}
	handle := func(h string) *sources.Mention { return of(sources.Author{Handle: h}) }
	for _, c := range []struct {
		authors string
		m       *sources.Mention
		want    bool
	}{
		{`{any: ["@maja"]}`, of(maja), true},
		{`{any: maja}`, of(maja), true},
		{`{any: [u-17]}`, of(maja), true},
		{`{any: ["mastodon:maja"]}`, of(maja), true},
		{`{any: ["Shop:u-17"]}`, of(maja), true},
		{`{any: ["bluesky:maja"]}`, of(maja), false},
		{`{any: ["@majas"]}`, of(maja), false},
		{`{any: ["@maja@social.example"]}`, handle("maja@social.example"), true},
		{`{any: ["did:plc:abc"]}`, of(sources.Author{ID: "did:plc:abc"}), true},
		{`{any: ["bluesky:did:plc:abc"]}`, of(sources.Author{ID: "did:plc:abc"}), false},
		{`{any: ["@maja"]}`, of(sources.Author{Name: "maja"}), false}, // anybody may call himself so
		{`{any: ["@maja"]}`, of(sources.Author{}), false},

		{`{any: ["@maja"]}`, handle("ＭＡＪＡ"), true},           // full width
		{`{any: ["@maja"]}`, handle("＠maja"), true},          // likewise
		{`{any: ["@maja"]}`, handle("ma\u200bja"), true},     // nobody sees it
		{`{any: ["@maja"]}`, handle("mаja"), false},          // a Cyrillic letter
		{`{any: ["@maja"]}`, handle("\u202emaja"), true},     // a mark of direction
		{`{any: ["@maja"]}`, handle("\u200b"), false},        // nothing is left
		{`{any: ["@maja"]}`, handle("@@@"), false},           // likewise
		{`{any: ["@maja"]}`, handle("maja\xff"), true},       // a broken byte
		{`{any: ["@بقهوة"]}`, handle("بقهوه"), true},         // two ways to write it
		{`{any: ["@zoë"]}`, handle("zoe\u0308"), true},       // likewise
		{`{any: ["@maja"]}`, handle("maja:mastodon"), false}, // no account of ours
		{`{none: ["@maja"]}`, handle("ma\u200bja"), false},   // and none gets past by it
		{`{none: ["@maja"]}`, of(maja), false},
		{`{none: ["bluesky:maja"]}`, of(maja), true},
		{`{none: ["@maja"]}`, of(sources.Author{}), true},
		{`{any: ["@maja", "@ola"], none: [u-17]}`, of(maja), false},

		{`{followers: ">= 1000"}`, of(maja), true},
		{`{followers: "> 1000"}`, of(maja), false},
		{`{followers: "<= 1000"}`, of(maja), true},
		{`{followers: "< 1000"}`, of(maja), false},
		{`{followers: 1000}`, of(maja), true},
		{`{followers: ">= 1"}`, of(sources.Author{}), false}, // not known
		{`{followers: "< 50"}`, of(sources.Author{}), false}, // likewise
		{`{verified: true}`, of(maja), true},
		{`{verified: false}`, of(maja), false},
		{`{verified: true}`, of(sources.Author{}), false},
		{`{verified: false}`, of(sources.Author{}), true},
	} {
		r := bare(t, "version: 1\nrules:\n  - {id: r, title: R, kind: burst, match: {authors: "+c.authors+"}, floor: {items: 3, authors: 3}}\n").Rules[0]
		f := &Facts{Mention: c.m}
		if got := r.Holds(f); got != c.want {
			t.Errorf("%s holds for %+q: %t", c.authors, c.m.Author.Key(), got)
		}
		all := !slices.ContainsFunc(r.Conditions(f), func(c Condition) bool { return !c.Holds })
		if all != c.want {
			t.Errorf("%s: the conditions say %t: %+v", c.authors, all, r.Conditions(f))
		}
		if r.Signal() != "rule:r" || r.Holds(&Facts{}) {
			t.Errorf("%s counts %s, and holds of no mention: %t", c.authors, r.Signal(), r.Holds(&Facts{}))
		}
	}
}

// A list of many accounts costs a look-up.
func TestAuthorsOfALongList(t *testing.T) {
	var a Accounts
	for k := range 5000 {
		a.add("mastodon:" + strings.Repeat("x", k%50) + string(rune('a'+k%26)))
	}
	m := &sources.Mention{Network: "mastodon", Author: sources.Author{Handle: "maja"}}
	if n := testing.AllocsPerRun(100, func() { a.wrote(m) }); n > 4 {
		t.Errorf("%g allocations", n)
	}
	if got := a.says(); got != "one of 5000 accounts" {
		t.Error(got)
	}
}
