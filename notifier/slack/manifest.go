package slack

import (
	_ "embed"
	"slices"
)

//go:embed manifest.yml
var manifest []byte

// Manifest returns the manifest of the Slack app, as YAML.
func Manifest() []byte { return slices.Clone(manifest) }

// Scopes returns the bot scopes that the manifest asks for.
func Scopes() []string {
	return []string{
		"chat:write", "commands", "channels:read", "groups:read", "channels:history", "groups:history",
		"channels:join", "files:write", "users:read", "usergroups:read", "im:write",
	}
}

// missing returns what is wanted and not there.
func missing(want, have []string) []string {
	var out []string
	for _, w := range want {
		if !slices.Contains(have, w) {
			out = append(out, w)
		}
	}
	return out
}
