package main

import (
	"cmp"
	"errors"
	"reflect"
	"regexp"
	"strings"

	"emberwatch/rules"

	"go.yaml.in/yaml/v4"
)

// formError is the error of a value of the configuration that is not written as it should be. It does not repeat the value.
type formError string

func (e formError) Error() string { return string(e) }

// into is the end of what the YAML library says of a value of the wrong type: the type in Go.
var into = regexp.MustCompile(`(?s)^cannot construct .* into (\S+)$`)

// misfit says what is expected where something else stands, and how that is written. The library would repeat what stands
// there, which may be a secret at the wrong place.
func (c *Config) misfit(e *yaml.LoadError) (what, hint string) {
	hint = "look at the example in the README, or run emberwatch init"
	expected := "something else"
	if own, ok := errors.AsType[formError](e.Unwrap()); ok {
		expected = string(own)
	} else if m := into.FindStringSubmatch(e.Message); m != nil {
		if t := configType(reflect.TypeFor[Config](), m[1]); t != nil {
			expected, hint = described(t), cmp.Or(examples[t], hint)
		}
	}
	what = "expected " + expected
	if strings.Contains(e.Message, "cyclic") {
		what, hint = "a cyclic alias: what it stands for holds the alias itself", "write it out in one of the places"
	}
	if at := c.keyAt(rules.Pos{Line: e.Mark.Line, Col: e.Mark.Column}); at != "" {
		what = at + ": " + what
	}
	return what, hint
}

// keyAt is the key that stands at a place of the file, or the last one before it.
func (c *Config) keyAt(pos rules.Pos) (at string) {
	var best rules.Pos
	before := func(a, b rules.Pos) int { return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col)) }
	for key, p := range c.place {
		if before(p, pos) > 0 {
			continue
		}
		if order := before(p, best); order > 0 || order == 0 && len(key) > len(at) {
			best, at = p, key
		}
	}
	return at
}

// configType is the type of that name among those that the configuration is made of.
func configType(t reflect.Type, name string) reflect.Type {
	if t.String() == name {
		return t
	}
	switch t.Kind() {
	case reflect.Slice:
		return configType(t.Elem(), name)
	case reflect.Struct:
		for i := range t.NumField() {
			if t.Field(i).Tag.Get("yaml") == "" {
				continue
			}
			if found := configType(t.Field(i).Type, name); found != nil {
				return found
			}
		}
	}
	return nil
}

// described is how a type is written in the file.
func described(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[SourceConfig]():
		return "a mapping with type, name and the keys of that type"
	case t == reflect.TypeFor[Strings]():
		return "a text, or a list of texts"
	}
	switch t.Kind() {
	case reflect.Struct:
		var keys []string
		for i := range t.NumField() {
			if key := t.Field(i).Tag.Get("yaml"); key != "" {
				keys = append(keys, key)
			}
		}
		return "a mapping with " + strings.Join(keys, ", ")
	case reflect.Slice:
		return "a list, each of it " + described(t.Elem())
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	}
	return "a text"
}

// examples are how to write what is easily written otherwise.
var examples = map[reflect.Type]string{
	reflect.TypeFor[TokenConfig]():   "write it like {name: desk, secret: env:NAME, scopes: [read]}",
	reflect.TypeFor[[]TokenConfig](): "write it like [{name: desk, secret: env:NAME, scopes: [read]}]",
	reflect.TypeFor[SenderConfig]():  "write it like {name: shop, secret: env:NAME}",
	reflect.TypeFor[SourceConfig]():  `write it like {type: feed, name: news, url: "https://example.com/feed.xml"}`,
}
