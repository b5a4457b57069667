package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"emberwatch/notifier"
	"emberwatch/rules"

	"go.yaml.in/yaml/v4"
)

// Load finds and reads the configuration: the file named by a flag or variable, else the usual places, else
// the built-in defaults. The problems are those of form; Validate finds the rest.
func Load(path string) (*Config, rules.Errors, error) {
	c := Default()
	if path == "" {
		path = findConfig()
	}
	if path == "" {
		c.fromEnvironment()
		return c, nil, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("read the configuration: %w", err)
	}
	c.path, c.dir, c.place = path, filepath.Dir(path), map[string]rules.Pos{}
	return c, c.read(data), nil
}

// findConfig returns the first of the usual files that exists.
func findConfig() string {
	places := []string{"emberwatch.yml"}
	if dir, err := os.UserConfigDir(); err == nil {
		places = append(places, filepath.Join(dir, "emberwatch", "config.yml"))
	}
	places = append(places, "/etc/emberwatch/config.yml")
	for _, p := range places {
		if info, err := os.Stat(p); err == nil && info.Mode().IsRegular() {
			return p
		}
	}
	return ""
}

// read decodes the file over the defaults.
func (c *Config) read(data []byte) rules.Errors {
	c.text = data
	root, errs := rules.ReadYAML(rules.File{Name: c.path, Data: data})
	if root == nil {
		return errs // if there are none, the file is empty: the defaults
	}
	c.walk(root, reflect.TypeFor[Config](), "", &errs)
	if err := root.Decode(c); err != nil {
		errs = append(errs, c.yamlErrors(err)...)
	}
	return errs
}

// yamlErrors gives the positions of what the YAML library found.
func (c *Config) yamlErrors(err error) rules.Errors {
	var many *yaml.LoadErrors
	var one *yaml.LoadError
	switch {
	case errors.As(err, &many):
	case errors.As(err, &one):
		many = &yaml.LoadErrors{Errors: []*yaml.LoadError{one}}
	default:
		return rules.Errors{{Pos: rules.Pos{File: c.path, Line: 1, Col: 1}, ID: "syntax", Level: rules.LevelError, What: err.Error()}}
	}
	var errs rules.Errors
	for _, e := range many.Errors {
		what, hint := c.misfit(e)
		errs = append(errs, &rules.Error{
			Pos: rules.Pos{File: c.path, Line: max(e.Mark.Line, 1), Col: max(e.Mark.Column, 1)},
			ID:  "type", Level: rules.LevelError, What: what, Hint: hint,
		})
	}
	return errs
}

// walk notes where each key stands and reports those that do not exist.
func (c *Config) walk(n *yaml.Node, t reflect.Type, at string, errs *rules.Errors) {
	c.place[at] = rules.Pos{File: c.path, Line: n.Line, Col: n.Column}
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch {
	case n.Kind == yaml.SequenceNode && t.Kind() == reflect.Slice:
		for i, item := range n.Content {
			c.walk(item, t.Elem(), fmt.Sprintf("%s[%d]", at, i), errs)
		}
	case n.Kind == yaml.MappingNode && t.Kind() == reflect.Struct:
		c.dropTwins(n, at, errs)
		for i := 0; i+1 < len(n.Content); i += 2 {
			c.key(n.Content[i], n.Content[i+1], t, at, errs)
		}
	}
}

// dropTwins reports keys that are there twice, and keeps the first of them.
func (c *Config) dropTwins(n *yaml.Node, at string, errs *rules.Errors) {
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content); {
		key := n.Content[i]
		line, twice := first[key.Value]
		if !twice {
			first[key.Value] = key.Line
			i += 2
			continue
		}
		*errs = append(*errs, &rules.Error{
			Pos: rules.Pos{File: c.path, Line: key.Line, Col: key.Column}, ID: "E02", Level: rules.LevelError,
			What: fmt.Sprintf("%q is there twice", strings.TrimPrefix(at+"."+key.Value, ".")), Why: "only one of them could count",
			Hint: fmt.Sprintf("the first is at line %d; put them together", line),
		})
		n.Content = slices.Delete(n.Content, i, i+2)
	}
}

