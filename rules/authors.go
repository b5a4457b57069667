package rules

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"emberwatch/sources"

	"go.yaml.in/yaml/v4"
)

// Authors says who may have written a mention for a rule to look at it. The zero value is everybody.
type Authors struct {
	Any          Accounts // one of these wrote it
	None         Accounts // none of these did
	MinFollowers int      // from followers: ">= 1000"; 0 is open. An author whose followers are not known has none to compare
	MaxFollowers int
	Verified     *bool // nil: either
}

// Empty reports whether everybody may have written it.
func (a *Authors) Empty() bool {
	return len(a.Any.Names)+len(a.None.Names)+a.MinFollowers+a.MaxFollowers == 0 && a.Verified == nil
}

// hold reports whether the author of a mention is one of those meant.
func (a *Authors) hold(m *sources.Mention) bool {
	x := &m.Author
	switch {
	case a.MinFollowers+a.MaxFollowers > 0 && x.Followers <= 0:
		return false
	case x.Followers < a.MinFollowers, a.MaxFollowers > 0 && x.Followers > a.MaxFollowers:
		return false
	case a.Verified != nil && *a.Verified != x.Verified:
		return false
	case len(a.Any.Names) > 0 && !a.Any.wrote(m):
		return false
	}
	return !a.None.wrote(m)
}

// Accounts are authors as a file names them: "network:id", "source:id", or a handle alone, which is one of every network.
// Case and a leading @ make no difference.
type Accounts struct {
	Names []string // as written

	where map[string][]string // folded id or handle -> its networks and sources; an empty one is every network
}

func (a *Accounts) add(name string) {
	if a.where == nil {
		a.where = map[string][]string{}
	}
	a.Names = append(a.Names, name)
	put := func(who, where string) { a.where[who] = append(a.where[who], where) }
	put(bareHandle(name), "")
	if where, who, ok := strings.Cut(name, ":"); ok { // ids may hold a colon themselves: did:plc:…
		put(bareHandle(who), where)
	}
}

// wrote reports whether one of the accounts is the author of a mention, by id or handle.
func (a *Accounts) wrote(m *sources.Mention) bool {
	return a.has(m, m.Author.ID) || a.has(m, m.Author.Handle)
}

func (a *Accounts) has(m *sources.Mention, id string) bool {
	if len(a.where) == 0 {
		return false
	}
	if id = bareHandle(id); id == "" {
		return false
	}
	return slices.ContainsFunc(a.where[id], func(where string) bool {
		return where == "" || strings.EqualFold(where, m.Network) || strings.EqualFold(where, m.Source)
	})
}

// bareHandle is an id or a handle as it is compared: folded, and without @ before it.
func bareHandle(id string) string { return strings.TrimLeft(Fold(id), "@") }

// conditions takes apart what is asked of the author of a mention.
func (a *Authors) conditions(m *sources.Mention, add func(asked bool, part Authors, wanted, found string)) {
	who, verified := cmp.Or(m.Author.Handle, m.Author.ID, "unknown"), a.Verified != nil && *a.Verified
	add(len(a.Any.Names) > 0, Authors{Any: a.Any}, "author "+a.Any.says(), who)
	add(len(a.None.Names) > 0, Authors{None: a.None}, "author not "+a.None.says(), who)
	add(a.MinFollowers > 0, Authors{MinFollowers: a.MinFollowers}, fmt.Sprintf("at least %d followers", a.MinFollowers), known(m.Author.Followers))
	add(a.MaxFollowers > 0, Authors{MaxFollowers: a.MaxFollowers}, fmt.Sprintf("at most %d followers", a.MaxFollowers), known(m.Author.Followers))
	add(a.Verified != nil, Authors{Verified: a.Verified}, fmt.Sprintf("verified %t", verified), strconv.FormatBool(m.Author.Verified))
}

// known says a number that is 0 where it is not known.
func known(n int) string {
	if n <= 0 {
		return "unknown"
	}
	return strconv.Itoa(n)
}

// says names the accounts, if they are few.
func (a *Accounts) says() string {
	if n := len(a.Names); n > 5 {
		return fmt.Sprintf("one of %d accounts", n)
	}
	return anyOf(a.Names)
}

// authors reads match.authors.
func (l *loader) authors(v *yaml.Node) Authors {
	var a Authors
	if v.Kind != yaml.MappingNode {
		l.typeError(v, "any, none, followers or verified", `{any: ["@maja", "mastodon:maja@social.example"], followers: ">= 1000"}`)
		return a
	}
	seen := l.object(v, "authors", fields{
		"any":       func(v *yaml.Node) { a.Any = l.accounts(v) },
		"none":      func(v *yaml.Node) { a.None = l.accounts(v) },
		"followers": func(v *yaml.Node) { a.MinFollowers, a.MaxFollowers = l.followers(v) },
		"verified":  func(v *yaml.Node) { verified := l.bool(v); a.Verified = &verified },
	})
	if len(v.Content) == 0 && seen != nil {
		l.typeError(v, "any, none, followers or verified", `{verified: true}`)
	}
	return a
}

// accounts reads handles, and ids with their network.
func (l *loader) accounts(v *yaml.Node) Accounts {
	var a Accounts
	all := l.items(v)
	for _, n := range all {
		s := strings.TrimSpace(l.str(n))
		switch where, who, ok := strings.Cut(s, ":"); {
		case s == "" || !l.cleanTerm(n, s):
		case bareHandle(s) == "", ok && (where == "" || bareHandle(who) == ""):
			l.typeError(n, "a handle, or network:handle", `"@maja" or "mastodon:maja@social.example"`)
		default:
			a.add(s)
		}
	}
	if v.Kind == yaml.SequenceNode && len(all) == 0 {
		l.typeError(v, "at least one account", `["@maja"]`)
	}
	return a
}

// followers reads how many an author may have.
func (l *loader) followers(v *yaml.Node) (lo, hi int) {
	const example = `">= 1000"`
	sign, num, ok := l.comparison(v, example)
	n := int(num)
	switch {
	case !ok:
		return 0, 0
	case num < 1, num != float64(n), sign == "<" && n < 2:
		l.typeError(v, "a number of followers above 0", example)
		return 0, 0
	}
	switch sign {
	case "<":
		return 0, n - 1
	case "<=":
		return 0, n
	case ">":
		return n + 1, 0
	case ">=":
		return n, 0
	}
	return n, n
}
