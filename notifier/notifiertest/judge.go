package notifiertest

import (
	"encoding/json"
	"regexp"
	"strings"
)

// judge refuses a message as Slack would, and notes what Slack would take but must not be sent.
func (s *Slack) judge(c *call) reply {
	body, blocks := c.form["text"], blocksOf(c)
	switch {
	case body == "" && blocks == nil:
		return refusal("no_text")
	case units(body) > maxMessageText || len(blocks) > maxMessageBytes:
		return refusal("msg_too_long")
	}
	if body == "" {
		s.violate("%s: blocks without text: a screen reader reads nothing", c.method)
	}
	s.habits(c)
	s.search(c.method, text{"/text", body, false})
	if blocks == nil {
		return nil
	}
	found := checkBlocks(blocks, "/blocks", maxBlocks)
	if found.size > maxBlocksText {
		s.violate("%s: msg_blocks_too_long: %d characters", c.method, found.size)
		return refusal("msg_blocks_too_long")
	}
	return s.verdict(c.method, found)
}

// habits are settings under which foreign text becomes a mention, a link or a preview.
func (s *Slack) habits(c *call) {
	if v := c.form["link_names"]; v != "" && v != "0" && v != "false" {
		s.violate("%s: link_names is %s", c.method, v)
	}
	if v := c.form["parse"]; v == "full" || v == "" && c.method == "chat.update" { // there the default is "client"
		s.violate("%s: parse is %q", c.method, v)
	}
	if c.method == "chat.postMessage" && (c.form["unfurl_links"] != "false" || c.form["unfurl_media"] != "false") {
		s.violate("%s: previews of links are on", c.method)
	}
}

func (s *Slack) judgeView(raw json.RawMessage, kind string) reply {
	var v object
	if json.Unmarshal(raw, &v) != nil || str(v, "type") != kind {
		return refusal("invalid_arguments")
	}
	blocks, err := json.Marshal(v["blocks"])
	if err != nil || len(raw) > maxViewBytes {
		return refusal("view_too_large")
	}
	c := checkBlocks(blocks, "/view/blocks", maxModalBlocks)
	if kind == "modal" {
		c.plain("/view/title", v["title"], maxModalTitle)
	}
	for _, k := range []string{"close", "submit"} {
		if v[k] != nil {
			c.plain("/view/"+k, v[k], maxModalTitle)
		}
	}
	if c.inputs > 0 && (v["submit"] == nil || str(v, "callback_id") == "") {
		c.wrong("/view/submit", "what has fields needs submit, and a callback_id to be known by")
	}
	c.length("/view/private_metadata", str(v, "private_metadata"), 0, maxPrivate)
	c.length("/view/callback_id", str(v, "callback_id"), 0, maxID)
	return s.verdict("views", c)
}

func (s *Slack) verdict(method string, c *checker) reply {
	for _, t := range c.texts {
		s.search(method, t)
	}
	if len(c.problems) == 0 {
		return nil
	}
	messages := make([]string, len(c.problems))
	for i, p := range c.problems {
		messages[i] = "[ERROR] " + p
		s.violate("%s: invalid_blocks: %s", method, p)
	}
	return reply{"ok": false, "error": "invalid_blocks", "response_metadata": map[string]any{"messages": messages}}
}

var (
	sequence = regexp.MustCompile(`<[^<>]*>`)
	date     = regexp.MustCompile(`^<!date\^\d+\^[^^|<>]+\|[^|<>]+>$`)
	autoLink = regexp.MustCompile(`(?i)https?://|www\.[a-z]|\b[a-z0-9-]+\.(com|org|net|io|example)\b`)
	entity   = regexp.MustCompile(`&(amp|lt|gt);`)
)

// search looks for control sequences that nobody allowed, and for what Slack turns into links by itself.
func (s *Slack) search(method string, t text) {
	for _, q := range sequence.FindAllString(t.text, -1) {
		if !date.MatchString(q) && !s.allowed[q] {
			s.violate("%s: live %s at %s", method, q, t.at)
		}
	}
	rest := sequence.ReplaceAllString(t.text, "")
	if strings.ContainsAny(rest, "<>") {
		s.violate("%s: unescaped < or > at %s", method, t.at)
	}
	if strings.Contains(entity.ReplaceAllString(rest, ""), "&") {
		s.violate("%s: unescaped or cut & at %s", method, t.at)
	}
	if q := autoLink.FindString(rest); q != "" && !t.verbatim {
		s.violate("%s: %q becomes a link at %s", method, q, t.at)
	}
}