func (c *Config) key(key, value *yaml.Node, t reflect.Type, at string, errs *rules.Errors) {
	keys := yamlKeys(t)
	if len(keys) == 0 {
		return
	}
	if key.ShortTag() == "!!merge" {
		c.base(value, t, at, errs)
		return
	}
	child := strings.TrimPrefix(at+"."+key.Value, ".")
	if sub, ok := keys[key.Value]; ok {
		c.walk(value, sub, child, errs)
		c.place[child] = rules.Pos{File: c.path, Line: key.Line, Col: key.Column}
		return
	}
	var names []string
	for k := range keys {
		names = append(names, k)
	}
	slices.Sort(names)
	hint := cmp.Or(rules.Suggest(key.Value, names), "look at the example in the README, or run emberwatch init")
	*errs = append(*errs, &rules.Error{
		Pos: rules.Pos{File: c.path, Line: key.Line, Col: key.Column}, ID: "key",
		Level: rules.LevelError, What: fmt.Sprintf("unknown key %q", child), Why: "it would be ignored unnoticed", Hint: hint,
	})
}

// base notes where the keys stand that a mapping merges. What is wrong with those of an alias is told where it stands for
// itself, and bases of bases are left to the decoder.
func (c *Config) base(n *yaml.Node, t reflect.Type, at string, errs *rules.Errors) {
	bases := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		bases = n.Content
	}
	for _, b := range bases {
		if b.Kind == yaml.AliasNode {
			b, errs = b.Alias, new(rules.Errors)
		}
		for i := 0; b.Kind == yaml.MappingNode && i+1 < len(b.Content); i += 2 {
			if key := b.Content[i]; key.ShortTag() != "!!merge" {
				c.key(key, b.Content[i+1], t, at, errs)
			}
		}
	}
}

// yamlKeys returns the keys of a struct with the types of their values.
func yamlKeys(t reflect.Type) map[string]reflect.Type {
	keys := map[string]reflect.Type{}
	for i := range t.NumField() {
		if tag := t.Field(i).Tag.Get("yaml"); tag != "" {
			keys[tag] = t.Field(i).Type
		}
	}
	return keys
}

// ruleFiles reads the rule files that the configuration names; a pattern without a match is a problem.
func (c *Config) ruleFiles() ([]rules.File, rules.Errors) {
	if c.named != nil {
		return c.named, nil
	}
	var files []rules.File
	var errs rules.Errors
	problem := func(i int, what, fix string) {
		pos := c.place[fmt.Sprintf("rules[%d]", i)]
		if pos.File == "" {
			pos = rules.Pos{File: c.name(), Line: 1, Col: 1}
		}
		errs = append(errs, &rules.Error{Pos: pos, ID: "config", Level: rules.LevelError, What: what, Hint: fix})
	}
	for i, pattern := range c.Rules {
		paths, err := rulePaths(c.resolvePath(pattern))
		if err != nil {
			problem(i, err.Error(), "write the path relative to "+c.name())
			continue
		}
		for _, p := range paths {
			f, err := readRuleFile(p)
			if err != nil {
				problem(i, err.Error(), "")
				continue
			}
			files = append(files, f)
		}
	}
	return files, errs
}

// languages reads the language files; nil: there are only the embedded ones.
func (c *Config) languages() (*notifier.Languages, error) {
	if len(c.Languages) == 0 {
		return nil, nil
	}
	files := map[string][]byte{}
	for _, pattern := range c.Languages {
		paths, err := filepath.Glob(c.resolvePath(pattern))
		if err != nil || len(paths) == 0 {
			return nil, fmt.Errorf("no file matches %q", pattern)
		}
		for _, p := range paths {
			if files[p], err = os.ReadFile(p); err != nil {
				return nil, err
			}
		}
	}
	return notifier.AddLanguages(files)
}

// modelFile is the path of the sentiment model that the configuration names, or empty.
func (c *Config) modelFile() string {
	if c.Sentiment.Model == "" {
		return ""
	}
	return c.resolvePath(c.Sentiment.Model)
}
