package notifiertest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Metadata is what an app hangs on a message.
type Metadata struct {
	EventType string         `json:"event_type"`
	Payload   map[string]any `json:"event_payload"`
}

// Message is one posted message as it is now.
type Message struct {
	Channel   string          `json:"channel"`
	TS        string          `json:"ts"`
	ThreadTS  string          `json:"thread_ts,omitempty"`
	Text      string          `json:"text"`
	Blocks    json.RawMessage `json:"blocks,omitempty"`
	Metadata  *Metadata       `json:"metadata,omitempty"`
	Broadcast bool            `json:"-"`
	Edits     int             `json:"-"`

	renderings []json.RawMessage // every state of Blocks: somebody may still look at an old one
}

// Ephemeral is a message that one person saw.
type Ephemeral struct {
	Channel, User, Text, ThreadTS string
	Blocks                        json.RawMessage
}

// Messages returns the messages of a channel (id or #name), oldest first, thread lines included.
func (s *Slack) Messages(channel string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Message
	c := s.channel(channel)
	for _, m := range s.messages {
		if c != nil && m.Channel == c.ID {
			out = append(out, *m)
		}
	}
	return out
}

// Thread returns a root and its lines, oldest first.
func (s *Slack) Thread(ts string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Message
	for _, m := range s.messages {
		if m.TS == ts || m.ThreadTS == ts {
			out = append(out, *m)
		}
	}
	return out
}

// Ephemerals returns the messages that single persons saw, oldest first.
func (s *Slack) Ephemerals() []Ephemeral {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.ephemerals)
}

func (s *Slack) channel(name string) *Channel {
	i := slices.IndexFunc(s.channels, func(c *Channel) bool { return c.ID == name || "#"+c.Name == name })
	if i < 0 {
		return nil
	}
	return s.channels[i]
}

func (s *Slack) message(channel, ts string) *Message {
	for _, m := range s.messages {
		if m.Channel == channel && m.TS == ts {
			return m
		}
	}
	return nil
}

// speakable answers why the bot cannot speak in a channel; empty: it can.
func (s *Slack) speakable(name string) (*Channel, string) {
	c := s.channel(name)
	switch {
	case c == nil:
		return nil, "channel_not_found"
	case c.Archived:
		return nil, "is_archived"
	case !c.Member && c.Private:
		return nil, "channel_not_found"
	case !c.Member:
		return nil, "not_in_channel"
	}
	return c, ""
}

func (s *Slack) post(c *call) reply {
	ch, why := s.speakable(c.form["channel"])
	if why != "" {
		return refusal(why)
	}
	if wait := s.tooSoon(ch.ID); wait > 0 {
		return reply{"retry_after": int(math.Ceil(wait.Seconds()))}
	}
	if bad := s.judge(c); bad != nil {
		return bad
	}
	thread := c.form["thread_ts"]
	if thread != "" {
		root := s.message(ch.ID, thread)
		if root == nil {
			return refusal("thread_not_found")
		}
		if root.ThreadTS != "" && root.ThreadTS != root.TS {
			s.violate("chat.postMessage: thread_ts %s is itself a line of a thread", thread)
		}
	}
	m := &Message{
		Channel: ch.ID, TS: s.ts(), ThreadTS: thread, Text: c.form["text"],
		Blocks: blocksOf(c), Metadata: metadataOf(c), Broadcast: c.form["reply_broadcast"] == "true",
	}
	m.renderings = []json.RawMessage{m.Blocks}
	s.messages = append(s.messages, m)
	s.posted[ch.ID] = time.Now()
	return reply{"ok": true, "channel": ch.ID, "ts": m.TS, "message": m}
}

func (s *Slack) update(c *call) reply {
	ch, why := s.speakable(c.form["channel"])
	if why != "" {
		return refusal(why)
	}
	m := s.message(ch.ID, c.form["ts"])
	if m == nil {
		return refusal("message_not_found")
	}
	if bad := s.judge(c); bad != nil {
		return bad
	}
	m.Text, m.Edits = c.form["text"], m.Edits+1
	if _, given := c.form["blocks"]; given {
		m.Blocks = blocksOf(c)
		m.renderings = append(m.renderings, m.Blocks)
	}
	if meta := metadataOf(c); meta != nil {
		m.Metadata = meta
	}
	return reply{"ok": true, "channel": ch.ID, "ts": m.TS, "text": m.Text, "message": m}
}

