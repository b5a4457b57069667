package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Secret is a reference to a secret, env:NAME or file:PATH, and once resolved its value. It never prints the
// value, whatever it is printed with.
type Secret struct {
	ref   string
	value string
}

// String hides the value.
func (s Secret) String() string {
	if s.ref == "" {
		return ""
	}
	return "***"
}

// GoString hides the value.
func (s Secret) GoString() string { return s.String() }

// MarshalYAML writes the reference, which is no secret; a value that wrongly stands there is hidden.
func (s Secret) MarshalYAML() (any, error) {
	if strings.HasPrefix(s.ref, "env:") || strings.HasPrefix(s.ref, "file:") {
		return s.ref, nil
	}
	return s.String(), nil
}

// UnmarshalYAML reads the reference; what it says is checked when it is resolved.
func (s *Secret) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.ScalarNode {
		return formError("env:NAME or file:PATH, where the secret stands")
	}
	s.ref = n.Value
	return nil
}

// Secrets is one secret, or a list of them while one replaces the other.
type Secrets []Secret

// UnmarshalYAML reads one or several.
func (s *Secrets) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.SequenceNode {
		return n.Decode((*[]Secret)(s))
	}
	var one Secret
	if err := one.UnmarshalYAML(n); err != nil {
		return err
	}
	*s = Secrets{one}
	return nil
}

// values are the secrets themselves, once resolved.
func (s Secrets) values() (list []string) {
	for i := range s {
		list = append(list, s[i].value)
	}
	return list
}

// Strings is one string, or a list of them.
type Strings []string

// UnmarshalYAML reads one or several.
func (s *Strings) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.SequenceNode {
		return n.Decode((*[]string)(s))
	}
	var one string
	if n.Kind != yaml.ScalarNode || n.Decode(&one) != nil {
		return formError("a text, or a list of texts")
	}
	*s = Strings{one}
	return nil
}

// resolve reads the value that the reference leads to. A literal value is refused: files are copied, shown
// and committed.
func (s *Secret) resolve(dir string) error {
	switch {
	case s.ref == "":
		return nil
	case strings.HasPrefix(s.ref, "env:"):
		return s.fromEnv(strings.TrimPrefix(s.ref, "env:"))
	case strings.HasPrefix(s.ref, "file:"):
		return s.fromFile(dir, strings.TrimPrefix(s.ref, "file:"))
	}
	return errors.New("a secret must not stand in the file; put it into a variable and write env:NAME, or into a file and write file:PATH")
}

func (s *Secret) fromEnv(name string) error {
	s.value = os.Getenv(name)
	if s.value == "" {
		return fmt.Errorf("the variable %s is not set; set it, or remove this line", name)
	}
	return nil
}

func (s *Secret) fromFile(dir, path string) error {
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("the file %s cannot be read", path)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("the file %s can be read by others; chmod 600 it", path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("the file %s cannot be read", path)
	}
	if s.value = strings.TrimSpace(string(b)); s.value == "" {
		return fmt.Errorf("the file %s is empty", path)
	}
	return nil
}
