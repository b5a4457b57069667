package notifiertest

import (
	"encoding/json"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// Block Kit's limits, as Slack documents them.
const (
	maxBlocks       = 50
	maxModalBlocks  = 100
	maxText         = 3000
	maxHeader       = 150
	maxFields       = 10
	maxField        = 2000
	maxContext      = 10
	maxActions      = 25
	maxButtonText   = 75
	maxButtonValue  = 2000
	maxID           = 255
	maxOptions      = 100
	maxOverflow     = 5
	maxOptionText   = 75
	maxOptionValue  = 150
	maxPlaceholder  = 150
	maxURL          = 3000
	maxModalTitle   = 24
	maxLabel        = 2000
	maxMessageText  = 4000   // more is truncated, or refused, by Slack's mood
	maxBlocksText   = 11_000 // of all blocks together: undocumented, and refused from somewhere above
	maxPrivate      = 3000
	maxViewBytes    = 250_000
	maxMessageBytes = 100_000
)

type object = map[string]any

// checker collects what is wrong with a tree of blocks, and the texts in which Slack looks for control
// sequences.
type checker struct {
	problems []string // "what [json-pointer:/blocks/0/text]"
	texts    []text
	blockIDs map[string]bool
	actions  map[string]bool
	inputs   int
	size     int // of all texts
}

// text is one place where Slack would look for links and mentions.
type text struct {
	at, text string
	verbatim bool
}

func checkBlocks(raw json.RawMessage, at string, most int) *checker {
	c := &checker{blockIDs: map[string]bool{}, actions: map[string]bool{}}
	var blocks []any
	if err := json.Unmarshal(raw, &blocks); err != nil {
		c.wrong(at, "no list of blocks")
		return c
	}
	if len(blocks) > most {
		c.wrong(at, "more than %d blocks", most)
	}
	for i, b := range blocks {
		c.block(fmt.Sprintf("%s/%d", at, i), asObject(b))
	}
	return c
}

func (c *checker) wrong(at, format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, args...)+" [json-pointer:"+at+"]")
}

func (c *checker) block(at string, b object) {
	if id := str(b, "block_id"); id != "" {
		c.unique(at+"/block_id", id, c.blockIDs)
	}
	switch str(b, "type") {
	case "header":
		c.plain(at+"/text", b["text"], maxHeader)
	case "section":
		c.section(at, b)
	case "context":
		for i, e := range c.list(at+"/elements", b["elements"], 1, maxContext) {
			c.textObject(fmt.Sprintf("%s/elements/%d", at, i), e, maxField)
		}
	case "actions":
		c.actions = map[string]bool{} // an action_id is unique within its block
		for i, e := range c.list(at+"/elements", b["elements"], 1, maxActions) {
			c.element(fmt.Sprintf("%s/elements/%d", at, i), asObject(e))
		}
	case "rich_text":
		for i, e := range c.list(at+"/elements", b["elements"], 1, maxBlocks) {
			c.rich(fmt.Sprintf("%s/elements/%d", at, i), asObject(e))
		}
	case "input":
		c.input(at, b)
	case "divider":
	default:
		c.wrong(at, "unsupported type: %q", str(b, "type"))
	}
}

func (c *checker) section(at string, b object) {
	if b["text"] == nil && b["fields"] == nil {
		c.wrong(at, "a section needs text or fields")
	}
	if b["text"] != nil {
		c.textObject(at+"/text", b["text"], maxText)
	}
	if b["fields"] != nil {
		for i, f := range c.list(at+"/fields", b["fields"], 1, maxFields) {
			c.textObject(fmt.Sprintf("%s/fields/%d", at, i), f, maxField)
		}
	}
	if b["accessory"] != nil {
		c.actions = map[string]bool{}
		c.element(at+"/accessory", asObject(b["accessory"]))
	}
}

// textObject checks a text object of either type and keeps it for the search for control sequences.
func (c *checker) textObject(at string, v any, most int) {
	o := asObject(v)
	switch str(o, "type") {
	case "plain_text":
		c.plain(at, v, most)
	case "mrkdwn":
		if _, has := o["emoji"]; has {
			c.wrong(at+"/emoji", "not allowed with mrkdwn")
		}
		c.length(at+"/text", str(o, "text"), 1, most)
		c.texts = append(c.texts, text{at + "/text", str(o, "text"), o["verbatim"] == true})
	default:
		c.wrong(at+"/type", "must be plain_text or mrkdwn")
	}
}

