package notifiertest

import (
	"fmt"
	"net/url"
)

// rich checks one element of a rich_text block.
func (c *checker) rich(at string, e object) {
	switch str(e, "type") {
	case "rich_text_section", "rich_text_quote":
		c.inline(at, e, false)
	case "rich_text_preformatted":
		c.inline(at, e, true)
	case "rich_text_list":
		for i, x := range c.list(at+"/elements", e["elements"], 1, maxBlocks) {
			here := fmt.Sprintf("%s/elements/%d", at, i)
			if str(asObject(x), "type") != "rich_text_section" {
				c.wrong(here+"/type", "a list holds sections")
			}
			c.inline(here, asObject(x), false)
		}
	default:
		c.wrong(at+"/type", "unsupported type: %q", str(e, "type"))
	}
}

func (c *checker) inline(at string, e object, textOnly bool) {
	for i, x := range c.list(at+"/elements", e["elements"], 1, 200) {
		here, o := fmt.Sprintf("%s/elements/%d", at, i), asObject(x)
		kind := str(o, "type")
		if textOnly && kind != "text" && kind != "link" {
			c.wrong(here+"/type", "preformatted text holds text and links")
		}
		c.inlineElement(here, kind, o)
	}
}

// inlineElement checks one piece of a line. Mentions become control sequences for the search: in rich text
// they are as loud as in mrkdwn.
func (c *checker) inlineElement(at, kind string, o object) {
	switch kind {
	case "text":
		c.length(at+"/text", str(o, "text"), 1, maxText)
	case "link":
		c.link(at, o)
	case "date":
		if o["timestamp"] == nil || str(o, "format") == "" {
			c.wrong(at, "a date needs timestamp and format")
		}
	case "emoji":
		c.length(at+"/name", str(o, "name"), 1, maxID)
	case "user":
		c.loud(at, "<@"+str(o, "user_id")+">")
	case "usergroup":
		c.loud(at, "<!subteam^"+str(o, "usergroup_id")+">")
	case "broadcast":
		c.loud(at, "<!"+str(o, "range")+">")
	case "channel":
		c.loud(at, "<#"+str(o, "channel_id")+">")
	default:
		c.wrong(at+"/type", "unsupported type: %q", kind)
	}
}

func (c *checker) loud(at, sequence string) {
	c.texts = append(c.texts, text{at, sequence, true})
}

func (c *checker) link(at string, o object) {
	u, err := url.Parse(str(o, "url"))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		c.wrong(at+"/url", "no http or https address")
	}
	c.length(at+"/url", str(o, "url"), 1, maxURL)
	c.length(at+"/text", str(o, "text"), 1, maxOptionText)
}
