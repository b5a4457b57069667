package main

import (
	"fmt"
	"regexp"
	"strings"

	"emberwatch/sources"
	"emberwatch/sources/webhook"

	"go.yaml.in/yaml/v4"
)

// FieldMap says where a webhook finds the fields of a mention in foreign JSON, in the order of the file.
type FieldMap []webhook.Field

// UnmarshalYAML reads {text: /review/text, …}, each value one place or a list of places to try.
func (m *FieldMap) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.MappingNode {
		return formError("what is written like {id: /review/id, text: /review/text}")
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		var from Strings
		if err := from.UnmarshalYAML(n.Content[i+1]); err != nil {
			return err
		}
		*m = append(*m, webhook.Field{Name: n.Content[i].Value, From: from})
	}
	return nil
}

// MarshalYAML writes it as it is read.
func (m FieldMap) MarshalYAML() (any, error) {
	out := map[string][]string{}
	for _, f := range m {
		out[f.Name] = f.From
	}
	return out, nil
}

// hookName is what a name has to be to stand in the address of a hook.
var hookName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// webhook checks a webhook: the intake itself, which only takes a brand and a time zone here, or one with an
// address of its own.
func (v *validation) webhook(at string, s *SourceConfig) {
	if s.Name == intakeName {
		v.intakeSource(at, s)
		return
	}
	v.hookName(at, s)
	_, unsigned := senders(v.c)
	v.profile(at+".profile", s.Profile)
	if len(s.Secret) == 0 && !unsigned {
		v.fail(at+".secret", "not set", "anybody who reaches the address could raise false alarms", "set it to env:NAME or file:PATH, as the sender has it")
	}
	for _, secret := range s.Secret {
		v.signs(at+".secret", sources.Profile(s.Profile), secret)
	}
	if len(s.Each) > 0 && len(s.Map) == 0 {
		v.fail(at+".each", "stands without map", "it says where the items of foreign JSON are, and map what they hold", "add map, or remove each")
	}
	if _, err := s.mapping(); err != nil {
		for problem := range strings.Lines(err.Error()) {
			v.fail(at+".map", strings.TrimPrefix(strings.TrimSpace(problem), "map: "), "", "")
		}
	}
}

// intakeSource checks what is written of the intake as a source.
func (v *validation) intakeSource(at string, s *SourceConfig) {
	if len(s.Map)+len(s.Each) > 0 {
		v.fail(at+".map", "the intake reads mentions only", "whoever pushes to /v1/mentions relies on their form",
			"give the source another name; it is then pushed to /v1/hooks/NAME")
	}
	if len(s.Secret) > 0 || s.Profile != "" {
		v.fail(at+".secret", "who may push to /v1/mentions stands elsewhere", "", "write intake: {secret: …}, or give the source another name; it is then pushed to /v1/hooks/NAME")
	}
}

func (v *validation) meta(at string, s *SourceConfig) {
	v.hookName(at, s)
	if len(s.Secret) == 0 {
		v.fail(at+".secret", "not set", "deliveries are signed with it", "set it to env:NAME or file:PATH with the app secret")
	}
	if s.VerifyToken.ref == "" {
		v.fail(at+".verify_token", "not set", "the handshake brings it", "set it to env:NAME or file:PATH with a word of your own, and enter it in the app's dashboard")
	}
}

func (v *validation) hookName(at string, s *SourceConfig) {
	if s.Name != "" && !hookName.MatchString(s.Name) {
		v.fail(at+".name", fmt.Sprintf("%q cannot stand in an address", s.Name), "the source is pushed to at /v1/hooks/NAME", "use letters, digits, . _ and -")
	}
}
