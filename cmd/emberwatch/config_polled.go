package main

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"emberwatch/rules"
)

// off is what switches a second server off.
const off = "off"

// leastBudget is one call an hour: with fewer a source would be blind for half a day.
const leastBudget = 24

// polled checks a source that asks by itself.
func (v *validation) polled(at string, s *SourceConfig) {
	switch {
	case s.Type == "feed" && s.URL == "":
		v.fail(at+".url", "not set", "there is nothing to read", "add url: the address of the feed")
	case s.Type == "discourse" && s.URL == "":
		v.fail(at+".url", "not set", "there is nothing to read", "add url: the address of the forum")
	case s.Type == "mastodon" && s.URL == "":
		v.fail(at+".url", "not set", "there is nothing to read", "add url: the address of the server, such as https://mastodon.social")
	case s.Type == "mastodon" && len(s.Hashtags) == 0 && s.Token.ref == "":
		v.fail(at+".hashtags", "neither hashtags nor a token", "there is nothing to read",
			"add hashtags: [brand], and for what reaches your account token: env:NAME")
	case s.Type == "hackernews" && len(s.Query) == 0:
		v.fail(at+".query", "not set", "there is nothing to search for", "add query: what the brand is called")
	case s.Type == "discourse" && s.User != "" && s.Token.ref == "":
		v.fail(at+".user", "stands without token", "it is whom the key of the API acts for", "add token: env:NAME, or remove user")
	case s.Type == "bluesky":
		v.bluesky(at, s)
	}
	v.words(at+".query", s.Query)
	v.words(at+".hashtags", s.Hashtags)
	v.budget(at, s)
}

func (v *validation) budget(at string, s *SourceConfig) {
	if s.Budget != 0 && s.Budget < leastBudget {
		v.fail(at+".budget", fmt.Sprintf("%d calls a day are too few", s.Budget), "the source would be blind for hours",
			fmt.Sprintf("use at least %d, or leave it out for no limit", leastBudget))
	}
}

// bluesky checks a stream of the whole network: what is kept of it is what names a brand or tags one of its accounts.
func (v *validation) bluesky(at string, s *SourceConfig) {
	for _, did := range s.DIDs {
		if !strings.HasPrefix(did, "did:") {
			v.fail(at+".dids", fmt.Sprintf("%q is no DID", did), "accounts are named by it in posts, not by their handle",
				"write it like did:plc:ewvi7nxzyoun6zhxrhs64oiz; https://bsky.social/xrpc/com.atproto.identity.resolveHandle?handle=HANDLE tells it")
		}
	}
	switch {
	case s.Brand != "" && len(s.DIDs) == 0:
		v.fail(at+".brand", "stands without dids", "it is the brand of posts that tag one of its accounts; of all others the rules decide",
			"add dids: the accounts of the brand, or remove brand")
	case s.Brand == "" && len(s.DIDs) > 0:
		v.fail(at+".dids", "stand without brand", "a post that only tags an account names no brand", "add brand: whose accounts they are")
	}
	if s.API != "" && s.API != off {
		v.webAddress(at+".api", s.API)
	}
	if u, err := url.Parse(s.URL); s.URL != "" && (err != nil || u.Host == "" || !slices.Contains([]string{"ws", "wss", "http", "https"}, u.Scheme)) {
		v.fail(at+".url", "is no address of a websocket", "", "write it like wss://jetstream2.us-east.bsky.network/subscribe")
	}
}

// words refuses an empty word in a list: it would match everything, or nothing.
func (v *validation) words(at string, list []string) {
	if slices.ContainsFunc(list, func(s string) bool { return strings.Trim(s, "# ") == "" }) {
		v.fail(at, "an empty word", "nothing could be asked for", "remove it")
	}
}

// unheard warns of streams that are filtered by the names of brands where the rules name none.
func unheard(c *Config, set *rules.Set) rules.Errors {
	v := &validation{c: c}
	for i := range c.Sources {
		if s := &c.Sources[i]; s.Type == "bluesky" && len(set.Terms())+len(s.DIDs) == 0 {
			v.warn(fmt.Sprintf("sources[%d]", i), "nothing will be kept", "the stream is filtered by the names of the brands in the rule files, and there are none",
				"name a brand in a rule file")
		}
	}
	return v.errs
}
