package notifiertest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// triggerLife is how long a click may be answered with a view.
const triggerLife = 3 * time.Second

// Click lets a user press a button, or choose an option, of a message, and waits for the acknowledgement.
// value is the button's or the option's; it must stand in the message, or have stood there before an edit:
// then the click is stale.
func (s *Slack) Click(ctx context.Context, messageTS, actionID, value, user string) (Ack, error) {
	payload, err := s.click(messageTS, actionID, value, user)
	if err != nil {
		return Ack{}, err
	}
	return s.socket.push(ctx, "interactive", payload)
}

// Again delivers the payload of a click once more, as a person does who clicks twice within a moment: same
// action, same time.
func (s *Slack) Again(ctx context.Context, messageTS, actionID, value, user string, times int) ([]Ack, error) {
	payload, err := s.click(messageTS, actionID, value, user)
	if err != nil {
		return nil, err
	}
	acks := make([]Ack, 0, times)
	for range times {
		a, err := s.socket.push(ctx, "interactive", payload)
		if err != nil {
			return acks, err
		}
		acks = append(acks, a)
	}
	return acks, nil
}

// Slash lets a user type a command and waits for the acknowledgement.
func (s *Slack) Slash(ctx context.Context, command, words, user string) (Ack, error) {
	s.mu.Lock()
	u := s.user(user)
	s.mu.Unlock()
	if u == nil {
		return Ack{}, fmt.Errorf("no user %s", user)
	}
	return s.socket.push(ctx, "slash_commands", map[string]any{
		"command": command, "text": words, "user_id": u.ID, "user_name": u.Name, "team_id": u.Team,
		"channel_id": "C0ALERTS", "api_app_id": AppID, "trigger_id": s.trigger(u.ID),
	})
}

func (s *Slack) trigger(user string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n++
	return fmt.Sprintf("%s.%d", user, s.n)
}

// click builds the payload of a click.
func (s *Slack) click(ts, actionID, value, user string) (map[string]any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.user(user)
	if u == nil {
		return nil, fmt.Errorf("no user %s", user)
	}
	m, action := s.pressable(ts, actionID, value)
	if action == nil {
		return nil, fmt.Errorf("message %s has no %s with the value %q", ts, actionID, value)
	}
	payload := s.interaction("block_actions", u)
	action["action_ts"] = fmt.Sprintf("%d.%06d", time.Now().Unix(), s.n)
	payload["actions"] = []any{action}
	payload["channel"] = map[string]any{"id": m.Channel}
	payload["container"] = map[string]any{"type": "message", "message_ts": m.TS, "channel_id": m.Channel, "thread_ts": m.ThreadTS}
	payload["message"] = map[string]any{"ts": m.TS, "thread_ts": m.ThreadTS, "text": m.Text}
	return payload, nil
}

// pressable finds the element in any state that the message ever had, the newest first.
func (s *Slack) pressable(ts, actionID, value string) (*Message, map[string]any) {
	for _, m := range s.messages {
		if m.TS != ts {
			continue
		}
		for i := len(m.renderings) - 1; i >= 0; i-- {
			if a := press(m.renderings[i], actionID, value); a != nil {
				return m, a
			}
		}
	}
	return nil, nil
}

// press makes the action that pressing an element of blocks results in; nil: there is none.
func press(blocks json.RawMessage, actionID, value string) map[string]any {
	var list []object
	if json.Unmarshal(blocks, &list) != nil {
		return nil
	}
	for i, b := range list {
		for _, e := range pressables(b) {
			o := asObject(e)
			if str(o, "action_id") != actionID {
				continue
			}
			if a := pressElement(o, value); a != nil {
				a["block_id"] = fmt.Sprintf("b%d", i)
				return a
			}
		}
	}
	return nil
}

// pressables are the elements of a block, the one beside a section included.
func pressables(b object) []any {
	elements, _ := b["elements"].([]any)
	if b["accessory"] != nil {
		elements = append(elements[:len(elements):len(elements)], b["accessory"])
	}
	return elements
}

func pressElement(o object, value string) map[string]any {
	a := map[string]any{"type": str(o, "type"), "action_id": str(o, "action_id")}
	if str(o, "type") == "button" {
		a["value"], a["text"] = str(o, "value"), o["text"]
		if str(o, "value") != value {
			return nil
		}
		return a
	}
	options, _ := o["options"].([]any)
	for _, x := range options {
		if str(asObject(x), "value") == value {
			a["selected_option"] = x
			return a
		}
	}
	return nil
}

// Values returns the values behind an action id of a message as it is now: one for a button, all options
// otherwise.
func (m *Message) Values(actionID string) []string {
	var list []object
	if json.Unmarshal(m.Blocks, &list) != nil {
		return nil
	}
	var out []string
	for _, b := range list {
		for _, e := range pressables(b) {
			o := asObject(e)
			if str(o, "action_id") != actionID {
				continue
			}
			if str(o, "type") == "button" {
				out = append(out, str(o, "value"))
			}
			options, _ := o["options"].([]any)
			for _, x := range options {
				out = append(out, str(asObject(x), "value"))
			}
		}
	}
	return out
}

// Shown returns everything a person could read in the message, its text and the texts of its blocks.
func (m *Message) Shown() string {
	var v any
	if json.Unmarshal(m.Blocks, &v) != nil {
		return m.Text
	}
	var b strings.Builder
	b.WriteString(m.Text)
	collect(v, &b)
	return b.String()
}

func collect(v any, b *strings.Builder) {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			collect(x, b)
		}
	case object:
		if s, ok := v["text"].(string); ok {
			b.WriteString("\n" + s)
		}
		for _, k := range []string{"text", "elements", "fields", "options", "placeholder", "blocks", "label", "element", "accessory"} {
			if _, ok := v[k].(string); !ok {
				collect(v[k], b)
			}
		}
	}
}