// remove takes back a message of the bot.
func (s *Slack) remove(c *call) reply {
	ch, why := s.speakable(c.form["channel"])
	if why != "" {
		return refusal(why)
	}
	for i, m := range s.messages {
		if m.Channel == ch.ID && m.TS == c.form["ts"] {
			s.messages = append(s.messages[:i], s.messages[i+1:]...)
			return reply{"ok": true, "channel": ch.ID, "ts": m.TS}
		}
	}
	return refusal("message_not_found")
}

func (s *Slack) ephemeral(c *call) reply {
	ch, why := s.speakable(c.form["channel"])
	if why != "" {
		return refusal(why)
	}
	if s.user(c.form["user"]) == nil {
		return refusal("user_not_in_channel")
	}
	if bad := s.judge(c); bad != nil {
		return bad
	}
	s.ephemerals = append(s.ephemerals, Ephemeral{ch.ID, c.form["user"], c.form["text"], c.form["thread_ts"], blocksOf(c)})
	return reply{"ok": true, "message_ts": s.ts()}
}

// tooSoon returns how long the channel has to wait for its next message.
func (s *Slack) tooSoon(channel string) time.Duration {
	last, ok := s.posted[channel]
	if s.every == 0 || !ok {
		return 0
	}
	return s.every - time.Since(last)
}

// ts makes the next message id, unlike any before.
func (s *Slack) ts() string {
	s.n++
	return fmt.Sprintf("%d.%06d", time.Now().Unix(), s.n)
}

func (s *Slack) history(c *call) reply {
	ch, why := s.speakable(c.form["channel"])
	if why != "" {
		return refusal(why)
	}
	var found []*Message
	for _, m := range s.messages {
		if m.Channel == ch.ID && (m.ThreadTS == "" || m.Broadcast) && later(m.TS, c.form["oldest"]) {
			found = append(found, m)
		}
	}
	slices.SortFunc(found, func(a, b *Message) int { return cmp.Compare(b.TS, a.TS) })
	return page(found, c)
}

func (s *Slack) replies(c *call) reply {
	ch, why := s.speakable(c.form["channel"])
	if why != "" {
		return refusal(why)
	}
	root := s.message(ch.ID, c.form["ts"])
	if root == nil {
		return refusal("thread_not_found")
	}
	found := []*Message{root} // Slack gives the root whatever oldest says
	for _, m := range s.messages {
		if m.Channel == ch.ID && m.ThreadTS == root.TS && later(m.TS, c.form["oldest"]) {
			found = append(found, m)
		}
	}
	return page(found, c)
}

func later(ts, oldest string) bool {
	a, _ := strconv.ParseFloat(ts, 64)
	b, _ := strconv.ParseFloat(oldest, 64)
	return a > b
}

// page cuts the found messages to limit and cursor, and strips metadata that was not asked for.
func page(found []*Message, c *call) reply {
	from, _ := strconv.Atoi(c.form["cursor"])
	limit, _ := strconv.Atoi(c.form["limit"])
	if limit <= 0 {
		limit = 100
	}
	end := min(from+limit, len(found))
	out := make([]Message, 0, end-min(from, end))
	for _, m := range found[min(from, end):end] {
		shown := *m
		if c.form["include_all_metadata"] != "1" {
			shown.Metadata = nil
		}
		out = append(out, shown)
	}
	next := ""
	if end < len(found) {
		next = strconv.Itoa(end)
	}
	return reply{"ok": true, "messages": out, "has_more": next != "", "response_metadata": map[string]string{"next_cursor": next}}
}

func blocksOf(c *call) json.RawMessage {
	if b := strings.TrimSpace(c.form["blocks"]); b != "" && b != "[]" {
		return json.RawMessage(b)
	}
	return nil
}

func metadataOf(c *call) *Metadata {
	var m Metadata
	if json.Unmarshal([]byte(c.form["metadata"]), &m) != nil || m.EventType == "" {
		return nil
	}
	return &m
}
