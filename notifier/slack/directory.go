package slack

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	slackapi "github.com/slack-go/slack"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/rules"
)

// How long names are believed, how long to leave Slack alone after a failure, and how long a look-up may keep
// an alert waiting.
const (
	namesLife    = 10 * time.Minute
	namesPause   = time.Minute
	namesTimeout = 5 * time.Second
)

var (
	userID    = regexp.MustCompile(`^[UW][A-Z0-9]{4,}$`)
	groupID   = regexp.MustCompile(`^S[A-Z0-9]{4,}$`)
	channelID = regexp.MustCompile(`^[CGD][A-Z0-9]{4,}$`)
)

// directory knows people, groups and channels by name.
type directory struct {
	users    cache[string]
	groups   cache[group]
	channels cache[string]
	now      func() time.Time
}

type group struct {
	id      string
	members []string
}

func newDirectory(api *slackapi.Client, now func() time.Time) *directory {
	return &directory{
		now:      now,
		users:    cache[string]{fetch: func(ctx context.Context) (map[string]string, error) { return fetchUsers(ctx, api) }},
		groups:   cache[group]{fetch: func(ctx context.Context) (map[string]group, error) { return fetchGroups(ctx, api) }},
		channels: cache[string]{fetch: func(ctx context.Context) (map[string]string, error) { return fetchChannels(ctx, api) }},
	}
}

// user returns the id of "@ingrid" or of an id; empty: there is nobody of that name.
func (d *directory) user(ctx context.Context, name string) (string, error) {
	if userID.MatchString(name) {
		return name, nil
	}
	return d.users.get(ctx, bare(name), d.now())
}

// channel returns the id of "#pr-alerts" or of an id; empty: the bot sees no such channel.
func (d *directory) channel(ctx context.Context, name string) (string, error) {
	if channelID.MatchString(name) {
		return name, nil
	}
	return d.channels.get(ctx, bare(name), d.now())
}

func bare(name string) string {
	return strings.ToLower(strings.TrimLeft(strings.TrimSpace(name), "@#"))
}

// cache keeps what Slack said for a while. After a failure the last answer serves on.
type cache[T any] struct {
	fetch func(context.Context) (map[string]T, error)

	asking sync.Mutex // held while Slack is asked: one look-up serves all who wait

	mu    sync.Mutex // guards what follows
	items map[string]T
	err   error // why there are no items
	until time.Time
}

// errNotYet is why nothing is known before the first look-up.
var errNotYet = errors.New("not looked up yet")

// known returns what Slack said last, and never asks: a press must not wait. An error means that nothing is known.
func (c *cache[T]) known() (map[string]T, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.items == nil && c.err == nil {
		return nil, errNotYet
	}
	return c.items, c.err
}

// get returns the item of a name, or the zero T. An error means that nothing is known at all.
func (c *cache[T]) get(ctx context.Context, name string, now time.Time) (T, error) {
	all, err := c.all(ctx, now)
	return all[name], err
}

// all asks Slack if what it said last is too old.
func (c *cache[T]) all(ctx context.Context, now time.Time) (map[string]T, error) {
	c.asking.Lock()
	defer c.asking.Unlock()
	if c.fresh(now) {
		return c.known()
	}
	ctx, cancel := context.WithTimeout(ctx, namesTimeout)
	defer cancel()
	items, err := c.fetch(ctx)
	c.learn(items, err, now)
	return c.known()
}

func (c *cache[T]) fresh(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return now.Before(c.until)
}

func (c *cache[T]) learn(items map[string]T, err error, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err == nil:
		c.items, c.err, c.until = items, nil, now.Add(namesLife)
	case c.items == nil:
		c.err, c.until = err, now.Add(namesPause)
	default:
		c.until = now.Add(namesPause)
	}
}