func (c *checker) plain(at string, v any, most int) {
	o := asObject(v)
	if str(o, "type") != "plain_text" {
		c.wrong(at+"/type", "must be plain_text")
	}
	if _, has := o["verbatim"]; has {
		c.wrong(at+"/verbatim", "not allowed with plain_text")
	}
	c.length(at+"/text", str(o, "text"), 1, most)
}

func (c *checker) element(at string, e object) {
	c.unique(at+"/action_id", str(e, "action_id"), c.actions)
	switch str(e, "type") {
	case "button":
		c.button(at, e)
	case "static_select":
		c.plain(at+"/placeholder", e["placeholder"], maxPlaceholder)
		c.options(at+"/options", e["options"], maxOptions)
	case "overflow":
		c.options(at+"/options", e["options"], maxOverflow)
	default:
		c.wrong(at+"/type", "unsupported type: %q", str(e, "type"))
	}
}

// input checks a field of a form. Slack wants a block_id only where a problem is told beside the field, and we always do.
func (c *checker) input(at string, b object) {
	c.inputs++
	c.length(at+"/block_id", str(b, "block_id"), 1, maxID)
	c.plain(at+"/label", b["label"], maxLabel)
	if b["hint"] != nil {
		c.plain(at+"/hint", b["hint"], maxLabel)
	}
	e := asObject(b["element"])
	c.length(at+"/element/action_id", str(e, "action_id"), 1, maxID)
	if e["placeholder"] != nil {
		c.plain(at+"/element/placeholder", e["placeholder"], maxPlaceholder)
	}
	switch str(e, "type") {
	case "plain_text_input":
		c.textInput(at+"/element", e)
	case "users_select":
	case "static_select":
		c.options(at+"/element/options", e["options"], maxOptions)
	default:
		c.wrong(at+"/element/type", "unsupported type: %q", str(e, "type"))
	}
}

// textInput checks how long an answer may be, and that what is offered is one.
func (c *checker) textInput(at string, e object) {
	least, most := number(e, "min_length", 0), number(e, "max_length", maxText)
	if least < 0 || least > maxText || most < 1 || most > maxText || least > most {
		c.wrong(at+"/max_length", "must be 1 to %d, and not below min_length", maxText)
	}
	c.length(at+"/initial_value", str(e, "initial_value"), 0, most)
}

func (c *checker) button(at string, e object) {
	c.plain(at+"/text", e["text"], maxButtonText)
	c.length(at+"/value", str(e, "value"), 0, maxButtonValue)
	c.length(at+"/url", str(e, "url"), 0, maxURL)
	c.length(at+"/accessibility_label", str(e, "accessibility_label"), 0, maxButtonText)
	switch str(e, "style") {
	case "", "primary", "danger":
	default:
		c.wrong(at+"/style", "must be primary or danger")
	}
}

func (c *checker) options(at string, v any, most int) {
	values := map[string]bool{}
	for i, o := range c.list(at, v, 1, most) {
		here := fmt.Sprintf("%s/%d", at, i)
		c.plain(here+"/text", asObject(o)["text"], maxOptionText)
		if d := asObject(o)["description"]; d != nil {
			c.plain(here+"/description", d, maxOptionText)
		}
		value := str(asObject(o), "value")
		c.length(here+"/value", value, 1, maxOptionValue)
		if values[value] {
			c.wrong(here+"/value", "used twice")
		}
		values[value] = true
	}
}

// unique checks a block_id or action_id.
func (c *checker) unique(at, id string, seen map[string]bool) {
	c.length(at, id, 1, maxID)
	if seen[id] {
		c.wrong(at, "%q is used twice", id)
	}
	seen[id] = true
}

func (c *checker) list(at string, v any, least, most int) []any {
	l, _ := v.([]any)
	if len(l) < least || len(l) > most {
		c.wrong(at, "must hold %d to %d, holds %d", least, most, len(l))
	}
	return l
}

func (c *checker) length(at, s string, least, most int) {
	n := units(s)
	c.size += n
	if n < least || n > most {
		c.wrong(at, "must be %d to %d characters, is %d", least, most, n)
	}
	if !utf8.ValidString(s) {
		c.wrong(at, "no valid UTF-8")
	}
}

func units(s string) int {
	n := 0
	for _, r := range s {
		n += max(utf16.RuneLen(r), 1)
	}
	return n
}

func asObject(v any) object {
	o, _ := v.(object)
	return o
}

func str(o object, key string) string {
	s, _ := o[key].(string)
	return s
}

func number(o object, key string, otherwise int) int {
	if n, ok := o[key].(float64); ok {
		return int(n)
	}
	return otherwise
}
