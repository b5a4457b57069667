package rules

import (
	"embed"
	"fmt"
	"path"
	"strings"
	"sync"

	"go.yaml.in/yaml/v4"
)

//go:embed packs/*.yml packs/trades/*.yml
var packs embed.FS

// packFile is an embedded file with its content, which nobody changes.
type packFile struct {
	File
	root *yaml.Node
}

// library returns the embedded files: categories with their cues, starter rules, playbooks. They are read once: every
// Set has them below it.
var library = sync.OnceValue(func() []packFile { return packFolder("packs") })

// trades are the packs for one trade each, read once a file asks for them.
var trades = sync.OnceValue(func() []packFile { return packFolder("packs/trades") })

func packFolder(dir string) []packFile {
	entries, err := packs.ReadDir(dir)
	if err != nil {
		panic(fmt.Sprintf("rules: embedded packs: %v", err))
	}
	var files []packFile
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		name := path.Join(dir, e.Name())
		data, err := packs.ReadFile(name)
		if err != nil {
			panic(fmt.Sprintf("rules: embedded packs: %v", err))
		}
		var doc yaml.Node
		if err := yaml.Load(data, &doc); err != nil {
			panic(fmt.Sprintf("rules: embedded packs: %s: %v", name, err))
		}
		files = append(files, packFile{File{Name: name, Data: data}, doc.Content[0]})
	}
	return files
}

// PackIDs returns the packs that a rule file may ask for, the starter pack first.
func PackIDs() []string {
	entries, err := packs.ReadDir("packs/trades")
	if err != nil {
		panic(fmt.Sprintf("rules: embedded packs: %v", err))
	}
	ids := []string{starterPack}
	for _, e := range entries {
		ids = append(ids, strings.TrimSuffix(e.Name(), ".yml"))
	}
	return ids
}

// Starter returns the embedded rules, categories and playbooks: what is in force without any rule file. It
// panics only if the embedded files are broken.
func Starter() *Set {
	s, errs := Parse(nil, Options{})
	if s == nil {
		panic("rules: embedded packs:\n" + errs.Error())
	}
	return s
}