// fetchUsers reads the members. A user name wins over somebody else's display name.
func fetchUsers(ctx context.Context, api *slackapi.Client) (map[string]string, error) {
	var users []slackapi.User
	var err error
	for p := api.GetUsersPaginated(slackapi.GetUsersOptionLimit(1000)); err == nil; {
		// Not GetUsersContext: it waits out a 429, and the alert with it.
		if p, err = p.Next(ctx); err == nil {
			users = append(users, p.Users...)
		} else if p.Done(err) {
			break
		} else {
			return nil, err
		}
	}
	ids := map[string]string{}
	for _, u := range users {
		if !u.Deleted && u.Profile.DisplayName != "" {
			ids[strings.ToLower(u.Profile.DisplayName)] = u.ID
		}
	}
	for _, u := range users {
		if !u.Deleted {
			ids[strings.ToLower(u.Name)] = u.ID
		}
	}
	return ids, nil
}

func fetchGroups(ctx context.Context, api *slackapi.Client) (map[string]group, error) {
	groups, err := api.GetUserGroupsContext(ctx, slackapi.GetUserGroupsOptionIncludeUsers(true))
	if err != nil {
		return nil, err
	}
	out := map[string]group{}
	for _, g := range groups {
		out[strings.ToLower(g.Handle)] = group{g.ID, g.Users}
	}
	return out, nil
}

func fetchChannels(ctx context.Context, api *slackapi.Client) (map[string]string, error) {
	ids := map[string]string{}
	q := slackapi.GetConversationsParameters{Types: []string{"public_channel", "private_channel"}, ExcludeArchived: true, Limit: 1000}
	for {
		list, next, err := api.GetConversationsContext(ctx, &q)
		if err != nil {
			return nil, err
		}
		for _, c := range list {
			ids[strings.ToLower(c.Name)] = c.ID
		}
		if next == "" {
			return ids, nil
		}
		q.Cursor = next
	}
}

// mentions returns the control sequences of those whom the configuration wants named in a message.
func (n *Notifier) mentions(ctx context.Context, m *notifier.Message) string {
	who := m.Mention
	if len(who) == 0 && m.Route != nil && m.Alert.Kind == detector.KindRoot && m.Alert.Reason == detector.ReasonFirst {
		who = []rules.Slack{{Mention: m.Route.Slack.Mention}}
	}
	var out []string
	for _, w := range who {
		name := w.Mention
		if name == "" {
			name = w.User
		}
		if s := n.mention(ctx, name); s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return strings.Join(out, " ")
}

// owner returns the control sequence of the incident's owner for the lines that are meant for them. Owners are who
// pressed a button here or whom an operator named; one that Slack does not know stays a name in the text.
func (n *Notifier) owner(ctx context.Context, m *notifier.Message) string {
	if m.Alert.Kind == detector.KindRoot || m.Alert.Kind == detector.KindEdit || m.Incident.Owner == "" {
		return ""
	}
	switch m.Alert.Reason {
	case detector.ReasonWorse, detector.ReasonLeaseEnded, detector.ReasonSnoozeOver, detector.ReasonCalm:
	default:
		return ""
	}
	id, err := n.names.user(ctx, m.Incident.Owner)
	switch {
	case err != nil:
		n.log.Warn("slack: could not look up the owner", "incident", m.Incident.ID, "error", harmless(err))
		return ""
	case id == "":
		return ""
	}
	return "<@" + id + ">"
}

// mention returns the control sequence for one configured name; a name that Slack does not know is plain text.
func (n *Notifier) mention(ctx context.Context, name string) string {
	name = strings.TrimSpace(name)
	switch {
	case name == "":
		return ""
	case name == "@here" || name == "@channel" || name == "@everyone":
		return "<!" + name[1:] + ">"
	case userID.MatchString(name):
		return "<@" + name + ">"
	case groupID.MatchString(name):
		return "<!subteam^" + name + ">"
	}
	g, groupErr := n.names.groups.get(ctx, bare(name), n.now())
	if g.id != "" {
		return "<!subteam^" + g.id + ">"
	}
	id, userErr := n.names.user(ctx, name)
	if id != "" {
		return "<@" + id + ">"
	}
	if err := errors.Join(groupErr, userErr); err != nil {
		n.log.Warn("slack: could not look up whom to mention", "name", name, "error", harmless(err))
	}
	return esc(name, maxName)
}
