package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"emberwatch/rules"

	"go.yaml.in/yaml/v4"
)

// rulePaths returns the rule files that a name stands for: a file, a folder with them, or a pattern.
func rulePaths(name string) ([]string, error) {
	switch info, err := os.Stat(name); {
	case err == nil && info.IsDir():
		return rulesIn(name)
	case err == nil:
		return []string{name}, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	if !strings.ContainsAny(name, "*?[") {
		return nil, fmt.Errorf("there is no file or folder %s", name)
	}
	paths, err := filepath.Glob(name)
	if err != nil || len(paths) == 0 {
		return nil, fmt.Errorf("no rule file matches %q", name)
	}
	return paths, nil
}

// ruleEndings are what a folder's rule files end with.
var ruleEndings = []string{".yml", ".yaml"}

func rulesIn(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, e := range entries {
		if !e.IsDir() && slices.Contains(ruleEndings, filepath.Ext(e.Name())) {
			paths = append(paths, filepath.Join(folder, e.Name()))
		}
	}
	if paths == nil {
		return nil, fmt.Errorf("the folder %s holds no rule file (*.yml, *.yaml)", folder)
	}
	return paths, nil
}

// namedRules reads the rule files that a command names.
func namedRules(names []string) ([]rules.File, error) {
	var files []rules.File
	for _, n := range names {
		paths, err := rulePaths(n)
		if err != nil {
			return nil, &exitError{exitUsage, err}
		}
		for _, p := range paths {
			f, err := readRuleFile(p)
			if err != nil {
				return nil, &exitError{exitUsage, err}
			}
			files = append(files, f)
		}
	}
	return files, nil
}

// configuration returns the first file that is a configuration and no rule file; empty: there is none.
func configuration(files []rules.File) string {
	for _, f := range files {
		if isConfiguration(f.Data) {
			return f.Name
		}
	}
	return ""
}

// isConfiguration tells by rules, which are names of files in a configuration; without them by the keys that only a
// configuration has.
func isConfiguration(data []byte) bool {
	var doc yaml.Node
	if yaml.Load(data, &doc) != nil || len(doc.Content) == 0 || doc.Content[0].Kind != yaml.MappingNode {
		return false
	}
	top, keys := doc.Content[0], yamlKeys(reflect.TypeFor[Config]())
	if list := valueOf(top, "rules"); list != nil && len(list.Content) > 0 {
		return list.Kind == yaml.SequenceNode && list.Content[0].Kind == yaml.ScalarNode
	}
	own, other := 0, 0
	for i := 0; i < len(top.Content); i += 2 {
		k := top.Content[i].Value
		if k == "version" || k == "rules" {
			continue
		}
		if _, ok := keys[k]; ok {
			own++
		} else {
			other++
		}
	}
	return own > other
}
