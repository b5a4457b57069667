package notifiertest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Modal is a view that somebody was shown, as it is now.
type Modal struct {
	ID, User string
	View     json.RawMessage
	Updates  int
	Over     string // the id of the view that it lies over
}

// Modals returns the views that were opened, oldest first.
func (s *Slack) Modals() []Modal {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Modal(nil), s.modals...)
}

// Home returns the home tab of a user as it was published last; nil: never.
func (s *Slack) Home(user string) json.RawMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.homes[user]
}

func (s *Slack) openView(c *call) reply { return s.show(c, "") }

// pushView lays a view over the one that the trigger comes from.
func (s *Slack) pushView(c *call) reply {
	under, ok := s.over[c.form["trigger_id"]]
	if !ok {
		return refusal("invalid_trigger_id")
	}
	return s.show(c, under)
}

func (s *Slack) show(c *call, over string) reply {
	trigger := c.form["trigger_id"]
	end, ok := s.triggers[trigger]
	switch {
	case !ok:
		return refusal("invalid_trigger_id")
	case time.Now().After(end):
		return refusal("expired_trigger_id")
	}
	delete(s.triggers, trigger)
	view := json.RawMessage(c.form["view"])
	if bad := s.judgeView(view, "modal"); bad != nil {
		return bad
	}
	user, _, _ := strings.Cut(trigger, ".")
	m := Modal{ID: "V" + s.ts(), User: user, View: view, Over: over}
	s.modals = append(s.modals, m)
	return reply{"ok": true, "view": map[string]any{"id": m.ID, "type": "modal"}}
}

func (s *Slack) updateView(c *call) reply {
	m := s.modal(c.form["view_id"])
	if m == nil {
		return refusal("not_found")
	}
	view := json.RawMessage(c.form["view"])
	if bad := s.judgeView(view, "modal"); bad != nil {
		return bad
	}
	m.View = view
	m.Updates++
	return reply{"ok": true, "view": map[string]any{"id": m.ID, "type": "modal"}}
}

func (s *Slack) modal(id string) *Modal {
	for i := range s.modals {
		if s.modals[i].ID == id {
			return &s.modals[i]
		}
	}
	return nil
}

func (s *Slack) publishView(c *call) reply {
	user := c.form["user_id"]
	if s.user(user) == nil {
		return refusal("user_not_found")
	}
	view := json.RawMessage(c.form["view"])
	if bad := s.judgeView(view, "home"); bad != nil {
		return bad
	}
	s.homes[user] = view
	return reply{"ok": true, "view": map[string]any{"id": "VHOME" + user, "type": "home"}}
}

// OpenHome lets a user open the app's home tab and waits for the acknowledgement.
func (s *Slack) OpenHome(ctx context.Context, user string) (Ack, error) {
	return s.socket.push(ctx, "events_api", map[string]any{
		"type": "event_callback", "team_id": TeamID, "api_app_id": AppID, "event_id": "Ev" + user,
		"event": map[string]any{"type": "app_home_opened", "user": user, "tab": "home", "channel": "D" + user},
	})
}

// ClickView lets its user press a button of a modal, or of a home tab if view is a user's id.
func (s *Slack) ClickView(ctx context.Context, view, actionID, value string) (Ack, error) {
	payload, err := s.clickView(view, actionID, value)
	if err != nil {
		return Ack{}, err
	}
	return s.socket.push(ctx, "interactive", payload)
}

func (s *Slack) clickView(id, actionID, value string) (map[string]any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kind, user, raw := "home", id, s.homes[id]
	if m := s.modal(id); m != nil {
		kind, user, raw = "modal", m.User, m.View
	}
	var v struct {
		Blocks          json.RawMessage `json:"blocks"`
		PrivateMetadata string          `json:"private_metadata"`
	}
	if json.Unmarshal(raw, &v) != nil {
		return nil, fmt.Errorf("there is no view %s", id)
	}
	action := press(v.Blocks, actionID, value)
	if action == nil {
		return nil, fmt.Errorf("view %s has no %s with the value %q", id, actionID, value)
	}
	payload := s.interaction("block_actions", s.user(user))
	if kind == "modal" {
		s.over[payload["trigger_id"].(string)] = id
	} else {
		id = "VHOME" + user
	}
	action["action_ts"] = fmt.Sprintf("%d.%06d", time.Now().Unix(), s.n)
	payload["actions"] = []any{action}
	payload["container"] = map[string]any{"type": "view", "view_id": id}
	payload["view"] = map[string]any{"id": id, "type": kind, "private_metadata": v.PrivateMetadata}
	return payload, nil
}

// Submit lets its user hand in a modal. fields are what was filled in, by the id of block and element: a text, or for
// a select its value.
func (s *Slack) Submit(ctx context.Context, view string, fields map[string]string) (Ack, error) {
	payload, err := s.submission(view, fields)
	if err != nil {
		return Ack{}, err
	}
	return s.socket.push(ctx, "interactive", payload)
}

func (s *Slack) submission(id string, fields map[string]string) (map[string]any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.modal(id)
	if m == nil {
		return nil, fmt.Errorf("there is no modal %s", id)
	}
	var v object
	if err := json.Unmarshal(m.View, &v); err != nil {
		return nil, err
	}
	if v["submit"] == nil {
		return nil, fmt.Errorf("modal %s cannot be handed in", id)
	}
	values := map[string]any{}
	blocks, _ := v["blocks"].([]any)
	for _, b := range blocks {
		o := asObject(b)
		if str(o, "type") != "input" {
			continue
		}
		e := asObject(o["element"])
		values[str(o, "block_id")] = map[string]any{str(e, "action_id"): filled(e, fields[str(o, "block_id")])}
	}
	payload := s.interaction("view_submission", s.user(m.User))
	payload["view"] = map[string]any{
		"id": m.ID, "type": "modal", "callback_id": v["callback_id"], "private_metadata": v["private_metadata"],
		"state": map[string]any{"values": values},
	}
	return payload, nil
}

// filled is the state of an element after somebody has filled it in; nothing leaves it as it was offered.
func filled(e object, with string) map[string]any {
	state := map[string]any{"type": str(e, "type")}
	switch str(e, "type") {
	case "plain_text_input":
		state["value"] = with
		if with == "" && e["initial_value"] != nil {
			state["value"] = e["initial_value"]
		}
	case "users_select":
		state["selected_user"] = with
		if with == "" {
			state["selected_user"] = e["initial_user"]
		}
	case "static_select":
		options, _ := e["options"].([]any)
		for _, o := range options {
			if str(asObject(o), "value") == with {
				state["selected_option"] = o
			}
		}
	}
	return state
}

// interaction is what every payload of a person has. A new trigger is made for it.
func (s *Slack) interaction(kind string, u *User) map[string]any {
	s.n++
	trigger := fmt.Sprintf("%s.%d", u.ID, s.n)
	s.triggers[trigger] = time.Now().Add(triggerLife)
	return map[string]any{
		"type": kind, "trigger_id": trigger, "api_app_id": AppID, "team": map[string]any{"id": u.Team},
		"user": map[string]any{"id": u.ID, "username": u.Name, "name": u.Name, "team_id": u.Team},
	}
}
