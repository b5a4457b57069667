package notifiertest

import (
	"strings"
)

// method is one method of the Web API: which of the scopes it needs, and what it does under s.mu.
type method struct {
	app    bool // wants the app-level token
	scopes []string
	do     func(*Slack, *call) reply
}

func (m method) token() string {
	if m.app {
		return AppToken
	}
	return BotToken
}

// methods is read only. The names of scopes are Slack's.
var methods = map[string]method{
	"auth.test":                    {do: (*Slack).authTest},
	"chat.postMessage":             {scopes: []string{"chat:write"}, do: (*Slack).post},
	"chat.update":                  {scopes: []string{"chat:write"}, do: (*Slack).update},
	"chat.postEphemeral":           {scopes: []string{"chat:write"}, do: (*Slack).ephemeral},
	"conversations.history":        {scopes: []string{"channels:history", "groups:history"}, do: (*Slack).history},
	"conversations.replies":        {scopes: []string{"channels:history", "groups:history"}, do: (*Slack).replies},
	"conversations.open":           {scopes: []string{"im:write"}, do: (*Slack).openDM},
	"conversations.join":           {scopes: []string{"channels:join"}, do: (*Slack).join},
	"conversations.list":           {scopes: []string{"channels:read", "groups:read"}, do: (*Slack).listChannels},
	"conversations.info":           {scopes: []string{"channels:read", "groups:read"}, do: (*Slack).channelInfo},
	"users.list":                   {scopes: []string{"users:read"}, do: (*Slack).listUsers},
	"users.info":                   {scopes: []string{"users:read"}, do: (*Slack).userInfo},
	"usergroups.list":              {scopes: []string{"usergroups:read"}, do: (*Slack).listGroups},
	"views.open":                   {do: (*Slack).openView},
	"views.push":                   {do: (*Slack).pushView},
	"views.publish":                {do: (*Slack).publishView},
	"views.update":                 {do: (*Slack).updateView},
	"files.getUploadURLExternal":   {scopes: []string{"files:write"}, do: (*Slack).uploadURL},
	"files.completeUploadExternal": {scopes: []string{"files:write"}, do: (*Slack).completeUpload},
	"chat.delete":                  {scopes: []string{"chat:write"}, do: (*Slack).remove},
	"apps.connections.open":        {app: true, do: (*Slack).openSocket},
}

func (s *Slack) authTest(*call) reply {
	return reply{"ok": true, "team": "Home", "team_id": TeamID, "user": "emberwatch", "user_id": BotUser, "bot_id": "B0BOT"}
}

func (s *Slack) openSocket(*call) reply {
	return reply{"ok": true, "url": strings.Replace(s.server.URL, "http", "ws", 1) + "/socket?ticket=canary-ticket"}
}

func (s *Slack) openDM(c *call) reply {
	u := s.user(c.form["users"])
	if u == nil {
		return refusal("user_not_found")
	}
	id := "D" + strings.TrimPrefix(u.ID, "U")
	if s.channel(id) == nil {
		s.channels = append(s.channels, &Channel{ID: id, Name: "dm-" + u.Name, Private: true, Member: true})
	}
	return reply{"ok": true, "channel": map[string]any{"id": id, "is_im": true}}
}

func (s *Slack) join(c *call) reply {
	ch := s.channel(c.form["channel"])
	switch {
	case ch == nil || ch.ID != c.form["channel"]: // names are not taken here
		return refusal("channel_not_found")
	case ch.Private:
		return refusal("method_not_supported_for_channel_type")
	case ch.Archived:
		return refusal("is_archived")
	}
	ch.Member = true
	return reply{"ok": true, "channel": ch.json()}
}

func (s *Slack) listChannels(c *call) reply {
	list := []any{}
	for _, ch := range s.channels {
		if strings.HasPrefix(ch.ID, "D") || ch.Private && !ch.Member || ch.Archived && c.form["exclude_archived"] == "true" {
			continue
		}
		list = append(list, ch.json())
	}
	return reply{"ok": true, "channels": list}
}

func (s *Slack) channelInfo(c *call) reply {
	ch := s.channel(c.form["channel"])
	if ch == nil || ch.ID != c.form["channel"] {
		return refusal("channel_not_found")
	}
	return reply{"ok": true, "channel": ch.json()}
}

func (c *Channel) json() map[string]any {
	return map[string]any{
		"id": c.ID, "name": c.Name, "is_channel": true, "is_private": c.Private,
		"is_archived": c.Archived, "is_member": c.Member,
	}
}

func (s *Slack) user(id string) *User {
	for i := range s.users {
		if s.users[i].ID == id {
			return &s.users[i]
		}
	}
	return nil
}

func (u *User) json() map[string]any {
	return map[string]any{
		"id": u.ID, "name": u.Name, "team_id": u.Team,
		"profile": map[string]any{"display_name": u.Display, "real_name": u.Display},
	}
}

func (s *Slack) listUsers(*call) reply {
	list := []any{}
	for i := range s.users {
		if s.users[i].Team == TeamID {
			list = append(list, s.users[i].json())
		}
	}
	return reply{"ok": true, "members": list}
}

func (s *Slack) userInfo(c *call) reply {
	u := s.user(c.form["user"])
	if u == nil {
		return refusal("user_not_found")
	}
	return reply{"ok": true, "user": u.json()}
}

func (s *Slack) listGroups(*call) reply {
	list := []any{}
	for _, g := range s.groups {
		list = append(list, map[string]any{"id": g.ID, "handle": g.Handle, "users": g.Users})
	}
	return reply{"ok": true, "usergroups": list}
}
