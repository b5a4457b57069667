package slack

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// examinePeople looks for everybody whom the configuration names: a ladder that leads to nobody wakes nobody, and Slack
// takes an unknown name without a word.
func (n *Notifier) examinePeople(ctx context.Context, people []string) []Finding {
	people = slices.DeleteFunc(slices.Clone(people), unnamed)
	if len(people) == 0 {
		return nil
	}
	f := Finding{Check: "slack: people and groups", Detail: fmt.Sprintf("%d names are known", len(people))}
	users, userErr := n.names.users.all(ctx, n.now())
	groups, groupErr := n.names.groups.all(ctx, n.now())
	if userErr != nil {
		return []Finding{refused(f, beforePost(userErr))}
	}
	var out []Finding
	for _, name := range people {
		if users[bare(name)] == "" && groups[bare(name)].id == "" {
			out = append(out, unknownName(name, groupErr))
		}
	}
	if out == nil {
		out = append(out, f)
	}
	return out
}

// unnamed reports whether a name needs no looking up: nobody, everybody, or an id.
func unnamed(name string) bool {
	return bare(name) == "" || slices.Contains([]string{"here", "channel", "everyone"}, bare(name)) || strings.HasPrefix(name, "#") ||
		userID.MatchString(name) || groupID.MatchString(name) || channelID.MatchString(name)
}

// unknownName is the finding about a name that nobody has. groupErr is why the groups could not be asked for.
func unknownName(name string, groupErr error) Finding {
	f := Finding{
		Check: "slack: " + name, Problem: "no person and no user group of this workspace has that name",
		Fix: "write it as Slack does behind the @ (the user name, the display name, or the handle of a group), or take the id from the profile",
	}
	if groupErr != nil {
		f.Problem = "no person has that name, and the user groups cannot be asked for"
		f.Fix += "; for groups the app needs the scope usergroups:read (" + harmless(groupErr).Error() + ")"
	}
	return f
}
